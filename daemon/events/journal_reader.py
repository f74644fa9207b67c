"""The reader of a journal: entries as `journalctl -o json` prints them, one a line → events.

An entry has the fields that the same message has in a syslog file (`Message`, `program`, `pid`, `severity` …), so that
a rule finds it in either, and beside them journald's own. Its text is the line that syslog would have: keywords of
rules look at what was said, not at the names of fields. Ids are made of the entry's cursor: a second reading gives the
same.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from daemon.events import Output
from daemon.events.journal import said_by_program
from daemon.events.line_events import LineEvents, same_host
from daemon.events.said_losses import AUDITD, KernelLosses
from daemon.events.stamps import Stamps
from daemon.events.syslog import FACILITIES, SEVERITIES
from daemon.events.sysmon import is_sysmon, sysmon_fields
from daemon.model import Event, Lines, Logsource, Lost, Position, Snapshot, Value

_SEQUENCE = re.compile(r"(?:^|;)i=([0-9a-f]{1,15})(?:;|$)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_FACILITIES = {str(number): name for number, name in enumerate(FACILITIES)}
_SEVERITIES = {str(number): name for number, name in enumerate(SEVERITIES)}
_DROPPED: Mapping[str, str] = {
    "a596d6fe7bfa4994828e72309e95d61e": "journal_rate_limit",
    "e9bf28e6e834481bb6f48f548ad13606": "kernel_log_overrun",
}
"""Message ids with which journald tells that it dropped something (sd-messages.h) → why, in our words."""


class Entry(Struct, frozen=True):
    """One entry. `times` is how many messages it stands for; `dropped` what journald says that it dropped."""

    cursor: str
    at: float | None
    host: str
    logsource: Logsource
    fields: dict[str, Value]
    text: str
    times: int = 1
    dropped: tuple[str, int | None] | None = None


def parse_entry(line: bytes, stamps: Stamps) -> Entry | None:
    """An entry; None for what is no JSON object."""
    try:
        record = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    if not isinstance(record, dict):
        return None
    own = {key: _value(value) for key, value in record.items()}
    said = said_by_program(record, own)
    if said is not None:
        own.update(said.fields)
    logsource = Logsource(service=said.service if said is not None else "syslog")
    program, message = _text(own, "program") or _text(own, "SYSLOG_IDENTIFIER"), _text(own, "MESSAGE")
    host, pid = _text(own, "_HOSTNAME"), _text(own, "SYSLOG_PID") or _text(own, "_PID")
    fields = {**_as_syslog(own, message, pid, host), **own}
    if message.startswith("<Event>") and is_sysmon(own):
        told, category = sysmon_fields(own)
        fields.update(told)
        logsource = Logsource(category=category, service="" if category else "sysmon")
    head = f"{program}[{pid}]" if pid else program
    return Entry(
        cursor=_text(own, "__CURSOR"),
        at=_time(own, stamps),
        host=host,
        logsource=logsource,
        fields=fields,
        text=f"{host} {head}: {message}",
        times=said.times if said is not None else 1,
        dropped=_dropped(own),
    )


def _value(value: Any) -> Value:
    """The values of a journal are text, or arrays where a field stands several times or is no clean text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return tuple(item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in value)
    return None if value is None else str(value)


def _as_syslog(own: Mapping[str, Value], message: str, pid: str, host: str) -> dict[str, Value]:
    """The names that a syslog line's fields have."""
    fields: dict[str, Value] = {"Message": message}
    if pid:
        fields["pid"] = pid
    if host:
        fields["hostname"] = host
    facility, priority = _text(own, "SYSLOG_FACILITY"), _text(own, "PRIORITY")
    if facility in _FACILITIES:
        fields["facility"] = _FACILITIES[facility]
    if priority in _SEVERITIES:
        fields["severity"] = _SEVERITIES[priority]
    return fields


def _dropped(own: Mapping[str, Value]) -> tuple[str, int | None] | None:
    why = _DROPPED.get(_text(own, "MESSAGE_ID"))
    if why is None or _text(own, "_TRANSPORT") != "driver":  # by which only journald itself speaks
        return None
    count = _text(own, "N_DROPPED")
    return why, int(count) if _NUMBER.fullmatch(count) else None


def _time(own: Mapping[str, Value], stamps: Stamps) -> float | None:
    stamp = _text(own, "__REALTIME_TIMESTAMP")
    return stamps.believed(int(stamp) / 1e6) if _NUMBER.fullmatch(stamp) else None


def _text(fields: Mapping[str, Value], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


class JournalReader:
    """Entries of one journal → one event per message, and what the kernel and journald say that they lost."""

    def __init__(self, source: str, *, host: str, now: Callable[[], float], stamps: Stamps) -> None:
        self.unparsed = 0
        self.left_out = 0
        self._source = source
        self._host = host
        self._stamps = stamps
        self._kernel = KernelLosses(source)
        self._line_events = LineEvents(source, host=host, now=now)

    @property
    def latest(self) -> float:
        """The time of the last entry read; minus infinity before."""
        return self._line_events.latest

    @property
    def evictions(self) -> int:
        """Hosts whose kernel's count was forgotten: besides, an entry is an event, and nothing is kept."""
        return self._kernel.evictions

    def feed(self, lines: Lines) -> list[Output]:
        """The events of these entries."""
        outputs: list[Output] = []
        self._line_events.begin()
        for offset, line in lines.split():
            if not line:
                continue
            entry = parse_entry(line, self._stamps)
            if entry is None:
                self.unparsed += 1
                text = line.decode("utf-8", "backslashreplace")
                outputs.append(self._line_events.event(lines, offset, Logsource(), text))
                continue
            event = self._event(lines, offset, entry)
            outputs.extend(self._line_events.copies(event, entry.times))
            outputs.extend(self._losses(entry, event))
        return outputs

    def _event(self, lines: Lines, offset: int, entry: Entry) -> Event:
        event = self._line_events.event(
            lines, offset, entry.logsource, entry.text, at=entry.at, host=entry.host, fields=entry.fields
        )
        if not entry.cursor:
            return event
        digest = hashlib.blake2b(entry.cursor.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
        place = Position(lines.position.path, entry.cursor, sequence_of(entry.cursor))
        return msgspec.structs.replace(event, id=f"{self._source}:{digest}", position=place)

    def _losses(self, entry: Entry, event: Event) -> Iterable[Lost]:
        if entry.fields.get("_TRANSPORT") == "kernel":
            host = "" if same_host(entry.host, self._host) else entry.host
            yield from self._kernel.feed(host, str(entry.fields.get("MESSAGE", "")), event.at)
        elif entry.fields.get("program") in AUDITD:
            host = "" if same_host(entry.host, self._host) else entry.host
            yield from self._kernel.feed_auditd(host, str(entry.fields.get("MESSAGE", "")), event.at)
        if entry.dropped is not None:
            why, count = entry.dropped
            yield Lost(self._source, why, count, event.at, entry.text)

    def tick(self, now: float) -> list[Output]:
        """Nothing: an entry is an event."""
        del now
        return []

    def changes(self) -> list[Snapshot]:
        """How much the kernel had lost when it last said so."""
        return self._kernel.changes()

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; rows of other steps are ignored."""
        self._kernel.restore(snapshots)


def sequence_of(cursor: str) -> int:
    """The number of an entry in its journal, as its cursor has it (0 where it has none)."""
    found = _SEQUENCE.search(cursor)
    return int(found[1], 16) if found else 0
