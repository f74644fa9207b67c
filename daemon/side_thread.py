"""Work that might keep the event loop waiting, done beside it: one piece after the other, on one thread.

A hop to a thread and back costs as much as reading fifty lines, so what is known to be brief is done at once: what was
brief the last times, for its size. While the thread computes, the loop gets its turn within the interpreter's switch
interval, which `prefer_the_loop` makes short: a turn that makes ten system calls has to ask for it ten times.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

BRIEF = 0.004
"""Seconds that the loop may wait for one piece."""
SMALL = 32 * 1024
"""Size (bytes of lines) from which on a piece is never done at once, however brief the last ones were."""
_LEAST = 4096  # as which a smaller size counts: every piece has costs of its own
_FADES = 0.9  # how much of what a slow piece taught is left after the next one
_SWITCH = 0.0005  # seconds; Python's own is 0.005

Result = TypeVar("Result")


class Aside(Protocol):
    """Where work is done. Pieces never overlap."""

    async def __call__(self, work: Callable[[], Result], *, kind: str, size: int = 1) -> Result:
        """What `work` returns or raises. Pieces of one kind take as long as they are large, about."""
        ...


async def at_once(work: Callable[[], Result], *, kind: str, size: int = 1) -> Result:
    """Do it here and now: for tests, which own the time."""
    del kind, size
    return work()


class SideThread:
    """An Aside with a thread of its own. It remembers one number for each kind (sources: a configured set)."""

    def __init__(self, name: str, *, monotonic: Callable[[], float]) -> None:
        self._executor = ThreadPoolExecutor(1, name)
        self._monotonic = monotonic
        self._last: Future[Any] | None = None
        self._pace: dict[str, float] = {}  # seconds for one of size

    async def __call__(self, work: Callable[[], Result], *, kind: str, size: int = 1) -> Result:
        """See Aside. A cancelled piece that has begun is done to its end, and its result is thrown away."""
        brief = size < SMALL and self._pace.get(kind, BRIEF) * max(size, _LEAST) < BRIEF
        if brief and (self._last is None or self._last.done()):
            return self._timed(work, kind, size)
        self._last = self._executor.submit(self._timed, work, kind, size)
        return await asyncio.wrap_future(self._last)

    def close(self) -> None:
        """Let the thread end behind what it does now, without waiting for it."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _timed(self, work: Callable[[], Result], kind: str, size: int) -> Result:
        began = self._monotonic()
        try:
            return work()
        finally:
            pace = (self._monotonic() - began) / max(size, _LEAST)
            if size:  # an empty piece says nothing of what the first line will take
                self._pace[kind] = max(pace, _FADES * self._pace.get(kind, 0.0))


def prefer_the_loop() -> None:
    """Let threads hand over to one another ten times as often as Python would."""
    sys.setswitchinterval(_SWITCH)
