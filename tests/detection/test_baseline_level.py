"""The slow level: robust, adapting, stored."""

import random  # noqa: TID251 - seeded

import pytest

from daemon.detection.baseline_level import Level


def learned(level: Level, values: list[float], seconds: float = 60.0) -> Level:
    for number, value in enumerate(values):
        level.learn(value - level.level, 1.0, seconds)
        if number % 5 == 0:
            level.spread.settle(0.0)
    return level


def test_it_finds_the_middle_whatever_the_outliers() -> None:
    rng = random.Random(3)  # noqa: S311 - seeded, no secret
    values = [40 + rng.gauss(0, 2) + (5000 if rng.random() < 0.02 else 0) for _ in range(3000)]

    level = learned(Level(6 * 3600, 0.25), values)

    assert level.level == pytest.approx(40, abs=1.5)
    assert level.error < 4


def test_a_new_level_is_learned() -> None:
    rng = random.Random(3)  # noqa: S311 - seeded, no secret
    level = learned(Level(6 * 3600, 0.25), [40 + rng.gauss(0, 2) for _ in range(3000)])
    learned(level, [60 + rng.gauss(0, 2) for _ in range(3 * 1440)])

    assert level.level == pytest.approx(60, abs=3)


def test_stored_and_taken_back_it_goes_on() -> None:
    rng = random.Random(3)  # noqa: S311 - seeded, no secret
    level = learned(Level(6 * 3600, 0.25), [40 + rng.gauss(0, 2) for _ in range(500)])
    level.spread.settle(0.0)
    again = Level(6 * 3600, 0.25, level.row())

    assert again.row() == level.row()
    for one in (level, again):
        one.learn(30.0, 1.0, 60.0)
    assert again.row() == level.row()
