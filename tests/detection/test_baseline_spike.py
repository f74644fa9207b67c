"""Jumps: what is one and what is not, on regular and irregular readings, over gaps, clock jumps and restarts."""

import random  # noqa: TID251 - seeded
from collections.abc import Callable
from itertools import pairwise
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.baseline_spike import HOURS, KNOWN, MOST, PAUSE, Spike

T0 = 1_795_305_600.0  # a Sunday, 00:00 UTC
HOUR, DAY = 60, 1440
LEAST = 2.0
UNUSUAL = 1.7


class Story:
    """A gauge, a reading every `step` seconds."""

    def __init__(self, step: float = 60.0, seed: int = 5) -> None:
        self.spike = Spike(0.25)
        self.rng = random.Random(seed)  # noqa: S311 - seeded, no secret
        self.step = step
        self.at = T0

    def play(self, minutes: float, value: Callable[[float], float]) -> list[float | None]:
        """Readings over so many minutes; `value` is given the minute of the day."""
        found = []
        for _ in range(int(minutes * 60 / self.step)):
            found.append(self.spike.feed(self.at, value(self.at % 86_400 / 60), LEAST))
            self.at += self.step
        return found

    def noisy(self, centre: float = 40.0, wide: float = 2.0) -> Callable[[float], float]:
        return lambda _: self.rng.gauss(centre, wide)

    def restart(self) -> None:
        self.spike = Spike(0.25, self.spike.packed())


def held(found: list[float | None], readings: int = 6, sign: int = 1) -> bool:
    """Whether it was unusual for so many readings in a row."""
    row = 0
    for one in found:
        row = row + 1 if one is not None and sign * one >= UNUSUAL else 0
        if row >= readings:
            return True
    return False


def test_nothing_is_said_before_a_day_is_known() -> None:
    story = Story()
    found = story.play(2 * DAY, story.noisy())

    first = next(number for number, one in enumerate(found) if one is not None)
    assert KNOWN * HOUR <= first <= (KNOWN + 1) * HOUR


def test_a_jump_of_eight_minutes_is_told_from_its_first_reading_and_back_again_nothing_is() -> None:
    story = Story()
    usual = story.play(3 * DAY, story.noisy())
    jump = story.play(8, story.noisy(60))
    after = story.play(DAY, story.noisy())

    assert all(one is not None and one >= UNUSUAL for one in jump)
    for calm in (usual, after):
        assert not held(calm)
        assert not held(calm, sign=-1)


def test_a_fall_is_told_as_a_negative_jump() -> None:
    story = Story()
    story.play(3 * DAY, story.noisy())

    assert held(story.play(8, story.noisy(10)), 8, -1)


@pytest.mark.parametrize("step", [5.0, 15.0, 60.0, 150.0, 300.0])
def test_at_any_interval_quiet_is_quiet_and_a_jump_is_one(step: float) -> None:
    story = Story(step)
    usual = story.play(3 * DAY, story.noisy())
    jump = story.play(15, story.noisy(62))

    assert not held(usual, max(2, int(300 / step)))
    assert held(jump, max(2, int(300 / step)))


