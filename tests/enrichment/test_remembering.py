"""Incidents reach the memory; outages are caught up; one that it refuses does not keep out the rest."""

import pytest

from daemon.enrichment.breaker import Breaker
from daemon.enrichment.patience import Patience
from daemon.enrichment.remembering import Remembering
from daemon.model import Alert, Refused, Transient
from tests.doubles.clock import ManualTime
from tests.doubles.desk import MemoryDesk
from tests.doubles.enriching import base
from tests.doubles.explainer import ScriptedMemory


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
def memory() -> ScriptedMemory:
    return ScriptedMemory()


def remembering(
    desk: MemoryDesk, memory: ScriptedMemory | None, time: ManualTime, timeout: float = 5.0, max_refused: int = 1000
) -> Remembering:
    breaker = Breaker(monotonic=time.monotonic, rest=10)
    patience = Patience(time.sleep)
    return Remembering(desk, memory, patience=patience, breaker=breaker, timeout=timeout, max_refused=max_refused)


def tell(desk: MemoryDesk, count: int) -> list[Alert]:
    return [desk.tell(base(number), enrich=False) for number in range(1, count + 1)]


async def drain(one: Remembering) -> int:
    done = 0
    while await one.remember_one():
        done += 1
        assert done < 100
    return done


async def test_every_incident_once_oldest_first(desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime) -> None:
    told = tell(desk, 20)
    assert await drain(remembering(desk, memory, time)) == 20
    assert list(memory.kept) == [alert.incident_id for alert in told]
    assert await desk.unremembered(99) == []


async def test_one_that_changed_is_remembered_anew(desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime) -> None:
    tell(desk, 1)
    one = remembering(desk, memory, time)
    await drain(one)
    newest = desk.tell(base(1), enrich=False)
    assert await drain(one) == 1
    assert memory.kept[newest.incident_id].version == newest.version


async def test_one_that_waits_for_the_model_is_remembered_already(
    desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime
) -> None:
    desk.tell(base(1), enrich=True)
    assert await drain(remembering(desk, memory, time)) == 1


async def test_an_outage_is_caught_up(desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime) -> None:
    tell(desk, 5)
    memory.always = Transient("down", why="unavailable")
    one = remembering(desk, memory, time)
    assert await drain(one) == 0
    memory.always = None
    assert await drain(one) == 5


async def test_a_memory_that_hangs_is_left_alone_for_a_while(
    desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime
) -> None:
    tell(desk, 1)
    memory.hold.clear()
    one = remembering(desk, memory, time, timeout=0.01)
    for _ in range(5):
        assert not await one.remember_one()
    memory.hold.set()
    assert not await one.remember_one()  # it rests
    await time.advance(10)
    assert await drain(one) == 1


async def test_a_memory_that_was_lost_is_filled_again(
    desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime
) -> None:
    tell(desk, 3)
    one = remembering(desk, memory, time)
    await drain(one)
    memory.kept.clear()
    assert await drain(one) == 0  # nothing told us
    desk.tell(base(1), enrich=False)
    memory.failures.append(Transient("its process ended", why="unavailable"))
    assert not await one.remember_one()
    assert await drain(one) == 3
    assert len(memory.kept) == 3


async def test_a_restart_with_another_embedder_begins_an_empty_memory(
    desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime
) -> None:
    tell(desk, 3)
    await drain(remembering(desk, memory, time))
    assert await drain(remembering(desk, memory, time)) == 0
    assert await drain(remembering(desk, ScriptedMemory(), time)) == 3


@pytest.mark.parametrize("error", [Refused("too long"), ZeroDivisionError("a bug")])
async def test_who_is_refused_does_not_keep_out_the_rest(
    desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime, error: Exception
) -> None:
    told = tell(desk, 30)
    bad = {alert.incident_id for alert in told[:20]}
    memory.refuse = lambda alert: error if alert.incident_id in bad else None
    await drain(remembering(desk, memory, time))
    assert set(memory.kept) == {alert.incident_id for alert in told} - bad
    assert len(await desk.unremembered(99)) == 20  # the store still knows what is missing


async def test_the_refused_are_bounded_and_never_a_busy_loop(
    desk: MemoryDesk, memory: ScriptedMemory, time: ManualTime
) -> None:
    tell(desk, 10)
    memory.refuse = lambda _: Refused("nothing fits")
    one = remembering(desk, memory, time, max_refused=3)
    assert await drain(one) == 3
    assert len(one._refused) == 3


async def test_without_a_memory_there_is_nothing_to_do(desk: MemoryDesk, time: ManualTime) -> None:
    tell(desk, 1)
    assert not await remembering(desk, None, time).remember_one()
