import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.timeline import (
    Window,
    ends_of,
    forget,
    inside_of,
    keep_evidence,
    make_room,
    new_window,
    only_inside,
    own_time,
)
from daemon.model import Event
from tests.doubles.detection import make_event

SPAN = 60.0


def window_of(*ats: float) -> Window:
    """Each entry counts as its number and has an event."""
    window = new_window()
    for n, at in enumerate(ats):
        window.add(float(at), str(n), make_event(at=float(at), event_id=str(n)))
    return window


def test_a_window_holds_both_of_its_ends() -> None:
    assert list(inside_of([0, 1, 60, 61], 60, SPAN)) == [0, 1, 2]
    assert list(inside_of([0, 1, 60, 61], 61, SPAN)) == [1, 2, 3]
    assert list(inside_of([], 60, SPAN)) == []


def test_windows_that_contain_an_instant_end_at_it_or_at_later_entries_within_reach() -> None:
    assert list(ends_of([0, 50, 100, 100, 161], 50, SPAN)) == [50, 100]
    assert list(ends_of([], 5, SPAN)) == [5]


@given(st.lists(st.integers(0, 400).map(float), max_size=12).map(sorted), st.integers(0, 400).map(float))
def test_the_only_window_is_that_where_there_are_no_others(ats: list[float], at: float) -> None:
    ends = ends_of(ats, at, SPAN)
    inside = inside_of(ats, at, SPAN)
    assert only_inside(ats, at, SPAN) == ((inside.start, inside.stop) if len(ends) == 1 else None)


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
    assert own_time(ats, moment, SPAN) == plainly(ats, moment)


@given(st.lists(st.integers(0, 900).map(float), min_size=1, max_size=14).map(sorted), st.data())
def test_forgetting_is_of_what_is_two_spans_older_than_the_one_before_and_of_its_time(
    ats: list[float], data: st.DataObject
) -> None:
    at = data.draw(st.sampled_from(ats))
    window, place = window_of(*ats), max(n for n, one in enumerate(ats) if one == at)
    oldest = ats[max(place - 1, 0)] - 2 * SPAN
    low, _ = plainly(ats, at)
    gone = [n for n in range(low, place) if ats[n] < oldest]
    left = forget(window, place, SPAN)
    assert window.values == [str(n) for n in range(len(ats)) if n not in gone]
    assert window.values[left] == str(place)


def test_what_is_two_spans_older_than_the_one_before_goes() -> None:
    kept = window_of(0, 100, 121, 130)
    assert forget(kept, 3, SPAN) == 2
    assert kept.ats == [100, 121, 130]
    kept = window_of(0, 10_000)
    assert forget(kept, 1, SPAN) == 1
    assert kept.ats == [0, 10_000]  # of another time, as a wrong date is


def test_room_is_made_by_the_oldest_of_one_time() -> None:
    kept = window_of(*range(9))
    make_room(kept, 8, SPAN, 6)
    assert kept.ats == [3, 4, 5, 6, 7, 8]
    for each_counts, left in ((False, ["x", "y", "z"]), (True, ["y", "y", "z"])):
        some = Window([0.0, 1.0, 2.0, 3.0], ["x", "y", "y", "z"], [], [])
        make_room(some, 3, SPAN, 3, each_counts=each_counts)
        assert some.values == left


STEP = st.tuples(st.sampled_from(["add", "add", "add", "bare", "drop", "keep", "most"]), st.integers(0, 9))


@given(st.lists(STEP, max_size=30))
def test_events_stay_with_their_entries(steps: list[tuple[str, int]]) -> None:
    """The worst bug: an alert shows the event of another entry."""
    window = new_window()
    plain: list[tuple[float, str, Event | None]] = []
    for number, (step, n) in enumerate(steps):
        if step in {"add", "bare"}:
            event = make_event(at=float(n), event_id=str(number)) if step == "add" else None
            place = window.add(float(n), str(number), event)
            expected = sum(at <= n for at, _, _ in plain)
            assert place == expected
            plain.insert(expected, (float(n), str(number), event))
        elif step == "drop":
            window.drop(n // 3, n // 3 + 2) if len(plain) >= n // 3 + 2 else None
            plain = plain[: n // 3] + plain[n // 3 + 2 :] if len(plain) >= n // 3 + 2 else plain
        elif step == "keep":
            window.keep(range(n, len(plain)))
            plain = plain[n:]
        else:
            keep_evidence(window, 100.0, SPAN, n)
            have = [place for place, one in enumerate(plain) if one[2] is not None]
            for place in have[: max(0, len(have) - n)]:
                plain[place] = (*plain[place][:2], None)
        assert (window.ats, window.values) == ([at for at, _, _ in plain], [value for _, value, _ in plain])
        known = dict(zip(window.shown, window.events, strict=True))
        assert [known.get(place) for place in range(len(plain))] == [event for _, _, event in plain]
        assert window.events_of(range(len(plain))) == window.events_of(list(range(len(plain)))) == window.events


@pytest.mark.parametrize(
    "row",
    [[[1.0], [], [], []], [[1.0], ["a"], [1], [make_event()]], [[1.0], ["a"], [-1], [make_event()]],
     [[1.0], ["a"], [0], []]],
)  # fmt: skip
def test_a_row_that_does_not_fit_itself_cannot_be_read(row: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=Window)
    good = window_of(1, 2)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(good), type=Window) == good
