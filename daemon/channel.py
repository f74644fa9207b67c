"""A bounded hand-off between two tasks that can be closed and drained.

`put` waits while full (that is the back-pressure); after `close` nothing more goes in, what is in still comes
out, and then iteration ends. `asyncio.Queue.shutdown` would do from Python 3.13; we support 3.11.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ClosedError(Exception):
    """Nothing can be put into a closed channel."""


class Channel(Generic[Item]):
    """At most `bound` items wait; one or several producers, one consumer."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._items: deque[Item] = deque()
        self._closed = False
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: Item) -> None:
        """Wait for room, then hand over. Raises ClosedError once the channel is closed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or len(self._items) < self._bound)
            if self._closed:
                raise ClosedError
            self._items.append(item)
            self._changed.notify_all()

    async def get(self, timeout: float | None = None) -> Item | None:  # noqa: ASYNC109 - a wait of ours, not a cancel scope
        """The next item; None when nothing came within `timeout` seconds or the channel is closed and empty."""
        async with self._changed:
            try:
                # not asyncio.wait_for, which until Python 3.12 swallows a cancellation that comes with the item
                async with asyncio.timeout(timeout):
                    await self._changed.wait_for(lambda: bool(self._items) or self._closed)
            except TimeoutError:
                return None
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    async def close(self) -> None:
        """No more items; the consumer drains what is left."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def drained(self) -> bool:
        """Closed, and everything taken out."""
        return self._closed and not self._items

    async def __aiter__(self) -> AsyncIterator[Item]:
        while True:
            item = await self.get()
            if item is None:
                return
            yield item
