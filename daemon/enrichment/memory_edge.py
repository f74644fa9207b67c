"""Past incidents in an embedded Qdrant (Qdrant Edge), in a child process of the daemon."""

from collections.abc import Callable, Sequence
from pathlib import Path

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment import memory_wire as wire
from daemon.enrichment.masking import clean, mask
from daemon.enrichment.memory_child import EMBEDDER, MAX_POINTS, MemoryChild
from daemon.enrichment.memory_report import MemoryReport
from daemon.enrichment.resemblance import MAX_WORDS, SEARCH_SCORE, remembered, shared, similar
from daemon.model import Alert, Refused, Similar, Transient
from daemon.telemetry import Board, Metrics, Says, log


class EdgeMemory:
    """Implements `Memory` with a worker process that holds the model and the shard below `directory`.

    Keeps at most `max_points` incidents; the oldest go first. `now` is UTC seconds, `monotonic` any steady clock.
    """

    def __init__(
        self,
        config: MemoryConfig,
        directory: Path,
        *,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        embedder: str = EMBEDDER,
        max_points: int = MAX_POINTS,
        start_limit: float = 300.0,
        patience: float = 60.0,
    ) -> None:
        self._min_score = config.min_score
        self._now = now
        self._monotonic = monotonic
        self._report = MemoryReport(board, metrics)
        self.child = MemoryChild(
            config,
            directory,
            embedder=embedder,
            max_points=max_points,
            start_limit=start_limit,
            patience=patience,
        )

    async def run(self) -> None:
        """Own the worker until cancelled; supervised. Raises Transient when it dies or hangs (start again),
        Refused when a human is needed (the text says what mends it; starting again later is harmless).
        """
        self._report.starting("loading the embedding model")
        began = self._monotonic()

        def works(ready: wire.Ready) -> None:
            self._report.well()
            self._report.kept(ready.count)
            log.info(
                Says.memory_started,
                embedder=ready.embedder[:16],
                incidents=ready.count,
                took=round(self._monotonic() - began, 1),
            )

        try:
            await self.child.run(works)
        except (Transient, Refused) as error:
            self._report.unwell(error.detail)
            raise

    async def find(self, alert: Alert, limit: int) -> Sequence[Similar]:
        """At most `limit` past incidents above `memory.min_score`, best first; never the alert's own.
        Raises Transient.
        """
        mine = remembered(alert)
        search = wire.Search(mine.text, limit, self._min_score, mine.incident_id, self._now())

        async def look() -> Sequence[Similar]:
            done = await self.child.ask(search)
            return [similar(hit, shared(mine, hit.past)) for hit in done.hits]

        return await self._report.searched(look)

    async def search(self, text: str, limit: int) -> Sequence[Similar]:
        """At most `limit` past incidents that resemble the words of a question, best first. Raises Transient."""
        words = mask(text)
        if not words:
            return []
        search = wire.Search(words, limit, SEARCH_SCORE, "", self._now())

        async def look() -> Sequence[Similar]:
            done = await self.child.ask(search)
            return [similar(hit, "similar wording") for hit in done.hits]

        return await self._report.searched(look)

    async def remember(self, alert: Alert, outcome: str = "") -> None:
        """Keep this incident, on disk when this returns; replaces what was kept of it. Raises Transient or Refused."""
        done = await self.child.ask(wire.Upsert(remembered(alert, outcome)))
        self._report.kept(done.count, done.evicted)

    async def forget(self, incident_ids: Sequence[str]) -> None:
        """Keep nothing of these incidents; unknown ones are no error. Raises Transient."""
        done = await self.child.ask(wire.Delete(tuple(clean(one, MAX_WORDS) for one in incident_ids)))
        self._report.kept(done.count)

    async def count(self) -> int:
        """How many incidents are remembered. Raises Transient."""
        return (await self.child.ask(wire.Count())).count
