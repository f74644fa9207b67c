"""The reader of a source, by its format, and the finding out of the format.

`build_reader` is what the wiring calls.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo
from types import MappingProxyType

from daemon.events import Output, Reader, Selector, Sight, Sighted
from daemon.events.auditd import parse_record
from daemon.events.auditd_reader import AuditdReader
from daemon.events.journal_reader import JournalReader
from daemon.events.jsonl import Shaping
from daemon.events.processes import Process
from daemon.events.stamps import Stamps
from daemon.events.syslog import looks_like_syslog
from daemon.events.text_readers import JsonReader, SyslogReader
from daemon.model import Lines, Position, Snapshot

__all__ = ["AuditdReader", "AutoReader", "JournalReader", "JsonReader", "SyslogReader", "build_reader", "detect_format"]

_SAMPLE_LINES = 32


def build_reader(
    source: str,
    fmt: str,
    *,
    host: str,
    now: Callable[[], float],
    usernames: Callable[[int], str],
    redact: Callable[[str], str],
    zone: tzinfo | None = UTC,
    live: bool = True,
    selectors: Mapping[str, Selector] = MappingProxyType({}),
    shaping: Shaping | None = None,
) -> Reader:
    """The reader of a source. `fmt` is `auditd`, `syslog`, `json`, `journal` (what journalctl prints), or `auto` for
    what each file turns out to be.

    `now` dates stamps without a year and lines without a stamp; `usernames` gives the name of a uid of this host
    ("" if it has none); `redact` cleans command lines before they are kept; `zone` is that of stamps without one
    (None: the local one); `live` says that the log is being written as `now` passes, so that a text log's stamp of more
    than a day ahead is none (see `Stamps`; audit records are taken at their word);
    `selectors` say by format which texts need not become events; `shaping` of what tool records of JSON are.
    Raises ValueError for another `fmt`.
    """
    stamps = Stamps(now, zone, live=live)
    if fmt == "journal":
        return JournalReader(source, host=host, now=now, stamps=stamps)
    if fmt == "json":
        return JsonReader(source, host=host, now=now, stamps=stamps, shaping=shaping)
    if fmt not in {"auditd", "syslog", "auto"}:
        raise ValueError(f"expected a format of auto, auditd, syslog, json or journal (got {fmt!r})")
    if fmt == "syslog":
        return SyslogReader(source, host=host, now=now, stamps=stamps, selector=selectors.get("syslog"))
    auditd = AuditdReader(
        source, host=host, now=now, usernames=usernames, redact=redact, selector=selectors.get("auditd")
    )
    if fmt == "auditd":
        return auditd
    syslog = SyslogReader(source, host=host, now=now, stamps=stamps, selector=selectors.get("syslog"))
    return AutoReader(source, auditd, syslog, JsonReader(source, host=host, now=now, stamps=stamps))


def detect_format(sample: bytes) -> str:
    """`auditd`, `syslog` or `json` by the first lines, "" if they are none of these. The last line may be cut."""
    nowhere = Position("", "", 0)
    votes = {"auditd": 0, "syslog": 0, "json": 0}
    for line in [line for line in sample.split(b"\n") if line.strip(b" \r\t\0")][:_SAMPLE_LINES]:
        if parse_record(line, nowhere) is not None:
            votes["auditd"] += 1
        elif line.lstrip(b" \t").startswith((b'{"', b"{}", b"{ ")):
            votes["json"] += 1
        elif looks_like_syslog(line.decode("utf-8", "backslashreplace")):
            votes["syslog"] += 1
    best = max(votes, key=lambda name: votes[name])
    return best if votes[best] else ""


class AutoReader:
    """Decides once per file, from the first lines that it sees of it, and remembers the decision across restarts.

    Per file and not per source, because one glob may take in files of several formats. What is of no known format
    is read as syslog, which makes events with the text alone. Bounded: the decisions of the last `max_files` files.
    """

    def __init__(
        self, source: str, auditd: AuditdReader, syslog: SyslogReader, json: JsonReader, *, max_files: int = 1024
    ) -> None:
        self.unparsed = 0
        self.left_out = 0
        self._step = f"format:{source}"
        self._auditd = auditd
        self._readers: Mapping[str, Reader] = {"auditd": auditd, "syslog": syslog, "json": json}
        self._max_files = max_files
        self._decided: OrderedDict[str, str] = OrderedDict()
        self._changed: dict[str, bytes | None] = {}

    @property
    def latest(self) -> float:
        """The time of the last line read, event or not."""
        return max(reader.latest for reader in self._readers.values())

    @property
    def evictions(self) -> int:
        """What went before its time because memory is bounded."""
        return sum(reader.evictions for reader in self._readers.values())

    @property
    def sight(self) -> Sight:
        """What the files show of losses."""
        audit, lines = self._auditd.sight, self._readers["syslog"]
        kernel = isinstance(lines, Sighted) and lines.sight.kernel
        return Sight(audit.records, audit.absent, kernel, audit.crowded)

    def seed(self, processes: Iterable[Process]) -> None:
        """Tell the table of processes what is running now."""
        self._auditd.seed(processes)

    def feed(self, lines: Lines) -> list[Output]:
        """The events that these lines complete."""
        reader = self._readers[self._format_of(lines) or "syslog"]
        outputs = reader.feed(lines)
        self.unparsed = sum(each.unparsed for each in self._readers.values())
        self.left_out = sum(each.left_out for each in self._readers.values())
        return outputs

    def tick(self, now: float) -> list[Output]:
        """The events that are complete because time passed; `math.inf` completes all (the end of a replay)."""
        return [output for reader in self._readers.values() for output in reader.tick(now)]

    def changes(self) -> list[Snapshot]:
        """The decisions made, and what changed in the readers."""
        rows = [Snapshot(self._step, key, value) for key, value in self._changed.items()]
        self._changed = {}
        return rows + [row for reader in self._readers.values() for row in reader.changes()]

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; rows of other steps are ignored."""
        rows = list(snapshots)
        for row in rows:
            fmt = (row.value or b"").decode("utf-8", "replace")
            if row.step == self._step and fmt in self._readers:
                self._decided[row.key] = fmt
        for reader in self._readers.values():
            reader.restore(rows)

    def _format_of(self, lines: Lines) -> str:
        identity = lines.position.identity
        known = self._decided.get(identity)
        if known is not None:
            self._decided.move_to_end(identity)
            return known
        fmt = detect_format(lines.data)
        if fmt:
            self._decided[identity] = fmt
            self._changed[identity] = fmt.encode()
        if len(self._decided) > self._max_files:
            oldest, _ = self._decided.popitem(last=False)
            self._changed[oldest] = None
        return fmt
