"""The entries of one group on the line of event time: what a window remembers, and how it stays bounded.

A window is a few flat lists rather than an object per entry: thousands of groups are nothing for Python to look through
when it searches for garbage, and what they hold is searched at the speed of C.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence

from msgspec import Struct

from daemon.model import Event

EDGE = 1e-6
"""Instants are floats: an event on the edge of a window belongs to it, give or take a microsecond."""


class Window(Struct, array_like=True):
    """What one group remembers: entries in order of time, those of one time as they came.

    Entry number i happened at `ats[i]` and counts as `values[i]`. A few have their event: entry number `shown[k]` has
    `events[k]`. `fired` is true from a firing (the last at `fired_at`) until the condition ceased. ValueError when the
    lists do not fit one another.
    """

    ats: list[float]
    values: list[str]
    shown: list[int]
    events: list[Event]
    fired: bool = False
    fired_at: float = 0.0

    def __post_init__(self) -> None:
        sizes = len(self.ats) == len(self.values), len(self.shown) == len(self.events)
        if not all(sizes) or not all(0 <= place < len(self.ats) for place in self.shown):
            raise ValueError("expected as many times as values, and events of entries that there are")

    def add(self, at: float, value: str, event: Event | None) -> int:
        """Give an entry its place, which is returned: the last of its time."""
        place = place_of(self.ats, at)
        self.insert(place, at, value, event)
        return place

    def insert(self, place: int, at: float, value: str, event: Event | None) -> None:
        """Make an entry number `place`."""
        shown = self.shown
        before = len(shown)
        if place < len(self.ats):
            before = bisect_left(shown, place)
            shown[before:] = [one + 1 for one in shown[before:]]
        self.ats.insert(place, at)
        self.values.insert(place, value)
        if event is not None:
            shown.insert(before, place)
            self.events.insert(before, event)

    def drop(self, low: int, high: int) -> None:
        """Forget the entries from number `low` up to `high`, which stays."""
        del self.ats[low:high]
        del self.values[low:high]
        shown, gone = self.shown, high - low
        first, last = bisect_left(shown, low), bisect_left(shown, high)
        if first < last:
            del self.events[first:last]
        shown[first:] = [place - gone for place in shown[last:]]

    def keep(self, places: Collection[int]) -> None:
        """Forget all but these entries."""
        for place in range(len(self.ats) - 1, -1, -1):
            if place not in places:
                self.drop(place, place + 1)

    def events_of(self, places: Sequence[int]) -> list[Event]:
        """The events of those of these entries that have theirs, in this order."""
        known = dict(zip(self.shown, self.events, strict=True))
        if isinstance(places, range):
            return [event for place, event in known.items() if place in places]
        return [known[place] for place in places if place in known]


def new_window() -> Window:
    """One without entries."""
    return Window([], [], [], [])


def place_of(ats: Sequence[float], at: float) -> int:
    """How many entries are not later than `at`."""
    return len(ats) if not ats or ats[-1] <= at else bisect_right(ats, at)


def inside_of(ats: Sequence[float], end: float, timespan: float) -> range:
    """The entries of the window that ends at `end`, both ends included, by number."""
    high = place_of(ats, end)
    oldest = end - timespan - EDGE
    return range(0 if ats and ats[0] >= oldest else bisect_left(ats, oldest), high)


def only_inside(ats: Sequence[float], at: float, timespan: float) -> tuple[int, int] | None:
    """Where the entries begin and end of the only window that contains `at`; None when there are several such windows,
    because it reaches later entries.
    """
    high = last = len(ats)  # without a call more: every event is asked about at least once
    if high and ats[-1] > at:
        high = bisect_right(ats, at)
        if high < last and ats[high] <= at + timespan + EDGE:
            return None
    oldest = at - timespan - EDGE
    return 0 if high and ats[0] >= oldest else bisect_left(ats, oldest), high


def ends_of(ats: Sequence[float], at: float, timespan: float) -> tuple[float, ...]:
    """Where windows that contain `at` may end: at `at`, and at each later entry that they still reach."""
    if not ats or ats[-1] <= at:
        return (at,)  # as nearly always: events come in order
    later = ats[bisect_right(ats, at) : bisect_right(ats, at + timespan + EDGE)]
    return (at, *dict.fromkeys(later))


def own_time(ats: Sequence[float], at: float, timespan: float) -> tuple[int, int]:
    """Where the entries around `at` begin and end of which none is more than two time spans from the next: the others
    are of another time, as those with a wrong date are.
    """
    if ats and max(at, ats[-1]) - min(at, ats[0]) <= 2 * timespan + EDGE:
        return 0, len(ats)  # as nearly always: soon said
    low = high = bisect_right(ats, at)
    before = after = at
    while low > 0 and before - ats[low - 1] <= 2 * timespan + EDGE:
        low, before = low - 1, ats[low - 1]
    while high < len(ats) and ats[high] - after <= 2 * timespan + EDGE:
        high, after = high + 1, ats[high]
    return low, high


def forget(window: Window, place: int, timespan: float) -> int:
    """Drop what is two time spans older than the entry before this one, unless it is of another time. Returns where
    this one is then.
    """
    ats, reach = window.ats, 2 * timespan + EDGE
    if place == 0 or ats[0] >= ats[place - 1] - reach:
        return place  # as nearly always: soon said
    if ats[place] - ats[place - 1] > reach:
        return place  # all before it is of another time
    high = low = bisect_left(ats, ats[place - 1] - reach)
    while low > 0 and ats[low] - ats[low - 1] <= reach:
        low -= 1
    if low < high:
        window.drop(low, high)
    return place - (high - low)


def keep_evidence(window: Window, at: float, timespan: float, most: int) -> None:
    """Let at most `most` entries keep their event: the first of the window that ends at `at`, and the last ones."""
    while len(window.shown) > most:
        victim = 0 if window.ats[window.shown[0]] < at - timespan - EDGE else 1
        del window.shown[victim], window.events[victim]


def make_room(window: Window, at: float, timespan: float, most: int, *, each_counts: bool = False) -> None:
    """Let at most `most` stay; see `one_too_many`."""
    while len(window.ats) > most:
        gone = one_too_many(window.ats, window.values, at, timespan, most, each_counts=each_counts)
        window.drop(gone, gone + 1)


def one_too_many(
    ats: Sequence[float], values: Sequence[str], at: float, timespan: float, most: int, *, each_counts: bool = False
) -> int:
    """Which entry is the first to go when there are more than `most`. Those of one time may take half: then its own
    oldest go, of which first those that have a newer one of their value (unless `each_counts`). So neither a late entry
    pushes out newer ones, nor a wrong date those of the present.
    """
    low, high = own_time(ats, at, timespan)
    if high - low <= most // 2:
        return 0 if at - ats[0] >= ats[-1] - at else len(ats) - 1
    return low if each_counts else low + _outdated(values[low:high])


def _outdated(values: Sequence[str]) -> int:
    """Where the oldest entry is that has a newer one of its value; the oldest of all when there is none."""
    if values[0] in values[1:]:
        return 0  # as nearly always: soon said
    newest = {value: place for place, value in enumerate(values)}
    return next((place for place, value in enumerate(values) if newest[value] != place), 0)
