"""Real time, for the few tests that start real processes: a look at the clock, and waiting for a fact."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

_EVERY = 0.05


def now() -> float:
    """UTC seconds."""
    return time.time()  # noqa: TID251 - a real process lives in real time, and its logs carry it


async def wait_until(
    fact: Callable[[], bool | Awaitable[bool]], seconds: float, what: Callable[[], str], *, every: float = _EVERY
) -> None:
    """Look until `fact` holds. Raises AssertionError with `what` when it did not within so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        held = fact()
        if await held if inspect.isawaitable(held) else held:
            return
        assert loop.time() < deadline, f"not within {seconds:g} s: {what()}"
        await asyncio.sleep(every)
