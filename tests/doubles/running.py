"""Run a supervised component beside a test, as the supervisor does: until the test leaves the block."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from daemon.enrichment.memory_child import MemoryChild


@asynccontextmanager
async def running(run: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """The task of `run`; it is cancelled and awaited at the end. Its error is the test's to look at."""
    task = asyncio.get_running_loop().create_task(run)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved


async def spawned(child: MemoryChild) -> None:
    """Wait until the process of a worker that is being run exists."""
    while child.pid is None:  # noqa: ASYNC110 - a few turns of the loop; the child has no event for tests
        await asyncio.sleep(0)


async def started(child: MemoryChild) -> None:
    """Wait until a worker that is being run has loaded its model."""
    await spawned(child)
    await child.ready()
