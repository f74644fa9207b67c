"""Incidents and the versions of their alerts; what the model says never alters a base alert."""

import msgspec
import pytest

from daemon.detection.incidents import Incidents
from daemon.model import Alert, Explanation, IncidentStatus, Sentence, Severity, Similar
from daemon.state import Commit, Owed, Told
from daemon.state.store import SqliteStore
from tests.doubles.values import T0, a_rule, an_alert, an_anomaly, an_incident

PAST = Similar(incident_id="inc_old", title="t", score=0.9, at=T0 - 100, count=2, entity="User=x", because="b")
WHY = Explanation(origin="model", sentences=(Sentence("It came through the web server.", ("E1",)),), model="m")


@pytest.fixture
async def told(store: SqliteStore) -> Alert:
    """An incident whose base alert is owed in three seconds and is to be enriched."""
    await store.commit(
        Commit(at=T0, incidents=(an_incident(),), told=(Told(an_alert(), (Owed("ops", T0 + 3),), enrich=True),))
    )
    outstanding = await store.unenriched(10)
    assert [(one.base_sent, one.attempts) for one in outstanding] == [(False, 0)]
    return outstanding[0].alert


async def test_similar_incidents_join_a_base_alert_that_nobody_was_sent_and_release_it(
    store: SqliteStore, told: Alert
) -> None:
    richer = msgspec.structs.replace(told, similar=(PAST,))

    stored = await store.revise(richer, final=False, now=T0 + 1, webhooks=())

    assert stored.version == 1
    due = await store.due("ops", T0 + 1)
    assert due is not None
    assert due.alert.similar == (PAST,)


async def test_a_base_alert_that_is_being_sent_is_not_altered(store: SqliteStore, told: Alert) -> None:
    due = await store.due("ops", T0 + 3)
    assert due is not None
    await store.begin(due.id, T0 + 3)

    await store.revise(msgspec.structs.replace(told, similar=(PAST,)), final=False, now=T0 + 3, webhooks=())

    assert [alert.similar for alert in await store.alerts(told.incident_id)] == [()]
    draft = (await store.unenriched(1))[0]
    assert (draft.base_sent, draft.alert.similar) == (True, (PAST,))


async def test_an_explanation_is_always_a_new_version(store: SqliteStore, told: Alert) -> None:
    richer = msgspec.structs.replace(told, similar=(PAST,), explanation=WHY)

    stored = await store.revise(richer, final=True, now=T0 + 1, webhooks=["ops", "chat"])

    assert stored.version == 2
    versions = await store.alerts(told.incident_id)
    assert [alert.explanation.origin for alert in versions] == ["rules", "model"]
    assert await store.unenriched(10) == []
    owed = await store.deliveries(told.incident_id)
    assert [(one.webhook, one.alert.version, one.due_at) for one in owed] == [
        ("ops", 1, T0 + 3), ("ops", 2, T0 + 1), ("chat", 2, T0 + 1),
    ]  # fmt: skip


async def test_enrichment_that_adds_nothing_makes_no_version(store: SqliteStore, told: Alert) -> None:
    await store.revise(told, final=True, now=T0 + 1, webhooks=["ops"])

    assert len(await store.alerts(told.incident_id)) == 1
    assert await store.unenriched(10) == []


async def test_enrichment_of_an_old_version_is_stale(store: SqliteStore, told: Alert) -> None:
    await store.commit(Commit(at=T0 + 9, incidents=(an_incident(),), told=(Told(an_alert(count=7), (), enrich=True),)))

    stored = await store.revise(
        msgspec.structs.replace(told, explanation=WHY), final=True, now=T0 + 10, webhooks=["ops"]
    )

    assert (stored.version, stored.count, stored.explanation.origin) == (2, 7, "rules")
    assert len(await store.unenriched(10)) == 1


async def test_attempts_at_enriching_are_counted(store: SqliteStore, told: Alert) -> None:
    await store.tried(told.id)
    await store.tried(told.id)

    assert (await store.unenriched(1))[0].attempts == 2


async def test_the_same_batch_twice_gives_the_same_incidents_and_anomalies(store: SqliteStore) -> None:
    batch = Commit(at=T0, incidents=(an_incident(),), anomalies=((an_incident().id, an_anomaly()),))

    await store.commit(batch)
    await store.commit(batch)

    assert await store.incidents(limit=10) == [an_incident()]
    assert await store.anomalies(an_incident().id) == [an_anomaly()]


