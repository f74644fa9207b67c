from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.timeline import Entry, ends_of, forget, index_of, inside_of, make_room, own_time

SPAN = 60.0


def entries(*ats: float) -> list[Entry]:
    return [Entry(float(at), str(n)) for n, at in enumerate(ats)]


def at(found: object) -> list[float]:
    assert isinstance(found, list)
    return [one.at for one in found]


def test_a_window_holds_both_of_its_ends() -> None:
    assert at(list(inside_of(entries(0, 1, 60, 61), 60, SPAN))) == [0, 1, 60]
    assert list(inside_of([], 60, SPAN)) == []


def test_windows_that_contain_an_instant_end_at_it_or_at_later_entries_within_reach() -> None:
    assert list(ends_of(entries(0, 50, 100, 161), 50, SPAN)) == [50, 100]
    assert list(ends_of([], 5, SPAN)) == [5]


def plainly(ats: list[float], moment: float) -> tuple[int, int]:
    low = high = sum(one <= moment for one in ats)
    while low and (ats[low] if low < high else moment) - ats[low - 1] <= 2 * SPAN:
        low -= 1
    last = moment
    while high < len(ats) and ats[high] - last <= 2 * SPAN:
        last, high = ats[high], high + 1
    return low, high


@given(st.lists(st.integers(0, 2000).map(float), max_size=12).map(sorted), st.integers(0, 2000).map(float))
def test_entries_of_one_time_are_those_without_a_gap_of_two_spans(ats: list[float], moment: float) -> None:
    assert own_time(entries(*ats), moment, SPAN) == plainly(ats, moment)


def test_what_is_two_spans_older_than_the_one_before_goes() -> None:
    kept = entries(0, 100, 121, 130)
    forget(kept, kept[-1], SPAN)
    assert at(kept) == [100, 121, 130]
    kept = entries(0, 10_000)
    forget(kept, kept[-1], SPAN)
    assert at(kept) == [0, 10_000]  # of another time, as a wrong date is


def test_room_is_made_by_the_oldest_of_one_time() -> None:
    kept = entries(*range(9))
    make_room(kept, 8, SPAN, 6)
    assert at(kept) == [3, 4, 5, 6, 7, 8]
    same = [Entry(0.0, "x"), Entry(1.0, "y"), Entry(2.0, "y"), Entry(3.0, "z")]
    make_room(same, 3, SPAN, 3)
    assert [entry.value for entry in same] == ["x", "y", "z"]
    each = [Entry(0.0, "x"), Entry(1.0, "y"), Entry(2.0, "y"), Entry(3.0, "z")]
    make_room(each, 3, SPAN, 3, each_counts=True)
    assert [entry.value for entry in each] == ["y", "y", "z"]


def test_an_entry_is_found_among_equals() -> None:
    same = [Entry(1.0, "x"), Entry(1.0, "x"), Entry(1.0, "x")]
    assert [index_of(same, one) for one in same] == [0, 1, 2]
