"""One gauge over days, a reading a minute: what is unusual of it, what is not, and when it has become usual."""

import random  # noqa: TID251 - seeded
from collections.abc import Callable
from math import sin

import pytest

from daemon.detection.baseline_gauge import FEWEST, WARM_UP, Gauge, Score
from daemon.detection.baseline_spike import MOST

T0 = 1_795_305_600.0  # a Sunday, 00:00 UTC
DAY = 1440


class Story:
    """A gauge and the minutes that it was fed."""

    def __init__(self, floor: float = 1.0, seed: int = 11) -> None:
        self.gauge = Gauge(floor)
        self.rng = random.Random(seed)  # noqa: S311 - seeded, no secret
        self.minute = 0

    def play(self, minutes: int, value: Callable[[int], float]) -> list[Score | None]:
        found = []
        for _ in range(minutes):
            began = self.minute == 0
            at = T0 + 60 * self.minute
            found.append(self.gauge.feed(at, value(self.minute), 0.0 if began else 60.0, broken=began))
            self.minute += 1
        return found

    def noisy(self, centre: float = 40.0, wide: float = 2.0) -> Callable[[int], float]:
        return lambda _: self.rng.gauss(centre, wide)

    def daily(self, wide: float = 2.0) -> Callable[[int], float]:
        return lambda minute: (60.0 if 480 <= minute % DAY < 1200 else 20.0) + self.rng.gauss(0, wide)


def highest(scores: list[Score | None], what: str = "zscore") -> float:
    return max(float(getattr(score, what)) for score in scores if score is not None)


def sustained(scores: list[Score | None], least: float, readings: int, what: str = "zscore") -> bool:
    row = 0
    for score in scores:
        row = row + 1 if score is not None and (getattr(score, what) or 0) >= least else 0
        if row >= readings:
            return True
    return False


def test_nothing_is_said_before_the_warm_up_is_over() -> None:
    scores = Story().play(180, lambda _: 5.0)

    first = next(number for number, score in enumerate(scores) if score is not None)
    assert first * 60 == pytest.approx(WARM_UP, abs=60)


def test_a_few_readings_are_not_enough_however_long_they_took() -> None:
    gauge = Gauge(1.0)
    scores = [gauge.feed(T0 + 600 * n, 5.0, 600.0 if n else 0.0, broken=not n) for n in range(FEWEST + 5)]

    assert scores[FEWEST - 2] is None
    assert scores[-1] is not None


def test_a_constant_gauge_has_no_infinite_scores() -> None:
    story = Story()
    story.play(2 * DAY, lambda _: 0.0)

    (little,) = story.play(1, lambda _: 0.4)
    (much,) = story.play(1, lambda _: 1e12)

    assert little is not None
    assert little.zscore < 1
    assert much is not None
    assert much.zscore == MOST
    assert abs(much.shift) <= MOST


def test_the_score_is_in_standard_deviations_of_what_is_usual() -> None:
    story = Story(floor=0.1)
    story.play(3 * DAY, story.noisy(40, 2))

    (score,) = story.play(1, lambda _: 40 + 2 * 6)

    assert score is not None
    assert score.zscore == pytest.approx(6, rel=0.3)


def test_outliers_do_not_blind_it() -> None:
    story = Story(floor=0.1)
    story.play(3 * DAY, lambda _: story.rng.gauss(40, 2) + (500 if story.rng.random() < 0.002 else 0))

    assert sustained(story.play(10, story.noisy(60, 2)), 5, 6)


def test_usual_readings_are_hardly_ever_unusual() -> None:
    story = Story()
    story.play(2 * DAY, story.noisy())

    scores = story.play(7 * DAY, story.noisy())

    assert not sustained(scores, 4, 3)
    assert not sustained(scores, 3.5, 5, "shift")


def test_a_shift_of_what_a_reading_may_be_is_seen_in_the_shift() -> None:
    story = Story()
    story.play(3 * DAY, story.noisy(40, 3))

    scores = story.play(90, story.noisy(49, 3))

    assert not sustained(scores, 5, 6)
    assert sustained(scores, 3.5, 6, "shift")


