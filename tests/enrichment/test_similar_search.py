"""Looking for similar incidents without ever waiting long or failing loudly."""

import msgspec
import pytest

from daemon.enrichment.similar_search import SimilarSearch
from daemon.model import Gap, Refused, Transient
from tests.doubles.clock import ManualTime
from tests.doubles.enriching import PAST, base
from tests.doubles.explainer import ScriptedMemory


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


def search(memory: ScriptedMemory | None, time: ManualTime, timeout: float = 5.0) -> SimilarSearch:
    return SimilarSearch(memory, limit=2, timeout=timeout, monotonic=time.monotonic)


async def test_at_most_so_many_and_never_the_alert_itself(time: ManualTime) -> None:
    alert = base()
    own = msgspec.structs.replace(PAST, incident_id=alert.incident_id)
    found, gap = await search(ScriptedMemory(own, PAST, PAST, PAST), time).find(alert)
    assert (list(found), gap) == ([PAST, PAST], None)


async def test_without_a_memory_nothing_is_missing(time: ManualTime) -> None:
    assert await search(None, time).find(base()) == ((), None)


async def test_without_a_memory_a_question_is_told_so(time: ManualTime) -> None:
    found, gap = await search(None, time).search("why", 3)
    assert not found
    assert gap is not None
    assert gap.why == "off"


@pytest.mark.parametrize("error", [Transient("starting", why="unavailable"), Refused("dimension", why="mismatch")])
async def test_a_failure_is_a_gap_with_its_reason(time: ManualTime, error: Transient | Refused) -> None:
    memory = ScriptedMemory(PAST)
    memory.failures.append(error)
    assert await search(memory, time).find(base()) == ([], Gap("similar", error.why, error.detail))


async def test_a_memory_that_hangs_is_left_alone_for_a_while(time: ManualTime) -> None:
    memory = ScriptedMemory(PAST)
    memory.hold.clear()
    looking = search(memory, time, timeout=0.01)
    for _ in range(3):
        _, gap = await looking.find(base())
        assert gap is not None
        assert gap.why == "timeout"
    assert len(memory.searched) == 3
    _, gap = await looking.find(base())
    assert gap is not None
    assert gap.why == "timeout"
    assert len(memory.searched) == 3
    memory.hold.set()
    await time.advance(10)
    assert await looking.find(base()) == ([PAST], None)


async def test_a_memory_that_says_no_at_once_is_asked_every_time(time: ManualTime) -> None:
    memory = ScriptedMemory(PAST)
    memory.always = Transient("starting", why="unavailable")
    looking = search(memory, time)
    for _ in range(10):
        await looking.find(base())
    assert len(memory.searched) == 10


async def test_a_question_gets_at_most_so_many(time: ManualTime) -> None:
    found, gap = await search(ScriptedMemory(PAST, PAST, PAST), time).search("curl", 2)
    assert (len(found), gap) == (2, None)
