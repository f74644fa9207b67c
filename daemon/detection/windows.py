"""Sliding windows on event time: what a group of events remembers, and when it satisfies a correlation.

A window reaches back `timespan` seconds from an event, both ends included. Entries stand in order of event time, so a
late event takes its place, and it is judged by every window that contains it. Entries far from the event at hand are
never consulted: a record with a wrong date neither hides nor completes anything.
"""

from bisect import bisect_left, bisect_right, insort_right
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from daemon.detection.rules_correlation import Correlation
from daemon.model import Event

_EDGE = 1e-6
"""Instants are floats: an event on the edge of a window belongs to it, give or take a microsecond."""
_MOST_ORDERED = 128
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "gte": lambda found, wanted: found >= wanted,
    "gt": lambda found, wanted: found > wanted,
    "lte": lambda found, wanted: found <= wanted,
    "lt": lambda found, wanted: found < wanted,
    "eq": lambda found, wanted: found == wanted,
    "neq": lambda found, wanted: found != wanted,
}


class Entry(Struct, array_like=True):
    """One event of a group: when, what it counts as, and for a few the event itself."""

    at: float
    value: str
    event: Event | None = None


class Window(Struct, array_like=True):
    """What one group remembers. `fired` is true from a firing until the condition has ceased."""

    entries: list[Entry]
    fired: bool = False


class Pattern(Protocol):
    """When entries satisfy a correlation."""

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """The entries of a window containing `at` that satisfies it, None when none does."""
        ...

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """Drop what cannot matter any more, now that `entry` has come."""
        ...


def feed_window(window: Window, entry: Entry, pattern: Pattern, timespan: float) -> list[Entry] | None:
    """Add an entry. Returns the entries that made the pattern fire, None when it did not.

    It fires when its condition becomes true, and again only after the condition has ceased, be it by an event or by
    the time before one. A late event (one with later ones in its window) can make it fire, but never re-arms it.
    """
    entries = window.entries
    late = len(_ends(entries, entry.at, timespan)) > 1
    before = pattern.find(entries, entry.at) is not None
    armed = not window.fired or (not late and not before)
    insort_right(entries, entry, key=_at)
    found = pattern.find(entries, entry.at)
    fires = found is not None and armed and not (late and before)
    window.fired = found is not None or (late and window.fired)
    _forget(entries, entry, timespan)
    pattern.squeeze(entries, entry)
    return found if fires else None


def _at(entry: Entry) -> float:
    return entry.at


def _forget(entries: list[Entry], entry: Entry, timespan: float) -> None:
    """Drop what is two time spans older than the entry before this one, so that one wrong date wipes nothing."""
    index = _index(entries, entry)
    if index > 0:
        del entries[: bisect_left(entries, entries[index - 1].at - 2 * timespan - _EDGE, key=_at)]


def _index(entries: Sequence[Entry], entry: Entry) -> int:
    return next(i for i in range(len(entries) - 1, -1, -1) if entries[i] is entry)


def keep_evidence(entries: Sequence[Entry], at: float, timespan: float, most: int) -> None:
    """Let at most `most` entries keep their event: the first of the window that ends at `at`, and the last ones."""
    kept = [entry for entry in entries if entry.event is not None]
    while len(kept) > most:
        victim = kept.pop(0 if kept[0].at < at - timespan - _EDGE else 1)
        victim.event = None


def _ends(entries: Sequence[Entry], at: float, timespan: float) -> dict[float, None]:
    """Where windows that contain `at` may end: at `at`, and at each later entry that they still reach."""
    later = entries[bisect_right(entries, at, key=_at) : bisect_right(entries, at + timespan + _EDGE, key=_at)]
    return dict.fromkeys((at, *(entry.at for entry in later)))


def _drop_farthest(entries: list[Entry], at: float, most: int) -> None:
    while len(entries) > most:
        entries.pop(0 if at - entries[0].at >= entries[-1].at - at else -1)


