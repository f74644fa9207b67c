"""Sliding windows on event time: what a group of events remembers, and when it satisfies a correlation.

A window reaches back `timespan` seconds from an event, both ends included. Entries stand in order of event time, so a
late event takes its place, and it is judged by every window that contains it. Entries far from the event at hand are
never consulted: a record with a wrong date neither hides nor completes anything.

Memory is bounded: of a group at most `most_kept` entries stay (of ordered ones 128 and the chains being built), the
oldest going first. While a group has fewer than half of that (and 32 of one rule in a row) within two time spans,
events late by up to one time span are judged exactly. Beyond that, events in order still are; late ones are judged by
the entries that are left.
"""

from bisect import bisect_left, bisect_right, insort_right
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from daemon.detection.rules_correlation import Correlation
from daemon.model import Event

_EDGE = 1e-6
"""Instants are floats: an event on the edge of a window belongs to it, give or take a microsecond."""
_MOST_ORDERED = 128
_ROOM = 64
_RUN = 32
"""Of a run of entries of one rule, how many stay beyond those that the order asks for: room for late ones of others."""
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
    """What one group remembers. `fired` is true from a firing (the last at `fired_at`) until the condition ceased."""

    entries: list[Entry]
    fired: bool = False
    fired_at: float = 0.0


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

    It fires when its condition becomes true, and again after the condition has ceased, be it by an event or by the time
    before one. While it holds, what goes on completing it makes it fire once more every `timespan`. A late event (one
    with later ones in its window) can make it fire, but never re-arms it.
    """
    entries = window.entries
    late = len(_ends(entries, entry.at, timespan)) > 1
    before = pattern.find(entries, entry.at) is not None
    armed = not window.fired or (not late and not before)
    insort_right(entries, entry, key=_at)
    found = pattern.find(entries, entry.at)
    goes_on = not late and abs(entry.at - window.fired_at) >= timespan - _EDGE
    again = goes_on and found is not None and any(one is entry for one in found)
    fires = again or (found is not None and armed and not (late and before))
    window.fired = found is not None or (late and window.fired)
    if fires:
        window.fired_at = entry.at
    _forget(entries, entry, timespan)
    pattern.squeeze(entries, entry)
    return found if fires else None


def _at(entry: Entry) -> float:
    return entry.at


def _forget(entries: list[Entry], entry: Entry, timespan: float) -> None:
    """Drop what is two time spans older than the entry before this one, unless it is of another time."""
    index = _index(entries, entry)
    low, _ = _own_time(entries, entry.at, timespan)
    if index > low:
        del entries[low : bisect_left(entries, entries[index - 1].at - 2 * timespan - _EDGE, lo=low, key=_at)]


def _own_time(entries: Sequence[Entry], at: float, timespan: float) -> tuple[int, int]:
    """Where the entries around `at` begin and end of which none is more than two time spans from the next: the others
    are of another time, as those with a wrong date are.
    """
    low = high = bisect_right(entries, at, key=_at)
    before = after = at
    while low > 0 and before - entries[low - 1].at <= 2 * timespan + _EDGE:
        low, before = low - 1, entries[low - 1].at
    while high < len(entries) and entries[high].at - after <= 2 * timespan + _EDGE:
        high, after = high + 1, entries[high].at
    return low, high


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


def _make_room(entries: list[Entry], at: float, timespan: float, most: int) -> None:
    """Let at most `most` stay. Those of one time may take half: then its own oldest go, of which first those that have
    a newer one of their value. So neither a late entry pushes out newer ones, nor a wrong date those of the present.
    """
    while len(entries) > most:
        low, high = _own_time(entries, at, timespan)
        if high - low > most // 2:
            del entries[low + _outdated(entries[low:high])]
        else:
            entries.pop(0 if at - entries[0].at >= entries[-1].at - at else -1)


def _outdated(entries: Sequence[Entry]) -> int:
    """Where the oldest entry is that has a newer one of its value; the oldest of all when there is none."""
    newest = {entry.value: place for place, entry in enumerate(entries)}
    return next((place for place, entry in enumerate(entries) if newest[entry.value] != place), 0)


def most_kept(correlation: Correlation) -> int:
    """How many entries of a group are remembered at most; more cannot be counted."""
    return max(_ROOM, 4 * (int(correlation.count) + 1), 4 * len(correlation.inputs))


class Counting:
    """How many events."""

    def __init__(self, correlation: Correlation) -> None:
        self._timespan = correlation.timespan
        self._holds = COMPARE[correlation.operator]
        self._wanted = correlation.count
        self._most = most_kept(correlation)

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
        _make_room(entries, entry.at, self._timespan, self._most)


class Distinct:
    """How many different values (of a field, or of the rule that fired), or which rules. `holds` judges the set of
    values. Of those with the same value the newest is the last to go.
    """

    def __init__(self, timespan: float, most: int, holds: Callable[[frozenset[str]], bool]) -> None:
        self._timespan = timespan
        self._holds = holds
        self._most = most

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
        _make_room(entries, entry.at, self._timespan, self._most)


class _Chain(Struct, frozen=True):
    """A beginning of the order found in entries: when it starts, its last entry, and what came before that."""

    start: float
    entry: Entry
    before: "_Chain | None"


def _links(chain: _Chain | None) -> Iterator[Entry]:
    while chain is not None:
        yield chain.entry
        chain = chain.before


class Ordered:
    """Rules one after the other. Of a long run of entries of one rule the first and the last are enough; entries that a
    chain is being built on are the last to go.
    """

    def __init__(self, correlation: Correlation) -> None:
        self._timespan = correlation.timespan
        self._order = correlation.inputs
        places = range(len(self._order) - 1, -1, -1)
        self._places = {value: tuple(n for n in places if self._order[n] == value) for value in self._order}

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """See Pattern."""
        if all(one.value != self._order[-1] for one in entries):
            return None  # as in a flood of failures: soon said
        whole = self._chains(entries, at)[-1]
        return list(_links(whole))[::-1] if whole is not None else None

    def _chains(self, entries: Sequence[Entry], at: float) -> list[_Chain | None]:
        """For each beginning of the order the chain that starts last (whatever completes another completes it, sooner);
        for the whole order, the one of those that fit into the time span which ends last.
        """
        chains: list[_Chain | None] = [None] * len(self._order)
        low = bisect_left(entries, at - self._timespan - _EDGE, key=_at)
        for entry in entries[low : bisect_right(entries, at + self._timespan + _EDGE, key=_at)]:
            for place in self._places.get(entry.value, ()):
                if place == 0 or chains[place - 1] is not None:
                    self._lengthen(chains, place, entry)
        return chains

    def _lengthen(self, chains: list[_Chain | None], place: int, entry: Entry) -> None:
        before, known = chains[place - 1] if place else None, chains[place]
        start = before.start if before is not None else entry.at
        whole = place + 1 == len(self._order)
        if whole and entry.at - start > self._timespan + _EDGE:
            return
        if known is None or start > known.start or (whole and start == known.start):
            chains[place] = _Chain(start, entry, before)

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        first = last = _index(entries, entry)
        while first > 0 and entries[first - 1].value == entry.value:
            first -= 1
        while last + 1 < len(entries) and entries[last + 1].value == entry.value:
            last += 1
        if last - first > self._order.count(entry.value) + _RUN:
            del entries[first + 1]
        if len(entries) > _MOST_ORDERED:
            building = {id(one) for chain in self._chains(entries, entry.at) for one in _links(chain)}
            others = [one for one in entries if id(one) not in building]
            _make_room(others, entry.at, self._timespan, max(0, _MOST_ORDERED - len(building)))
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
        return Distinct(correlation.timespan, most_kept(correlation), words)
    compare, wanted = COMPARE[correlation.operator], correlation.count
    return Distinct(correlation.timespan, most_kept(correlation), lambda values: compare(len(values), wanted))
