"""When something that falls will be gone: a robust trend over the last half hour.

Points are at least a minute apart, thirty at most. The fall is the median of the slopes between all pairs of points
(Theil and Sen). It counts only when later points are lower in nearly all pairs (Mann and Kendall) and the last third of
the points falls as well: one big file, or a restart, is a step and no trend.
"""

from array import array
from collections.abc import Sequence
from math import sqrt
from statistics import median

POINTS = 30
APART = 60.0
"""Seconds."""
FEWEST = 15
LONGEST = 7 * 86_400.0
"""Seconds ahead of which nothing is said: half an hour does not tell what comes in a week."""
_SURE = 3.0
"""Standard deviations by which falling pairs must outnumber rising ones."""


class Trend:
    """One gauge that may run out."""

    __slots__ = ("_ats", "_fall", "_values")

    def __init__(self, packed: bytes = b"") -> None:
        kept = array("d", packed) if len(packed) % 16 == 0 and len(packed) <= POINTS * 16 else array("d")
        half = len(kept) // 2
        self._ats, self._values = list(kept[:half]), list(kept[half:])
        self._fall = self._falling()

    def feed(self, at: float, value: float) -> None:
        """A reading."""
        if self._ats and at - self._ats[-1] < APART:
            return
        self._ats.append(at)
        self._values.append(value)
        if len(self._ats) > POINTS:
            del self._ats[0], self._values[0]
        self._fall = self._falling()

    def clear(self) -> None:
        """Time jumped, or readings are missing."""
        self._ats, self._values, self._fall = [], [], 0.0

    def seconds_to_zero(self, value: float) -> float | None:
        """How long until nothing is left, in seconds; None while it does not surely fall, or beyond `LONGEST`."""
        if self._fall <= 0:
            return None
        seconds = max(value, 0.0) / self._fall
        return seconds if seconds <= LONGEST else None

    def packed(self) -> bytes:
        """As the constructor takes it."""
        return array("d", [*self._ats, *self._values]).tobytes()

    def _falling(self) -> float:
        """Units a second; 0 when it does not fall."""
        count = len(self._ats)
        if count < FEWEST:
            return 0.0
        slopes = _slopes(self._ats, self._values)
        lower = sum(slope < 0 for slope in slopes) - sum(slope > 0 for slope in slopes)
        if lower < _SURE * sqrt(count * (count - 1) * (2 * count + 5) / 18):
            return 0.0
        last = _slopes(self._ats[-(count // 3) :], self._values[-(count // 3) :])
        return max(0.0, min(-median(slopes), -median(last)))


def _slopes(ats: Sequence[float], values: Sequence[float]) -> list[float]:
    points = list(zip(ats, values, strict=True))
    return [
        (value - before) / (at - then)
        for number, (at, value) in enumerate(points)
        for then, before in points[:number]
    ]  # fmt: skip