class Counting:
    """How many events: exact up to one more than the threshold, which is all that its operators can tell apart."""

    def __init__(self, correlation: Correlation) -> None:
        self._timespan = correlation.timespan
        self._holds = COMPARE[correlation.operator]
        self._wanted = correlation.count
        self._most = int(correlation.count) + 1

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """See Pattern."""
        for end in _ends(entries, at, self._timespan):
            low = bisect_left(entries, end - self._timespan - _EDGE, key=_at)
            high = bisect_right(entries, end, key=_at)
            if self._holds(high - low, self._wanted):
                return list(entries[low:high])
        return None

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        _drop_farthest(entries, entry.at, self._most)


class Distinct:
    """How many different values (of a field, or of the rule that fired), or which rules: of each value the newest
    entry is enough. `holds` judges the set of values.
    """

    def __init__(self, timespan: float, most: int, holds: Callable[[frozenset[str]], bool]) -> None:
        self._timespan = timespan
        self._holds = holds
        self._most = 2 * most

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """See Pattern."""
        for end in _ends(entries, at, self._timespan):
            low = bisect_left(entries, end - self._timespan - _EDGE, key=_at)
            inside = list(entries[low : bisect_right(entries, end, key=_at)])
            if self._holds(frozenset(entry.value for entry in inside)):
                return list({entry.value: entry for entry in inside}.values())
        return None

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        entries[:] = [one for one in entries if one is entry or one.value != entry.value or one.at > entry.at]
        _drop_farthest(entries, entry.at, self._most)


class Ordered:
    """Rules one after the other. Of a run of entries of one rule the first and the last few are enough; entries that
    a chain is being built on are the last to go.
    """

    def __init__(self, correlation: Correlation) -> None:
        self._timespan = correlation.timespan
        self._order = correlation.inputs

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """See Pattern."""
        return self._chains(entries, at)[-1] or None

    def _chains(self, entries: Sequence[Entry], at: float) -> list[list[Entry]]:
        """For each beginning of the order the chain that starts last (whatever completes another completes it, sooner);
        for the whole order, one that fits into the time span.
        """
        chains: list[list[Entry]] = [[] for _ in self._order]
        for entry in entries:
            if abs(entry.at - at) > self._timespan + _EDGE:
                continue
            for place in range(len(self._order) - 1, -1, -1):
                if self._order[place] == entry.value and (place == 0 or chains[place - 1]):
                    self._lengthen(chains, place, entry)
        return chains

    def _lengthen(self, chains: list[list[Entry]], place: int, entry: Entry) -> None:
        longer = [*(chains[place - 1] if place else ()), entry]
        fits = place + 1 < len(self._order) or entry.at - longer[0].at <= self._timespan + _EDGE
        if fits and (not chains[place] or longer[0].at > chains[place][0].at):
            chains[place] = longer

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        first = last = _index(entries, entry)
        while first > 0 and entries[first - 1].value == entry.value:
            first -= 1
        while last + 1 < len(entries) and entries[last + 1].value == entry.value:
            last += 1
        if last - first > self._order.count(entry.value):
            del entries[first + 1]
        if len(entries) > _MOST_ORDERED:
            building = {id(one) for chain in self._chains(entries, entry.at) for one in chain}
            others = [one for one in entries if id(one) not in building]
            _drop_farthest(others, entry.at, max(0, _MOST_ORDERED - len(building)))
            kept = building | {id(one) for one in others}
            entries[:] = [one for one in entries if id(one) in kept]


def build_pattern(correlation: Correlation) -> Pattern:
    """The pattern of a correlation; entries count as a value of its field, or as the id of the rule that fired."""
    if correlation.kind == "event_count":
        return Counting(correlation)
    if correlation.kind == "temporal_ordered":
        return Ordered(correlation)
    words = correlation.holds
    if words is not None:
        return Distinct(correlation.timespan, len(correlation.inputs), words)
    compare, wanted = COMPARE[correlation.operator], correlation.count
    return Distinct(correlation.timespan, int(wanted) + 1, lambda values: compare(len(values), wanted))
