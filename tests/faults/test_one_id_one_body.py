"""A message id stands for one body: what is tried again is what was tried before."""

import asyncio
from pathlib import Path

import msgspec

from daemon.config import Webhook
from daemon.delivery import Sink
from daemon.delivery.dispatcher import Dispatcher
from daemon.model import Delivery, Transient
from daemon.state import Commit, Owed, Told
from daemon.state.store import SqliteStore
from daemon.telemetry import Board, Metrics
from tests.doubles.clock import ManualTime
from tests.doubles.enriching import PAST
from tests.doubles.running import running
from tests.doubles.values import T0, an_alert, an_incident

HOOK = Webhook(name="ops", url="https://hooks.example/x")


class Late(SqliteStore):
    """The memory's answer comes just after a delivery was chosen, before its attempt is counted."""

    async def begin(self, delivery_id: int, now: float) -> Delivery:
        (row,) = await self.unenriched(1)
        if not row.alert.similar:
            await self.revise(msgspec.structs.replace(row.alert, similar=(PAST,)), final=False, now=now, webhooks=())
        return await super().begin(delivery_id, now)


class Cutting(Sink):
    """Reads everything, and cuts the first connection."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.twice = asyncio.Event()

    @property
    def name(self) -> str:
        return "ops"

    async def send(self, delivery: Delivery, now: float) -> None:
        self.sent.append(delivery)
        if len(self.sent) == 1:
            raise Transient("cut")
        self.twice.set()

    async def close(self) -> None:
        """Nothing is open."""


async def test_an_alert_that_is_revised_while_it_is_chosen_is_tried_again_with_the_body_of_the_first_try(
    tmp_path: Path,
) -> None:
    store, sink, time = Late(tmp_path, ballast_bytes=0), Cutting(), ManualTime(T0)
    store.open()
    told = Told(an_alert(), (Owed("ops", T0),), enrich=True)
    await store.commit(Commit(at=T0, incidents=(an_incident(),), told=(told,)))
    dispatcher = Dispatcher(
        store, {"ops": sink}, webhooks=[HOOK], board=Board(time.now), metrics=Metrics(),
        now=time.now, sleep=time.sleep, jitter=lambda: 0.5,
    )  # fmt: skip

    async with asyncio.timeout(10), running(dispatcher.run()):
        while not sink.twice.is_set():
            await time.advance(1)

    first, second = sink.sent
    assert (first.alert.id, first.alert.version) == (second.alert.id, second.alert.version)
    assert first.alert == second.alert
    store.close()
