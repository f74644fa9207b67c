"""How far a gauge strays from its centre, upwards and downwards: quantiles of a histogram that forgets.

Deviations are counted, by the time for which they stood, in bins that double in width from a smallest one that is worth
telling apart. A quantile moves by how long something lasted, never by how far it went, so outliers do not move it.
"""

from array import array
from collections.abc import Sequence
from math import exp, frexp, log
from statistics import NormalDist

_BINS = 20
FORGETS = 8 * 86_400.0
"""Seconds after which what was counted weighs 1/e."""
_LAST = 0.01
"""Of the time in the last bin that holds any: what is taken to lie beyond it."""
_MEDIAN_TO_DEVIATION = 1.4826
"""Of a normal: one standard deviation in median distances."""


class Spread:
    """Seconds by size of deviation. `unit` is the width of the smallest bin, in the gauge's unit; the largest starts at
    2¹⁸ units. `middle`, `upwards` and `downwards` are standard deviations as the counts tell them, in the gauge's unit:
    `middle` by the nearer half of them, the others by the outermost on their side (the share `tail` of all), if that is
    wider. They stand still between two calls of `settle`.
    """

    __slots__ = ("_down", "_tail", "_tail_deviates", "_up", "downwards", "middle", "unit", "upwards")

    def __init__(self, unit: float, counts: bytes = b"", *, tail: float = 0.005) -> None:
        self.unit = unit
        self._tail, self._tail_deviates = tail, NormalDist().inv_cdf(1 - tail)
        kept = array("f", counts) if len(counts) == 2 * _BINS * 4 else array("f", bytes(2 * _BINS * 4))
        self._up, self._down = kept[:_BINS], kept[_BINS:]
        self.middle = self.upwards = self.downwards = 0.0
        self.settle(0.0)

    def add(self, deviation: float, seconds: float) -> None:
        """Count a deviation that stood for so long."""
        if deviation >= 0:
            number = frexp(deviation / self.unit)[1]
            side = self._up
        else:
            number = frexp(-deviation / self.unit)[1]
            side = self._down
        side[0 if number < 0 else number if number < _BINS else _BINS - 1] += seconds

    def settle(self, passed: float) -> None:
        """Forget for so many seconds, and say anew how wide it is."""
        if passed:
            left = exp(-passed / FORGETS)
            self._up = array("f", [count * left for count in self._up])
            self._down = array("f", [count * left for count in self._down])
        whole = sum(self._up) + sum(self._down)
        if not whole:
            return
        both = [up + down for up, down in zip(self._up, self._down, strict=True)]
        self.middle = middle = _MEDIAN_TO_DEVIATION * self._exceeded(both, whole / 2)
        self.upwards = max(middle, self._exceeded(self._up, whole * self._tail) / self._tail_deviates)
        self.downwards = max(middle, self._exceeded(self._down, whole * self._tail) / self._tail_deviates)

    def packed(self) -> bytes:
        """The counts, as the constructor takes them."""
        return self._up.tobytes() + self._down.tobytes()

    def _exceeded(self, counts: Sequence[float], seconds: float) -> float:
        """The deviation that was exceeded for so long; inside a bin the time above falls exponentially."""
        above = 0.0
        for number in range(_BINS - 1, -1, -1):
            reached = above + counts[number]
            if reached > seconds:
                share = log(reached / seconds) / log(reached / max(above, _LAST * reached))
                lower = 2.0 ** (number - 1) if number else 0.0
                return self.unit * (lower + min(share, 1.0) * (2.0**number - lower))
            above = reached
        return 0.0
