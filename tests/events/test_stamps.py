"""Years that nobody wrote, and zones."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from daemon.events.stamps import Stamps


def epoch(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> float:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


def stamps(*date: int) -> Stamps:
    return Stamps(lambda: epoch(*date), UTC)


@pytest.mark.parametrize(
    ("now", "stamp", "at"),
    [
        ((2026, 11, 21, 9), ("Nov", "21", "09:30:00"), (2026, 11, 21, 9, 30)),
        ((2026, 11, 21, 9), ("Nov", "22", "08:59:00"), (2026, 11, 22, 8, 59)),
        ((2026, 11, 21, 9), ("Nov", "22", "09:01:00"), (2025, 11, 22, 9, 1)),
        ((2027, 1, 1, 0), ("Dec", "31", "23:59:59"), (2026, 12, 31, 23, 59, 59)),
        ((2026, 12, 31, 23), ("Jan", "1", "00:00:01"), (2027, 1, 1, 0, 0, 1)),
        ((2026, 3, 1), ("Feb", "29", "01:00:00"), (2024, 2, 29, 1)),
        ((2104, 2, 1), ("Feb", "29", "01:00:00"), (2096, 2, 29, 1)),
        ((2026, 11, 21), ("Jun", "30", "23:59:60"), (2026, 6, 30, 23, 59, 59)),
    ],
)
def test_the_year_is_the_latest_that_is_not_tomorrow(
    now: tuple[int, ...], stamp: tuple[str, str, str], at: tuple[int, ...]
) -> None:
    assert stamps(*now).bsd(*stamp, None) == epoch(*at)


def test_a_written_year_is_believed() -> None:
    assert stamps(2026, 1, 1).bsd("Feb", "3", "04:05:06", "2017") == epoch(2017, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    "stamp", [("Foo", "1", "01:00:00"), ("Feb", "30", "01:00:00"), ("Jan", "1", "25:00:00"), ("Jan", "1", "aa:00:00")]
)
def test_dates_that_do_not_exist_are_errors(stamp: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Python's own; that it is one is all that counts
        stamps(2026, 1, 1).bsd(*stamp, None)


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-11-21T09:30:00.250000+00:00", epoch(2026, 11, 21, 9, 30) + 0.25),
        ("2026-11-21T09:30:00Z", epoch(2026, 11, 21, 9, 30)),
        ("2026-11-21T09:30:00+02:00", epoch(2026, 11, 21, 7, 30)),
        ("2026-11-21 09:30:00", epoch(2026, 11, 21, 9, 30)),
    ],
)
def test_iso_stamps(stamp: str, at: float) -> None:
    assert stamps(2020, 1, 1).iso(stamp) == at


def test_stamps_without_a_zone_are_of_the_zone_given() -> None:
    eastern = Stamps(lambda: epoch(2026, 11, 21), timezone(timedelta(hours=-5)))
    assert eastern.iso("2026-11-20T09:00:00") == epoch(2026, 11, 20, 14)
    assert eastern.bsd("Nov", "20", "09:00:00", None) == epoch(2026, 11, 20, 14)


@pytest.fixture
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_berlin")
def test_without_a_zone_stamps_are_local_and_know_summer_time() -> None:
    local = Stamps(lambda: epoch(2026, 11, 21), None)
    assert local.bsd("Nov", "20", "09:00:00", None) == epoch(2026, 11, 20, 8)
    assert local.bsd("Jul", "20", "09:00:00", None) == epoch(2026, 7, 20, 7)
    assert local.iso("2026-07-20T09:00:00") == epoch(2026, 7, 20, 7)
    assert local.iso("2026-07-20T09:00:00Z") == epoch(2026, 7, 20, 9)
