"""What is owed is owed until it is sent or dead, in order, counted before it is tried."""

import msgspec

from daemon.model import DeliveryState, Severity
from daemon.state import Commit, OutboxDepth, Owed, Told
from daemon.state.store import SqliteStore
from tests.doubles.values import T0, an_alert, an_incident


async def owe(
    store: SqliteStore, number: int, *, severity: Severity = Severity.high, due_at: float = T0, hook: str = "ops"
) -> None:
    alert = msgspec.structs.replace(an_alert(number), severity=severity)
    await store.commit(
        Commit(at=T0 + number, incidents=(an_incident(number),), told=(Told(alert, (Owed(hook, due_at),)),))
    )


async def test_the_most_severe_goes_first_then_the_oldest(store: SqliteStore) -> None:
    await owe(store, 1, severity=Severity.low)
    await owe(store, 2, severity=Severity.critical)
    await owe(store, 3, severity=Severity.critical)
    seen = []

    while (delivery := await store.due("ops", T0 + 10)) is not None:
        seen.append(delivery.alert.incident_id)
        await store.sent(delivery.id, T0 + 10)

    assert seen == [an_incident(n).id for n in (2, 3, 1)]


async def test_what_a_webhook_that_is_gone_is_owed_for_long_is_given_up(store: SqliteStore) -> None:
    for number, hook in ((1, "gone"), (2, "ops"), (900, "gone")):
        await owe(store, number, hook=hook)

    assert await store.abandon(["ops"], T0 + 500, T0 + 1000) == 1

    assert await store.depth() == OutboxDepth(due=2, dead=1, oldest_at=T0 + 2)
    assert await store.due("ops", T0 + 1000) is not None
    assert await store.abandon([], T0 + 500, T0 + 1000) == 1


async def test_nothing_is_due_before_its_time(store: SqliteStore) -> None:
    await owe(store, 1, due_at=T0 + 3)

    assert await store.due("ops", T0 + 2.9) is None
    assert await store.next_due_at("ops") == T0 + 3
    assert await store.next_due_at("other") is None


async def test_an_attempt_is_counted_before_it_is_made_and_survives(store: SqliteStore) -> None:
    await owe(store, 1)
    delivery = await store.due("ops", T0)
    assert delivery is not None

    await store.begin(delivery.id, T0)
    await store.again(delivery.id, T0 + 5, "503")
    later = await store.due("ops", T0 + 5)

    assert later is not None
    assert (later.id, later.attempts, later.detail) == (delivery.id, 1, "503")


async def test_what_is_begun_is_what_is_sent_even_when_it_was_revised_after_it_was_chosen(store: SqliteStore) -> None:
    alert, told = an_alert(1), an_incident(1)
    owed = (Owed("ops", T0),)
    await store.commit(Commit(at=T0, incidents=(told,), told=(Told(alert, owed, enrich=True),)))
    chosen = await store.due("ops", T0)
    assert chosen is not None
    (row,) = await store.unenriched(1)
    richer = msgspec.structs.replace(row.alert, gaps=(), because="richer")
    await store.revise(richer, final=False, now=T0, webhooks=())

    begun = await store.begin(chosen.id, T0)

    assert chosen.alert.because != "richer"
    assert (begun.id, begun.attempts, begun.alert.because) == (chosen.id, 1, "richer")
    await store.revise(msgspec.structs.replace(richer, because="too late"), final=False, now=T0, webhooks=())
    assert [one.because for one in await store.alerts(told.id)] == ["richer"]


async def test_a_receiver_is_probed_with_what_is_overdue_then_new_then_tried_least(store: SqliteStore) -> None:
    for number, severity in ((1, Severity.low), (2, Severity.critical), (3, Severity.high), (8, Severity.low)):
        await owe(store, number, severity=severity)
    for number in (1, 2, 2, 3):
        (delivery,) = await store.deliveries(an_incident(number).id)
        await store.begin(delivery.id, T0)

    async def probed(overdue: float, since: float) -> str:
        delivery = await store.probe("ops", T0 + 10, overdue=overdue, since=since)
        assert delivery is not None
        return delivery.alert.incident_id

    assert await probed(T0 + 1.5, T0 + 5) == an_incident(1).id
    assert await probed(T0, T0 + 5) == an_incident(8).id
    await store.begin((await store.deliveries(an_incident(8).id))[0].id, T0)
    assert await probed(T0, T0 + 5) == an_incident(3).id  # the most severe of those tried once
    assert await store.probe("other", T0 + 10, overdue=T0, since=T0) is None
    assert await store.probe("ops", T0 - 1, overdue=T0, since=T0) is None


async def test_when_the_receiver_is_back_what_was_put_off_is_due_and_what_is_held_back_is_not(
    store: SqliteStore,
) -> None:
    await owe(store, 1)
    await owe(store, 2, due_at=T0 + 30)
    await owe(store, 3, hook="other")
    for hook in ("ops", "other"):
        delivery = await store.due(hook, T0)
        assert delivery is not None
        await store.begin(delivery.id, T0)
        await store.again(delivery.id, T0 + 3600, "503")

    await store.resume("ops", T0 + 5)

    assert await store.next_due_at("ops") == T0 + 5
    assert await store.next_due_at("ops", after=T0 + 5) == T0 + 30
    assert await store.next_due_at("other") == T0 + 3600


async def test_versions_of_one_alert_go_in_order(store: SqliteStore) -> None:
    await owe(store, 1)
    first = await store.due("ops", T0)
    assert first is not None
    await store.again(first.id, T0 + 100, "down")
    await owe(store, 1)  # the second version, due at once

    assert await store.due("ops", T0 + 50) is None
    assert await store.next_due_at("ops") == T0 + 100
    await store.sent(first.id, T0 + 100)
    second = await store.due("ops", T0 + 100)
    assert second is not None
    assert second.alert.version == 2


async def test_dead_is_kept_for_people_to_see(store: SqliteStore) -> None:
    await owe(store, 1)
    delivery = await store.due("ops", T0)
    assert delivery is not None

    await store.dead(delivery.id, T0, "410 Gone")

    assert await store.due("ops", T0 + 1e6) is None
    assert await store.depth() == OutboxDepth(due=0, dead=1, oldest_at=0)
    kept = await store.deliveries(an_incident(1).id)
    assert [(one.state, one.detail) for one in kept] == [(DeliveryState.dead, "410 Gone")]


async def test_depth_names_the_oldest(store: SqliteStore) -> None:
    await owe(store, 2)
    await owe(store, 5)

    assert await store.depth() == OutboxDepth(due=2, dead=0, oldest_at=T0 + 2)