async def test_incidents_are_filtered_newest_first(store: SqliteStore) -> None:
    wanted = an_incident(3, severity=Severity.critical, entity="User=mallory")
    closed = an_incident(2, status=IncidentStatus.closed, rule=a_rule(id="other", title="Other"))
    await store.commit(Commit(at=T0, incidents=(an_incident(1), closed, wanted)))

    assert [one.id for one in await store.incidents(limit=2)] == [wanted.id, closed.id]
    assert await store.incidents(limit=9, severity=Severity.critical) == [wanted]
    assert await store.incidents(limit=9, status="closed") == [closed]
    assert await store.incidents(limit=9, rule="other") == [closed]
    assert await store.incidents(limit=9, text="MALLORY download") == [wanted]
    assert await store.incidents(limit=9, text="100%") == []
    assert await store.incidents(limit=9, before=T0 + 2) == [an_incident(1)]
    assert await store.incident(wanted.id) == wanted
    assert await store.incident("inc_none") is None


async def test_live_incidents_come_oldest_first_and_bounded(store: SqliteStore) -> None:
    await store.commit(Commit(at=T0, incidents=tuple(an_incident(n) for n in (1, 2, 3))))

    assert [one.id for one in await store.live_incidents(2)] == [an_incident(2).id, an_incident(3).id]


async def test_of_equally_recent_incidents_those_are_live_that_the_grouping_step_kept(store: SqliteStore) -> None:
    """It lets the smaller id go; another choice here, and a restart at the bound would tell of somebody again."""
    same = [an_incident(number, last_at=T0) for number in (3, 1, 2)]
    grouping = Incidents(quiet_after=60, repeat_every=60, max_tracked=2)
    grouping.restore(same)
    await store.commit(Commit(at=T0, incidents=tuple(same)))

    live = await store.live_incidents(2)

    assert [one.id for one in live] == [an_incident(2).id, an_incident(3).id]
    assert {one.incident.id for one in grouping.released()} == {an_incident(1).id}
    assert {one.id: one.status.value for one in await store.incidents(limit=9)} == {
        an_incident(1).id: "closed", an_incident(2).id: "open", an_incident(3).id: "open",
    }  # fmt: skip


async def test_what_was_left_open_and_is_not_loaded_is_closed(store: SqliteStore) -> None:
    """The worst bug: an incident that nothing knows any more stays open in every list for ever."""
    left = an_incident(1, entity="User=left")
    await store.commit(Commit(at=T0, incidents=(left, an_incident(2), an_incident(3)), told=(Told(an_alert(1)),)))

    await store.live_incidents(2)

    assert [one.status.value for one in await store.incidents(limit=9)] == ["open", "open", "closed"]
    assert await store.incident(left.id) == msgspec.structs.replace(left, status=IncidentStatus.closed)
    assert [one.id for one in await store.incidents(limit=9, status="closed", text="left")] == [left.id]
    assert len(await store.unremembered(9)) == 1  # closing says nothing of what was told
    assert await store.prune(T0 + 1000, 100) == 1


async def test_memory_is_owed_what_was_told(store: SqliteStore, told: Alert) -> None:
    assert [alert.id for alert in await store.unremembered(9)] == [told.id]  # explained or not
    await store.remembered(told)
    assert await store.unremembered(9) == []
    await store.commit(Commit(at=T0 + 1, incidents=(an_incident(count=2),)))  # counted, but nobody was told
    assert await store.unremembered(9) == []


async def test_pruning_an_incident_leaves_nothing_of_it(store: SqliteStore) -> None:
    closed = an_incident(1, status=IncidentStatus.closed)
    await store.commit(Commit(at=T0, incidents=(closed,), told=(Told(an_alert(1), enrich=True),)))
    assert await store.prune(T0 + 1000, 100) == 1
    counts = await store.counts()
    assert {name: count for name, count in counts.items() if count} == {}


async def test_pruning_keeps_what_is_open_and_what_is_owed(store: SqliteStore) -> None:
    for number, status in ((1, IncidentStatus.closed), (2, IncidentStatus.open), (3, IncidentStatus.closed)):
        owed = (Owed("ops", T0),) if number == 3 else ()
        await store.commit(
            Commit(at=T0, incidents=(an_incident(number, status=status),), told=(Told(an_alert(number), owed),))
        )

    assert await store.prune(T0 + 1000, 100) == 1
    assert [one.id for one in await store.incidents(limit=9)] == [an_incident(3).id, an_incident(2).id]
    assert (await store.counts())["alerts"] == 2


async def test_pruning_bounds_the_number(store: SqliteStore) -> None:
    await store.commit(
        Commit(at=T0, incidents=tuple(an_incident(n, status=IncidentStatus.closed) for n in range(1, 9)))
    )

    assert await store.prune(0.0, 3) == 5
    assert (await store.counts())["incidents"] == 3
