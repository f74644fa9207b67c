"""One gauge: what is usual of it, and how far a reading is from that.

    reading ─▶ centre (a slow level, or hour of the week and a slow level) ─▶ deviation in spreads ─▶ zscore
         └──▶ spike       shift ◀─ in spreads of what is smoothed ◀─ smoothed ◀─┘

The spread is that of the nearer half of all deviations, for this hour of the day, and wider where deviations that last
for a minute are commonly wider. At hours that usually have a job that long, both scores are the smaller for it.
The centre that erred less of late is used. What is unusual is learned slowly, not never: a new normal becomes normal.
"""

from math import exp, log

from msgspec import Struct

from daemon.detection.baseline_level import Level, LevelRow
from daemon.detection.baseline_season import Season
from daemon.detection.baseline_spike import MOST, Spike
from daemon.detection.baseline_spread import Spread

WARM_UP = 3600.0
"""Seconds of readings before anything is said."""
FEWEST = 30
"""Readings before anything is said."""
DAY = 86_400.0
_DOUBT = 3.0
"""After the warm-up the spread is taken to be four times as wide as it seems, after a whole day as wide as it is."""
_HOUR = 3600.0
_SETTLES = 300.0
_SLOW, _SEASON_SLOW = 6 * _HOUR, 12 * _HOUR
_SMOOTH, _BRIEF = 1800.0, 300.0
"""Seconds over which deviations are smoothed: for the shift, and to know restless hours by."""
_WINSOR = 4.0
"""Spreads beyond which a reading counts as no further away, in the shift and in the level of its hour."""
_MEAN_DISTANCE = 0.8
"""The mean distance from the centre of a normal, in standard deviations."""
_SMOOTHEST, _ROUGHEST = 0.25, 4.0
"""How much less, and more, than usual readings may stray at certain hours."""
_UNUSUAL, _UNUSUAL_SHIFT, _DAMPED = 5.0, 3.0, 0.125
"""From which scores on a reading is learned at an eighth of its weight."""
_AWAY, _ACCEPTED = 3.0, 12 * _HOUR
"""Spreads by which nearly all readings lie off the centre for so many seconds: then that is the new level."""
_RESTLESS = 1.5
"""A brief deviation that any hour may have; hours that usually have more are judged by theirs."""
_RELATIVE = 0.02
"""The least spread, as a share of the level."""
_UNIT = 0.25
_LEAST_SPIKE = 2.0
"""Least spreads that a jump commonly is."""
_LEAST_SMOOTH, _SMOOTH_TAIL = 0.5, 0.01
_HOLDS, _LASTING_TAIL = 40.0, 0.002
"""Seconds, about, for which a deviation must last to widen the spread of readings, and how rare it may be."""
_BETTER = 0.9
"""Share of the slow level's error below which the hours of the week are believed."""


class GaugeRow(Struct, array_like=True, frozen=True):
    """A gauge, stored."""

    readings: int
    level: LevelRow
    seasonal: LevelRow
    season: bytes
    smooth: bytes
    lasting: bytes
    away: float
    spike: bytes = b""
    """Of rows that were stored before there were spikes: nothing."""


class Score(Struct, frozen=True, gc=False):
    """How unusual a reading is: by itself in spreads of readings; all of late, smoothed, in spreads of that; and beside
    the half hour before it, in what jumps commonly are (None before a day, and where that half hour was not seen).
    """

    zscore: float
    shift: float
    spike: float | None = None


