"""What a gauge is like at each hour of the week: how high, how rough, and how restless.

Hours are those of UTC. An hour that was never seen is guessed from the same hour of other days. Kept of each of the 168
hours are the typical level, and of the last time the mean distance from the centre and the highest peak.
"""

from array import array
from math import isnan, log2, nan
from statistics import median

HOURS = 168
_SHARE = 0.3
"""How far the level of an hour moves towards what it was this time."""
_MOST_VISITS = 200
_FEW = 3
_STEPS = 24.0
"""A value is kept as 24 log2(1 + value), 0 for none: to 3 %, up to 1,500."""


class Season:
    """One gauge, by hour of the week."""

    __slots__ = ("_levels", "_peaks", "_roughs", "_visits")

    def __init__(self, packed: bytes = b"") -> None:
        if len(packed) == 7 * HOURS:
            self._levels = array("f", packed[: 4 * HOURS])
            self._visits = bytearray(packed[4 * HOURS : 5 * HOURS])
            self._peaks = bytearray(packed[5 * HOURS : 6 * HOURS])
            self._roughs = bytearray(packed[6 * HOURS :])
        else:
            self._levels = array("f", [nan] * HOURS)
            self._visits = bytearray(HOURS)
            self._peaks = bytearray(HOURS)
            self._roughs = bytearray(HOURS)

    def learn(self, hour: int, level: float, rough: float, peak: float) -> None:
        """An hour of the week is over: its level, its mean distance from the centre in spreads, and its peak."""
        hour %= HOURS
        visits, known = self._visits[hour], self._levels[hour]
        self._levels[hour] = known + _SHARE * (level - known) if visits else level
        self._visits[hour] = min(visits + 1, _MOST_VISITS)
        self._peaks[hour] = _short(peak)
        self._roughs[hour] = _short(rough)

    def level(self, hour: int) -> float | None:
        """What is typical of this hour; None while neither it nor the same hour of another day was seen."""
        hour %= HOURS
        alike = [(hour + 24 * day) % HOURS for day in range(1, 7)]
        others = [self._levels[one] for one in alike if self._visits[one]]
        own, visits = self._levels[hour], min(self._visits[hour], 4)
        if not others or isnan(own):
            return median(others) if others else (None if isnan(own) else own)
        return (visits * own + median(others)) / (visits + 1)

    def restless(self, hour: int) -> float:
        """The peak that is usual at this hour: that of most of the last three days, or that of a week ago."""
        days = sorted(_long(self._peaks[(hour - 24 * day) % HOURS]) for day in (1, 2, 3))
        return max(days[1], _long(self._peaks[hour % HOURS]))

    def rough(self, hour: int) -> float | None:
        """The mean distance from the centre that is usual at this hour of the day; None before three days are seen."""
        kept = [self._roughs[(hour - 24 * day) % HOURS] for day in range(7)]
        seen = [_long(one) for one in kept if one]
        return median(seen) if len(seen) >= _FEW else None

    def packed(self) -> bytes:
        """As the constructor takes it."""
        return self._levels.tobytes() + bytes(self._visits) + bytes(self._peaks) + bytes(self._roughs)


def _short(value: float) -> int:
    return min(255, 1 + int(_STEPS * log2(1 + value)))


def _long(kept: int) -> float:
    return 2.0 ** ((kept - 1) / _STEPS) - 1 if kept else 0.0
