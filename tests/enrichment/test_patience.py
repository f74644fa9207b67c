"""A busy store is called again, and what nobody foresaw is handed back."""

import asyncio

import pytest

from daemon.enrichment.patience import Patience, sheltered
from daemon.model import Transient
from tests.doubles.clock import ManualTime


async def test_a_busy_store_is_called_again_until_it_is_not() -> None:
    time = ManualTime()
    outcomes: list[str | Exception] = [Transient("disk full"), Transient("busy"), "done"]

    async def call() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async with asyncio.TaskGroup() as group:
        storing = group.create_task(Patience(time.sleep).store(call))
        await time.advance(2.0)
    assert storing.result() == "done"
    assert time.slept == [1.0, 1.0]


async def test_a_broken_store_is_not_called_again() -> None:
    async def call() -> str:
        raise OSError("no such device")

    with pytest.raises(OSError, match="no such device"):
        await Patience(ManualTime().sleep).store(call)


async def test_what_nobody_foresaw_is_handed_back() -> None:
    async def fails() -> int:
        return 1 // 0

    async def works() -> int:
        return 7

    assert isinstance(await sheltered(fails), ZeroDivisionError)
    assert await sheltered(works) == 7


async def test_being_cancelled_is_not_sheltered() -> None:
    task = asyncio.get_running_loop().create_task(sheltered(asyncio.Event().wait))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