def test_bursts_that_are_common_are_not_told_and_one_that_is_longer_and_higher_is() -> None:
    story = Story()

    def bursty(minute: float) -> float:
        """Each hour the gauge stands 30 higher for ten minutes, at another time of the hour."""
        hour = int(minute // HOUR)
        begins = hour * 17 % 45
        return story.rng.gauss(70 if begins <= minute % HOUR < begins + 10 else 40, 2)

    usual = story.play(5 * DAY, bursty)

    assert not held(usual[2 * DAY :])
    assert held(story.play(10, story.noisy(125)))


def test_a_rare_incident_does_not_blind_it() -> None:
    """Five hours of a week may be anything: what they were does not widen what is common."""
    story = Story()
    story.play(2 * DAY, story.noisy())
    for _ in range(4):
        story.play(20 * HOUR, story.noisy())
        assert held(story.play(10, story.noisy(70)))


def test_a_job_that_comes_every_night_is_common_from_the_second_on() -> None:
    story = Story()

    def nightly(minute: float) -> float:
        return story.rng.gauss(90 if 130 <= minute < 170 else 10, 1)

    assert not any(held(story.play(DAY, nightly)) for _ in range(6))


def test_a_job_of_two_nights_is_common_at_its_hour_only() -> None:
    """Two of 168 hours do not widen what is common, but at that hour of the third night it is no jump."""
    story = Story()
    story.play(5 * DAY, story.noisy(10, 1))

    def nightly(minute: float) -> float:
        return story.rng.gauss(90 if 130 <= minute < 170 else 10, 1)

    nights = [held(story.play(DAY, nightly)) for _ in range(3)]

    assert nights == [True, True, False]
    story.play(12 * HOUR, nightly)
    assert held(story.play(10, story.noisy(90, 1)))


def test_where_it_was_before_a_pause_is_forgotten_and_a_short_one_changes_nothing() -> None:
    for pause, told in ((PAUSE - 60, True), (PAUSE + 120, False)):
        story = Story()
        story.play(3 * DAY, story.noisy())
        story.at += pause

        (first,) = story.play(1, story.noisy(90))

        assert (first is not None) is told


@pytest.mark.parametrize("jump", [-400 * 86_400.0, -3600.0, -60.0 * 30, 7200.0, 400 * 86_400.0, -T0])
def test_a_clock_that_is_set_makes_no_jump(jump: float) -> None:
    story = Story()
    story.play(4 * DAY, story.noisy())
    story.at += jump

    later = story.play(DAY, story.noisy())

    assert later[0] is None
    assert not held(later, 5)
    assert not held(later, 5, -1)


def test_a_restart_forgets_no_hour_that_is_over_and_half_a_quarter_of_an_hour_later_it_speaks() -> None:
    story = Story()
    story.play(3 * DAY + 5, story.noisy())
    kept = story.spike.packed()
    story.restart()

    assert story.spike.packed() == kept
    assert len(kept) == 2 * HOURS
    first = next(number for number, one in enumerate(story.play(30, story.noisy())) if one is not None)
    assert 10 <= first <= 20
    assert held(story.play(8, story.noisy(60)), 8)


def test_an_hour_of_which_less_than_half_was_seen_is_not_kept() -> None:
    story = Story()
    story.play(3 * DAY + 20, story.noisy())
    kept = story.spike.packed()
    story.restart()
    story.play(10, story.noisy(99))
    story.at += 40 * 60
    story.play(1, story.noisy())

    assert story.spike.packed() == kept


def test_a_constant_and_what_cannot_be_read_have_no_infinite_scores() -> None:
    story = Story()
    story.play(2 * DAY, lambda _: 0.0)

    assert story.play(1, lambda _: 1.0) == [0.5]
    assert story.play(1, lambda _: 1e29) == [MOST]
    assert story.play(1, lambda _: -1e29) == [-MOST]
    assert Spike(0.25, b"cut short").packed() == bytes(2 * HOURS)


def test_what_is_huge_is_kept_as_huge() -> None:
    """A disk of hundreds of gigabytes that is filled and emptied every hour, in a gauge with a small unit."""
    story = Story()

    def wild(minute: float) -> float:
        return 4e8 if minute % HOUR < 20 else 0.0

    found = story.play(3 * DAY, wild)

    assert not held(found)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e30, 1e30)), max_size=80))
def test_whatever_comes_it_stays_finite_and_small(readings: list[tuple[float, float]]) -> None:
    spike = Spike(0.25)
    for at, value in readings:
        found = spike.feed(at, value, LEAST)
        assert found is None or isfinite(found)
    assert len(spike.packed()) == 2 * HOURS


def test_what_it_remembers_of_the_last_minutes_is_bounded() -> None:
    rng = random.Random(3)  # noqa: S311 - seeded, no secret
    spike, ats = Spike(0.25), [T0]
    for _ in range(5000):
        ats.append(ats[-1] + rng.choice([0.0, 0.1, 5.0, 60.0, 61.0, 299.0, 800.0]))
    for at, _ in pairwise(ats):
        spike.feed(at, rng.random(), LEAST)

        assert len(spike._parts) <= 5
        assert len(spike._held) <= 3 * 6
