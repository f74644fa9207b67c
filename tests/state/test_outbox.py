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
