"""What other tools hand over through the endpoint: envelopes with one record each → events, each record once.

A sender that hears no answer sends again. A record is known by what its sender calls it (Falco's uuid or time, rule and
text; Alertmanager's fingerprint, start and status), else by the request's own key (`Idempotency-Key`, `webhook-id`);
one that was stored already makes no event. A record without any such name is taken as often as it comes. One that we
fail on is a loss of its own: the others of its request are read.

Bounded: the names of the last `most_known` records, stored with what the records caused; of the last 256 requests, how
many of their records were repeats.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from daemon.events import Output
from daemon.events.alertmanager import find_misshape, is_meant
from daemon.events.jsonl import Parsed, Shaping, parse_record
from daemon.events.line_events import same_host
from daemon.events.stamps import Stamps
from daemon.model import Event, Lines, Lost, Position, Snapshot

_MOST_KNOWN = 20_000
_MOST_REQUESTS = 256  # more than can wait for the store at once


class Envelope(Struct, frozen=True):
    """One record on its way: `id` is unique in this life of ours, `key` the request's own name of it ("" for none),
    `at` when it came.
    """

    id: str
    at: float
    record: dict[str, Any]
    key: str = ""


def find_fault(record: Any, shaping: Shaping, stamps: Stamps) -> str:
    """What was expected of a record that no event can be made of; "" for a good one."""
    if not isinstance(record, dict):
        return "a JSON object"
    misshape = find_misshape(record) if shaping.preset in {"auto", "alertmanager"} and is_meant(record) else ""
    if misshape:
        return f"a notification of Alertmanager (version 4): {misshape}"
    if parse_record(record, stamps, shaping):
        return ""
    if shaping.preset in {"auto", "generic"} or parse_record(record, stamps, Shaping("generic")) == []:
        return "an object with something in it, of at most 2048 fields and 32 levels"
    return f"a record of {shaping.preset}"


class IntakeReader:
    """Envelopes of one intake → events. Each record is read as if it stood in a file of JSON lines."""

    def __init__(
        self, source: str, *, host: str, stamps: Stamps, shaping: Shaping, most_known: int = _MOST_KNOWN
    ) -> None:
        self.unparsed = 0
        self.left_out = 0
        self.evictions = 0
        self.repeated = 0
        self._source = source
        self._host = host
        self._stamps = stamps
        self._shaping = shaping
        self._most_known = most_known
        self._step = f"intake:{source}"
        self._known: OrderedDict[str, float] = OrderedDict()
        self._changed: dict[str, bytes | None] = {}
        self._repeats: OrderedDict[str, int] = OrderedDict()
        self._came = 0.0
        self._latest = -math.inf

    @property
    def latest(self) -> float:
        """The time of the last record; minus infinity before."""
        return self._latest

    def feed(self, lines: Lines) -> list[Output]:
        """The events of these envelopes."""
        outputs: list[Output] = []
        repeats = 0
        for _, line in lines.split():
            try:
                events, known = self._read(lines.position.path, line)
            except Exception as error:  # noqa: BLE001 - a bug met by one record must not lose the others, which are acknowledged with it
                detail = f"{type(error).__name__}: {error}"
                outputs.append(Lost(self._source, "reader_error", 1, self._came, detail))
                continue
            outputs.extend(events)
            repeats += known
        self._repeats[lines.position.identity] = repeats
        if len(self._repeats) > _MOST_REQUESTS:
            self._repeats.popitem(last=False)
        return outputs

    def repeats_of(self, request: str) -> int:
        """How many records of a request that was just read were known already, each as a whole."""
        return self._repeats.get(request, 0)

    def _read(self, path: str, line: bytes) -> tuple[list[Event], bool]:
        """The events of one record that are new, and whether none of it was. Remembers names only once all is made."""
        envelope = msgspec.json.decode(line, type=Envelope)
        self._came = envelope.at
        parts = parse_record(envelope.record, self._stamps, self._shaping)
        made = [self._event(path, envelope, number, part) for number, part in enumerate(parts)]
        self.unparsed += not parts
        events = [event for named, event in made if not (named and self._is_known(event, envelope.at))]
        if made:
            self._latest = made[-1][1].at
        return events, bool(made) and not events

    def _event(self, path: str, envelope: Envelope, number: int, part: Parsed) -> tuple[bool, Event]:
        """The event, and whether its sender names it."""
        called = part.key or (f"{envelope.key}:{number}" if envelope.key else "")
        key = f"{called}:{part.logsource.category}" if called else ""
        name = _digest(key or f"{envelope.id}:{number}")
        at = envelope.at if part.at is None else part.at
        host = self._host if same_host(part.host, self._host) else part.host
        place = Position(path, name, 0)
        event = Event(f"{self._source}:{name}", at, host, self._source, part.logsource, part.fields, part.text, place)
        return bool(key), event

    def _is_known(self, event: Event, at: float) -> bool:
        name = event.id.removeprefix(f"{self._source}:")
        known = name in self._known
        self._known[name] = at
        self._known.move_to_end(name)
        self._changed[name] = repr(at).encode()  # of a repeat too: after a restart it is no older than here
        self.repeated += known
        if len(self._known) > self._most_known:
            gone, _ = self._known.popitem(last=False)
            self._changed[gone] = None
            self.evictions += 1
        return known

    def tick(self, now: float) -> list[Output]:
        """Nothing: a record waits for no other."""
        del now
        return []

    def changes(self) -> list[Snapshot]:
        """The names of new records."""
        rows = [Snapshot(self._step, name, value) for name, value in self._changed.items()]
        self._changed = {}
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back the names of stored records, the oldest first; other rows are ignored."""
        rows = [(_number(row.value), row.key) for row in snapshots if row.step == self._step and row.value is not None]
        self._known.update({name: at for at, name in sorted(rows)})


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _number(value: bytes) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0
