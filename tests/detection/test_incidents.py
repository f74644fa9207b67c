"""Grouping and the decision to speak; what must not depend on ticks or restarts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection.incidents import Incidents
from daemon.model import Anomaly, Decision, Incident, IncidentStatus, Severity
from tests.doubles.detection import make_anomaly

QUIET, REPEAT = 100.0, 250.0


def grouping(max_tracked: int = 1000, sustained: tuple[str, ...] = ()) -> Incidents:
    return Incidents(
        quiet_after=QUIET,
        repeat_every=REPEAT,
        max_tracked=max_tracked,
        sustained=lambda incident, _now: incident.rule.id in sustained,
    )


def decisions(one: Incidents, *anomalies: Anomaly) -> list[str]:
    return [one.feed(anomaly).decision.value for anomaly in anomalies]


def at(*times: float) -> list[Anomaly]:
    return [make_anomaly(time) for time in times]


def test_the_first_of_an_entity_is_told_and_what_joins_it_is_not() -> None:
    one = grouping()
    first, second = (one.feed(anomaly) for anomaly in at(0, 50))
    assert (first.decision, second.decision) == (Decision.first, Decision.suppressed)
    assert first.incident.id == second.incident.id
    assert first.incident.id.startswith("inc_")
    assert len(first.incident.id) == 28
    assert (second.incident.count, second.incident.opened_at, second.incident.last_at) == (2, 0, 50)
    assert (second.incident.status, second.incident.because) == (IncidentStatus.open, "b50")
    assert second.anomaly is not None


def test_suppression_never_hides_another_entity_rule_or_host() -> None:
    one = grouping()
    others = [make_anomaly(), make_anomaly(entity="User=eve"), make_anomaly(rule="r2")]
    assert decisions(one, *others) == ["first"] * 3
    assert one.open_count == 3


def test_people_hear_again_when_it_lasts() -> None:
    times = [0.0, 90.0, 180.0, 260.0, 350.0, 440.0, 520.0]
    assert decisions(grouping(), *at(*times)) == [
        "first", "suppressed", "suppressed", "repeated", "suppressed", "suppressed", "repeated",
    ]  # fmt: skip


def test_people_hear_when_it_gets_worse() -> None:
    one = grouping()
    changes = [one.feed(make_anomaly(t, level=Severity[level])) for t, level in ((0, "low"), (1, "high"), (2, "low"))]
    assert [change.decision for change in changes] == [Decision.first, Decision.escalated, Decision.suppressed]
    assert changes[-1].incident.severity is Severity.high
    assert changes[-1].incident.notified_at == 1


def test_after_a_silence_it_is_another_incident() -> None:
    one = grouping()
    changes = [one.feed(anomaly) for anomaly in at(0, 100, 200.5)]
    assert [change.decision.value for change in changes] == ["first", "suppressed", "first"]
    assert changes[0].incident.id == changes[1].incident.id != changes[2].incident.id
    assert changes[2].incident.count == 1


CENTURY = 3_155_760_000.0


def test_a_wrong_date_never_speaks_for_the_present() -> None:
    """The worst bug: one forged or mistaken date silences a rule about an entity for as long as the date says."""
    one = grouping()
    wrong = one.feed(make_anomaly(CENTURY)).incident
    present = [one.feed(anomaly) for anomaly in at(0, 50, 140, 230, 310)]
    assert [change.decision.value for change in present] == [
        "first", "suppressed", "suppressed", "suppressed", "repeated",
    ]  # fmt: skip
    assert {change.incident.id for change in present} != {wrong.id}
    assert (present[-1].incident.count, present[-1].incident.last_at) == (5, 310)
    again = one.feed(make_anomaly(CENTURY + 1))
    assert (again.incident.id, again.decision) == (wrong.id, Decision.suppressed)
    assert decisions(one, *at(320)) == ["suppressed"]


def test_dates_that_creep_ahead_do_not_carry_the_present_away() -> None:
    one = grouping()
    creeping = [one.feed(make_anomaly(90.0 * n)).incident for n in range(20)]
    present = one.feed(make_anomaly(5))
    assert (present.decision, present.incident.id == creeping[0].id) == (Decision.first, False)
    assert decisions(one, *at(6, 7)) == ["suppressed"] * 2


def test_what_is_dated_long_before_is_another_incident() -> None:
    one = grouping()
    present = one.feed(make_anomaly(1000)).incident
    old, near = one.feed(make_anomaly(500)), one.feed(make_anomaly(900))
    assert (old.decision, old.incident.opened_at) == (Decision.first, 500)
    assert (near.incident.id, near.decision) == (present.id, Decision.suppressed)
    assert decisions(one, *at(450, 1001)) == ["suppressed"] * 2


def test_between_two_incidents_the_nearer_is_joined() -> None:
    one = grouping()
    early, late = (one.feed(anomaly).incident for anomaly in at(0, 150))
    assert one.feed(make_anomaly(60)).incident.id == early.id
    assert one.feed(make_anomaly(106)).incident.id == late.id


def test_what_is_read_again_long_after_is_the_same_incident() -> None:
    one = grouping()
    first = one.feed(make_anomaly(0)).incident
    decisions(one, *at(*range(50, 1000, 50)))
    again = one.feed(make_anomaly(0))
    assert (again.incident.id, again.decision, again.incident.count) == (first.id, Decision.suppressed, 21)


def test_what_is_dated_ahead_of_the_clock_turns_quiet_all_the_same() -> None:
    one = grouping()
    one.feed(make_anomaly(CENTURY))
    assert one.tick(0) == []
    assert one.tick(100) == []
    assert one.feed(make_anomaly(CENTURY + 1)).incident.count == 2
    assert one.tick(101) == []
    (change,) = one.tick(202)
    assert (change.decision, change.incident.last_at, one.open_count) == (Decision.quiet, CENTURY + 1, 0)


def test_wrong_dates_of_one_entity_are_bounded_and_end() -> None:
    one = grouping()
    opened = {one.feed(make_anomaly(1000.0 * n)).incident.id for n in range(50)}
    assert (len(opened), len(one._tracked), one.open_count, one.evictions) == (50, 4, 4, 0)
    assert {change.incident.id for change in one.tick(1e9)} == opened
    assert one.open_count == 0


def test_an_end_at_the_right_time_ends_what_was_opened_at_a_wrong_one() -> None:
    one = grouping()
    wrong = one.feed(make_anomaly(CENTURY)).incident
    change = one.feed(make_anomaly(10, ends=True))
    assert (change.incident.id, change.decision) == (wrong.id, Decision.resolved)
    right = one.feed(make_anomaly(2000)).incident
    assert one.feed(make_anomaly(9000, ends=True)).incident.id == right.id


def test_an_end_closes_without_counting() -> None:
    one = grouping()
    one.feed(make_anomaly(0))
    change = one.feed(make_anomaly(5000, ends=True))
    assert (change.decision, change.incident.status, change.incident.count) == (
        Decision.resolved, IncidentStatus.closed, 1,
    )  # fmt: skip
    assert (change.incident.last_at, one.open_count) == (5000, 0)
    assert decisions(one, make_anomaly(5001, ends=True)) == ["suppressed"]
    assert decisions(one, make_anomaly(5002)) == ["first"]


def test_what_happened_before_an_end_belongs_to_what_ended() -> None:
    one = grouping()
    first = one.feed(make_anomaly(0)).incident
    one.feed(make_anomaly(50, ends=True))
    change = one.feed(make_anomaly(20))
    assert (change.incident.id, change.decision, change.incident.status, change.incident.count) == (
        first.id, Decision.suppressed, IncidentStatus.closed, 2,
    )  # fmt: skip
    assert (change.incident.because, change.incident.anomalies[-1].ends) == ("b50", True)
    assert decisions(one, make_anomaly(51)) == ["first"]


def test_an_end_of_what_is_no_longer_known_is_still_told() -> None:
    change = grouping().feed(make_anomaly(ends=True))
    assert (change.decision, change.incident.status, change.incident.count) == (
        Decision.resolved, IncidentStatus.closed, 0,
    )  # fmt: skip


def test_an_older_anomaly_moves_the_beginning() -> None:
    one = grouping()
    one.feed(make_anomaly(100))
    incident = one.feed(make_anomaly(40)).incident
    assert (incident.opened_at, incident.last_at, incident.count) == (40, 100, 2)
    assert incident.first_event.startswith("e40")
    assert incident.last_event.startswith("e100")


def test_a_bounded_selection_and_an_exact_count() -> None:
    one = grouping()
    for n in range(500):
        incident = one.feed(make_anomaly(float(n))).incident
    assert incident.count == 500
    assert [anomaly.at for anomaly in incident.anomalies] == [0, 1, 2, 495, 496, 497, 498, 499]


def test_ticks_tell_what_turned_quiet_once() -> None:
    one = grouping()
    decisions(one, *at(0, 50), make_anomaly(60, entity="User=eve"))
    assert one.tick(150) == []
    (change,) = one.tick(151)
    assert (change.decision, change.incident.status, change.anomaly) == (Decision.quiet, IncidentStatus.closed, None)
    assert change.incident.last_at == 50
    assert one.open_count == 1
    assert [change.incident.entity for change in one.tick(1e9)] == ["User=eve"]
    assert one.tick(1e10) == []


def test_a_late_anomaly_joins_what_a_tick_had_closed() -> None:
    one = grouping()
    first = one.feed(make_anomaly(0)).incident
    one.tick(1e6)
    change = one.feed(make_anomaly(90))
    assert (change.incident.id, change.decision, change.incident.status) == (
        first.id, Decision.suppressed, IncidentStatus.open,
    )  # fmt: skip
    assert len(one.tick(1e6)) == 1


def test_what_says_itself_when_it_is_over_does_not_turn_quiet() -> None:
    one = grouping(sustained=("r1",))
    decisions(one, make_anomaly(0), make_anomaly(0, rule="r2"))
    assert [change.incident.rule.id for change in one.tick(1e9)] == ["r2"]
    assert one.tick(2e9) == []
    assert one.open_count == 1


def test_what_its_rule_forgot_turns_quiet() -> None:
    watched = {"r1"}
    one = Incidents(
        quiet_after=QUIET, repeat_every=REPEAT, max_tracked=9,
        sustained=lambda incident, _now: incident.rule.id in watched,
    )  # fmt: skip
    one.feed(make_anomaly(0))
    assert one.tick(500) == []
    watched.clear()
    assert one.tick(550) == []
    assert [change.decision for change in one.tick(601)] == [Decision.quiet]


def test_the_bound_holds_and_who_goes_is_told() -> None:
    one = grouping(max_tracked=10)
    for n in range(100):
        one.feed(make_anomaly(float(n), entity=str(n)))
        released = one.released()
        assert [(change.decision, change.incident.entity) for change in released] == (
            [(Decision.quiet, str(n - 10))] if n >= 10 else []
        )
    assert (one.evictions, one.open_count, len(one._tracked)) == (90, 10, 10)
    assert one.tick(99) == []
    assert decisions(one, make_anomaly(99, entity="99")) == ["suppressed"]


def test_who_is_let_go_between_two_ticks_is_told_however_many_they_are() -> None:
    """The worst bug at the bound: rows that stay open for ever, because nobody speaks of them any more."""
    one = grouping(max_tracked=10)
    opened = {one.feed(make_anomaly(float(n), entity=str(n))).incident.id for n in range(100)}
    closed = {change.incident.id for change in one.tick(99)}
    assert (len(closed), len(opened - closed)) == (90, 10)
    assert all(incident.id in opened - closed for incident in one._tracked.values())


FEEDS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 130), st.sampled_from([-5000, -90, 1000, 10**9])), st.integers(0, 12),
        st.sampled_from(["r1", "r2"]), st.booleans(),
    ),
    max_size=60,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(FEEDS, st.integers(1, 6))
def test_the_first_anomaly_of_a_new_entity_always_notifies(
    feeds: list[tuple[int, int, str, bool]], max_tracked: int
) -> None:
    """Whatever the dates, however full the table; and nobody is quiet about one that was let go when it comes again."""
    one, time, known = grouping(max_tracked), 0.0, set[tuple[str, str]]()
    for n, (gap, entity, rule, ticks) in enumerate(feeds):
        time += gap
        tracked = {(other.rule.id, other.entity) for other in one._tracked.values()}
        change = one.feed(make_anomaly(time, entity=str(entity), rule=rule, anomaly_id=f"an{n}"))
        if (rule, str(entity)) not in known or (rule, str(entity)) not in tracked:
            assert change.decision is Decision.first
            assert change.incident.count == 1
        known.add((rule, str(entity)))
        assert len(one._tracked) <= max_tracked
        if ticks:
            one.tick(time)


@settings(max_examples=200, deadline=None)
@given(FEEDS, st.integers(1, 6))
def test_a_restart_at_the_bound_goes_on_with_the_same_incidents(
    feeds: list[tuple[int, int, str, bool]], max_tracked: int
) -> None:
    """What the store gives back (`live_incidents`: the latest, of equals the greater id) is what was being followed."""
    whole, pieces, time = grouping(max_tracked), grouping(max_tracked), 0.0
    stored: dict[str, Incident] = {}
    for n, (gap, entity, rule, restarts) in enumerate(feeds):
        time += min(abs(gap), 130)
        if restarts:
            pieces = grouping(max_tracked)
            pieces.restore(sorted(stored.values(), key=lambda one: (one.last_at, one.id))[-max_tracked:])
        anomaly = make_anomaly(time, entity=str(entity), rule=rule, anomaly_id=f"an{n}")
        change = whole.feed(anomaly)
        assert pieces.feed(anomaly) == change
        stored[change.incident.id] = change.incident
        for gone in whole.released():
            stored[gone.incident.id] = gone.incident


def test_a_busy_incident_does_not_grow_memory() -> None:
    one = grouping()
    for n in range(20_000):
        one.feed(make_anomaly(float(n)))
    assert len(one._by_age) + len(one._open_by_age) < 200


STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(-30, 130), st.sampled_from([-1000, 1000, 5000])), st.sampled_from(["a", "b", "c"]), st.sampled_from([1, 2, 3]), st.booleans(), st.booleans()
    ),
    max_size=40,
)  # fmt: skip


def anomalies(steps: list[tuple[int, str, int, bool, bool]]) -> list[Anomaly]:
    found, time = [], 0.0
    for n, (gap, entity, level, ends, _) in enumerate(steps):
        time += gap
        more = {"anomaly_id": f"an{n}", "ends": ends and entity == "c"}
        found.append(make_anomaly(time, entity=entity, level=Severity(level), **more))
    return found


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_a_restart_at_any_point_changes_nothing(steps: list[tuple[int, str, int, bool, bool]]) -> None:
    whole, pieces = grouping(), grouping()
    stored: dict[str, Incident] = {}
    for anomaly, step in zip(anomalies(steps), steps, strict=True):
        if step[4]:
            pieces = grouping()
            pieces.restore(stored.values())
        found = pieces.feed(anomaly)
        assert found == whole.feed(anomaly)
        stored[found.incident.id] = found.incident
        assert pieces.open_count == whole.open_count


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_ticks_change_no_incident_and_no_decision(steps: list[tuple[int, str, int, bool, bool]]) -> None:
    still, ticking = grouping(), grouping()
    for anomaly, step in zip(anomalies(steps), steps, strict=True):
        if step[4]:
            ticking.tick(anomaly.at + 500)
        assert ticking.feed(anomaly) == still.feed(anomaly)
