"""Who waits for the model, who is next, and who has to go."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.waiting import Entry, Waiting
from daemon.model import Severity, Similar
from tests.doubles.values import T0, an_alert

PAST = Similar("inc_old", "t", 0.9, T0, 1, "e", "b")


def entry(
    number: int = 1,
    *,
    severity: int = 3,
    age: float = 0,
    similar: bool = False,
    version: int = 1,
    not_before: float = 0,
    cause: str = "",
) -> Entry:
    alert = an_alert(
        number,
        version=version,
        severity=Severity(severity),
        made_at=T0 - age,
        similar=(PAST,) if similar else (),
    )
    return Entry(alert, attempts=0, since=0.0, cause=cause or str(number), not_before=not_before)


def test_severity_goes_before_novelty_before_age() -> None:
    expected = [
        entry(1, severity=4, similar=True, age=99),
        entry(2, severity=3, age=5),
        entry(3, severity=3, age=50),
        entry(4, severity=3, similar=True, age=1),
        entry(5, severity=1),
    ]
    waiting = Waiting(10)
    for one in reversed(expected):
        assert waiting.add(one) == []
    order = []
    while (next_one := waiting.most_urgent(0.0)) is not None:
        waiting.remove(next_one)
        order.append(next_one)
    assert order == expected


def test_beyond_the_bound_the_least_urgent_has_to_go() -> None:
    waiting = Waiting(2)
    low, high, critical = entry(1, severity=1), entry(2, severity=3), entry(3, severity=4)
    waiting.add(low)
    waiting.add(high)
    assert waiting.add(critical) == [low]
    assert waiting.add(low) == [low]
    assert len(waiting) == 2


def test_who_pauses_is_not_next() -> None:
    waiting = Waiting(2)
    waiting.add(entry(1, severity=4, not_before=10))
    waiting.add(entry(2, severity=1))
    first = waiting.most_urgent(9.9)
    later = waiting.most_urgent(10.0)
    assert first is not None
    assert later is not None
    assert (first.alert.severity, later.alert.severity) == (Severity.low, Severity.critical)


def test_a_newer_version_takes_the_place_of_an_older_one_and_never_the_reverse() -> None:
    waiting = Waiting(1)
    old, new = entry(1, version=1), entry(1, version=2)
    waiting.add(old)
    assert waiting.add(new) == []
    assert waiting.holds(new.alert)
    assert not waiting.holds(old.alert)
    assert waiting.add(old) == []
    waiting.remove(old)
    assert list(waiting) == [new]


def test_alerts_of_a_cause_take_one_place_and_go_together() -> None:
    waiting = Waiting(2)
    same = [entry(n, severity=1, cause="flood") for n in range(1, 5)]
    for one in same:
        assert waiting.add(one) == []
    assert waiting.add(entry(8, severity=2)) == []
    assert waiting.add(entry(9, severity=3)) == same
    assert len(waiting) == 2


def test_a_cause_is_as_urgent_as_its_most_urgent_alert() -> None:
    waiting = Waiting(1)
    waiting.add(entry(1, severity=0, cause="flood"))
    waiting.add(entry(2, severity=4, cause="flood"))
    other = entry(3, severity=3)
    assert waiting.add(other) == [other]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 4), st.booleans(), st.floats(0, 100), st.integers(0, 9))),
    st.integers(1, 4),
)
def test_the_bounds_hold_and_nobody_goes_for_somebody_less_urgent(
    rows: list[tuple[int, int, bool, float, int]], bound: int
) -> None:
    waiting = Waiting(bound)
    for number, severity, similar, age, cause in rows:
        gone = waiting.add(entry(number, severity=severity, similar=similar, age=age, cause=f"c{cause}"))
        assert len({one.cause for one in waiting}) <= bound
        assert len(waiting) <= waiting.room == 5 * bound
        for cause_left in {one.cause for one in waiting}:
            best = max(one.rank for one in waiting if one.cause == cause_left)
            assert all(one.rank <= best for one in gone)


def test_an_entry_can_be_tried_again_later() -> None:
    waiting = Waiting(1)
    first = entry(1)
    waiting.add(first)
    waiting.remove(first)
    again = msgspec.structs.replace(first, attempts=1, not_before=5.0)
    assert waiting.add(again) == []
    assert waiting.most_urgent(0.0) is None
    assert waiting.most_urgent(5.0) == again
