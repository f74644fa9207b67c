"""What is brief is done at once, everything else beside the loop; pieces never overlap; what breaks is raised."""

import asyncio
import threading

import pytest

from daemon.side_thread import BRIEF, SMALL, SideThread, at_once


class Clock:
    """Time that passes when work says so."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


async def here(thread: SideThread, clock: Clock, seconds: float, kind: str = "log", size: int = 1) -> bool:
    """Whether a piece that takes so long was done on this thread."""

    def work() -> int:
        clock.at += seconds
        return threading.get_ident()

    return await thread(work, kind=kind, size=size) == threading.get_ident()


async def test_what_was_brief_for_its_size_is_done_at_once_and_nothing_else() -> None:
    clock = Clock()
    thread = SideThread("flow", monotonic=clock)

    assert not await here(thread, clock, 0.001, size=5_000), "of what was never seen nothing is known"
    assert await here(thread, clock, 0.001, size=5_000)
    assert await here(thread, clock, 0.0, size=19_999)
    assert not await here(thread, clock, 0.0, size=22_500), "by its size it takes longer than the loop may wait"
    assert not await here(thread, clock, 0.0, size=5_000, kind="other")
    thread.close()


async def test_the_largest_pieces_are_never_done_at_once() -> None:
    thread = SideThread("flow", monotonic=lambda: 0.0)

    assert not await here(thread, Clock(), 0.0)
    assert await here(thread, Clock(), 0.0, size=SMALL - 1)
    assert not await here(thread, Clock(), 0.0, size=SMALL)
    thread.close()


async def test_what_a_tiny_piece_takes_says_little_of_larger_ones() -> None:
    clock = Clock()
    thread = SideThread("flow", monotonic=clock)
    await here(thread, clock, 0.0, size=0)
    assert not await here(thread, clock, 0.0005, size=100), "of an empty one nothing was learnt"

    assert await here(thread, clock, 0.002, size=20_000)
    thread.close()


async def test_one_slow_piece_sends_those_after_it_aside_for_a_while() -> None:
    """The worst bug: a flood makes every piece slow, and each of them holds the loop."""
    clock = Clock()
    thread = SideThread("flow", monotonic=clock)
    await here(thread, clock, 0.0)
    assert await here(thread, clock, 2 * BRIEF), "the one that could not be foreseen"

    assert [await here(thread, clock, 2 * BRIEF) for _ in range(50)] == [False] * 50
    after = [await here(thread, clock, 0.0) for _ in range(10)]
    assert after == sorted(after), "and once it is over, brief ones are done at once again"
    assert (after[0], after[-1]) == (False, True)
    thread.close()


async def test_the_loop_turns_while_a_piece_is_at_work() -> None:
    thread, begun, turned = SideThread("flow", monotonic=lambda: 0.0), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> bool:
        loop.call_soon_threadsafe(begun.set)
        return turned.wait(10)

    async with asyncio.TaskGroup() as group:
        piece = group.create_task(thread(work, kind="log"))
        await begun.wait()
        turned.set()
    assert piece.result()
    thread.close()


async def test_a_piece_waits_for_one_of_which_the_waiting_was_cancelled() -> None:
    thread, begun, free = SideThread("flow", monotonic=lambda: 0.0), asyncio.Event(), threading.Event()
    loop, done = asyncio.get_running_loop(), []
    await here(thread, Clock(), 0.0, kind="brief")

    def first() -> None:
        loop.call_soon_threadsafe(begun.set)
        free.wait(10)
        done.append("first")

    async def waiting() -> None:
        await thread(first, kind="log")

    async with asyncio.TaskGroup() as group:
        cancelled = group.create_task(waiting())
        await begun.wait()
        cancelled.cancel()
        second = group.create_task(thread(lambda: done.append("second"), kind="brief"))
        await asyncio.sleep(0)
        assert done == []
        free.set()
    assert second.done()
    assert done == ["first", "second"]
    thread.close()


@pytest.mark.parametrize("times", [1, 2])
async def test_what_breaks_is_raised_wherever_it_was_done(times: int) -> None:
    thread = SideThread("flow", monotonic=lambda: 0.0)

    for _ in range(times):
        with pytest.raises(ZeroDivisionError):
            await thread(lambda: 1 // 0, kind="log")
    with pytest.raises(ZeroDivisionError):
        await at_once(lambda: 1 // 0, kind="log")
    thread.close()
