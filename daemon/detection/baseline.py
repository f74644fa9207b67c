"""What is usual of every gauge of this host: a step from samples to derived fields.

    Sample ─▶ Baselines ─▶ {"cpu.percent.delta": 3.2, "cpu.percent.rate": 0.64, "cpu.percent.zscore": 7.1, …}

A series is one gauge of one thing (host, source, category, tags); processes come and go by the hundred and have none.
Everything is learned always, so that a new rule finds what is usual; fields are made for those that some rule reads.
They are absent, never zero, where they are unknown. Rows are stored a few at a time, each every ten minutes at most:
gauges cannot be read again, and what a crash takes of weeks of learning is the last ten minutes. A series takes 6 kB in
memory and 2.3 kB in the store.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from zlib import crc32

import msgspec
from msgspec import Struct

from daemon.detection.baseline_gauge import Gauge, GaugeRow
from daemon.detection.baseline_trend import Trend
from daemon.detection.keyed import key_of
from daemon.detection.rules import ParsedRules
from daemon.model import Sample, Snapshot
from daemon.model.gauge_names import RUNNING_OUT

STEP = "baseline"
MOST_SERIES = 1000
STORED_EVERY, _TOGETHER = 600.0, 60.0
"""Seconds between two times that the row of a series is stored, and between two times that any are."""
_FORMAT = 1
_GAP, _SHORT, _EDGE = 3, 0.5, 1e-6
"""Intervals between two readings beyond which some are missing, and below which the clock was set back."""
_LONGEST_PAUSE = 900.0
"""Seconds without a reading over which a trend goes on."""
_LARGEST = 1e30
_IDLE = 600.0
"""Seconds after which a series that was not seen gives way to a new one."""
_FLOORS = (
    (("percent",), 1.0),
    (("bytes_per_second",), 32_768.0),
    (("bytes",), 1_048_576.0),
    (("celsius", "watts", "_per_second", "count", "files", "free"), 1.0),
    (("seconds", "ratio", "_per_core"), 0.01),
)
"""By how a gauge's name ends: the least spread worth telling. `load.*` has 0.1, others 1."""
Thing = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Host, source, category and tags: what has gauges."""
_KINDS = ("delta", "rate", "zscore", "shift", "spike", "seconds_to_zero")


class SeriesRow(Struct, array_like=True, frozen=True):
    """A series, stored. What it last read is not: another process does not know what was in between."""

    form: int
    seen: float
    interval: float
    gauge: GaugeRow
    trend: bytes = b""


class Series:
    """One gauge of one thing: its last reading, what is usual of it, and its trend where it may run out."""

    __slots__ = ("_gauge", "_interval", "_names", "_odd", "_trend", "_value", "key", "seen", "stored")

    def __init__(self, key: str, name: str, reads: Collection[str] | None, row: SeriesRow | None = None) -> None:
        self.key = key
        self.seen = self.stored = row.seen if row else 0.0
        self._interval = row.interval if row else 0.0
        self._odd = 0.0
        self._value: float | None = None
        self._gauge = Gauge(floor_of(name), row.gauge if row else None)
        self._trend = Trend(row.trend if row else b"") if name in RUNNING_OUT else None
        self._names = tuple(
            derived if reads is None or derived in reads else "" for derived in (f"{name}.{kind}" for kind in _KINDS)
        )

    def feed(self, at: float, value: float, fields: dict[str, float]) -> None:
        """A reading; adds to `fields` what there is besides it."""
        passed, before = at - self.seen, self._value
        broken = before is None or not self._goes_on(passed)
        score = self._gauge.feed(at, value, self._interval if broken else passed, broken=broken)
        delta, rate, zscore, shift, spike, to_zero = self._names
        if before is not None and not broken:
            if delta:
                fields[delta] = round(value - before, 9)
            if rate:
                fields[rate] = round((value - before) / passed, 9)
        if score is not None and zscore:
            fields[zscore] = round(score.zscore, 2) + 0.0
        if score is not None and shift:
            fields[shift] = round(score.shift, 2) + 0.0
        if score is not None and score.spike is not None and spike:
            fields[spike] = round(score.spike, 2) + 0.0
        if self._trend is not None:
            self._follow(self._trend, at, value, to_zero, fields)
        self._tick(at, passed)
        self._value = value

    def row(self) -> SeriesRow:
        """As it is stored."""
        trend = self._trend.packed() if self._trend is not None else b""
        return SeriesRow(_FORMAT, self.seen, self._interval, self._gauge.row(), trend)

    def _follow(self, trend: Trend, at: float, value: float, name: str, fields: dict[str, float]) -> None:
        if not 0 < at - self.seen <= max(_LONGEST_PAUSE, _GAP * self._interval + _EDGE):
            trend.clear()  # a pause that is shorter hides nothing from a trend
        trend.feed(at, value)
        left = trend.seconds_to_zero(value) if name else None
        if left is not None:
            fields[name] = round(left, 1)

    def _goes_on(self, passed: float) -> bool:
        """Whether a reading after so many seconds is the next one: none missing in between, no clock set."""
        if not self._interval:
            return passed > 0
        return _SHORT * self._interval <= passed <= _GAP * self._interval + _EDGE

    def _tick(self, at: float, passed: float) -> None:
        """Learn the interval: from readings that go on, or when two pauses of another length were alike."""
        self.seen = at
        if self._value is None or passed <= 0:
            return
        if self._goes_on(passed):
            self._interval, self._odd = min(passed, 2 * (self._interval or passed)), 0.0
        elif _SHORT * self._odd <= passed <= self._odd / _SHORT:
            self._interval, self._odd = passed, 0.0
        else:
            self._odd = passed


class Baselines:
    """All series, of which it remembers at most `limit`. A series that was not seen for ten minutes gives way to a new
    one; while all are seen, a new one is left without. `evictions` counts both. `reads` are the fields that are wanted;
    None means all.
    """

    def __init__(self, reads: Collection[str] | None = None, limit: int = MOST_SERIES) -> None:
        self.evictions = 0
        self._reads, self._limit = reads, limit
        self._things: OrderedDict[Thing, dict[str, Series]] = OrderedDict()
        self._count = 0
        self._known: dict[str, SeriesRow] = {}
        self._due: dict[str, Series] = {}
        self._gone: list[str] = []
        self._reached = self._stored = 0.0
        self._encoder = msgspec.msgpack.Encoder()

    def __len__(self) -> int:
        return self._count + len(self._known)

    def feed(self, sample: Sample, host: str) -> dict[str, float]:
        """The derived fields of a sample."""
        fields: dict[str, float] = {}
        if any(name.endswith("pid") for name in sample.tags):
            return fields
        self._reached = at = sample.at
        thing = (host, sample.source, sample.category, tuple(sorted(sample.tags.items())))
        found = self._things.get(thing)
        if found is None:
            found = self._things[thing] = {}
        self._things.move_to_end(thing)
        for name, value in sample.values.items():
            if not abs(value) < _LARGEST:  # nor is NaN
                continue
            series = found.get(name) or self._begin(thing, found, name, at)
            if series is None:
                continue
            series.feed(at, value, fields)
            if not 0 <= at - series.stored < STORED_EVERY:
                self._due[series.key] = series
        if not found:
            del self._things[thing]
        return fields

    def changes(self) -> list[Snapshot]:
        """The rows to be stored now, and those that are gone."""
        gone, self._gone = self._gone, []
        rows = [Snapshot(STEP, key, None) for key in gone]
        if not self._due or 0 <= self._reached - self._stored < _TOGETHER:
            return rows
        due, self._due, self._stored = self._due, {}, self._reached
        for series in due.values():
            series.stored = self._reached
        return rows + [Snapshot(STEP, key, self._encoder.encode(series.row())) for key, series in due.items()]

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; what cannot be read is handed out as gone. Call it once, before the
        first sample.
        """
        for snapshot in snapshots:
            if snapshot.step != STEP or snapshot.value is None:
                continue
            row = _row_of(snapshot.value)
            if row is None:
                self._gone.append(snapshot.key)
            else:
                self._known[snapshot.key] = row
        self._known = dict(sorted(self._known.items(), key=lambda item: item[1].seen))
        while len(self._known) > self._limit:
            self._forget()

    def _begin(self, thing: Thing, found: dict[str, Series], name: str, at: float) -> Series | None:
        host, source, category, tags = thing
        key = key_of([host, source, category, *(part for tag in tags for part in tag), name])
        row = self._known.pop(key, None)
        if row is None and not self._has_room(thing, at):
            self.evictions += 1
            return None
        series = found[name] = Series(key, name, self._reads, row)
        series.stored = at - crc32(key.encode()) % STORED_EVERY  # not all of them at once
        self._count += 1
        return series

    def _has_room(self, thing: Thing, at: float) -> bool:
        if len(self) < self._limit:
            return True
        if self._known:
            self._forget()
            return True
        oldest, series = next(iter(self._things.items()))
        if oldest == thing or abs(at - max(one.seen for one in series.values())) < _IDLE:
            return False
        del self._things[oldest]
        for one in series.values():
            self._due.pop(one.key, None)
            self._gone.append(one.key)
        self._count -= len(series)
        self.evictions += len(series)
        return True

    def _forget(self) -> None:
        key = next(iter(self._known))
        del self._known[key]
        self._gone.append(key)
        self.evictions += 1


def derived_reads(parsed: ParsedRules) -> frozenset[str]:
    """Every field that some rule reads, groups by, counts or names its entity with."""
    found: set[str] = set()
    for rule in parsed.rules:
        found.update(rule.entity)
        if rule.condition is not None:
            found |= rule.condition.fields
        if rule.correlation is not None:
            found.update(rule.correlation.group_by, rule.correlation.fields)
            found.update(field for fields in rule.correlation.aliases.values() for field in fields.values())
    return frozenset(found)


def floor_of(name: str) -> float:
    """The least spread of a gauge that is worth telling, in its own unit."""
    for endings, floor in _FLOORS:
        if name.endswith(endings):
            return floor
    return 0.1 if name.startswith("load.") else 1.0


def _row_of(value: bytes) -> SeriesRow | None:
    try:
        row = _DECODER.decode(value)
    except msgspec.DecodeError:
        return None
    return row if row.form == _FORMAT else None


_DECODER = msgspec.msgpack.Decoder(SeriesRow)
