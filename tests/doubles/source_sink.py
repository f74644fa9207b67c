"""Where a source emits to: keeps everything, can be waited for, can refuse, can be full."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from daemon.model import Checkpoint, Lines, Lost, Sample
from daemon.sources import Item, Source

DEADLINE = 10.0
"""Seconds of real time after which a wait in a test has failed."""


class SourceSink:
    """What a pipeline would have got. `refuse` raises once for the next item; `gate` closed holds emitters back."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.refuse: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self._changed = asyncio.Condition()

    async def emit(self, item: Item) -> None:
        """Take one item."""
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        if self.refuse is not None:
            refuse, self.refuse = self.refuse, None
            raise refuse
        async with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for the items to fulfil a condition."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    async def count(self, lines: int) -> None:
        """Wait until exactly so many lines came."""
        await self.until(lambda: len(self.lines) == lines)

    @property
    def lines(self) -> list[bytes]:
        """All lines so far."""
        return [line for item in self.items if isinstance(item, Lines) for _, line in item.split()]

    @property
    def samples(self) -> list[Sample]:
        """All samples so far."""
        return [item for item in self.items if isinstance(item, Sample)]

    @property
    def lost(self) -> list[Lost]:
        """All losses so far."""
        return [item for item in self.items if isinstance(item, Lost)]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """What a store would hold: the last checkpoint of each path."""
        rows = {item.checkpoint.position.path: item.checkpoint for item in self.items if isinstance(item, Lines)}
        return list(rows.values())


@asynccontextmanager
async def running(source: Source, sink: SourceSink) -> AsyncIterator["asyncio.Task[None]"]:
    """The source runs inside the block and is cancelled at its end."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run(sink.emit))
        try:
            yield task
        finally:
            task.cancel()
