"""Sums, averages, medians and percentiles of windows, against the plainest reading."""

import math
import statistics
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection.measures import measure_of, read_number
from daemon.detection.rules_correlation import MEASURES, Correlation
from daemon.detection.windows import COMPARE, Window, build_pattern, feed_window, most_kept, new_window

SPAN = 60.0
NUMBERS = st.lists(st.integers(-1000, 1000).map(lambda n: n / 8), min_size=1, max_size=40)


def asked(kind: str, count: float, operator: str = "gte", percentile: float = 50) -> Correlation:
    return Correlation(kind, ("a",), ("A",), SPAN, operator=operator, count=count, fields=("n",), percentile=percentile)


def firings(correlation: Correlation, entries: list[tuple[float, float]]) -> list[float]:
    window, pattern = new_window(), build_pattern(correlation)
    return [at for at, n in entries if feed_window(window, at, repr(n), pattern, SPAN) is not None]


@pytest.mark.parametrize(
    ("kind", "percentile", "numbers", "expected"),
    [
        ("value_sum", 50, [1, 2, 4], 7),
        ("value_sum", 50, [0.1] * 10, 1.0),
        ("value_sum", 50, [1e16, 1.0, -1e16], 1.0),
        ("value_sum", 50, [], 0),
        ("value_avg", 50, [1, 2, 6], 3),
        ("value_avg", 50, [], None),
        ("value_median", 50, [9, 1, 5], 5),
        ("value_median", 50, [9, 1, 5, 6], 5.5),
        ("value_median", 50, [], None),
        ("value_percentile", 95, list(range(101)), 95),
        ("value_percentile", 90, [0, 10], 9),
        ("value_percentile", 0, [7, 3], 3),
        ("value_percentile", 100, [7, 3], 7),
        ("value_percentile", 99.5, [0, 1], 0.995),
        ("value_percentile", 30, [0.1, 0.1, 0.1], 0.1),
    ],
)
def test_what_numbers_come_to(kind: str, percentile: float, numbers: list[float], expected: float | None) -> None:
    assert measure_of(kind, percentile)(numbers) == expected


@given(NUMBERS, st.integers(0, 100))
def test_measures_equal_the_standard_library_s(numbers: list[float], percentile: int) -> None:
    assert measure_of("value_sum")(numbers) == float(sum(map(Fraction, numbers)))
    assert measure_of("value_avg")(numbers) == pytest.approx(statistics.mean(numbers))
    assert measure_of("value_median")(numbers) == statistics.median(numbers)
    if len(numbers) > 1 and 0 < percentile < 100:
        quantile = statistics.quantiles(numbers, n=100, method="inclusive")[percentile - 1]
        assert measure_of("value_percentile", percentile)(numbers) == pytest.approx(quantile)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8), st.integers(0, 100))
def test_the_largest_numbers_are_no_error(numbers: list[float], percentile: int) -> None:
    for kind in MEASURES:
        found = measure_of(kind, percentile)(numbers)
        assert found is not None
        assert not math.isnan(found)
    low, high = min(numbers), max(numbers)
    for kind in ("value_median", "value_percentile"):
        found = measure_of(kind, percentile)(numbers)
        assert found is not None
        assert low <= found <= high or found == pytest.approx(low) or found == pytest.approx(high)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), None), (("x",), None), (("x", "7", "8"), 7), (("",), None), (("1e3",), 1000), (("-2.5",), -2.5),
        (("nan",), None), (("inf",), None), (("1" * 400, "2"), 2), (("0x1f",), None), (("true",), None), ((" 5 ",), 5),
    ],
)  # fmt: skip
def test_which_texts_are_numbers(texts: tuple[str, ...], expected: float | None) -> None:
    assert read_number(texts) == expected


def test_a_sum_fires_when_it_is_reached_and_again_once_it_fell_below() -> None:
    enough = asked("value_sum", 100)
    assert firings(enough, [(0, 60), (10, 30), (20, 10), (30, 500)]) == [20]
    assert firings(enough, [(0, 60), (50, 30), (61, 10)]) == []
    assert firings(enough, [(0, 100), (100, 1), (200, 100)]) == [0, 200]
    assert firings(enough, [(0, 60), (60, 40)]) == [60]  # both ends belong to the window


def test_negative_numbers_take_away() -> None:
    assert firings(asked("value_sum", 0, "lt"), [(0, 5), (1, -3), (2, -3)]) == [2]


def test_an_average_falls_as_well_as_rises() -> None:
    assert firings(asked("value_avg", 10), [(0, 10), (1, 0), (2, 30), (3, 0), (4, 1)]) == [0, 2]
    assert firings(asked("value_median", 5, "lt"), [(0, 9), (1, 1), (2, 1)]) == [2]
    assert firings(asked("value_percentile", 91, percentile=90), [(0, 100), (1, 0), (2, 100)]) == [0, 2]


