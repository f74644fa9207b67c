"""The outbox in memory keeps the promises of the one on disk: the dispatcher's tests are worth what this is worth."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.model import Delivery, Severity
from daemon.state import Commit, Outbox, Owed, Told
from daemon.state.store import SqliteStore
from tests.doubles.alerts import AT, make_alert
from tests.doubles.outbox import MemoryOutbox
from tests.doubles.values import an_incident

HOOKS = ("ops", "other")
owe = st.tuples(
    st.just("owe"),
    st.integers(1, 3),
    st.sampled_from(Severity),
    st.sampled_from([-5.0, 0.0, 7.0]),
    st.sampled_from(HOOKS),
)
take = st.tuples(
    st.just("take"), st.sampled_from(HOOKS), st.sampled_from(["sent", "again", "dead"]), st.sampled_from([0.0, 3.0])
)
probe = st.tuples(
    st.just("probe"),
    st.sampled_from(HOOKS),
    st.sampled_from(["sent", "again", "dead"]),
    st.sampled_from([0.0, 3.0, 500.0]),
    st.sampled_from([-1.0, 0.0, 2.0, 9.0]),
    st.sampled_from([-1.0, 0.0, 2.0, 9.0]),
)
resume = st.tuples(st.just("resume"), st.sampled_from(HOOKS))


def named(delivery: Delivery | None) -> tuple[object, ...] | None:
    """What both stores must agree on."""
    if delivery is None:
        return None
    alert = delivery.alert
    return (
        alert.id,
        alert.version,
        delivery.webhook,
        delivery.attempts,
        delivery.due_at,
        delivery.created_at,
        delivery.detail,
    )


async def settle(outbox: Outbox, hook: str, outcome: str, now: float) -> Delivery | None:
    """One turn of the dispatcher."""
    delivery = await outbox.due(hook, now)
    if delivery is None:
        return None
    return await attempt(outbox, delivery, outcome, now)


async def attempt(outbox: Outbox, delivery: Delivery, outcome: str, now: float) -> Delivery:
    """Count it, and write down how it ended."""
    delivery = await outbox.begin(delivery.id, now)
    if outcome == "sent":
        await outbox.sent(delivery.id, now)
    elif outcome == "again":
        await outbox.again(delivery.id, now + 2, "answered 503")
    else:
        await outbox.dead(delivery.id, now, "answered 404")
    return delivery


async def ask(outbox: Outbox, step: tuple[object, ...], now: float) -> Delivery | None:
    """One turn of the dispatcher while the receiver is down."""
    _, hook, outcome, _, overdue, since = step
    found = await outbox.probe(str(hook), now, overdue=now - float(str(overdue)), since=now - float(str(since)))
    return None if found is None else await attempt(outbox, found, str(outcome), now)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=st.lists(owe | take | probe | resume, max_size=20))
def test_both_outboxes_tell_the_same_story(story: list[tuple[object, ...]]) -> None:
    async def tell(store: SqliteStore) -> None:
        memory, now, versions = MemoryOutbox(), AT, Counter[str]()
        for step in story:
            if step[0] == "owe":
                _, number, severity, later, hook = step
                incident = an_incident(int(str(number)))
                alert = make_alert(id=f"al-{number}", incident_id=incident.id, severity=severity)
                versions[alert.id] += 1
                due_at = now + float(str(later))
                told = Told(alert, (Owed(str(hook), due_at),))
                await store.commit(Commit(at=now, incidents=(incident,), told=(told,)))
                stored = make_alert(
                    id=alert.id, incident_id=alert.incident_id, severity=severity, version=versions[alert.id]
                )
                memory.owe(stored, str(hook), at=now, due_at=due_at)
            elif step[0] == "resume":
                await memory.resume(str(step[1]), now)
                await store.resume(str(step[1]), now)
            elif step[0] == "probe":
                now += float(str(step[3]))
                assert named(await ask(memory, step, now)) == named(await ask(store, step, now))
            else:
                now += float(str(step[3]))
                ours = await settle(memory, str(step[1]), str(step[2]), now)
                theirs = await settle(store, str(step[1]), str(step[2]), now)
                assert named(ours) == named(theirs)
            assert await memory.depth() == await store.depth()
            for hook in HOOKS:
                assert await memory.next_due_at(hook) == await store.next_due_at(hook)
                assert await memory.next_due_at(hook, after=now) == await store.next_due_at(hook, after=now)

    with tempfile.TemporaryDirectory() as directory:
        store = SqliteStore(Path(directory) / "state", ballast_bytes=0)
        store.open()
        try:
            asyncio.run(tell(store))
        finally:
            store.close()
