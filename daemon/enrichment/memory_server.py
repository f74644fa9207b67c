"""Past incidents in a Qdrant server, which several hosts may share. Vectors are made here, in a child process.

The collection's name ends in the payload schema and the embedder's digest, so hosts with different embedders never mix
vectors. It is made on first use. How much the server keeps is the server's business: nothing is evicted from here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment import memory_wire as wire
from daemon.enrichment.masking import mask
from daemon.enrichment.memory_child import MemoryChild
from daemon.enrichment.memory_report import MemoryReport
from daemon.enrichment.resemblance import (
    SCHEMA,
    SEARCH_SCORE,
    Hit,
    Step,
    remembered,
    seek,
    shared,
    similar,
)
from daemon.model import Alert, Refused, Similar, Transient
from daemon.telemetry import Board, Metrics, Says, log

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient

    from daemon.enrichment.memory_server_collection import Collection

T = TypeVar("T")


class ServerMemory:
    """Implements `Memory` with a Qdrant server at `config.url` and a worker process that embeds.

    `embedder` is a `MemoryChild` without a directory; `run` runs it. `client` replaces the one made from the
    configuration and then is the caller's to close. Every method is one attempt within `config.timeout`.
    """

    def __init__(
        self,
        config: MemoryConfig,
        embedder: MemoryChild,
        *,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        client: "AsyncQdrantClient | None" = None,
    ) -> None:
        self._config = config
        self.child = embedder
        self._now = now
        self._monotonic = monotonic
        self._report = MemoryReport(board, metrics)
        self._given = client
        self._client = client
        self._collection: Collection | None = None

    async def run(self) -> None:
        """Own the embedding worker and the connection until cancelled; supervised. Raises as `MemoryChild.run` does.
        A server that is down raises nothing here: it is tried again with every request.
        """
        self._report.starting("loading the embedding model")
        loaded = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                greeting = group.create_task(self._greet(loaded, self._monotonic()))
                failure = await self._embed(loaded, greeting)
            if failure is not None:
                self._report.unwell(failure.detail)
                raise failure
        finally:
            self._collection = None
            if self._client is not None and self._client is not self._given:
                await self._client.close()
                self._client = None

    async def _embed(self, loaded: asyncio.Event, greeting: "asyncio.Task[None]") -> Transient | Refused | None:
        """Run the worker to its end; returns why it failed, for an error would leave the group wrapped in another."""
        try:
            await self.child.run(lambda _: loaded.set())
        except (Transient, Refused) as error:
            return error
        finally:
            greeting.cancel()
        return None

    async def _greet(self, loaded: asyncio.Event, began: float) -> None:
        """Look at the server once the model is loaded, so that health tells before the first incident does."""
        await loaded.wait()
        try:
            count = await self.count()
        except (Transient, Refused):
            return  # reported; every request tries again
        log.info(Says.memory_started, incidents=count, took=round(self._monotonic() - began, 1))

    async def find(self, alert: Alert, limit: int) -> Sequence[Similar]:
        """At most `limit` past incidents above `memory.min_score`, best first; never the alert's own.
        Raises Transient or Refused.
        """
        mine = remembered(alert)

        async def look() -> Sequence[Similar]:
            hits = await self._seek(mine.text, limit, mine.incident_id, self._config.min_score)
            return [similar(hit, shared(mine, hit.past)) for hit in hits]

        return await self._report.searched(look)

    async def search(self, text: str, limit: int) -> Sequence[Similar]:
        """At most `limit` past incidents that resemble the words of a question, best first.
        Raises Transient or Refused.
        """
        words = mask(text)
        if not words:
            return []

        async def look() -> Sequence[Similar]:
            hits = await self._seek(words, limit, "", SEARCH_SCORE)
            return [similar(hit, "similar wording") for hit in hits]

        return await self._report.searched(look)

    async def remember(self, alert: Alert, outcome: str = "") -> None:
        """Keep this incident; replaces what was kept of it. Raises Transient or Refused."""
        past = remembered(alert, outcome)
        async with self._attempt() as collection:
            vector = (await self.child.ask(wire.Embed((past.text,)))).vectors[0]
            await collection.upsert(past, vector)
            self._report.kept(await collection.count())

    async def forget(self, incident_ids: Sequence[str]) -> None:
        """Keep nothing of these incidents; unknown ones are no error. Raises Transient or Refused."""
        async with self._attempt() as collection:
            await collection.delete(incident_ids)
            self._report.kept(await collection.count())

    async def count(self) -> int:
        """How many incidents are remembered, by all hosts that share the collection. Raises Transient or Refused."""
        async with self._attempt() as collection:
            count = await collection.count()
            self._report.kept(count)
            return count

    async def _seek(self, text: str, limit: int, own: str, min_score: float) -> list[Hit]:
        async with self._attempt() as collection:
            vector = (await self.child.ask(wire.Embed((text,)))).vectors[0]
            return await follow(seek(limit, own, self._now()), lambda step: collection.answer(step, vector, min_score))

    @asynccontextmanager
    async def _attempt(self) -> "AsyncIterator[Collection]":
        """One attempt within the timeout; its end is reported."""
        try:
            async with asyncio.timeout(self._config.timeout):
                yield await self._open()
        except TimeoutError as error:
            late = f"no answer from the Qdrant server within {self._config.timeout:g} s"
            self._report.unwell(late)
            raise Transient(late, why="timeout") from error
        except (Transient, Refused) as error:
            self._report.unwell(error.detail)
            raise
        self._report.well()

    async def _open(self) -> "Collection":
        """The collection of the worker's embedder."""
        ready = await self.child.ready()
        if self._collection is None:
            # costs a second and 40 MB, which an embedded memory need not pay
            from daemon.enrichment.memory_server_collection import Collection, connect  # noqa: PLC0415

            self._client = self._client or connect(self._config)
            name = f"{self._config.collection}-v{SCHEMA}-{ready.embedder[:16]}"
            self._collection = Collection(self._client, name, ready.size, ready.embedder)
        return self._collection


async def follow(steps: Generator[Step, list[Hit], T], answer: Callable[[Step], Awaitable[list[Hit]]]) -> T:
    """Run `seek` against a store that is awaited."""
    try:
        step = next(steps)
        while True:
            step = steps.send(await answer(step))
    except StopIteration as stop:
        result: T = stop.value
        return result
