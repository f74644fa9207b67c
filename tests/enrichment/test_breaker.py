"""The breaker: what opens it, for how long, and what closes it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.breaker import Breaker, BreakerState


class Clock:
    def __init__(self) -> None:
        self.at = 50.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(monotonic=clock, threshold=3, rest=30, longest=100)


def state(breaker: Breaker) -> BreakerState:
    return breaker.state


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_it_opens_at_the_threshold_and_not_before(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert state(breaker) is BreakerState.closed
    assert breaker.retry_in == 0
    breaker.failed()
    assert state(breaker) is BreakerState.open
    assert breaker.retry_in == 30


def test_only_failures_in_a_row_count(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert state(breaker) is BreakerState.closed


def test_after_its_rest_it_is_half_open_and_one_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.at += 29.9
    assert state(breaker) is BreakerState.open
    clock.at += 0.1
    assert state(breaker) is BreakerState.half_open
    assert breaker.retry_in == 0
    breaker.succeeded()
    fail(breaker, 2)
    assert state(breaker) is BreakerState.closed


def test_each_failed_trial_doubles_the_rest_up_to_the_longest(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    rests = []
    for _ in range(4):
        rests.append(breaker.retry_in)
        clock.at += breaker.retry_in
        breaker.failed()
    assert rests == [30, 60, 100, 100]
    clock.at += breaker.retry_in
    breaker.succeeded()
    fail(breaker, 3)
    assert breaker.retry_in == 30


def test_late_failures_while_open_change_nothing(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.at += 10
    fail(breaker, 50)
    assert breaker.retry_in == 20


@pytest.mark.parametrize(("asked", "rest"), [(None, 30), (5, 30), (45, 45), (1e9, 100), (math.inf, 100), (-7, 30)])
def test_a_named_pause_is_honoured_within_bounds(breaker: Breaker, asked: float | None, rest: float) -> None:
    fail(breaker, 2)
    breaker.failed(asked)
    assert breaker.retry_in == rest


@given(st.lists(st.one_of(st.sampled_from(["ok", "bad"]), st.floats(0, 500))))
def test_it_is_never_open_for_longer_than_the_longest(steps: list[str | float]) -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock, threshold=2, rest=10, longest=80)
    for step in steps:
        if isinstance(step, float):
            clock.at += step
        elif step == "ok":
            breaker.succeeded()
        else:
            breaker.failed()
        assert 0 <= breaker.retry_in <= 80
        assert (breaker.retry_in > 0) == (breaker.state is BreakerState.open)
    clock.at += 80
    assert state(breaker) is not BreakerState.open
