"""The server memory when the server is not well. What it promises as a `Memory` is in tests/contract/test_memory.py."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient, models

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment.memory_child import MemoryChild
from daemon.enrichment.memory_server import ServerMemory
from daemon.model import Refused, Transient
from daemon.telemetry import Board, Health, HealthState, Metrics
from tests.doubles.qdrant_http import BadQdrant, bad_qdrant
from tests.doubles.running import running
from tests.doubles.values import T0, an_alert
from tests.doubles.worker import FAKE, ROOT

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture(autouse=True)
def _worker_finds_the_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def board() -> Board:
    return Board(lambda: T0)


@pytest.fixture
async def server() -> AsyncIterator[BadQdrant]:
    async with bad_qdrant() as double:
        yield double


def a_memory(config: MemoryConfig, board: Board, client: AsyncQdrantClient | None = None) -> ServerMemory:
    return ServerMemory(
        config,
        MemoryChild(config, None, embedder=FAKE),
        board=board,
        metrics=Metrics(),
        now=lambda: T0,
        monotonic=lambda: 0.0,
        client=client,
    )


async def until(board: Board, state: HealthState) -> Health:
    while (row := board.get("memory")) is None or row.state is not state:  # noqa: ASYNC110 - a board has no events
        await asyncio.sleep(0)
    return row


async def test_a_server_that_is_down_degrades_and_is_tried_again(board: Board, server: BadQdrant) -> None:
    config = MemoryConfig(mode="server", url=server.url, timeout=20)
    memory = a_memory(config, board)
    async with running(memory.run()) as task:
        row = await until(board, HealthState.degraded)
        assert row.detail == "the Qdrant server answered HTTP 500"
        asked = len(server.asked)
        with pytest.raises(Transient):
            await memory.find(an_alert(1), 3)
        assert len(server.asked) > asked
        assert not task.done()


async def test_a_silent_server_is_a_timeout(board: Board, server: BadQdrant) -> None:
    server.hang = True
    config = MemoryConfig(mode="server", url=server.url, timeout=20)
    memory = a_memory(config, board)
    async with running(memory.run()):
        await server.was_asked.wait()
        memory._config = config.model_copy(update={"timeout": 0.05})
        with pytest.raises(Transient, match=r"within 0\.05 s") as caught:
            await memory.remember(an_alert(1))
        assert caught.value.why == "timeout"


async def test_a_collection_of_other_vectors_is_refused_with_what_mends_it(board: Board) -> None:
    client = AsyncQdrantClient(":memory:")
    vectors = {"text": models.VectorParams(size=3, distance=models.Distance.COSINE)}
    name = f"tellwhy-incidents-v1-{'a' * 16}"
    await client.create_collection(name, vectors_config=vectors)
    memory = a_memory(MemoryConfig(mode="server", timeout=20), board, client)
    async with running(memory.run()):
        row = await until(board, HealthState.degraded)
        assert "delete that collection or set another memory.collection" in row.detail
        with pytest.raises(Refused, match="64 numbers"):
            await memory.remember(an_alert(1))
        await client.delete_collection(name)
        await memory.remember(an_alert(1))
        assert board.rows()[0].state is HealthState.ok


async def test_an_unreadable_key_is_refused_and_a_later_one_used(
    board: Board, server: BadQdrant, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    memory = a_memory(MemoryConfig(mode="server", url=server.url, api_key_file=key, timeout=20), board)
    async with running(memory.run()):
        row = await until(board, HealthState.degraded)
        assert row.detail.startswith("memory.api_key_file: expected a readable file")
        key.write_text("a-secret-key\n", encoding="utf-8")
        with pytest.raises(Transient):
            await memory.count()
    assert server.keys == {"a-secret-key"}


async def test_a_model_that_fails_is_the_error_of_run(board: Board) -> None:
    config = MemoryConfig(mode="server", timeout=20)
    child = MemoryChild(config, None, embedder="tests.doubles.embedder:broken")
    memory = ServerMemory(config, child, board=board, metrics=Metrics(), now=lambda: T0, monotonic=lambda: 0.0)
    with pytest.raises(Transient, match="on a disk that is gone"):
        await memory.run()
    assert board.rows()[0].state is HealthState.degraded
