"""Where a gauge usually is: a slow level, and how far readings stray from it."""

from math import exp
from statistics import median

from msgspec import Struct

from daemon.detection.baseline_spread import Spread

_CLIP = 2.0
_ERRORS = 86_400.0
"""Seconds over which the usual error is averaged."""
_MOVES = 3600.0
"""Seconds over which a level that has moved is followed."""
_FEW = 15
"""Readings that begin a level: their median, however far apart they are."""


class LevelRow(Struct, array_like=True, frozen=True):
    """A level, stored."""

    level: float
    learned: float
    error: float
    unit: float
    counts: bytes


class Level:
    """Follows readings over `slow` seconds; one counts for two spreads at most, however far away it is.

    `learned` are the seconds for which it did, `error` how far off readings usually are.
    """

    __slots__ = ("_first", "error", "learned", "level", "slow", "spread")

    def __init__(self, slow: float, unit: float, row: LevelRow | None = None) -> None:
        self.slow = slow
        self.level, self.learned, self.error = (row.level, row.learned, row.error) if row else (0.0, 0.0, 0.0)
        self.spread = Spread(row.unit, row.counts) if row else Spread(unit)
        self._first: list[float] | None = None if row and row.learned else []

    def learn(self, deviation: float, rough: float, seconds: float, *, moved: bool = False) -> None:
        """A reading that is so far from the level, at a time that is so rough, and stands for so many seconds.

        `moved` says that the level is known to be another now: then it follows within hours.
        """
        self.learned += seconds
        if self._first is not None:
            self._begin(self._first, deviation, seconds)
            return
        if not self.learned:
            return  # the clock stands still
        most = _CLIP * rough * max(self.spread.middle, self.spread.unit)
        step = max(-most, min(most, deviation))
        if moved:
            self.level += deviation * (1 - exp(-seconds / _MOVES))
        else:
            self.level += step * max(1 - exp(-seconds / self.slow), seconds / self.learned)
        self.error += (abs(step) - self.error) * max(seconds / _ERRORS, seconds / self.learned)
        self.spread.add(deviation / rough, seconds)

    def _begin(self, first: list[float], deviation: float, seconds: float) -> None:
        first.append(self.level + deviation)
        self.level = median(first)
        if len(first) == _FEW:
            for value in first:
                self.spread.add(value - self.level, seconds)
            self.spread.settle(0.0)
            self.error = self.spread.middle
            self._first = None

    def row(self) -> LevelRow:
        """As it is stored."""
        return LevelRow(self.level, self.learned, self.error, self.spread.unit, self.spread.packed())
