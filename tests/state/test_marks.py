"""An alert that was told before a loss of its time was known gets the gap: in place, or as the next version."""

import msgspec
import pytest

from daemon.model import Alert, Explanation, Gap, Logsource, Sentence, Severity, Unseen
from daemon.state import Commit, Owed, Told
from daemon.state.store import SqliteStore
from tests.doubles.values import T0, an_alert, an_anomaly, an_event, an_incident

GAP = Gap("evidence", "incomplete", "between A and B: 3 audit events never came")
LOST = Unseen("web-1", T0 - 60, T0 + 60, GAP)
HOOKS = (("ops", Severity.low), ("pager", Severity.critical))
WHY = Explanation(origin="model", sentences=(Sentence("It came through the web server.", ("E1",)),), model="m")


@pytest.fixture
async def told(store: SqliteStore) -> Alert:
    owed = (Owed("ops", T0), Owed("chat", T0))
    await store.commit(Commit(at=T0, incidents=(an_incident(),), told=(Told(an_alert(), owed, enrich=True),)))
    return (await store.unenriched(1))[0].alert


async def lose(store: SqliteStore, *unseen: Unseen) -> None:
    await store.commit(Commit(at=T0 + 9, unseen=unseen, gap_hooks=HOOKS))


async def send(store: SqliteStore) -> None:
    due = await store.due("ops", T0)
    assert due is not None
    await store.begin(due.id, T0)
    await store.sent(due.id, T0)


async def test_what_nobody_was_sent_yet_gets_the_gap_in_place(store: SqliteStore, told: Alert) -> None:
    await lose(store, LOST)

    (alert,) = await store.alerts(told.incident_id)
    assert alert.gaps == (GAP,)
    due = await store.due("ops", T0)
    assert due is not None
    assert due.alert.gaps == (GAP,)


async def test_what_was_sent_gets_a_next_version_for_those_who_want_gaps(store: SqliteStore, told: Alert) -> None:
    await send(store)
    await lose(store, LOST)

    assert [one.gaps for one in await store.alerts(told.incident_id)] == [(), (GAP,)]
    owed = [(row.webhook, row.alert.version) for row in await store.deliveries(told.incident_id)]
    assert sorted(owed) == [("chat", 1), ("ops", 1), ("ops", 2)]  # chat wants no gaps alone, pager nothing that low


async def test_an_alert_gets_the_gap_once(store: SqliteStore, told: Alert) -> None:
    await send(store)
    for _ in range(3):
        await lose(store, LOST, LOST)

    assert [one.version for one in await store.alerts(told.incident_id)] == [1, 2]


async def test_enrichment_goes_on_and_keeps_the_gap(store: SqliteStore, told: Alert) -> None:
    await send(store)
    await lose(store, LOST)

    stale = await store.revise(msgspec.structs.replace(told, explanation=WHY), final=True, now=T0 + 10, webhooks=())
    assert stale.explanation.origin == "rules"  # the enricher sees that it is stale, and takes the draft again
    draft = (await store.unenriched(1))[0].alert
    assert (draft.version, draft.gaps) == (2, (GAP,))
    final = await store.revise(
        msgspec.structs.replace(draft, explanation=WHY), final=True, now=T0 + 11, webhooks=["chat"]
    )
    assert (final.version, final.explanation, final.gaps) == (3, WHY, (GAP,))


@pytest.mark.parametrize(
    "unseen",
    [
        msgspec.structs.replace(LOST, host="web-2"),
        msgspec.structs.replace(LOST, since=T0 + 2, until=T0 + 60),
        msgspec.structs.replace(LOST, since=T0 - 60, until=T0 - 1),
    ],
    ids=["another host", "later", "earlier"],
)
async def test_others_are_left_alone(store: SqliteStore, told: Alert, unseen: Unseen) -> None:
    await lose(store, unseen)

    assert [one.gaps for one in await store.alerts(told.incident_id)] == [()]


async def test_what_a_rule_counted_is_evidence_too(store: SqliteStore) -> None:
    """The first of the events lies an hour before the incident."""
    early = an_incident(anomalies=(an_anomaly(events=(an_event(1, at=T0 - 3600), an_event(2))),))
    await store.commit(Commit(at=T0, incidents=(early,), told=(Told(an_alert()),)))
    await lose(store, Unseen("web-1", T0 - 3700, T0 - 3500, GAP))

    assert (await store.alerts(early.id))[-1].gaps == (GAP,)


async def test_a_loss_does_not_lack_what_it_speaks_of(store: SqliteStore) -> None:
    event = an_event(logsource=Logsource(category="evidence_loss"))
    incident = an_incident(anomalies=(an_anomaly(events=(event,)),))
    await store.commit(Commit(at=T0, incidents=(incident,), told=(Told(an_alert()),), unseen=(LOST,)))

    assert [one.gaps for one in await store.alerts(incident.id)] == [()]


async def test_an_alert_of_the_same_transaction_is_marked(store: SqliteStore) -> None:
    owed = (Owed("ops", T0),)
    await store.commit(Commit(at=T0, incidents=(an_incident(),), told=(Told(an_alert(), owed),), unseen=(LOST,)))

    assert [one.gaps for one in await store.alerts(an_incident().id)] == [(GAP,)]


async def test_the_newest_are_looked_at(store: SqliteStore) -> None:
    """Bounded: of five hundred incidents of that time two hundred are marked, the newest."""
    many = [an_incident(n, last_at=T0 + n / 1000) for n in range(1, 501)]
    await store.commit(Commit(at=T0, incidents=tuple(many), told=tuple(Told(an_alert(n)) for n in range(1, 501))))
    await lose(store, LOST)

    marked = [n for n in range(1, 501) if (await store.alerts(many[n - 1].id))[-1].gaps]
    assert marked == list(range(301, 501))
