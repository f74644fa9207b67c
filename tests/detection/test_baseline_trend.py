"""Seconds until nothing is left: for what surely falls, and for nothing else."""

import random  # noqa: TID251 - seeded
from collections.abc import Callable

import pytest

from daemon.detection.baseline_trend import FEWEST, LONGEST, POINTS, Trend

T0 = 1_795_252_800.0


def fed(value_at: Callable[[float], float], minutes: float = 30, every: float = 5.0) -> Trend:
    trend = Trend()
    for number in range(int(minutes * 60 / every)):
        trend.feed(T0 + number * every, value_at(number * every))
    return trend


def test_a_steady_fall_is_told_in_seconds() -> None:
    trend = fed(lambda passed: 10e9 - 1e6 * passed)

    assert trend.seconds_to_zero(8.2e9) == pytest.approx(8200)
    assert trend.seconds_to_zero(0.0) == 0.0
    assert trend.seconds_to_zero(-5.0) == 0.0


def test_noise_and_outliers_do_not_hide_it() -> None:
    rng = random.Random(5)  # noqa: S311 - seeded, no secret
    trend = fed(lambda passed: 10e9 - 1e6 * passed + rng.gauss(0, 5e7) - (8e9 if rng.random() < 0.1 else 0))

    assert trend.seconds_to_zero(8.2e9) == pytest.approx(8200, rel=0.3)


@pytest.mark.parametrize(
    "value_at",
    [
        lambda _: 5e9,
        lambda passed: 5e9 + 1e6 * passed,
        lambda passed: 9e9 if passed < 900 else 2e9,  # one big file
        lambda passed: 9e9 - 1e7 * passed if passed < 900 else 9e9 - 1e7 * 900,  # it has stopped
        lambda passed: 5e9 + 1e9 * (passed % 600),  # rotated
    ],
    ids=["constant", "grows", "step", "stopped", "sawtooth"],
)
def test_what_does_not_fall_says_nothing(value_at: Callable[[float], float]) -> None:
    assert fed(value_at).seconds_to_zero(value_at(1800)) is None


def test_pure_noise_is_almost_never_a_fall() -> None:
    rng = random.Random(5)  # noqa: S311 - seeded, no secret
    wrong = 0
    for _ in range(300):
        trend = fed(lambda _: 5e9 + rng.gauss(0, 1e8), every=60.0)
        wrong += trend.seconds_to_zero(5e9) is not None

    assert wrong <= 3


def test_it_waits_for_enough_points() -> None:
    assert fed(lambda passed: 1e9 - passed * 1e5, FEWEST - 1, 60.0).seconds_to_zero(1e9) is None
    assert fed(lambda passed: 1e9 - passed * 1e5, FEWEST, 60.0).seconds_to_zero(1e9) is not None


def test_what_is_far_away_is_not_told() -> None:
    trend = fed(lambda passed: 10e12 - 1e6 * passed)

    assert trend.seconds_to_zero(10e12) is None
    assert trend.seconds_to_zero(LONGEST * 1e6 * 0.99) is not None


def test_points_are_bounded_and_survive() -> None:
    trend = fed(lambda passed: 10e9 - 1e6 * passed, minutes=600)

    assert len(trend.packed()) == POINTS * 16
    assert Trend(trend.packed()).seconds_to_zero(1e9) == trend.seconds_to_zero(1e9)
    assert Trend(b"odd").seconds_to_zero(1e9) is None
    trend.clear()
    assert trend.seconds_to_zero(1e9) is None
