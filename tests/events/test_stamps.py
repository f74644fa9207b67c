"""Years that nobody wrote, and zones."""

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def test_a_stamp_as_it_stands_in_the_line() -> None:
    live = stamps(2026, 11, 21, 9)
    for stamp in ("Nov 21 09:30:00", "Nov 21 09:30:00", "Nov 21 2026 09:30:00"):
        assert live.unzoned(stamp) == epoch(2026, 11, 21, 9, 30)
    assert live.unzoned("Nov  1 09:30:00") == epoch(2026, 11, 1, 9, 30)
    assert live.unzoned("Nov 23 2026 00:00:00") is None
    with pytest.raises(ValueError, match="day"):
        live.unzoned("Feb 31 09:30:00")


def test_the_stamp_of_the_line_before_is_judged_again() -> None:
    today = [epoch(2026, 11, 21)]
    live = Stamps(lambda: today[0], UTC)
    assert live.unzoned("Nov 22 2026 00:00:00") == epoch(2026, 11, 22)
    today[0] = epoch(2026, 11, 20)
    assert live.unzoned("Nov 22 2026 00:00:00") is None
    assert live.unzoned("Nov 23 2026 00:00:00") is None
    today[0] = epoch(2026, 11, 23)
    assert live.unzoned("Nov 23 2026 00:00:00") == epoch(2026, 11, 23)


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
    assert stamps(2026, 11, 21).iso(stamp) == at


@pytest.mark.parametrize(
    "stamp",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00",
        "1970-01-01T00:00:07Z",
        "1979-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "2099-12-31T23:59:59-14:00",
        "1980-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_year_that_nobody_can_mean_is_no_stamp(stamp: str) -> None:
    finished = Stamps(lambda: epoch(2026, 11, 21), UTC, live=False)
    assert finished.iso(stamp) is None
    assert stamps(2026, 11, 21).iso(stamp) is None


@pytest.mark.parametrize(("year", "at"), [("0000", None), ("0001", None), ("2100", None), ("2099", epoch(2099, 2, 3))])
def test_so_is_a_written_one(year: str, at: float | None) -> None:
    assert Stamps(lambda: epoch(2026, 11, 21), UTC, live=False).bsd("Feb", "3", "00:00:00", year) == at


def test_more_than_a_day_ahead_is_no_stamp_while_the_log_is_written() -> None:
    live = stamps(2026, 11, 21, 9)
    assert live.iso("2026-11-22T09:00:00Z") == epoch(2026, 11, 22, 9)
    assert live.iso("2026-11-22T09:00:01Z") is None
    assert live.bsd("Nov", "23", "00:00:00", "2026") is None
    assert live.believed(epoch(2031, 1, 1)) is None


def test_a_stamp_is_believed_again_when_its_time_has_come() -> None:
    today = [epoch(2026, 11, 21)]
    live = Stamps(lambda: today[0], UTC)
    assert live.bsd("Nov", "23", "00:00:00", "2026") is None
    today[0] = epoch(2026, 11, 23)
    assert live.bsd("Nov", "23", "00:00:00", "2026") == epoch(2026, 11, 23)


def test_the_future_of_a_finished_log_is_not_judged() -> None:
    copied = Stamps(lambda: epoch(1990, 1, 1), UTC, live=False)
    assert copied.iso("2026-11-21T09:30:00Z") == epoch(2026, 11, 21, 9, 30)
    assert copied.believed(epoch(2031, 1, 1)) == epoch(2031, 1, 1)


def test_no_number_is_no_instant() -> None:
    for at in (math.nan, math.inf, -math.inf):
        assert stamps(2026, 11, 21).believed(at) is None


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


CLOCKS = st.sampled_from(
    [
        "09:30:00",
        "09:30:01",
        "09:30:59",
        "09:30:60",
        "09:31:00",
        "9:30:000",
        "9:30:059",
        "9:3:0005",
        "09:30:5:",
        "02:30:10",
        "00:00:00",
        "23:59:59",
        "24:00:00",
    ]
)
DATES = st.sampled_from(
    ["Nov 21 ", "Nov  1 ", "Nov 1 ", "Nov 21 2026 ", "Nov 21 2016 ", "Oct 25 ", "Mar 29 ", "Feb 29 "]
)
MOMENTS = st.sampled_from(
    [(2026, 11, 20, 9, 30, 0), (2026, 11, 20, 9, 29, 59), (2026, 11, 20, 9, 30, 40), (2026, 11, 22), (2027, 11, 22),
     (2028, 3, 1), (2025, 1, 1)]
)  # fmt: skip


@pytest.mark.usefixtures("_berlin")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(DATES, CLOCKS, MOMENTS), max_size=12), st.booleans(), st.sampled_from([UTC, None]))
def test_what_is_remembered_of_the_line_before_changes_nothing(
    lines: list[tuple[str, str, tuple[int, ...]]], live: bool, zone: tzinfo | None
) -> None:
    """The worst bug: a line gets the year or the minute of another."""
    now = [0.0]
    remembering = Stamps(lambda: now[0], zone, live=live)
    for date, clock, moment in lines:
        now[0] = epoch(*moment)
        stamp = date + clock
        try:
            expected = Stamps(lambda: now[0], zone, live=live).unzoned(stamp)
        except ValueError:
            with pytest.raises(ValueError):  # noqa: PT011 - the words are Python's own; that it is one is all that counts
                remembering.unzoned(stamp)
        else:
            assert remembering.unzoned(stamp) == expected
