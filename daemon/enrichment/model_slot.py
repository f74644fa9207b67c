"""The one place at the model: one call in flight, a breaker in front, and the board's row `model`.

The enricher and the endpoint share it, so a model on a laptop gets one question at a time whoever asks. Implements
`Explainer`; raises what the explainer raises, and Transient at once while the breaker rests or too many wait.
"""

import asyncio
from collections.abc import Callable

from daemon.enrichment import Answer, Explainer, ModelStatus
from daemon.enrichment.breaker import Breaker, BreakerState
from daemon.model import Refused, Transient
from daemon.telemetry import Board, HealthState, Says, log

COMPONENT = "model"
ILL = frozenset({"timeout", "unavailable", "busy", "model_error", "incomplete_answer", "bad_response"})
"""Failures that say something of the server; the others are about one prompt or one answer."""


class ModelSlot:
    """`max_waiting` callers may wait for their turn; more are told that the model is busy."""

    def __init__(
        self,
        explainer: Explainer,
        *,
        board: Board,
        monotonic: Callable[[], float],
        breaker: Breaker | None = None,
        max_waiting: int = 8,
        probe_ill: float = 30.0,
        probe_well: float = 300.0,
    ) -> None:
        self.breaker = breaker or Breaker(monotonic=monotonic)
        self.status: ModelStatus | None = None
        self.failure = Transient("not asked yet")
        self._explainer = explainer
        self._board = board
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._max_waiting = max_waiting
        self._probe_after = {False: probe_ill, True: probe_well}
        self._probe_at = 0.0

    @property
    def well(self) -> bool:
        """Whether a question makes sense now."""
        return self.breaker.state is not BreakerState.open

    @property
    def ready(self) -> bool:
        """Whether an answer may be expected soon: it was reachable when last probed, and does not rest."""
        return self.well and self.status is not None and self.status.reachable

    async def probe(self) -> ModelStatus:
        """Ask what is there, and say so on the board. Never raises for a model that is missing or down."""
        status = await self._explainer.probe()
        if self.status is None or (status.reachable, status.digest) != (self.status.reachable, self.status.digest):
            log.info(Says.model_probed, model=status.name, reachable=status.reachable, digest=status.digest[:19])
        self.status = status
        self._probe_at = self._monotonic() + self._probe_after[status.reachable]
        self._report()
        return status

    async def refresh(self) -> None:
        """Probe if the last one is old: soon after a bad one, seldom after a good one."""
        if self.status is None or self._monotonic() >= self._probe_at:
            await self.probe()

    async def ask(self, system: str, user: str, schema: dict[str, object]) -> Answer:
        """One attempt, in turn. Raises Transient or Refused."""
        if self._waiting > self._max_waiting:
            raise Transient("too many questions wait for the model", why="busy")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._attempt(system, user, schema)
        finally:
            self._waiting -= 1

    async def _attempt(self, system: str, user: str, schema: dict[str, object]) -> Answer:
        await self._admit()
        try:
            answer = await self._explainer.ask(system, user, schema)
        except Transient as error:
            self._failed(error)
            raise
        except Refused as error:
            await self._refused(error)
            raise
        self.breaker.succeeded()
        self._report()
        return answer

    async def _admit(self) -> None:
        """Rest while the breaker is open; when it is half open, a cheap probe goes before an expensive trial."""
        state = self.breaker.state
        if state is BreakerState.open:
            detail = f"the model rests after failures: {self.failure.detail}"
            raise Transient(detail, why=self.failure.why, retry_after=self.breaker.retry_in)
        if state is BreakerState.half_open and not (status := await self.probe()).reachable:
            self._failed(Transient(status.detail or "the model is not reachable", why="unavailable"))
            raise self.failure

    def _failed(self, error: Transient) -> None:
        if error.why in ILL:
            self.failure = Transient(error.detail, why=error.why)
            self.breaker.failed(error.retry_after)
        else:
            self.breaker.succeeded()
        self._report()

    async def _refused(self, error: Refused) -> None:
        """The server is up and says no: look what is there, so that the board names what mends it."""
        self.breaker.succeeded()
        if error.why == "model_missing":
            await self.probe()
        self._report()

    def _report(self) -> None:
        status = self.status
        row = self._board.get(COMPONENT)
        was_ill = row is not None and row.state is HealthState.degraded
        if status is not None and not status.reachable:
            self._say_ill(status.detail)
        elif self.breaker.state is not BreakerState.closed:
            self._say_ill(self.failure.detail)
        elif self._board.set(COMPONENT, HealthState.ok, status.detail if status else "") and was_ill:
            log.info(Says.model_recovered, component=COMPONENT)

    def _say_ill(self, detail: str) -> None:
        if self._board.set(COMPONENT, HealthState.degraded, detail):
            log.warning(Says.model_failed, component=COMPONENT, detail=detail)


def in_slot(explainer: Explainer, *, board: Board, monotonic: Callable[[], float]) -> ModelSlot:
    """The slot of this explainer: itself if it is one, so that sharing takes no more than passing it on."""
    return explainer if isinstance(explainer, ModelSlot) else ModelSlot(explainer, board=board, monotonic=monotonic)
