"""The desk: the store and its twin in memory keep the same promises to the enricher."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from daemon.model import Alert, Explanation, Gap, Incident, Sentence, Severity, Similar
from daemon.state import Commit, Desk, Owed, Told
from daemon.state.store import SqliteStore
from tests.doubles.desk import MemoryDesk
from tests.doubles.values import T0, an_alert, an_incident

PAST = Similar(incident_id="inc_old", title="t", score=0.9, at=T0 - 100, count=2, entity="User=x", because="b")
WHY = Explanation(origin="model", sentences=(Sentence("It came through the web server.", ("E1",)),), model="m")


class World(ABC):
    """A desk and what pipeline and dispatcher do to it."""

    desk: Desk

    @abstractmethod
    async def tell(self, alert: Alert, incident: Incident, *webhooks: str, enrich: bool = True) -> None: ...

    @abstractmethod
    async def begin(self, alert: Alert) -> None: ...


class Twin(World):
    def __init__(self) -> None:
        self.desk = self.memory = MemoryDesk()

    async def tell(self, alert: Alert, incident: Incident, *webhooks: str, enrich: bool = True) -> None:
        self.memory.tell(alert, *webhooks, due_at=T0 + 3, incident=incident, enrich=enrich)

    async def begin(self, alert: Alert) -> None:
        self.memory.begin(alert)


class Stored(World):
    def __init__(self, store: SqliteStore) -> None:
        self.desk = self.store = store

    async def tell(self, alert: Alert, incident: Incident, *webhooks: str, enrich: bool = True) -> None:
        owed = tuple(Owed(name, T0 + 3) for name in webhooks)
        await self.store.commit(Commit(at=T0, incidents=(incident,), told=(Told(alert, owed, enrich=enrich),)))

    async def begin(self, alert: Alert) -> None:
        for row in await self.store.deliveries(alert.incident_id):
            if row.alert.version == alert.version:
                await self.store.begin(row.id, T0)


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield Twin()
        return
    store = SqliteStore(tmp_path / "state", ballast_bytes=0)
    store.open()
    yield Stored(store)
    store.close()


async def told(world: World, number: int = 1, severity: Severity = Severity.high, *webhooks: str) -> Alert:
    alert = an_alert(number, severity=severity, made_at=T0 + number)
    incident = an_incident(number, severity=severity)
    await world.tell(alert, incident, *(webhooks or ("ops",)))
    return next(row.alert for row in await world.desk.unenriched(99) if row.alert.id == alert.id)


async def owed(world: World, alert: Alert) -> list[tuple[str, int, float]]:
    rows = await world.desk.deliveries(alert.incident_id)
    return [(row.webhook, row.alert.version, row.due_at) for row in rows]


async def test_the_most_severe_comes_first_then_the_newest(world: World) -> None:
    for number, severity in enumerate((Severity.low, Severity.high, Severity.critical, Severity.high), 1):
        await told(world, number, severity)
    rows = await world.desk.unenriched(3)
    assert [int(row.alert.id.removeprefix("alrt_"), 16) for row in rows] == [3, 4, 2]


async def test_attempts_are_counted(world: World) -> None:
    alert = await told(world)
    for _ in range(2):
        await world.desk.tried(alert.id)
    assert [row.attempts for row in await world.desk.unenriched(9)] == [2]


async def test_what_nobody_was_sent_is_replaced_and_due_at_once(world: World) -> None:
    alert = await told(world)
    richer = msgspec.structs.replace(alert, similar=(PAST,))
    assert await world.desk.revise(richer, final=False, now=T0 + 1, webhooks=()) == richer
    assert await world.desk.alerts(alert.incident_id) == [richer]
    assert await owed(world, alert) == [("ops", 1, T0 + 1)]
    rows = await world.desk.unenriched(9)
    assert [(row.alert, row.base_sent) for row in rows] == [(richer, False)]


async def test_what_is_being_sent_stays_and_the_draft_is_kept(world: World) -> None:
    alert = await told(world)
    await world.begin(alert)
    richer = msgspec.structs.replace(alert, similar=(PAST,))
    await world.desk.revise(richer, final=False, now=T0 + 1, webhooks=())
    assert await world.desk.alerts(alert.incident_id) == [alert]
    assert await owed(world, alert) == [("ops", 1, T0 + 3)]
    rows = await world.desk.unenriched(9)
    assert [(row.alert, row.base_sent) for row in rows] == [(richer, True)]


async def test_similar_incidents_that_cannot_wait_are_a_version_of_their_own(world: World) -> None:
    alert = await told(world)
    await world.begin(alert)
    richer = msgspec.structs.replace(alert, similar=(PAST,))
    stored = await world.desk.revise(richer, final=False, now=T0 + 1, webhooks=["ops"])
    assert (stored.version, stored.made_at, stored.similar) == (2, T0 + 1, (PAST,))
    assert await world.desk.alerts(alert.incident_id) == [alert, stored]
    assert await owed(world, alert) == [("ops", 1, T0 + 3), ("ops", 2, T0 + 1)]
    assert [row.alert for row in await world.desk.unenriched(9)] == [stored]
    last = msgspec.structs.replace(stored, explanation=WHY)
    assert (await world.desk.revise(last, final=True, now=T0 + 9, webhooks=["ops"])).version == 3


async def test_the_last_revision_is_a_version_of_its_own(world: World) -> None:
    alert = await told(world)
    richer = msgspec.structs.replace(alert, explanation=WHY)
    stored = await world.desk.revise(richer, final=True, now=T0 + 9, webhooks=["ops", "chat"])
    assert (stored.version, stored.made_at, stored.explanation) == (2, T0 + 9, WHY)
    assert await world.desk.alerts(alert.incident_id) == [alert, stored]
    assert await owed(world, alert) == [("ops", 1, T0 + 3), ("ops", 2, T0 + 9), ("chat", 2, T0 + 9)]
    assert await world.desk.unenriched(9) == []


async def test_a_last_revision_that_adds_nothing_is_no_version(world: World) -> None:
    alert = await told(world)
    assert await world.desk.revise(alert, final=True, now=T0 + 9, webhooks=["ops"]) == alert
    assert await owed(world, alert) == [("ops", 1, T0 + 3)]
    assert await world.desk.unenriched(9) == []


async def test_a_gap_alone_is_something_new(world: World) -> None:
    alert = await told(world)
    richer = msgspec.structs.replace(alert, gaps=(Gap("explanation", "timeout"),))
    assert (await world.desk.revise(richer, final=True, now=T0 + 9, webhooks=[])).version == 2


@pytest.mark.parametrize("final", [True, False])
async def test_a_stale_revision_changes_nothing(world: World, final: bool) -> None:
    old = await told(world)
    new = await told(world)
    assert (old.version, new.version) == (1, 2)
    richer = msgspec.structs.replace(old, similar=(PAST,), explanation=WHY)
    assert await world.desk.revise(richer, final=final, now=T0 + 9, webhooks=["ops"]) == new
    assert await world.desk.alerts(old.incident_id) == [old, new]
    assert [row.alert for row in await world.desk.unenriched(9)] == [new]


async def test_a_new_version_starts_its_attempts_anew(world: World) -> None:
    alert = await told(world)
    await world.desk.tried(alert.id)
    await told(world)
    assert [(row.alert.version, row.attempts) for row in await world.desk.unenriched(9)] == [(2, 0)]


async def test_what_is_not_remembered_as_it_is_now_is_due_until_it_is(world: World) -> None:
    second, first = await told(world, 2), await told(world, 1)
    assert await world.desk.unremembered(9) == [first, second]
    assert await world.desk.unremembered(1) == [first]
    await world.desk.remembered(first)
    assert await world.desk.unremembered(9) == [second]
    explained = msgspec.structs.replace(first, explanation=WHY)
    await world.desk.revise(explained, final=True, now=T0 + 9, webhooks=())
    assert await world.desk.unremembered(9) == [second]  # the incident is what it was
    again = await told(world, 1)
    assert await world.desk.unremembered(9) == [again, second]
    await world.desk.remembered(first)  # given to the memory before it notified again
    assert await world.desk.unremembered(9) == [again, second]


async def test_what_an_emptied_memory_held_is_due_again(world: World) -> None:
    alert = await told(world)
    await world.desk.remembered(alert)
    await world.desk.forgotten()
    assert await world.desk.unremembered(9) == [alert]


async def test_a_version_that_needs_no_enrichment_ends_that_of_the_one_before(world: World) -> None:
    alert = await told(world)
    await world.tell(alert, an_incident(1), "ops", enrich=False)
    assert await world.desk.unenriched(9) == []


async def test_incidents_are_found_by_every_word_and_filter(world: World) -> None:
    await told(world, 1, Severity.low)
    await told(world, 2, Severity.critical)
    newest, oldest = await world.desk.incidents(limit=9)
    assert newest.last_at > oldest.last_at
    assert await world.desk.incidents(limit=1) == [newest]
    assert await world.desk.incidents(limit=9, severity=3) == [newest]
    assert await world.desk.incidents(limit=9, before=newest.last_at) == [oldest]
    assert len(await world.desk.incidents(limit=9, text="WWW-data shell")) == 2
    assert await world.desk.incidents(limit=9, text="www-data zebra") == []
    assert await world.desk.incidents(limit=9, status="closed") == []
    assert len(await world.desk.incidents(limit=9, rule=newest.rule.id)) == 2
    assert await world.desk.incident(oldest.id) == oldest
    assert await world.desk.incident("nobody") is None
