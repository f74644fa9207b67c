"""What a window of numbers comes to: sum, average, median, percentile. Late numbers count where they belong.

Sums are exact (each rounded once, whatever the order of arrival), so a window that slides back and forth never drifts.
A percentile lies between two numbers in proportion, as in SQL's PERCENTILE_CONT; the median is the 50th.
"""

from collections.abc import Callable, Sequence
from math import fsum, inf, isfinite
from typing import TypeAlias

from daemon.detection.readings import number_of
from daemon.detection.timeline import Window, ends_of, inside_of, make_room

Measure: TypeAlias = Callable[[Sequence[float]], float | None]
"""Numbers → what they come to; None when that is nothing, as the average of none."""

_SCALE = 2.0**64


def read_number(texts: Sequence[str]) -> float | None:
    """The first of these texts that is a number that a double can hold, None when there is none."""
    for text in texts:
        value = number_of(text)
        if value is None:
            continue
        try:
            return float(value)
        except OverflowError:
            continue
    return None


def _sum(numbers: Sequence[float]) -> float:
    try:
        return fsum(numbers)
    except OverflowError:  # a hostile number may be as large as a double can be
        return fsum(number / _SCALE for number in numbers) * _SCALE


def _average(numbers: Sequence[float]) -> float | None:
    if not numbers:
        return None
    total = _sum(numbers)
    return total / len(numbers) if isfinite(total) else _sum([number / len(numbers) for number in numbers])


def _percentile(numbers: Sequence[float], percentile: float) -> float | None:
    if not numbers:
        return None
    ordered = sorted(numbers)
    place, part = divmod((len(ordered) - 1) * percentile, 100)
    below = ordered[int(place)]
    above = ordered[int(place) + 1] if part else below
    step = above - below
    return below + step * (part / 100) if step < inf else below * (1 - part / 100) + above * (part / 100)


def measure_of(kind: str, percentile: float = 50) -> Measure:
    """The measure of a correlation type; `percentile` (0 to 100) is for `value_percentile` alone."""
    if kind == "value_sum":
        return _sum
    if kind == "value_avg":
        return _average
    wanted = 50 if kind == "value_median" else percentile
    return lambda numbers: _percentile(numbers, wanted)


def numbers_of(values: Sequence[str]) -> list[float]:
    """What the entries of a measuring correlation count as."""
    return list(map(float, values))


class Measured:
    """What the numbers of a window come to. `meets` judges it."""

    def __init__(self, timespan: float, most: int, measure: Measure, meets: Callable[[float], bool]) -> None:
        self._timespan = timespan
        self._most = most
        self._measure = measure
        self._meets = meets

    def holds(self, window: Window, at: float) -> bool:
        """See Pattern."""
        return self.find(window, at) is not None

    def find(self, window: Window, at: float) -> range | None:
        """See Pattern."""
        for end in ends_of(window.ats, at, self._timespan):
            inside = inside_of(window.ats, end, self._timespan)
            found = self._measure(numbers_of(window.values[inside.start : inside.stop]))
            if found is not None and self._meets(found):
                return inside
        return None

    def squeeze(self, window: Window, place: int) -> None:
        """See Pattern."""
        if len(window.ats) > self._most:
            make_room(window, window.ats[place], self._timespan, self._most, each_counts=True)
