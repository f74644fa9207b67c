"""The reader of an audit log: records, groups, events; the table of processes; what was lost."""

from collections.abc import Callable, Container, Iterable, Mapping
from itertools import accumulate

from daemon.events import Output, Selector, Sight
from daemon.events.assemble import Assembler, Group
from daemon.events.audit_rows import Rows
from daemon.events.auditd import Record, parse_record
from daemon.events.line_events import LineEvents
from daemon.events.losses import Losses
from daemon.events.processes import Process, Processes
from daemon.events.scene import build_scene
from daemon.events.shown import show_records
from daemon.events.start_event import Started, start_event
from daemon.events.taxonomy import Taxonomy
from daemon.events.whole_events import Followed, WholeEvents
from daemon.model import Lines, Logsource, Position, Snapshot

_AUDITD = Logsource(service="auditd")


class AuditdReader:
    """Lines of an audit log → events. Lines that are no record become events with their text alone.

    With a `selector`, events that stand whole in a run of lines are made only where it finds what a rule needs.
    """

    def __init__(
        self,
        source: str,
        *,
        host: str,
        now: Callable[[], float],
        usernames: Callable[[int], str],
        redact: Callable[[str], str],
        selector: Selector | None = None,
    ) -> None:
        self.unparsed = 0
        self.left_out = 0
        self._source = source
        self._host = host
        self.assembler = Assembler(source)
        self.processes = Processes(source, redact=redact)
        self._losses = Losses(source)
        self._taxonomy = Taxonomy(source, host=host, usernames=usernames, processes=self.processes)
        self._line_events = LineEvents(source, host=host, now=now)
        self._selector = None if selector is None or selector.everything else selector
        self._whole = WholeEvents(
            host=host, assembler=self.assembler, losses=self._losses, processes=self.processes, taxonomy=self._taxonomy
        )

    @property
    def latest(self) -> float:
        """The time of the last line read, event or not."""
        return self._line_events.latest

    @property
    def evictions(self) -> int:
        """Groups, processes and nodes that went before their time because memory is bounded."""
        return self.assembler.evictions + self.processes.evictions + self._losses.evictions

    @property
    def sight(self) -> Sight:
        """What the log shows of losses."""
        losses = self._losses
        return Sight(records=losses.seen, absent=losses.absent, crowded=losses.crowded)

    def seed(self, processes: Iterable[Process]) -> None:
        """Tell the table of processes what is running now."""
        self.processes.seed(processes)

    def feed(self, lines: Lines) -> list[Output]:
        """The events that these lines complete."""
        outputs: list[Output] = []
        selector = self._selector
        if selector is None:
            at = self._each(lines, 0, len(lines.data), None, outputs)
        else:
            at = self._selected(lines, selector, outputs)
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

    def _selected(self, lines: Lines, selector: Selector, outputs: list[Output]) -> float | None:
        """Follow whole events and read all others; then make events of those in which the selector finds something."""
        rows, followed = Rows(lines.data), Followed()
        run = self.assembler.closed.begin_run(lines.data)
        read: dict[int, list[Output]] = {}
        at: float | None = None
        number, whole = 0, len(rows)
        while number < len(rows):
            last = self._whole.follow(rows, number, run, followed)
            if last > number:
                at = rows.at[last - 1]
            else:
                last = rows.end_of_others(number)
                read[number] = []
                at = self._each(lines, rows.start(number), rows.ends[last - 1], at, read[number])
                whole -= last - number
                followed.read.update(range(number, last))
            number = last
        wanted = self._wanted(selector, lines.data, rows, followed)
        self.left_out += whole - len(wanted)
        for number in sorted({*read, *followed.lost, *wanted}):
            outputs += read.get(number, ())
            outputs += followed.lost.get(number, ())
            if number in wanted:
                outputs += self._events(lines, rows, number, followed.started.get(number), wanted[number])
        return at

    def _wanted(self, selector: Selector, data: bytes, rows: Rows, followed: Followed) -> Mapping[int, Container[str]]:
        """The numbers of the events in which the selector finds something, with the categories in which."""
        more = accumulate(map(len, followed.texts), initial=len(data))
        next(more)
        texts = show_records(b"".join([data, *followed.texts]))
        wanted = selector.find(texts, [*rows.ends, *more], [*range(len(rows)), *followed.numbers])
        return {number: categories for number, categories in wanted.items() if number not in followed.read}

    def _each(self, lines: Lines, start: int, end: int, at: float | None, outputs: list[Output]) -> float | None:
        """Read line by line; gives the time of the last record."""
        part = lines.data[start:end]
        offset = lines.position.offset + start
        for raw in part.split(b"\n")[:-1]:
            line = raw.removesuffix(b"\r")
            record = parse_record(line, Position(lines.position.path, lines.position.identity, offset))
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
            offset += len(raw) + 1
        return at

    def _events(
        self, lines: Lines, rows: Rows, number: int, started: Started | None, categories: Container[str]
    ) -> list[Output]:
        """The events of these categories of a whole event."""
        start, end = rows.start(number), rows.ends[number]
        if started is not None and "" not in categories and "file_event" not in categories:
            if "process_creation" not in categories:
                return []
            position = Position(lines.position.path, lines.position.identity, lines.position.offset + start)
            at = rows.at[number]
            return [start_event(started, source=self._source, host=self._host, at=at, position=position)]
        records: dict[int, Record] = {}
        offset = lines.position.offset + start
        for line in lines.data[start:end].split(b"\n")[:-1]:
            record = parse_record(line, Position(lines.position.path, lines.position.identity, offset))
            assert record is not None
            records[record.digest] = record
            offset += len(line) + 1
        kept = list(records.values())
        first = kept[0]
        group = Group(first.node, first.stamp, first.serial, first.at, kept, set(records), closed_by="record")
        parent = started.parent if started is not None else None
        return list(self._taxonomy.events_after(build_scene(group), parent, categories))

    def _complete(self, groups: list[Group]) -> list[Output]:
        outputs: list[Output] = []
        for group in groups:
            outputs.extend(self._taxonomy.events(group))
            outputs.extend(self._losses.closed(group))
        return outputs
