"""How far a gauge jumps from where it just was, measured by how far it commonly jumps for five minutes.

    reading ─▶ minus the half hour before it ─▶ held for five minutes ─▶ the highest of each of the last 168 hours
                              │                                                           │
                              └────────▶ in units of what 3 % of the hours exceed ◀───────┘

A jump is told by the half hour before it, not by the hour of the week: a day that is busier than others hides none and
makes none. What is common is no deviation of a bell curve, since bursts have tails of their own, but taken from the
highest of each hour, of which a few may be anything. Hours that differ much among themselves (a heavy tail) make it
more. Readings need not be regular; hours are those of UTC.
"""

from array import array
from math import exp2, inf, log2
from statistics import median

HOURS = 168
PAUSE = 900.0
"""Seconds without a reading after which what was just before is unknown."""
KNOWN = 24
"""Hours before anything is said."""
MOST = 1000.0
"""What no score exceeds."""
_HOUR, _MINUTE, _PART = 3600.0, 60.0, 300.0
_PARTS, _FEWEST = 5, 3
"""Means over `_PART` seconds of which the median is where the gauge just was; until there are three, it is unknown."""
_HOLDS = 5
"""Minutes for which a jump is held."""
_EXCEED, _ORDINARY = 0.03, 0.25
"""Shares of the hours that jump further: than what is common, and than what is ordinary."""
_TAIL, _MOST_TAIL = 0.3, 8.0
"""How far what is common is put beyond itself, as a share of its distance from what is ordinary; twice at most."""
_STEPS = 8.0
"""A height is kept as 8 log2(1 + height), 0 for none: to 5 %, up to two thousand million units."""


class Spike:
    """One gauge. `unit` is the smallest height that is worth telling apart, in the unit of the gauge."""

    __slots__ = (
        "_above", "_at", "_began", "_below", "_count", "_downs", "_held", "_high", "_highest", "_hour", "_local",
        "_low", "_lowest", "_minute", "_part", "_parts", "_past_high", "_past_low", "_sum", "_unit", "_ups",
    )  # fmt: skip

    def __init__(self, unit: float, packed: bytes = b"") -> None:
        kept = packed if len(packed) == 2 * HOURS else bytes(2 * HOURS)
        self._unit = unit
        self._ups, self._downs = bytearray(kept[:HOURS]), bytearray(kept[HOURS:])
        self._above: float | None = None
        self._below: float | None = None
        self._at, self._hour = -inf, -1
        self._forget()

    def feed(self, at: float, value: float, least: float) -> float | None:
        """A reading: how far it is above the half hour before it (below: negative), in units of what is common, or of
        `least` where that is more. None while either is unknown.
        """
        if not 0 <= at - self._at <= PAUSE:
            self._forget()
        hour = int(at // _HOUR)
        if hour != self._hour:
            self._turn(hour)
        self._at = at
        part = at // _PART
        if part != self._part:
            self._close(part)
        self._sum += value
        self._count += 1
        if self._local is None:
            return None
        deviation = value - self._local
        self._hold(at, deviation)
        common = self._above if deviation > 0 else self._below
        return None if common is None else max(-MOST, min(MOST, deviation / max(common, least)))

    def packed(self) -> bytes:
        """As the constructor takes it: the hours that are over."""
        return bytes(self._ups + self._downs)

    def _forget(self) -> None:
        """What was just before is unknown."""
        self._part, self._sum, self._count = -inf, 0.0, 0
        self._parts = array("d")
        self._local: float | None = None
        self._minute, self._low, self._high = -inf, 0.0, 0.0
        self._held = array("d")
        self._past_low, self._past_high = inf, -inf
        self._began, self._highest, self._lowest = inf, 0.0, 0.0

    def _close(self, part: float) -> None:
        """Five minutes are over."""
        if self._count:
            self._parts.append(self._sum / self._count)
            del self._parts[:-_PARTS]
            self._local = median(self._parts) if len(self._parts) >= _FEWEST else None
        self._part, self._sum, self._count = part, 0.0, 0

    def _hold(self, at: float, deviation: float) -> None:
        """Note what all readings of at least the last five minutes have in common."""
        minute = at // _MINUTE
        if minute != self._minute:
            self._next_minute(minute)
            self._low = self._high = deviation
        elif deviation < self._low:
            self._low = deviation
        elif deviation > self._high:
            self._high = deviation
        if self._held and self._held[0] <= minute - _HOLDS:
            self._began = min(self._began, at)
            self._highest = max(self._highest, min(self._low, self._past_low))
            self._lowest = max(self._lowest, -max(self._high, self._past_high))

    def _next_minute(self, minute: float) -> None:
        held = self._held  # minute, lowest, highest; as many as reach back five minutes
        if self._minute > -inf:
            held.extend((self._minute, self._low, self._high))
        while len(held) > 3 and held[3] <= minute - _HOLDS:  # noqa: PLR2004 - three of each
            del held[:3]
        self._minute = minute
        self._past_low, self._past_high = min(held[1::3], default=inf), max(held[2::3], default=-inf)

    def _turn(self, hour: int) -> None:
        """An hour begins; the one before it is kept, unless half of it was not seen."""
        if self._at - self._began >= _HOUR / 2:
            slot = self._hour % HOURS
            self._ups[slot], self._downs[slot] = _short(self._highest / self._unit), _short(self._lowest / self._unit)
        self._hour = hour
        self._began, self._highest, self._lowest = inf, 0.0, 0.0
        self._above, self._below = (_common(kept, hour, self._unit) for kept in (self._ups, self._downs))


def _common(kept: bytearray, hour: int, unit: float) -> float | None:
    """What 3 % of the hours exceed, or what most of the last three days, or a week ago, had at this hour; and beyond
    that where there is a tail. None before a day is known.
    """
    known = sorted([one for one in kept if one])
    if len(known) < KNOWN:
        return None
    few, ordinary = (known[-1 - int(share * len(known))] for share in (_EXCEED, _ORDINARY))
    days = sorted([kept[(hour - 24 * day) % HOURS] for day in (1, 2, 3)])
    jumps = max(few, days[1], kept[hour % HOURS]) + min(_TAIL * (few - ordinary), _MOST_TAIL)
    return unit * (exp2((jumps - 0.5) / _STEPS) - 1)


def _short(height: float) -> int:
    return min(255, 1 + int(_STEPS * log2(1 + height)))
