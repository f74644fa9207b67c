"""Restart with backoff, give up loudly, log a repeated failure once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from daemon.model import Transient
from daemon.supervisor import GaveUpError, Supervisor, end
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.clock import ManualTime


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


class Hiccup:
    """A component that fails as often as told, and then runs until it is cancelled or told to fail again."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.broken = asyncio.Event()

    async def run(self) -> None:
        if self.left:
            self.left -= 1
            raise OSError("gone for a moment")
        await self.broken.wait()
        self.broken.clear()
        raise OSError("gone again")


def a_patient_supervisor(time: ManualTime, board: Board) -> Supervisor:
    return Supervisor(board=board, metrics=Metrics(), monotonic=time.monotonic, sleep=time.sleep, jitter=lambda: 1.0)


def shown(board: Board, name: str) -> tuple[HealthState, str] | None:
    row = board.get(name)
    return None if row is None else (row.state, row.detail)


async def test_a_component_without_a_row_of_its_own_is_off_the_board_after_a_healthy_minute() -> None:
    time, board = ManualTime(), Board(lambda: 0.0)
    task = a_patient_supervisor(time, board).spawn("delivery", Hiccup(2).run)
    await time.advance(2)
    assert shown(board, "delivery") == (HealthState.degraded, "OSError: gone for a moment")
    await time.advance(59)
    assert shown(board, "delivery") is not None
    await time.advance(1)
    assert shown(board, "delivery") is None
    await end([task])
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_component_with_a_row_is_well_after_a_healthy_minute() -> None:
    time, board = ManualTime(), Board(lambda: 0.0)
    board.set("source:a", HealthState.ok)
    task = a_patient_supervisor(time, board).spawn("source:a", Hiccup(3).run)
    await time.advance(70)
    assert shown(board, "source:a") == (HealthState.ok, "")
    await end([task])


async def test_what_a_component_says_of_itself_stays() -> None:
    time, board = ManualTime(), Board(lambda: 0.0)
    task = a_patient_supervisor(time, board).spawn("source:a", Hiccup(1).run)
    await time.advance(2)
    board.set("source:a", HealthState.degraded, "not readable: chmod it")
    await time.advance(120)
    assert shown(board, "source:a") == (HealthState.degraded, "not readable: chmod it")
    await end([task])


async def test_a_component_that_returns_is_off_the_board_at_once() -> None:
    clock, board = Clock(), Board(lambda: 0.0)
    await a_supervisor(clock, board).keep("reload", failing(1, OSError("once")))
    assert board.get("reload") is None


async def test_a_component_that_is_ended_leaves_no_failure_behind_that_nobody_would_take_back() -> None:
    time, board = ManualTime(), Board(lambda: 0.0)
    board.set("source:a", HealthState.ok)
    supervisor = a_patient_supervisor(time, board)
    tasks = [supervisor.spawn(name, Hiccup(1).run) for name in ("delivery", "source:a")]
    await time.advance(0.1)
    assert shown(board, "delivery") == shown(board, "source:a") == (HealthState.degraded, "OSError: gone for a moment")
    await end(tasks)
    assert shown(board, "delivery") is None
    assert shown(board, "source:a") == (HealthState.degraded, "OSError: gone for a moment")


async def test_a_failure_within_the_minute_keeps_the_row_and_one_after_it_is_the_first() -> None:
    time, board, hiccup = ManualTime(), Board(lambda: 0.0), Hiccup(5)
    task = a_patient_supervisor(time, board).spawn("delivery", hiccup.run)
    await time.advance(18.5 + 30 + 20)
    assert shown(board, "delivery") == (HealthState.failed, "OSError: gone for a moment")
    hiccup.broken.set()
    await time.advance(30 + 59)
    assert shown(board, "delivery") == (HealthState.failed, "OSError: gone again")
    await time.advance(2)
    assert shown(board, "delivery") is None

    with capture_logs() as logs:
        hiccup.broken.set()
        await time.advance(0.1)
    assert shown(board, "delivery") == (HealthState.degraded, "OSError: gone again")
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert time.slept[-1] == 0.5
    await end([task])


async def test_an_essential_component_gives_up_after_five_failures_within_a_minute() -> None:
    clock = Clock()

    with pytest.raises(GaveUpError, match="pipeline failed 5 times"):
        await a_supervisor(clock, Board(lambda: 0.0)).keep("pipeline", failing(99, OSError("disk")), essential=True)


async def test_any_other_is_marked_failed_and_tried_for_ever() -> None:
    clock, board = Clock(), Board(lambda: 0.0)

    run, seen = failing(8, OSError("no such device")), []

    async def watched() -> None:
        seen.append(shown(board, "source:a"))
        await run()

    with capture_logs() as logs:
        await a_supervisor(clock, board).keep("source:a", watched)

    assert seen[-1] == (HealthState.failed, "OSError: no such device")
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
