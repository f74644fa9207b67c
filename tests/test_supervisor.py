"""Restart with backoff, give up loudly, log a repeated failure once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from daemon.model import Transient
from daemon.supervisor import GaveUpError, Supervisor, end
from daemon.telemetry import Board, HealthState, Metrics


class Clock:
    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def a_supervisor(clock: Clock, board: Board) -> Supervisor:
    return Supervisor(board=board, metrics=Metrics(), monotonic=lambda: clock.at, sleep=clock.sleep, jitter=lambda: 1.0)


def failing(times: int, error: Exception) -> Callable[[], Awaitable[None]]:
    left = [times]

    async def run() -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return run


async def test_a_component_that_failed_is_started_again_after_a_pause() -> None:
    clock, board = Clock(), Board(lambda: 0.0)

    await a_supervisor(clock, board).keep("source:a", failing(2, Transient("gone for a moment")))

    assert clock.slept == [0.5, 1]
    health = board.get("source:a")
    assert health is not None
    assert health.state is HealthState.degraded
    assert "gone for a moment" in health.detail


async def test_an_essential_component_gives_up_after_five_failures_within_a_minute() -> None:
    clock = Clock()

    with pytest.raises(GaveUpError, match="pipeline failed 5 times"):
        await a_supervisor(clock, Board(lambda: 0.0)).keep("pipeline", failing(99, OSError("disk")), essential=True)


async def test_any_other_is_marked_failed_and_tried_for_ever() -> None:
    clock, board = Clock(), Board(lambda: 0.0)

    with capture_logs() as logs:
        await a_supervisor(clock, board).keep("source:a", failing(8, OSError("no such device")))

    health = board.get("source:a")
    assert health is not None
    assert health.state is HealthState.failed
    assert [entry["log_level"] for entry in logs] == ["warning", "error"]
    assert clock.slept[-1] == 30


async def test_ending_waits_until_the_task_is_gone() -> None:
    gone = asyncio.Event()

    async def run() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    task = a_supervisor(Clock(), Board(lambda: 0.0)).spawn("x", run)
    await asyncio.sleep(0)

    await end([task])

    assert gone.is_set()
    assert task.cancelled()
