"""Counters become rates; what began anew, or was not seen for long, becomes nothing."""

import pytest

from daemon.sources.growth import Growth


def test_rates_are_per_second_and_the_first_reading_gives_none() -> None:
    growth = Growth()
    assert growth.per_second({"a": 100.0}, 10.0, 5.0) == {}
    assert growth.per_second({"a": 150.0, "new": 5.0}, 15.0, 5.0) == {"a": 10.0}


def test_a_counter_that_stepped_back_began_anew() -> None:
    growth = Growth()
    growth.since({"a": 100.0, "b": 1.0}, 10.0, 5.0)
    assert growth.since({"a": 3.0, "b": 2.0}, 15.0, 5.0) == (5.0, {"b": 1.0})
    assert growth.per_second({"a": 8.0, "b": 2.0}, 20.0, 5.0) == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize("passed", [0.0, -5.0, 16.1, 86_400.0])
def test_no_rate_over_no_time_or_too_long_a_time(passed: float) -> None:
    growth = Growth()
    growth.since({"a": 1.0}, 100.0, 5.0)
    assert growth.per_second({"a": 2.0}, 100.0 + passed, 5.0) == {}


def test_forgotten() -> None:
    growth = Growth()
    growth.since({"a": 1.0}, 1.0, 5.0)
    growth.forget()
    assert growth.per_second({"a": 2.0}, 2.0, 5.0) == {}
