"""The embedded memory: what it keeps across crashes and models, its bound, and what it says of trouble.

What it promises as a `Memory` is in tests/contract/test_memory.py.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment.memory_edge import EdgeMemory
from daemon.model import Refused, Transient
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.running import running, started
from tests.doubles.values import T0, an_alert
from tests.doubles.worker import ROOT

Make = Callable[..., EdgeMemory]


@pytest.fixture
def board() -> Board:
    return Board(lambda: T0)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def make(tmp_path: Path, board: Board, metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def build(embedder: str = "load", **options: Any) -> EdgeMemory:
        steady = itertools.count(0.0, 1.5)
        return EdgeMemory(
            MemoryConfig(timeout=20, embedding_path=options.pop("embedding_path", None)),
            tmp_path / "memory",
            board=board,
            metrics=metrics,
            now=lambda: T0 + 10**6,
            monotonic=lambda: next(steady),
            embedder=f"tests.doubles.embedder:{embedder}",
            **options,
        )

    return build


async def test_what_is_remembered_survives_the_worker_and_the_daemon(make: Make) -> None:
    memory = make()
    async with running(memory.run()) as task:
        await started(memory.child)
        await asyncio.gather(*(memory.remember(an_alert(number)) for number in range(1, 21)))
        assert memory.child.pid is not None
        os.kill(memory.child.pid, signal.SIGKILL)
        await asyncio.wait([task])
    again = make()
    async with running(again.run()):
        await started(again.child)
        assert await again.count() == 20


async def test_another_model_starts_a_memory_of_its_own(make: Make) -> None:
    async def counted(embedder: str, remember: bool) -> int:
        memory = make(embedder)
        async with running(memory.run()):
            await started(memory.child)
            if remember:
                await memory.remember(an_alert(1))
            return await memory.count()

    assert await counted("load", remember=True) == 1
    assert await counted("other", remember=False) == 0
    assert await counted("load", remember=False) == 1


async def test_at_its_bound_the_oldest_are_evicted_and_counted(make: Make, metrics: Metrics) -> None:
    memory = make(max_points=100)
    async with running(memory.run()):
        await started(memory.child)
        for first in range(1, 121, 30):
            alerts = [an_alert(n, entity=f"User=u{n}", last_at=T0 + n) for n in range(first, first + 30)]
            await asyncio.gather(*(memory.remember(alert) for alert in alerts))
        assert await memory.count() <= 100
        newest = [one.incident_id for one in await memory.find(an_alert(999), 3)]
    assert newest == [an_alert(number).incident_id for number in (120, 119, 118)]
    evicted = metrics.registry.get_sample_value("tellwhy_evictions_total", {"state": "memory"})
    assert evicted is not None
    assert evicted >= 20


async def test_trouble_is_on_the_board_and_in_the_log_once(make: Make, board: Board) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(Transient, match="on a disk that is gone"):
                await make("broken").run()
        memory = make()
        async with running(memory.run()):
            await started(memory.child)
    assert [line["event"] for line in logs] == ["memory failed", "memory works again", "memory worker started"]
    assert logs[-1]["took"] == 1.5


async def test_a_wrong_embedding_path_is_refused_with_what_mends_it(board: Board, tmp_path: Path) -> None:
    memory = EdgeMemory(
        MemoryConfig(timeout=20, embedding_path=tmp_path / "nowhere"),
        tmp_path / "memory",
        board=board,
        metrics=Metrics(),
        now=lambda: T0,
        monotonic=lambda: 0.0,
    )
    with pytest.raises(Refused, match=r"set memory\.embedding_path to such a directory"):
        await memory.run()
    row = board.get("memory")
    assert row is not None
    assert row.state is HealthState.degraded
    assert "expected a sentence-transformers model" in row.detail
