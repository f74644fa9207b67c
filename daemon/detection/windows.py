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

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from daemon.detection.measures import Measured, measure_of
from daemon.detection.ordered import Ordered
from daemon.detection.rules_correlation import MEASURES, Correlation
from daemon.detection.timeline import (
    EDGE,
    Window,
    ends_of,
    forget,
    inside_of,
    keep_evidence,
    make_room,
    new_window,
    only_inside,
    place_of,
)
from daemon.model import Event

__all__ = [
    "COMPARE", "Counting", "Distinct", "Found", "Pattern", "Window", "build_pattern", "feed_window", "keep_evidence",
    "meets", "most_kept", "new_window",
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


class Found(Struct):
    """What made a correlation fire: what its entries count as, and the events of those that have theirs."""

    values: list[str]
    events: list[Event]


class Pattern(Protocol):
    """When entries satisfy a correlation."""

    def holds(self, window: Window, at: float) -> bool:
        """Whether a window containing `at` satisfies it."""
        ...

    def find(self, window: Window, at: float) -> Sequence[int] | None:
        """The entries, by number, of a window containing `at` that satisfies it, None where none `holds`."""
        ...

    def squeeze(self, window: Window, place: int) -> None:
        """Drop what cannot matter any more, now that entry number `place` has come."""
        ...


def feed_window(
    window: Window, at: float, value: str, pattern: Pattern, timespan: float, event: Event | None = None
) -> Found | None:
    """Add an entry. Returns what made the pattern fire, None when it did not.

    It fires when its condition becomes true, and again after the condition has ceased, be it by an event or by the time
    before one. While it holds, what goes on completing it makes it fire once more every `timespan`. A late event (one
    with later ones in its window) can make it fire, but never re-arms it.
    """
    ats = window.ats
    place = place_of(ats, at)
    if place < len(ats) and ats[place] <= at + timespan + EDGE:
        return _feed_late(window, at, value, pattern, timespan, event)
    armed = not window.fired or not pattern.holds(window, at)
    window.insert(place, at, value, event)
    told: Found | None = None
    window.fired = pattern.holds(window, at)
    if window.fired and (armed or _goes_on(window, at, timespan)):
        found = pattern.find(window, at)
        if found is not None and (armed or place in found):
            told = _told(window, at, found)
    pattern.squeeze(window, forget(window, place, timespan))
    return told


def _feed_late(
    window: Window, at: float, value: str, pattern: Pattern, timespan: float, event: Event | None
) -> Found | None:
    """The same for an entry with later ones in its window."""
    silent = window.fired or pattern.holds(window, at)
    place = window.add(at, value, event)
    found = pattern.find(window, at)
    told = None if found is None or silent else _told(window, at, found)
    window.fired = window.fired or found is not None
    pattern.squeeze(window, forget(window, place, timespan))
    return told


def _goes_on(window: Window, at: float, timespan: float) -> bool:
    """Whether it is long enough since it was last told."""
    return abs(at - window.fired_at) >= timespan - EDGE


def _told(window: Window, at: float, found: Sequence[int]) -> Found:
    window.fired_at = at
    return Found([window.values[one] for one in found], window.events_of(found))


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

    def holds(self, window: Window, at: float) -> bool:
        """See Pattern."""
        inside = only_inside(window.ats, at, self._timespan)
        return self.find(window, at) is not None if inside is None else self._meets(inside[1] - inside[0])

    def find(self, window: Window, at: float) -> range | None:
        """See Pattern."""
        for end in ends_of(window.ats, at, self._timespan):
            inside = inside_of(window.ats, end, self._timespan)
            if self._meets(inside.stop - inside.start):
                return inside
        return None

    def squeeze(self, window: Window, place: int) -> None:
        """See Pattern."""
        if len(window.ats) > self._most:
            make_room(window, window.ats[place], self._timespan, self._most)


class Distinct:
    """How many different values (of a field, or of the rule that fired), or which rules. `holds` judges the set of
    values. Of those with the same value the newest is the last to go.
    """

    def __init__(self, timespan: float, most: int, holds: Callable[[Collection[str]], bool]) -> None:
        self._timespan = timespan
        self._holds = holds
        self._most = most

    def holds(self, window: Window, at: float) -> bool:
        """See Pattern."""
        inside = only_inside(window.ats, at, self._timespan)
        if inside is None:
            return self.find(window, at) is not None
        return self._holds(set(window.values[inside[0] : inside[1]]))

    def find(self, window: Window, at: float) -> list[int] | None:
        """See Pattern."""
        for end in ends_of(window.ats, at, self._timespan):
            inside = inside_of(window.ats, end, self._timespan)
            values = window.values[inside.start : inside.stop]
            if self._holds(set(values)):
                return list(dict(zip(values, inside, strict=True)).values())
        return None

    def squeeze(self, window: Window, place: int) -> None:
        """See Pattern."""
        if len(window.ats) > self._most:
            make_room(window, window.ats[place], self._timespan, self._most)


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