def test_a_late_number_counts_where_it_belongs() -> None:
    assert firings(asked("value_sum", 100), [(0, 50), (70, 60), (30, 45)]) == [30]
    assert firings(asked("value_sum", 100), [(100, 50), (130, 60), (20, 45)]) == [130]


def naive(entries: list[tuple[float, float]], correlation: Correlation) -> list[float]:
    """In order: it fires when the window that ends at an event meets the condition and it had ceased, be it by time or
    by an event; while it holds, once every time span.
    """
    measure, compare = measure_of(correlation.kind, correlation.percentile), COMPARE[correlation.operator]

    def holds(upto: int, at: float) -> bool:
        found = measure([n for one, n in entries[:upto] if at - SPAN <= one <= at])
        return found is not None and compare(found, correlation.count)

    fired, times = False, [-math.inf]
    for i, (at, _) in enumerate(entries):
        fired = fired and holds(i, at)
        now = holds(i + 1, at)
        if now and (not fired or at - times[-1] >= SPAN):
            times.append(at)
        fired = now
    return times[1:]


STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(-4, 9)), max_size=50)


@settings(deadline=None)
@given(STEPS, st.sampled_from(MEASURES), st.sampled_from(["gte", "gt", "lte", "lt"]), st.integers(-4, 12),
       st.sampled_from([0, 10, 50, 95, 100]))  # fmt: skip
def test_windows_in_order_equal_a_naive_reading(
    steps: list[tuple[int, int]], kind: str, operator: str, count: int, percentile: int
) -> None:
    entries, at = [], 0.0
    for gap, n in steps:
        at += gap
        entries.append((at, float(n)))
    correlation = asked(kind, count, operator, percentile)
    assert firings(correlation, entries) == naive(entries, correlation)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 59), st.integers(1, 9)), min_size=1, max_size=30), st.integers(1, 100))
def test_within_one_window_order_of_arrival_does_not_matter(steps: list[tuple[int, int]], count: int) -> None:
    entries = [(float(at), float(n)) for at, n in steps]
    assert len(firings(asked("value_sum", count), entries)) == (sum(n for _, n in entries) >= count)


def test_a_flood_of_numbers_does_not_grow_a_window() -> None:
    correlation = asked("value_sum", 1e9)
    window, pattern = new_window(), build_pattern(correlation)
    for n in range(most_kept(correlation) + 500):
        feed_window(window, n / 1000, "1.0", pattern, SPAN)
        assert len(window.ats) <= most_kept(correlation) == 1024


def test_the_newest_of_a_flood_stay() -> None:
    entries = [(n / 1000, 1.0) for n in range(1500)]
    assert firings(asked("value_sum", 512), entries) == [0.511]
    assert firings(asked("value_median", 2), [*entries, *[(1.5 + n / 1000, 3.0) for n in range(600)]]) == [2.012]


LATE = st.lists(
    st.tuples(
        st.sampled_from([0.0, 3.0, 12.0, 24.0, 54.0]), st.sampled_from([0.0, 0.0, 18.0, 60.0]), st.integers(-3, 9)
    ),
    max_size=30,
)  # fmt: skip


@settings(deadline=None)
@given(LATE, st.sampled_from(MEASURES), st.sampled_from(["gte", "lt"]), st.integers(0, 15))
def test_forgetting_changes_nothing_for_numbers_late_by_up_to_a_time_span(
    steps: list[tuple[float, float, int]], kind: str, operator: str, count: int
) -> None:
    entries, at = [], 0.0
    for gap, late, n in steps:
        at += gap
        entries.append((at - late, float(n)))
    correlation = asked(kind, count, operator)
    assert firings(correlation, entries) == remembering_all(correlation, entries)


def remembering_all(correlation: Correlation, entries: list[tuple[float, float]]) -> list[float]:
    class Unbounded:
        find = staticmethod(build_pattern(correlation).find)
        holds = staticmethod(build_pattern(correlation).holds)

        def squeeze(self, window: Window, place: int) -> None:
            """Nothing goes."""

    kept: list[tuple[float, str]] = []
    window, found = new_window(), []
    for at, n in entries:
        # what was forgotten by time comes back
        window.ats, window.values = [one for one, _ in kept], [value for _, value in kept]
        if feed_window(window, at, repr(n), Unbounded(), SPAN) is not None:
            found.append(at)
        kept.insert(next((i for i, one in enumerate(kept) if one[0] > at), len(kept)), (at, repr(n)))
    return found