class Gauge:
    """`floor` is the least spread that is worth telling, in the unit of the gauge."""

    __slots__ = (
        "_away", "_brief", "_distance", "_floor", "_held", "_hour", "_lasting", "_least", "_level", "_near", "_peak",
        "_quiet", "_readings", "_rough", "_season", "_seasonal", "_seconds", "_smooth", "_smoothed", "_spike", "_sum",
        "_unsettled",
    )  # fmt: skip

    def __init__(self, floor: float, row: GaugeRow | None = None) -> None:
        self._floor = floor
        self._readings = row.readings if row else 0
        self._level = Level(_SLOW, floor * _UNIT, row.level if row else None)
        self._seasonal = Level(_SEASON_SLOW, floor * _UNIT, row.seasonal if row else None)
        self._season = Season(row.season if row else b"")
        self._smooth = Spread(_LEAST_SMOOTH * _UNIT, row.smooth if row else b"", tail=_SMOOTH_TAIL)
        self._lasting = Spread(_UNIT, row.lasting if row else b"", tail=_LASTING_TAIL)
        self._spike = Spike(floor * _UNIT, row.spike if row else b"")
        self._smoothed = self._brief = self._held = 0.0
        self._hour = -1
        self._sum = self._distance = self._seconds = self._peak = 0.0
        self._near: tuple[float | None, float | None, float | None] = (None, None, None)
        self._quiet = self._rough = 1.0
        self._away = row.away if row else 0.0
        self._settle(0.0)

    def feed(self, at: float, value: float, seconds: float, *, broken: bool) -> Score | None:
        """A reading that stands for so many seconds; None while too little is known.

        `broken` says that what was just before it is unknown: readings are missing, or the clock was set.
        """
        hour = int(at // _HOUR)
        if broken or hour != self._hour:
            self._turn(hour, broken=broken)
        if not self._readings:
            self._level.level = value
        self._readings += 1
        plain = value - self._level.level
        expected = self._expected(at / _HOUR - hour)
        fine = plain if expected is None else value - expected - self._seasonal.level
        seasonal = expected is not None and self._is_seasonal()
        level, deviation = (self._seasonal, fine) if seasonal else (self._level, plain)
        even, least = deviation / self._rough, self._least / self._rough
        middle = max(level.spread.middle, least)
        self._note(value - deviation, deviation, _WINSOR * middle * self._rough, even / middle, seconds)
        self._smooth_in(even / middle, seconds)
        self._hold(even / middle, seconds)
        score = self._judge(even / middle, self._spike.feed(at, value, _LEAST_SPIKE * self._least))
        if score is not None and (abs(score.zscore) > _UNUSUAL or abs(score.shift) > _UNUSUAL_SHIFT):
            self._learn(plain, None if expected is None else fine, seconds * _DAMPED, seconds)
        else:
            self._learn(plain, None if expected is None else fine, seconds, seconds)
        return score

    def row(self) -> GaugeRow:
        """As it is stored. The hour that is not over, and what was smoothed of late, are not."""
        return GaugeRow(
            self._readings, self._level.row(), self._seasonal.row(), self._season.packed(), self._smooth.packed(),
            self._lasting.packed(), self._away, self._spike.packed(),
        )  # fmt: skip

    def _learn(self, plain: float, fine: float | None, weight: float, seconds: float) -> None:
        """Learn the deviations from both centres as if they stood for `weight` seconds, of `seconds` that passed."""
        self._away = 0.0 if abs(self._smoothed) < _AWAY / 2 else self._away + seconds * (abs(self._smoothed) > _AWAY)
        moved = self._away > _ACCEPTED
        self._level.learn(plain, self._rough, seconds if moved else weight, moved=moved)
        if fine is not None:
            self._seasonal.learn(fine, self._rough, seconds if moved else weight, moved=moved)
        self._smooth.add(self._smoothed / self._quiet, weight)
        self._lasting.add(self._held / self._quiet, weight)
        self._unsettled -= weight
        if self._unsettled <= 0:
            self._settle(_SETTLES - self._unsettled)

    def _note(self, centre: float, deviation: float, most: float, even: float, seconds: float) -> None:
        """Add to the hour; what is far away counts as no more than `most`."""
        self._sum += (centre + max(-most, min(most, deviation))) * seconds
        self._distance += min(abs(even), _WINSOR) * seconds
        self._seconds += seconds

    def _smooth_in(self, even: float, seconds: float) -> None:
        near = max(-_WINSOR, min(_WINSOR, even))
        self._smoothed += (near - self._smoothed) * (1 - exp(-seconds / _SMOOTH))
        if near != even:
            near *= 1 + log(even / near)
        self._brief += (near - self._brief) * (1 - exp(-seconds / _BRIEF))
        self._peak = max(self._peak, abs(self._brief))

    def _hold(self, even: float, seconds: float) -> None:
        """What readings are held at for minutes: it rises slowly, and falls with the first that is nearer."""
        held = self._held
        if abs(even) < abs(held):
            self._held = even
        elif even * held < 0:
            self._held = 0.0
        else:
            self._held = held + (even - held) * (1 - exp(-seconds / _HOLDS))

    def _judge(self, deviation: float, spike: float | None) -> Score | None:
        learned = self._level.learned
        if learned < WARM_UP or self._readings < FEWEST:
            return None
        doubt = 1 + _DOUBT * (1 - learned / DAY) if learned < DAY else 1.0
        caution = doubt * self._quiet
        smoothed = self._smoothed
        width = max(self._smooth.upwards if smoothed > 0 else self._smooth.downwards, _LEAST_SMOOTH)
        wide = max(self._lasting.upwards if deviation > 0 else self._lasting.downwards, 1.0)
        return Score(_bounded(deviation / wide / caution), _bounded(smoothed / width / caution), spike)

    def _expected(self, passed: float) -> float | None:
        """What the hours of the week say, between the middles of two of them; `passed` is the share of this one."""
        before, now, after = self._near
        if now is None:
            return None
        other, share = (before, 0.5 - passed) if passed < 0.5 else (after, passed - 0.5)  # noqa: PLR2004 - the middle
        return now if other is None else now + (other - now) * share

    def _is_seasonal(self) -> bool:
        return self._seasonal.learned >= DAY and self._seasonal.error < _BETTER * self._level.error

    def _turn(self, hour: int, *, broken: bool) -> None:
        """An hour begins; the one before it is learned, unless half of it was not seen, or it was the very first."""
        if broken:
            self._smoothed = self._brief = self._held = 0.0
        if hour == self._hour:
            return
        if self._seconds >= _HOUR / 2 and self._level.learned >= 1.5 * WARM_UP:
            rough = self._distance / self._seconds * self._rough
            self._season.learn(self._hour, self._sum / self._seconds, rough, self._peak)
        self._hour = hour
        self._sum = self._distance = self._seconds = self._peak = 0.0
        self._near = (self._season.level(hour - 1), self._season.level(hour), self._season.level(hour + 1))
        usual = self._season.rough(hour)
        self._rough = 1.0 if usual is None else max(_SMOOTHEST, min(_ROUGHEST, usual / _MEAN_DISTANCE))
        self._quiet = max(1.0, self._season.restless(hour) / _RESTLESS)

    def _settle(self, passed: float) -> None:
        self._unsettled = _SETTLES
        for spread in (self._level.spread, self._seasonal.spread, self._smooth, self._lasting):
            spread.settle(passed)
        self._least = max(self._floor, _RELATIVE * abs(self._level.level))


def _bounded(score: float) -> float:
    return max(-MOST, min(MOST, score))
