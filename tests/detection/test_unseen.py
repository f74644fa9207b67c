"""Of which times evidence is missing, and what an alert of such a time is told to lack."""

from typing import Any

import pytest

from daemon.detection.unseen import MARGIN, UnseenTimes
from daemon.model import Gap, Logsource, Lost, Snapshot
from tests.doubles.values import T0, an_anomaly, an_event, an_incident


def gap_of(unseen: UnseenTimes, **changes: Any) -> str | None:
    gaps = unseen.gaps(an_incident(**changes))
    assert [(gap.part, gap.why) for gap in gaps] in ([], [("evidence", "incomplete")])
    return gaps[0].detail if gaps else None


def lost(why: str = "audit_gap", count: int | None = 3, at: float = T0, since: float | None = None) -> Lost:
    return Lost("audit", why, count, at, "x", since)


def test_an_alert_of_that_time_says_what_is_missing() -> None:
    unseen = UnseenTimes()
    unseen.note(lost(since=T0 - 10), "web-1")
    unseen.note(lost("audit_backlog", 59, T0 + 5), "web-1")
    unseen.note(lost("audit_incomplete", 2, T0 + 6), "web-1")
    assert gap_of(unseen) == (
        "between 2026-11-21T11:19:50Z and 2026-11-21T11:20:06Z: the kernel dropped 59 audit records; "
        "3 audit events never came; audit events lack 2 records"
    )


@pytest.mark.parametrize(("distance", "told"), [(MARGIN, True), (MARGIN + 0.1, False)])
def test_the_margin_holds_before_and_after(distance: float, *, told: bool) -> None:
    before, after = UnseenTimes(), UnseenTimes()
    before.note(lost(at=T0 - distance), "web-1")
    after.note(lost(at=T0 + 1 + distance, since=T0 + 1 + distance), "web-1")
    assert (gap_of(before) is not None, gap_of(after) is not None) == (told, told)


def test_a_loss_hides_all_the_time_since_something_was_seen() -> None:
    unseen = UnseenTimes()
    unseen.note(lost(at=T0 + 7200, since=T0 - 7200), "web-1")
    assert gap_of(unseen) is not None


def test_other_hosts_lack_nothing() -> None:
    unseen = UnseenTimes()
    unseen.note(lost(), "web-2")
    assert gap_of(unseen) is None


def test_what_cannot_be_counted_is_said_without_a_number() -> None:
    unseen = UnseenTimes()
    unseen.note(lost("audit_backlog", 59), "web-1")
    unseen.note(lost("audit_backlog", None), "web-1")
    unseen.note(lost("audit_backlog", 1), "web-1")
    unseen.note(lost("reader_error", None), "web-1")
    detail = gap_of(unseen)
    assert detail is not None
    assert detail.endswith(": the kernel dropped audit records; reader error")


def test_a_cut_line_hides_nothing() -> None:
    unseen = UnseenTimes()
    unseen.note(lost("line_too_long", 1), "web-1")
    unseen.note(lost("unfinished_line", 1), "web-1")
    assert (gap_of(unseen), unseen.fresh(), unseen.changes()) == (None, [], [])


def test_a_loss_does_not_lack_what_it_speaks_of() -> None:
    unseen = UnseenTimes()
    unseen.note(lost(), "web-1")
    event = an_event(logsource=Logsource(category="evidence_loss"))
    assert gap_of(unseen, anomalies=(an_anomaly(events=(event,)),)) is None


def test_the_events_that_a_rule_counted_are_evidence() -> None:
    unseen = UnseenTimes()
    unseen.note(lost(at=T0 - 3600), "web-1")
    assert gap_of(unseen, anomalies=(an_anomaly(events=(an_event(1, at=T0 - 3590), an_event(2))),)) is not None


def test_losses_near_one_another_are_one_time_and_handed_out_once() -> None:
    unseen = UnseenTimes()
    for second in range(0, 200, 50):
        unseen.note(lost(count=1, at=T0 + second), "web-1")
    unseen.note(lost(count=1, at=T0 + 9000), "web-1")
    first, second_time = unseen.fresh()
    assert (first.since, first.until) == (T0 - MARGIN, T0 + 150 + MARGIN)
    assert "4 audit events" in first.gap.detail
    assert (second_time.since, second_time.until) == (T0 + 9000 - MARGIN, T0 + 9000 + MARGIN)
    assert unseen.fresh() == []
    unseen.note(lost(count=1, at=T0 + 200), "web-1")
    (again,) = unseen.fresh()
    assert (again.since, again.until) == (T0 + 200 - MARGIN, T0 + 200 + MARGIN)  # the rest is marked already
    assert "5 audit events" in again.gap.detail


def test_a_restart_forgets_no_time() -> None:
    before, after = UnseenTimes(), UnseenTimes()
    before.note(lost(), "web-1")
    rows = before.changes()
    assert before.changes() == []
    after.restore(
        [Snapshot("other", "web-1", b"[]"), *rows, Snapshot("unseen", "x", b"{"), Snapshot("unseen", "y", None)]
    )
    assert gap_of(after) == gap_of(before)


def test_times_and_hosts_are_bounded() -> None:
    unseen = UnseenTimes()
    for number in range(40):
        unseen.note(lost(at=T0 + 1000 * number), "web-1")
    assert unseen.evictions == 8
    assert gap_of(unseen) is None
    for number in range(300):
        unseen.note(lost(), f"n{number}")
    assert len([row for row in unseen.changes() if row.value is not None]) == 256
    unseen.note(lost(), "n0")
    gone = [row.key for row in unseen.changes() if row.value is None]
    assert gone == ["n44"]


def test_dates_of_a_liar_are_clamped() -> None:
    unseen = UnseenTimes()
    unseen.note(lost(at=9e15, since=-9e15), "web-1")
    assert unseen.gaps(an_incident()) == (
        Gap(
            "evidence", "incomplete", "between 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: 3 audit events never came"
        ),
    )


def test_what_was_not_handed_out_yet_is_bounded() -> None:
    """One batch may hold any number of losses: the oldest times become one, and none is left out."""
    unseen = UnseenTimes()
    for number in range(5000):
        unseen.note(lost(count=1, at=T0 + 1000 * number), "web-1")
    times = unseen.fresh()
    assert len(times) == 64
    assert (times[0].since, times[0].until) == (T0 - MARGIN, T0 + 4936 * 1000 + MARGIN)
    assert "4937 audit events" in times[0].gap.detail
    assert [one.since for one in times[1:]] == [T0 + 1000 * number - MARGIN for number in range(4937, 5000)]


def test_two_times_in_turn_are_two_times() -> None:
    unseen = UnseenTimes()
    for number in range(5000):
        unseen.note(lost(count=1, at=T0 + 1000 * (number % 2)), "web-1")
    assert [one.since for one in unseen.fresh()] == [T0 - MARGIN, T0 + 1000 - MARGIN]


def test_hosts_that_have_nothing_handed_out_yet_are_bounded() -> None:
    unseen = UnseenTimes()
    for number in range(5000):
        unseen.note(lost(), f"n{number}")
    assert len(unseen.fresh()) == 256
