"""Looking for similar incidents so that nobody waits: a time limit of our own, and a rest for a memory that is slow."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from daemon.enrichment import Memory
from daemon.enrichment.breaker import Breaker, BreakerState
from daemon.model import Alert, Gap, Refused, Similar, Transient

PART = "similar"


class SimilarSearch:
    """Every failure is a gap with its reason. `timeout` in seconds is a backstop above the memory's own.

    Only slowness opens the breaker: a memory that says no at once costs nothing to ask again.
    """

    def __init__(self, memory: Memory | None, *, limit: int, timeout: float, monotonic: Callable[[], float]) -> None:
        self.memory = memory
        self._limit = limit
        self._timeout = timeout
        self.breaker = Breaker(monotonic=monotonic, rest=10.0, longest=60.0)

    async def find(self, alert: Alert) -> tuple[Sequence[Similar], Gap | None]:
        """Past incidents that resemble an alert, best first, and never the alert's own."""
        if self.memory is None:
            return (), None
        found, gap = await self._look(lambda memory: memory.find(alert, self._limit))
        return [one for one in found if one.incident_id != alert.incident_id][: self._limit], gap

    async def search(self, question: str, limit: int) -> tuple[Sequence[Similar], Gap | None]:
        """Past incidents that resemble the words of a question, best first."""
        if self.memory is None:
            return (), Gap(PART, "off", "memory.mode is off")
        found, gap = await self._look(lambda memory: memory.search(question, limit))
        return list(found)[:limit], gap

    async def _look(
        self, look: Callable[[Memory], Awaitable[Sequence[Similar]]]
    ) -> tuple[Sequence[Similar], Gap | None]:
        assert self.memory is not None
        if self.breaker.state is BreakerState.open:
            return (), Gap(PART, "timeout", "the memory was too slow and is left alone for a while")
        try:
            async with asyncio.timeout(self._timeout):
                found = await look(self.memory)
        except TimeoutError:
            self.breaker.failed()
            return (), Gap(PART, "timeout", f"no answer of the memory in {self._timeout:g} s")
        except (Transient, Refused) as error:
            if error.why == "timeout":
                self.breaker.failed()
            return (), Gap(PART, error.why, error.detail)
        self.breaker.succeeded()
        return found, None
