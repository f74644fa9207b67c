"""The entries of one group on the line of event time: what a window remembers, and how it stays bounded."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from daemon.model import Event

EDGE = 1e-6
"""Instants are floats: an event on the edge of a window belongs to it, give or take a microsecond."""


class Entry(Struct, array_like=True):
    """One event of a group: when, what it counts as, and for a few the event itself."""

    at: float
    value: str
    event: Event | None = None


def at_of(entry: Entry) -> float:
    """Its time: the key by which entries are sorted."""
    return entry.at


def inside_of(entries: Sequence[Entry], end: float, timespan: float) -> Sequence[Entry]:
    """The entries of the window that ends at `end`, both ends included."""
    if entries and entries[-1].at <= end and entries[0].at >= end - timespan - EDGE:
        return entries
    return entries[bisect_left(entries, end - timespan - EDGE, key=at_of) : bisect_right(entries, end, key=at_of)]


def ends_of(entries: Sequence[Entry], at: float, timespan: float) -> dict[float, None]:
    """Where windows that contain `at` may end: at `at`, and at each later entry that they still reach."""
    if not entries or entries[-1].at <= at:
        return {at: None}  # as nearly always: events come in order
    later = entries[bisect_right(entries, at, key=at_of) : bisect_right(entries, at + timespan + EDGE, key=at_of)]
    return dict.fromkeys((at, *(entry.at for entry in later)))


def own_time(entries: Sequence[Entry], at: float, timespan: float) -> tuple[int, int]:
    """Where the entries around `at` begin and end of which none is more than two time spans from the next: the others
    are of another time, as those with a wrong date are.
    """
    if entries and max(at, entries[-1].at) - min(at, entries[0].at) <= 2 * timespan + EDGE:
        return 0, len(entries)  # as nearly always: soon said
    low = high = bisect_right(entries, at, key=at_of)
    before = after = at
    while low > 0 and before - entries[low - 1].at <= 2 * timespan + EDGE:
        low, before = low - 1, entries[low - 1].at
    while high < len(entries) and entries[high].at - after <= 2 * timespan + EDGE:
        high, after = high + 1, entries[high].at
    return low, high


def index_of(entries: Sequence[Entry], entry: Entry) -> int:
    """Where this very entry is."""
    if entries[-1] is entry:
        return len(entries) - 1
    return next(i for i in range(len(entries) - 1, -1, -1) if entries[i] is entry)


def forget(entries: list[Entry], entry: Entry, timespan: float) -> None:
    """Drop what is two time spans older than the entry before this one, unless it is of another time."""
    index = index_of(entries, entry)
    oldest = entries[max(index - 1, 0)].at - 2 * timespan - EDGE
    if entries[0].at >= oldest:
        return  # as nearly always: soon said
    low, _ = own_time(entries, entry.at, timespan)
    if index > low and entries[low].at < oldest:
        del entries[low : bisect_left(entries, oldest, lo=low, key=at_of)]


def keep_evidence(entries: Sequence[Entry], at: float, timespan: float, most: int) -> None:
    """Let at most `most` entries keep their event: the first of the window that ends at `at`, and the last ones."""
    if len(entries) <= most:
        return
    kept = [entry for entry in entries if entry.event is not None]
    while len(kept) > most:
        victim = kept.pop(0 if kept[0].at < at - timespan - EDGE else 1)
        victim.event = None


def make_room(entries: list[Entry], at: float, timespan: float, most: int, *, each_counts: bool = False) -> None:
    """Let at most `most` stay. Those of one time may take half: then its own oldest go, of which first those that have
    a newer one of their value (unless `each_counts`). So neither a late entry pushes out newer ones, nor a wrong date
    those of the present.
    """
    while len(entries) > most:
        low, high = own_time(entries, at, timespan)
        if high - low > most // 2:
            del entries[low if each_counts else low + _outdated(entries[low:high])]
        else:
            entries.pop(0 if at - entries[0].at >= entries[-1].at - at else -1)


def _outdated(entries: Sequence[Entry]) -> int:
    """Where the oldest entry is that has a newer one of its value; the oldest of all when there is none."""
    newest = {entry.value: place for place, entry in enumerate(entries)}
    return next((place for place, entry in enumerate(entries) if newest[entry.value] != place), 0)
