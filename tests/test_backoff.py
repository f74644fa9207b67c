import pytest

from daemon.backoff import DELIVERY_SCHEDULE, RESTART_SCHEDULE, delay


@pytest.mark.parametrize(
    ("attempt", "jitter", "expected"),
    [(1, 0.0, 1.0), (1, 1.0, 2.0), (3, 1.0, 15.0), (10, 1.0, 3600.0), (999, 1.0, 3600.0), (0, 1.0, 2.0)],
)
def test_delays_follow_the_schedule_and_its_last_one_repeats(attempt: int, jitter: float, expected: float) -> None:
    assert delay(DELIVERY_SCHEDULE, attempt, lambda: jitter) == expected


@pytest.mark.parametrize("schedule", [DELIVERY_SCHEDULE, RESTART_SCHEDULE])
def test_schedules_only_grow(schedule: tuple[float, ...]) -> None:
    assert list(schedule) == sorted(schedule)
