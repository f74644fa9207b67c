import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from daemon.config import Memory
from daemon.memories import MemoryKeeper
from daemon.runtime import Surroundings
from daemon.supervisor import Supervisor
from daemon.telemetry import Board, HealthState, Metrics


def around() -> Surroundings:
    board, metrics = Board(lambda: 0.0), Metrics()
    supervisor = Supervisor(
        board=board, metrics=metrics, monotonic=lambda: 0.0, sleep=asyncio.sleep, jitter=lambda: 1.0
    )
    return cast(
        "Surroundings",
        SimpleNamespace(board=board, metrics=metrics, supervisor=supervisor, now=lambda: 0.0, monotonic=lambda: 0.0),
    )


async def test_a_memory_that_is_off_is_no_memory(tmp_path: Path) -> None:
    here = around()
    async with MemoryKeeper(here, tmp_path) as keeper:
        assert await keeper.use(Memory(mode="off")) is None

    health = here.board.get("memory")
    assert health is not None
    assert health.state is HealthState.off


async def test_the_same_configuration_keeps_the_running_memory(tmp_path: Path) -> None:
    async with MemoryKeeper(around(), tmp_path) as keeper:
        first = await keeper.use(Memory(mode="server", url="http://127.0.0.1:9"))
        assert await keeper.use(Memory(mode="server", url="http://127.0.0.1:9")) is first
        assert await keeper.use(Memory(mode="off")) is None
