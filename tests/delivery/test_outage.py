"""A receiver that is down is asked once for each step; what cannot wait may ask in between, but seldom."""

import msgspec
import pytest

from daemon.backoff import DELIVERY_SCHEDULE
from daemon.delivery.outage import CRITICAL_PAUSE, NEW_PAUSE, OVERDUE_PAUSE, Outage
from daemon.model import Delivery, Severity
from tests.doubles.alerts import AT, make_alert, make_delivery

OLD = make_delivery()


def failing(times: int, *, retry_after: float | None = None, jitter: float = 1.0) -> Outage:
    """An outage whose last attempt began and ended at AT."""
    outage = Outage()
    for _ in range(times):
        outage.failed(AT, AT, retry_after=retry_after, jitter=jitter)
    return outage


def new(severity: Severity = Severity.high, *, attempts: int = 0, at: float = AT + 1) -> Delivery:
    return msgspec.structs.replace(make_delivery(alert=make_alert(severity=severity)), attempts=attempts, created_at=at)


def test_a_receiver_that_accepts_is_open() -> None:
    assert Outage().opens_at(OLD, overdue=False) == 0.0
    outage = failing(20)
    outage.end()
    assert outage.opens_at(OLD, overdue=False) == 0.0


@pytest.mark.parametrize("failures", range(1, 14))
def test_each_failure_is_one_step_of_the_schedule(failures: int) -> None:
    step = DELIVERY_SCHEDULE[min(failures, len(DELIVERY_SCHEDULE)) - 1]
    assert failing(failures).opens_at(OLD, overdue=False) == AT + step
    assert failing(failures, jitter=0.0).opens_at(OLD, overdue=False) == AT + step / 2


def test_after_the_end_the_steps_begin_anew() -> None:
    outage = failing(9)
    outage.end()
    outage.failed(AT, AT, retry_after=None, jitter=1.0)
    assert outage.opens_at(OLD, overdue=False) == AT + DELIVERY_SCHEDULE[0]


@pytest.mark.parametrize(
    ("delivery", "pause"),
    [
        (OLD, 3600.0),
        (new(), NEW_PAUSE),
        (new(Severity.critical), CRITICAL_PAUSE),
        (new(Severity.critical, attempts=1), 3600.0),
        (new(Severity.critical, at=AT), 3600.0),
    ],
)
def test_only_what_is_new_asks_before_the_step_is_over(delivery: Delivery, pause: float) -> None:
    assert failing(10).opens_at(delivery, overdue=False) == AT + pause


@pytest.mark.parametrize("retry_after", [0.1, 120.0, 3600.0])
@pytest.mark.parametrize("delivery", [OLD, new(), new(Severity.critical)])
def test_a_wait_that_the_receiver_named_holds_for_all(delivery: Delivery, retry_after: float) -> None:
    assert failing(10, retry_after=retry_after).opens_at(delivery, overdue=False) == AT + retry_after


@pytest.mark.parametrize("retry_after", [None, 120.0])
def test_what_is_overdue_comes_to_its_end(retry_after: float | None) -> None:
    assert failing(10, retry_after=retry_after).opens_at(OLD, overdue=True) == AT + OVERDUE_PAUSE


@pytest.mark.parametrize("delivery", [new(), new(Severity.critical)])
def test_nothing_waits_longer_than_the_step(delivery: Delivery) -> None:
    outage = failing(1, jitter=0.0)
    assert outage.opens_at(delivery, overdue=False) <= AT + 1
    assert outage.opens_at(delivery, overdue=True) == AT + 1


def test_one_failure_is_a_hiccup() -> None:
    assert [failing(times).probing for times in (0, 1, 2, 9)] == [False, False, True, True]


def test_only_an_outage_of_several_failures_was_a_long_one() -> None:
    assert [failing(times).end() for times in (0, 1, 2, 3, 9)] == [False, False, False, True, True]
