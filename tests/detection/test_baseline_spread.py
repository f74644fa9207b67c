"""The spread: what a normal says, what outliers cannot move, what is forgotten."""

import random  # noqa: TID251 - seeded

import pytest

from daemon.detection.baseline_spread import FORGETS, Spread


def filled(deviations: list[float], unit: float = 0.25) -> Spread:
    spread = Spread(unit)
    for deviation in deviations:
        spread.add(deviation, 1.0)
    spread.settle(0.0)
    return spread


@pytest.mark.parametrize("wide", [1.0, 7.0, 900.0])
def test_of_a_normal_all_three_are_its_standard_deviation(wide: float) -> None:
    rng = random.Random(7)  # noqa: S311 - seeded, no secret
    spread = filled([rng.gauss(0, wide) for _ in range(20_000)])

    # bins double in width: within a bin the shape is a guess
    assert spread.middle == pytest.approx(wide, rel=0.15)
    assert spread.upwards == pytest.approx(wide, rel=0.25)
    assert spread.downwards == pytest.approx(wide, rel=0.25)


def test_sides_are_told_apart() -> None:
    rng = random.Random(7)  # noqa: S311 - seeded, no secret
    spread = filled([rng.gauss(0, 1) if n % 20 else abs(rng.gauss(0, 50)) for n in range(20_000)])

    assert spread.upwards > 8 * spread.downwards


def test_how_far_an_outlier_went_does_not_matter() -> None:
    rng = random.Random(7)  # noqa: S311 - seeded, no secret
    usual = [rng.gauss(0, 1) for _ in range(10_000)]
    alone, far, further = filled(usual), filled([*usual, *[50.0] * 20]), filled([*usual, *[1e12] * 20])

    assert (far.upwards, far.middle) == (further.upwards, further.middle)
    assert far.middle == pytest.approx(alone.middle, rel=0.01)
    assert far.upwards < 1.3 * alone.upwards


def test_nothing_counted_is_no_spread_and_a_constant_lies_within_the_smallest_bin() -> None:
    assert (Spread(1.0).middle, Spread(1.0).upwards, Spread(1.0).downwards) == (0.0, 0.0, 0.0)
    assert filled([0.0] * 1000, unit=1.0).upwards <= 1.5


def test_what_was_is_forgotten() -> None:
    spread = filled([100.0, -100.0] * 5000)
    before = spread.upwards
    for _ in range(8):
        spread.settle(FORGETS)
        for number in range(1000):
            spread.add(1.0 if number % 2 else -1.0, 1.0)
    spread.settle(0.0)

    assert before > 50
    assert spread.upwards < 3


def test_packed_and_taken_back_it_is_the_same() -> None:
    rng = random.Random(7)  # noqa: S311 - seeded, no secret
    spread = filled([rng.gauss(0, 3) for _ in range(500)])

    again = Spread(0.25, spread.packed())

    assert (again.middle, again.upwards, again.downwards) == (spread.middle, spread.upwards, spread.downwards)
    assert len(spread.packed()) == 160
    assert Spread(0.25, b"cut short").upwards == 0.0
