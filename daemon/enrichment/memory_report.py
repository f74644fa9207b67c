"""How the memory is, said once in each place: the board, the metrics, the log."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from daemon.model import Refused, Similar, Transient
from daemon.telemetry import Board, HealthState, Metrics, Says, log

COMPONENT = "memory"

T = TypeVar("T")


class MemoryReport:
    """Board component `memory`: `starting`, then `ok` or `degraded` with what is wrong. Logs when that changes."""

    def __init__(self, board: Board, metrics: Metrics) -> None:
        self._board = board
        self._metrics = metrics

    def starting(self, detail: str) -> None:
        """The model is being loaded. A restart after a failure stays `degraded` until it works."""
        row = self._board.get(COMPONENT)
        if row is None or row.state is not HealthState.degraded:
            self._board.set(COMPONENT, HealthState.starting, detail)

    def well(self) -> None:
        """It works."""
        row = self._board.get(COMPONENT)
        if self._board.set(COMPONENT, HealthState.ok) and row is not None and row.state is HealthState.degraded:
            log.info(Says.memory_recovered, component=COMPONENT)

    def unwell(self, detail: str) -> None:
        """It does not work, and why."""
        if self._board.set(COMPONENT, HealthState.degraded, detail):
            log.warning(Says.memory_failed, component=COMPONENT, detail=detail)

    def kept(self, count: int, evicted: int = 0) -> None:
        """So many incidents are kept; so many were pushed out at the bound."""
        self._metrics.memory_points.set(count)
        if evicted:
            self._metrics.evictions.labels("memory").inc(evicted)

    async def searched(self, search: Callable[[], Awaitable[Sequence[Similar]]]) -> Sequence[Similar]:
        """Run a search and count its outcome: `found`, `none`, or why it failed."""
        try:
            found = await search()
        except (Transient, Refused) as error:
            self._metrics.memory_searches.labels(error.why).inc()
            raise
        self._metrics.memory_searches.labels("found" if found else "none").inc()
        return found
