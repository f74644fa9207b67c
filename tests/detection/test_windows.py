"""Windows against a plain reading of what they mean, and at their bounds."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection.rules_correlation import Correlation
from daemon.detection.windows import COMPARE, Window, build_pattern, feed_window, keep_evidence, new_window
from tests.doubles.detection import make_event

SPAN = 60.0


def asked(kind: str = "event_count", count: int = 3, operator: str = "gte", **more: Any) -> Correlation:
    inputs = more.pop("inputs", ("a",))
    return Correlation(kind, inputs, inputs, SPAN, operator=operator, count=count, **more)


def firings(correlation: Correlation, entries: list[tuple[float, str]]) -> list[float]:
    """The times of the entries that made it fire."""
    window, pattern = new_window(), build_pattern(correlation)
    return [at for at, value in entries if feed_window(window, at, value, pattern, SPAN) is not None]


def times(*ats: float) -> list[tuple[float, str]]:
    return [(at, "a") for at in ats]


def test_a_count_fires_when_it_is_reached_and_not_while_the_burst_goes_on() -> None:
    assert firings(asked(), times(0, 10, 20, 30, 40, 50)) == [20]


def test_while_it_goes_on_it_fires_once_every_time_span() -> None:
    """The worst bug: an attack that never pauses is told once, and is over for everybody while it goes on."""
    assert firings(asked(), times(*range(0, 300, 8))) == [16, 80, 144, 208, 272]
    assert firings(asked(), times(*range(0, 100, 10))) == [20, 80]
    values = [(float(at), "wxyz"[at // 8 % 4]) for at in range(0, 200, 8)]
    assert firings(asked("value_count", fields=("user",)), values) == [16, 80, 144]
    logins = [(float(at), "aab"[at // 10 % 3]) for at in range(0, 300, 10)]
    assert firings(asked("temporal_ordered", inputs=("a", "a", "b")), logins) == [20, 80, 140, 200, 260]


def test_what_does_not_complete_it_does_not_make_it_fire_again() -> None:
    order = asked("temporal_ordered", inputs=("a", "b"))
    assert firings(order, [(0, "a"), (10, "b"), (20, "a"), (30, "b"), (71, "a"), (75, "b")]) == [10, 75]


def test_a_firing_at_a_wrong_date_does_not_hide_that_it_goes_on() -> None:
    year = 31_536_000.0
    wrong = times(year, year + 1, year + 2)
    assert firings(asked(), [*times(*range(0, 60, 8)), *wrong, *times(*range(64, 128, 8))]) == [16, year + 2, 64]


def test_it_fires_again_once_the_window_has_emptied_below_the_threshold() -> None:
    assert firings(asked(), times(0, 1, 2, 100, 101, 102, 103)) == [2, 102]
    assert firings(asked(), times(0, 30, 60, 91, 100)) == [60, 100]


def test_a_stream_just_at_the_threshold_ceases_and_crosses_again_each_time() -> None:
    assert firings(asked(), times(0, 30, 60, 90, 120)) == [60, 90, 120]
    assert firings(asked(), times(0, 29, 58, 87, 116)) == [58, 87, 116]
    assert firings(asked(), times(0, 20, 40, 60, 80)) == [40]


def test_a_window_holds_both_of_its_ends() -> None:
    assert firings(asked(count=2), times(0, 60)) == [60]
    assert firings(asked(count=2), times(0, 60.01)) == []
    assert firings(asked(count=2), times(1700000000.3, 1700000060.3)) == [1700000060.3]


def test_a_threshold_of_one_fires_per_silence() -> None:
    assert firings(asked(count=1), times(0, 10, 100, 200)) == [0, 100, 200]


@pytest.mark.parametrize(
    ("operator", "count", "expected"),
    [
        ("gt", 2, [2]),
        ("eq", 2, [1, 101]),
        ("lt", 2, [0, 100]),
        ("lte", 2, [0, 100]),
        ("neq", 1, [1, 101]),
        ("gte", 0, [0, 100]),
    ],
)
def test_operators(operator: str, count: int, expected: list[float]) -> None:
    assert firings(asked(count=count, operator=operator), times(0, 1, 2, 3, 100, 101)) == expected


def test_a_late_event_takes_its_place() -> None:
    assert firings(asked(), times(0, 10, 70.5, 5)) == [5]
    assert firings(asked(), times(100, 120, 110)) == [110]
    assert firings(asked(), times(100, 120, 30)) == []


def test_a_late_event_does_not_make_a_burst_fire_twice() -> None:
    assert firings(asked(), times(100, 101, 102, 45, 103, 104)) == [102]
    assert firings(asked(), times(100, 101, 102, 99, 98, 103)) == [102]


def test_a_wrong_date_neither_hides_nor_completes_anything() -> None:
    year = 31_536_000.0
    assert firings(asked(), times(0, 1, year, 2, 3)) == [2]
    assert firings(asked(), times(0, 1, -year, 2, 3)) == [2]
    assert firings(asked(), times(year, 0, year + 1, 1)) == []


def naive(
    ats: list[float], holds: Callable[[int, float], bool], completes: Callable[[int], bool] = lambda _: True
) -> list[float]:
    """In order: fire on an event when its window satisfies, unless it has satisfied ever since the last firing; then
    only on one that completes it a time span after that. `holds` judges the first so many entries at a time.
    """
    fired, found = False, [float("-inf")]
    for i, at in enumerate(ats):
        fired = fired and holds(i, at)
        now = holds(i + 1, at)
        if now and (not fired or (at - found[-1] >= SPAN and completes(i))):
            found.append(at)
        fired = now
    return found[1:]


@given(st.lists(st.integers(0, 40).map(float), max_size=40), st.sampled_from(sorted(COMPARE)), st.integers(0, 5))
def test_counts_in_order_equal_a_naive_reading(gaps: list[float], operator: str, count: int) -> None:
    ats = [sum(gaps[: i + 1]) for i in range(len(gaps))]

    def holds(upto: int, at: float) -> bool:
        return COMPARE[operator](sum(at - SPAN <= one for one in ats[:upto]), count)

    assert firings(asked(count=count, operator=operator), times(*ats)) == naive(ats, holds)


@given(st.lists(st.integers(0, 59).map(float), min_size=3, max_size=8), st.randoms())
def test_within_one_window_order_of_arrival_does_not_matter(ats: list[float], random: Any) -> None:
    random.shuffle(ats)
    assert len(firings(asked(), times(*ats))) == 1


def test_distinct_values_are_counted_once_each() -> None:
    many = asked("value_count", fields=("user",))
    assert firings(many, [(0, "x"), (1, "x"), (2, "y"), (3, "x"), (4, "z"), (5, "w")]) == [4]
    assert firings(many, [(0, "x"), (50, "y"), (70, "z"), (71, "x")]) == [71]
    assert firings(many, [(0, "x"), (50, "x"), (51, "y"), (100, "z")]) == [100]


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("wxyz")), max_size=30), st.integers(1, 4))
def test_distinct_in_order_equals_a_naive_reading(steps: list[tuple[int, str]], count: int) -> None:
    entries, at = [], 0.0
    for gap, value in steps:
        at += gap
        entries.append((at, value))

    def holds(upto: int, at: float) -> bool:
        return len({value for one, value in entries[:upto] if at - SPAN <= one}) >= count

    expected = naive([at for at, _ in entries], holds)
    assert firings(asked("value_count", count, fields=("u",)), entries) == expected


def test_temporal_wants_every_rule_in_any_order() -> None:
    both = asked("temporal", 2, inputs=("a", "b"))
    assert firings(both, [(0, "b"), (10, "b"), (20, "a")]) == [20]
    assert firings(both, [(0, "b"), (61, "a")]) == []
    words = asked("temporal", 0, inputs=("a", "b"), holds=lambda fired: "a" in fired and "b" not in fired)
    assert firings(words, [(0, "b"), (10, "a"), (100, "a")]) == [100]


def test_ordered_wants_the_order_written() -> None:
    order = asked("temporal_ordered", inputs=("a", "b"))
    assert firings(order, [(0, "a"), (10, "b")]) == [10]
    assert firings(order, [(0, "b"), (10, "a")]) == []
    assert firings(order, [(0, "a"), (61, "b")]) == []
    assert firings(order, [(0, "a"), (50, "a"), (100, "b")]) == [100]
    assert firings(order, [(10, "b"), (0, "a")]) == [0]
    assert firings(order, [(0, "a"), (0, "b")]) == [0]
    assert firings(order, [(0, "b"), (0, "a")]) == []
    assert firings(asked("temporal_ordered", inputs=("a", "a", "b")), [(0, "a"), (1, "b"), (2, "a"), (3, "b")]) == [3]


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abcx")), max_size=24))
def test_ordered_in_order_equals_a_naive_reading(steps: list[tuple[int, str]]) -> None:
    order = ("a", "b", "c")
    entries, at = [], 0.0
    for gap, value in steps:
        at += gap
        if value != "x":
            entries.append((at, value))

    def holds(upto: int, at: float) -> bool:
        place = 0
        for one, value in entries[:upto]:
            if one >= at - SPAN and place < len(order) and value == order[place]:
                place += 1
        return place == len(order)

    expected = naive([at for at, _ in entries], holds, lambda i: entries[i][1] == "c")
    assert firings(asked("temporal_ordered", inputs=order), entries) == expected


LATE = st.lists(
    st.tuples(
        st.sampled_from([0.0, 3.0, 6.0, 12.0, 24.0, 54.0]), st.sampled_from([0.0, 0.0, 18.0, 48.0, 60.0]),
        st.sampled_from("abc"),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(LATE, st.sampled_from(["event_count", "value_count", "temporal", "ab", "abc", "aab", "aba"]), st.integers(1, 4),
       st.sampled_from(["gte", "gt", "eq"]))  # fmt: skip
def test_forgetting_changes_nothing_for_events_late_by_up_to_a_time_span(
    steps: list[tuple[float, float, str]], kind: str, count: int, operator: str
) -> None:
    entries, at = [], 0.0
    for gap, late, value in steps:
        at += gap
        entries.append((at - late, value))
    if set(kind) <= set("abc"):
        correlation = asked("temporal_ordered", inputs=tuple(kind))
    else:
        fields = ("u",) if kind == "value_count" else ()
        correlation = asked(kind, count, operator, inputs=("a", "b", "c"), fields=fields)
    assert firings(correlation, entries) == remembering_all(correlation, entries)


@given(LATE, st.sampled_from(["event_count", "value_count", "temporal", "temporal_ordered", "value_sum"]), st.integers(1, 4),
       st.sampled_from(["gte", "gt", "eq", "lt"]))  # fmt: skip
def test_a_pattern_holds_where_it_is_found(
    steps: list[tuple[float, float, str]], kind: str, count: int, operator: str
) -> None:
    fields = ("u",) if kind.startswith("value") else ()
    correlation = asked(kind, count, operator, inputs=("a", "b", "c"), fields=fields)
    window, pattern, at = new_window(), build_pattern(correlation), 0.0
    for gap, late, value in steps:
        at += gap
        feed_window(window, at - late, value if kind != "value_sum" else "1.5", pattern, SPAN)
        for moment in (at, at - late, at - SPAN, at + SPAN / 2):
            assert pattern.holds(window, moment) == (pattern.find(window, moment) is not None)


def remembering_all(correlation: Correlation, entries: list[tuple[float, str]]) -> list[float]:
    """The same without any bound."""

    class Unbounded:
        find = staticmethod(build_pattern(correlation).find)
        holds = staticmethod(build_pattern(correlation).holds)

        def squeeze(self, window: Window, place: int) -> None:
            """Nothing goes."""

    kept: list[tuple[float, str]] = []
    window, found = new_window(), []
    for at, value in entries:
        # what was forgotten by time comes back
        window.ats, window.values = [one for one, _ in kept], [value for _, value in kept]
        if feed_window(window, at, value, Unbounded(), SPAN) is not None:
            found.append(at)
        kept.insert(next((i for i, one in enumerate(kept) if one[0] > at), len(kept)), (at, value))
    return found


def test_a_late_event_evicts_none_that_is_newer() -> None:
    order = asked("temporal_ordered", inputs=("a", "b", "a"))
    assert firings(order, [(0, "a"), (33, "a"), (57, "a"), (78, "a"), (81, "a"), (39, "b")]) == [39]
    many = asked(count=40)
    assert firings(many, [*times(*[float(n) for n in range(70, 109)]), *times(*[20.0] * 300), (109.0, "a")]) == [
        20,
        109,
    ]


def test_wrong_dates_do_not_push_out_the_present() -> None:
    wrong = times(*[1e9 + n / 100 for n in range(500)])
    assert 42.0 in firings(asked(), [(0, "a"), *wrong[:1], (41, "a"), *wrong[1:], (42, "a")])


@pytest.mark.parametrize(
    ("correlation", "values", "most"),
    [
        (asked(count=8), "a", 64),
        (asked(count=100), "a", 404),
        (asked("value_count", 8, fields=("u",)), "abcdefghijklmnopqrstuvwxyz", 64),
        (asked("temporal_ordered", inputs=tuple("aab")), "a", 51),
        (asked("temporal_ordered", inputs=tuple("abcd")), "bc", 128),
        (asked("temporal_ordered", inputs=tuple("abcdefghijklmnopqrst")), "bc", 400),
    ],
)
def test_a_flood_does_not_grow_a_window(correlation: Correlation, values: str, most: int) -> None:
    window, pattern = new_window(), build_pattern(correlation)
    for n in range(1500):
        feed_window(window, n / 100, values[n % len(values)], pattern, SPAN, make_event())
        keep_evidence(window, n / 100, SPAN, 5)
        assert len(window.ats) <= most
        assert len(window.events) <= 5


def test_a_flood_does_not_wash_away_the_beginning_of_a_chain() -> None:
    flood = [(1 + n / 100, "bc"[n % 2]) for n in range(2000)]
    assert firings(asked("temporal_ordered", inputs=tuple("abcd")), [(0.0, "a"), *flood, (40.0, "d")]) == [40.0]


def test_late_floods_are_bounded_too() -> None:
    window, pattern = new_window(), build_pattern(asked("value_count", 8, fields=("u",)))
    for n in range(500):
        feed_window(window, 1000 - n / 100, "same", pattern, SPAN)
    assert len(window.ats) <= 64


def test_a_flood_of_one_value_does_not_wash_away_the_others() -> None:
    flood = [(1 + n / 100, "x") for n in range(2000)]
    assert firings(asked("value_count", fields=("u",)), [(0.0, "y"), *flood, (40.0, "z")]) == [40.0]


def test_evidence_is_the_first_of_the_window_and_the_last() -> None:
    window = new_window()
    for n in range(9):
        window.add(float(n), "a", make_event(at=float(n)))
    keep_evidence(window, 8.0, SPAN, 5)
    assert [event.at for event in window.events] == [0, 5, 6, 7, 8] == [window.ats[place] for place in window.shown]
    window.add(65.0, "a", make_event(at=65.0))
    keep_evidence(window, 65.0, SPAN, 5)
    assert [event.at for event in window.events] == [5, 6, 7, 8, 65] == [window.ats[place] for place in window.shown]
