"""The readers of logs where a line is an event: syslog, and JSON objects."""

from collections.abc import Callable, Iterable

import msgspec

from daemon.events import Output, Selector, Sight
from daemon.events.jsonl import Parsed, Shaping, parse_json_records
from daemon.events.line_events import LineEvents, same_host
from daemon.events.said_losses import AUDITD, KernelLosses
from daemon.events.stamps import Stamps
from daemon.events.surely_syslog import odd_lines
from daemon.events.syslog import parse_head, syslog_fields
from daemon.model import Event, Lines, Logsource, Snapshot

_LISTENS = 1 << 15
"""Bytes of a run in which the kernel is listened for: a run of a log that is being written is shorter."""


class SyslogReader:
    """A syslog file → one event per message (a line may stand for several), and what the kernel says it lost.

    With a `selector`, only the lines in which it finds what a rule needs become events.
    """

    def __init__(
        self, source: str, *, host: str, now: Callable[[], float], stamps: Stamps, selector: Selector | None = None
    ) -> None:
        self._selector = None if selector is None or selector.everything else selector
        self.left_out = 0
        self._left = (0, 0)  # what was left out since the last line that was read: where it begins and ends
        self.unparsed = 0
        self._host = host
        self._stamps = stamps
        self._kernel = KernelLosses(source)
        self._heard = False
        self._line_events = LineEvents(source, host=host, now=now)

    @property
    def latest(self) -> float:
        """The time of the last line read, event or not."""
        return self._line_events.latest

    @property
    def evictions(self) -> int:
        """Hosts whose kernel's count was forgotten: besides, a line is an event, and nothing is kept."""
        return self._kernel.evictions

    @property
    def sight(self) -> Sight:
        """Whether the kernel is heard here."""
        return Sight(kernel=self._heard or self._kernel.heard)

    def feed(self, lines: Lines) -> list[Output]:
        """The events of these lines."""
        outputs: list[Output] = []
        self._line_events.begin()
        self._heard = self._heard or lines.data.find(b" kernel: ", 0, _LISTENS) >= 0
        if self._selector is None:
            for offset, line in lines.split():
                if line:
                    self._read(lines, offset, line, outputs)
        else:
            self._selected(lines, self._selector, outputs)
        return outputs

    def _selected(self, lines: Lines, selector: Selector, outputs: list[Output]) -> None:
        """Read the lines in which the selector finds something, and those of which it is not sure what they are."""
        data, begins = lines.data, lines.position.offset
        self._left = (0, 0)
        lines_read = 0
        for start in sorted({*selector.lines(data), *odd_lines(data)}):
            end = data.index(b"\n", start)
            line = data[start:end].removesuffix(b"\r")
            self._left = (self._left[0], start)
            if line:
                self._read(lines, begins + start, line, outputs)
                self._left = (end + 1, end + 1)
                lines_read += 1
        self._left = (self._left[0], len(data))
        self._catch_up(data)
        self.left_out += data.count(b"\n") - lines_read

    def _catch_up(self, data: bytes) -> None:
        """Take the time of the last line that has one, of those that were left out: a line without one has it too."""
        start, end = self._left
        while end > start:
            begin = data.rfind(b"\n", start, end - 1) + 1 or start
            head = parse_head(data[begin : end - 1].decode("utf-8", "backslashreplace"), self._stamps)
            if head is not None and head.at is not None:
                self._line_events.moment(head.at)
                break
            end = begin
        self._left = (self._left[1], self._left[1])

    def _read(self, lines: Lines, offset: int, line: bytes, outputs: list[Output]) -> None:
        text = line.decode("utf-8", "backslashreplace")
        head = parse_head(text, self._stamps)
        if head is None or head.at is None:
            self._catch_up(lines.data)
        if head is None:
            self.unparsed += 1
            outputs.append(self._line_events.event(lines, offset, Logsource(), text))
            return
        service, fields = syslog_fields(head)
        logsource = Logsource(service=service)
        event = self._line_events.event(lines, offset, logsource, text, at=head.at, host=head.host, fields=fields)
        if head.times > 1:
            outputs.extend(self._line_events.copies(event, head.times))
        else:
            outputs.append(event)
        if head.program == "kernel":
            host = "" if same_host(head.host, self._host) else head.host
            outputs.extend(self._kernel.feed(host, head.message, event.at))
        elif head.program in AUDITD:
            host = "" if same_host(head.host, self._host) else head.host
            outputs.extend(self._kernel.feed_auditd(host, head.message, event.at))

    def tick(self, now: float) -> list[Output]:
        """Nothing: a line is an event."""
        del now
        return []

    def changes(self) -> list[Snapshot]:
        """How much the kernel had lost when it last said so."""
        return self._kernel.changes()

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; rows of other steps are ignored."""
        self._kernel.restore(snapshots)


class JsonReader:
    """A file of one JSON object per line → the events of each line that is not empty."""

    def __init__(
        self, source: str, *, host: str, now: Callable[[], float], stamps: Stamps, shaping: Shaping | None = None
    ) -> None:
        self._shaping = shaping or Shaping()
        self.unparsed = 0
        self.left_out = 0
        self.evictions = 0
        self._stamps = stamps
        self._now = now
        self._line_events = LineEvents(source, host=host, now=now)

    @property
    def latest(self) -> float:
        """The time of the last line read, event or not."""
        return self._line_events.latest

    def feed(self, lines: Lines) -> list[Output]:
        """The events of these lines; a record without a time of its own happened now."""
        outputs: list[Output] = []
        self._line_events.begin()
        for offset, line in lines.split():
            if not line.strip(b" \t\r"):
                continue
            records = parse_json_records(line, self._stamps, self._shaping)
            if not records:
                self.unparsed += 1
                text = line.decode("utf-8", "backslashreplace")
                outputs.append(self._line_events.event(lines, offset, Logsource(), text, at=self._now()))
            for number, parsed in enumerate(records):
                outputs.extend(self._events(lines, offset, number, parsed))
        return outputs

    def _events(self, lines: Lines, offset: int, number: int, parsed: Parsed) -> list[Event]:
        """The events of one part of a record: of several, each but the first has its number in its id."""
        at = self._now() if parsed.at is None else parsed.at
        event = self._line_events.event(
            lines, offset, parsed.logsource, parsed.text, at=at, host=parsed.host, fields=parsed.fields
        )
        if number:
            event = msgspec.structs.replace(event, id=f"{event.id}.{number}")
        return self._line_events.copies(event, parsed.times)

    def tick(self, now: float) -> list[Output]:
        """Nothing: a line is an event."""
        del now
        return []

    def changes(self) -> list[Snapshot]:
        """Nothing: no memory."""
        return []

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Nothing to take back."""
        del snapshots
