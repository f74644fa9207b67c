"""Incidents that changed → the memory, one at a time; what an outage left undone is caught up later."""

import asyncio
from collections import OrderedDict
from functools import partial

from daemon.enrichment import Memory
from daemon.enrichment.breaker import Breaker, BreakerState
from daemon.enrichment.patience import Patience, sheltered
from daemon.model import Alert, Refused, Transient
from daemon.state import Desk
from daemon.telemetry import Says, log

_MAX_REFUSED = 1000
_BATCH = 8


class Remembering:
    """The store knows what the memory lacks; kept here is only who was refused (at most 1000, until a restart).

    A memory that is empty, at the start or after it failed, was lost or made anew (another embedder, a deleted
    collection): then all incidents are given to it again.
    """

    def __init__(
        self,
        desk: Desk,
        memory: Memory | None,
        *,
        patience: Patience,
        breaker: Breaker,
        timeout: float,
        max_refused: int = _MAX_REFUSED,
    ) -> None:
        self._desk = desk
        self._memory = memory
        self._patience = patience
        self._breaker = breaker
        self._timeout = timeout
        self._max_refused = max_refused
        self._refused: OrderedDict[str, None] = OrderedDict()
        self._counted = False

    async def remember_one(self) -> bool:
        """Try the oldest incident that the memory lacks; False when it makes no sense to try another one at once."""
        if self._memory is None or self._breaker.state is BreakerState.open:
            return False
        if not self._counted:
            self._counted = await self._count(self._memory)
        limit = len(self._refused) + _BATCH
        rows = await self._patience.store(lambda: self._desk.unremembered(limit))
        alert = next((one for one in rows if one.incident_id not in self._refused), None)
        if alert is None:
            return False
        remembered = await sheltered(partial(self._remember, self._memory, alert))
        if isinstance(remembered, Exception):
            return self._refuse(alert, remembered)
        if remembered:
            await self._patience.store(lambda: self._desk.remembered(alert))
        self._counted = self._counted and remembered
        return remembered

    async def _count(self, memory: Memory) -> bool:
        """Whether it is known by now if the memory is empty."""

        async def count() -> int:
            async with asyncio.timeout(self._timeout):
                return await memory.count()

        known = await sheltered(count)
        if known == 0:
            await self._patience.store(self._desk.forgotten)
        return isinstance(known, int)

    async def _remember(self, memory: Memory, alert: Alert) -> bool:
        """False when the memory cannot now; its own report says why. Raises Refused."""
        try:
            async with asyncio.timeout(self._timeout):
                await memory.remember(alert)
        except Transient:
            return False
        except TimeoutError:
            self._breaker.failed()
            return False
        self._breaker.succeeded()
        return True

    def _refuse(self, alert: Alert, error: Exception) -> bool:
        """Go on with the others; False when so many were refused that the first are tried again."""
        detail = error.detail if isinstance(error, Refused) else repr(error)
        log.warning(Says.memory_failed, incident=alert.incident_id, detail=detail)
        self._refused[alert.incident_id] = None
        full = len(self._refused) > self._max_refused
        if full:
            self._refused.popitem(last=False)
        return not full
