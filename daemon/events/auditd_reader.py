"""The reader of an audit log: records, groups, events; the table of processes; what was lost."""

from collections.abc import Callable, Iterable

from daemon.events import Output
from daemon.events.assemble import Assembler, Group
from daemon.events.auditd import parse_record
from daemon.events.line_events import LineEvents
from daemon.events.losses import Losses
from daemon.events.processes import Process, Processes
from daemon.events.taxonomy import Taxonomy
from daemon.model import Lines, Logsource, Position, Snapshot

_AUDITD = Logsource(service="auditd")


class AuditdReader:
    """Lines of an audit log → events. Lines that are no record become events with their text alone."""

    def __init__(
        self,
        source: str,
        *,
        host: str,
        now: Callable[[], float],
        usernames: Callable[[int], str],
        redact: Callable[[str], str],
    ) -> None:
        self.unparsed = 0
        self.assembler = Assembler(source)
        self.processes = Processes(source, redact=redact)
        self._losses = Losses(source)
        self._taxonomy = Taxonomy(source, host=host, usernames=usernames, processes=self.processes)
        self._line_events = LineEvents(source, host=host, now=now)

    @property
    def evictions(self) -> int:
        """Groups and processes that went before their time because memory is bounded."""
        return self.assembler.evictions + self.processes.evictions

    def seed(self, processes: Iterable[Process]) -> None:
        """Tell the table of processes what is running now."""
        self.processes.seed(processes)

    def feed(self, lines: Lines) -> list[Output]:
        """The events that these lines complete."""
        outputs: list[Output] = []
        at: float | None = None
        path, identity = lines.position.path, lines.position.identity
        for offset, line in lines.split():
            record = parse_record(line, Position(path, identity, offset))
            if record is not None:
                at = record.at
                outputs += self._losses.feed(record)
                groups = self.assembler.feed(record)
                if groups:
                    outputs += self._complete(groups)
            elif line:
                self.unparsed += 1
                text = line.decode("utf-8", "backslashreplace")
                outputs.append(self._line_events.event(lines, offset, _AUDITD, text, at=at))
        self._line_events.moment(at)
        return outputs

    def tick(self, now: float) -> list[Output]:
        """The events that are complete because time passed; `math.inf` completes all (the end of a replay)."""
        return [*self._complete(self.assembler.tick(now)), *self._losses.tick(now)]

    def changes(self) -> list[Snapshot]:
        """What changed in memory since the last call."""
        return [*self.assembler.changes(), *self.processes.changes(), *self._losses.changes()]

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; rows of other steps are ignored."""
        rows = list(snapshots)
        self.assembler.restore(rows)
        self.processes.restore(rows)
        self._losses.restore(rows)

    def _complete(self, groups: list[Group]) -> list[Output]:
        outputs: list[Output] = []
        for group in groups:
            outputs.extend(self._taxonomy.events(group))
            outputs.extend(self._losses.closed(group))
        return outputs