def test_every_day_is_expected_and_the_load_of_the_day_at_night_is_not() -> None:
    story = Story()
    story.play(12 * DAY, story.daily())
    usual = story.play(2 * DAY, story.daily())
    story.play(120, story.daily())
    night = story.play(60, lambda _: story.rng.gauss(60, 2))

    assert not sustained(usual, 4, 6)
    assert not sustained(usual, 3.5, 6, "shift")
    assert sustained(night, 3.6, 6, "shift")


def test_a_job_that_runs_every_night_is_no_longer_told_on_the_fourth() -> None:
    story = Story()

    def nightly(minute: int) -> float:
        return story.rng.gauss(90 if 130 <= minute % DAY < 170 else 10, 1)

    nights = [sustained(story.play(DAY, nightly), 5, 6) for _ in range(7)]

    assert not any(nights[4:])


def test_a_new_level_becomes_usual_within_a_day() -> None:
    story = Story()
    story.play(5 * DAY, story.noisy(40, 2))

    story.play(60, story.noisy(80, 2))
    assert sustained(story.play(4 * 60, story.noisy(80, 2)), 3.6, 4 * 60, "shift"), "five hours later it is still told"
    story.play(19 * 60, story.noisy(80, 2))
    later = story.play(DAY, story.noisy(80, 2))

    assert not sustained(later, 5, 3)
    assert not sustained(later, 3.5, 3, "shift")
    assert not sustained([score and Score(-score.zscore, -score.shift) for score in later], 4, 3)


def test_back_from_trouble_all_is_usual_at_once_and_the_next_trouble_is_trouble_again() -> None:
    story = Story()
    story.play(5 * DAY, story.noisy(40, 2))
    story.play(40, story.noisy(95, 2))

    after = story.play(DAY, story.noisy(40, 2))

    assert highest(after) < 5
    assert min(score.zscore for score in after if score is not None) > -5
    assert sustained(story.play(40, story.noisy(95, 2)), 4.5, 6)


def test_a_jump_within_what_the_gauge_wanders_over_is_seen_as_a_jump_only() -> None:
    """Over hours it is anywhere from 20 to 80, at no time of its own; from one minute to the next it hardly moves."""
    story = Story()

    def wandering(minute: int) -> float:
        return 50 + 30 * sin(minute / 170) + story.rng.gauss(0, 1)

    usual = story.play(8 * DAY, wandering)
    low = next(minute for minute in range(8 * DAY, 9 * DAY) if sin(minute / 170) < -0.99)
    usual += story.play(low - story.minute, wandering)
    jump = story.play(8, lambda minute: wandering(minute) + 40)

    assert not sustained(usual, 1.7, 6, "spike")
    assert sustained(jump, 1.7, 6, "spike")
    assert highest(jump) < 4.5


def test_what_was_smoothed_does_not_outlast_missing_readings() -> None:
    story = Story()
    story.play(3 * DAY, story.noisy(40, 2))
    story.play(50, story.noisy(70, 2))
    story.minute += 30
    (score,) = [story.gauge.feed(T0 + 60 * story.minute, 40.0, 60.0, broken=True)]

    assert score is not None
    assert abs(score.shift) < 0.5


@pytest.mark.parametrize("jump", [-400 * 86_400.0, -3600.0, 7200.0, 400 * 86_400.0, -T0])
def test_a_clock_that_jumps_makes_no_spike(jump: float) -> None:
    story = Story()
    story.play(5 * DAY, story.noisy(40, 2))

    at = T0 + 60 * story.minute + jump
    scores = [
        story.gauge.feed(at + 60 * n, story.rng.gauss(40, 2), 60.0, broken=n == 0) for n in range(180)
    ]  # fmt: skip

    assert max(abs(score.zscore) for score in scores if score is not None) < 5
    assert max(abs(score.shift) for score in scores if score is not None) < 3.5


def test_stored_and_taken_back_it_says_the_same() -> None:
    story = Story()
    story.play(9 * DAY, story.daily())
    again = Gauge(1.0, story.gauge.row())

    at = T0 + 60 * story.minute
    mine, theirs = (one.feed(at, 25.0, 60.0, broken=True) for one in (story.gauge, again))

    assert mine is not None
    assert theirs is not None
    assert theirs.zscore == pytest.approx(mine.zscore, rel=0.05)
