"""Sliding windows on event time: what a group of events remembers, and when it satisfies a correlation.

A window reaches back `timespan` seconds from an event, both ends included. Entries stand in order of event time, so a
late event takes its place, and it is judged by every window that contains it. Entries far from the event at hand are
never consulted: a record with a wrong date neither hides nor completes anything.

Memory is bounded: of a group at most `most_kept` entries stay (1024 numbers; of ordered ones 128 and the chains being
built), the
oldest going first. While a group has fewer than half of that (and 32 of one rule in a row) within two time spans,
events late by up to one time span are judged exactly. Beyond that, events in order still are; late ones are judged by
the entries that are left.
"""

from bisect import insort_right
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from daemon.detection.measures import Measured, measure_of
from daemon.detection.ordered import Ordered
from daemon.detection.rules_correlation import MEASURES, Correlation
from daemon.detection.timeline import EDGE, Entry, at_of, ends_of, forget, inside_of, keep_evidence, make_room

__all__ = [
    "COMPARE", "Counting", "Distinct", "Entry", "Pattern", "Window", "build_pattern", "feed_window", "keep_evidence",
    "meets", "most_kept",
]  # fmt: skip

_ROOM = 64
_NUMBERS = 1024
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "gte": lambda found, wanted: found >= wanted,
    "gt": lambda found, wanted: found > wanted,
    "lte": lambda found, wanted: found <= wanted,
    "lt": lambda found, wanted: found < wanted,
    "eq": lambda found, wanted: found == wanted,
    "neq": lambda found, wanted: found != wanted,
}


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
    late = len(ends_of(entries, entry.at, timespan)) > 1
    before = (window.fired or late) and pattern.find(entries, entry.at) is not None
    armed = not window.fired or (not late and not before)
    if entries and entries[-1].at > entry.at:
        insort_right(entries, entry, key=at_of)
    else:
        entries.append(entry)
    found = pattern.find(entries, entry.at)
    goes_on = not late and abs(entry.at - window.fired_at) >= timespan - EDGE
    again = goes_on and found is not None and any(one is entry for one in found)
    fires = again or (found is not None and armed and not (late and before))
    window.fired = found is not None or (late and window.fired)
    if fires:
        window.fired_at = entry.at
    forget(entries, entry, timespan)
    pattern.squeeze(entries, entry)
    return found if fires else None


def most_kept(correlation: Correlation) -> int:
    """How many entries of a group are remembered at most; more cannot be counted."""
    if correlation.kind in MEASURES:
        return _NUMBERS
    highest = max(int(limit) for _, limit in correlation.bounds)
    return max(_ROOM, 4 * (highest + 1), 4 * len(correlation.inputs))


def meets(correlation: Correlation) -> Callable[[float], bool]:
    """Whether what was counted or measured satisfies every bound of the condition."""
    bounds = [(COMPARE[operator], limit) for operator, limit in correlation.bounds]
    if len(bounds) == 1:
        compare, wanted = bounds[0]
        return lambda found: compare(found, wanted)
    return lambda found: all(compare(found, limit) for compare, limit in bounds)


class Counting:
    """How many events."""

    def __init__(self, correlation: Correlation) -> None:
        self._timespan = correlation.timespan
        self._meets = meets(correlation)
        self._most = most_kept(correlation)

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """See Pattern."""
        for end in ends_of(entries, at, self._timespan):
            inside = inside_of(entries, end, self._timespan)
            if self._meets(len(inside)):
                return list(inside)
        return None

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        make_room(entries, entry.at, self._timespan, self._most)


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
        for end in ends_of(entries, at, self._timespan):
            inside = inside_of(entries, end, self._timespan)
            if self._holds(frozenset(entry.value for entry in inside)):
                return list({entry.value: entry for entry in inside}.values())
        return None

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        make_room(entries, entry.at, self._timespan, self._most)


def build_pattern(correlation: Correlation) -> Pattern:
    """The pattern of a correlation; entries count as a value of its field, or as the id of the rule that fired."""
    met, most = meets(correlation), most_kept(correlation)
    if correlation.kind == "event_count":
        return Counting(correlation)
    if correlation.kind == "temporal_ordered":
        return Ordered(correlation.orders or (correlation.inputs,), correlation.timespan)
    if correlation.kind in MEASURES:
        return Measured(correlation.timespan, most, measure_of(correlation.kind, correlation.percentile), met)
    words = correlation.holds
    if words is not None:
        return Distinct(correlation.timespan, most, words)
    return Distinct(correlation.timespan, most, lambda values: met(len(values)))
