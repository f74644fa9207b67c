"""The outbox → the sinks. The one place that decides what the failure of a webhook means.

One worker per webhook, so a slow receiver delays only itself. Each takes the most urgent delivery that is due, counts
the attempt, makes it, and writes down how it ended. What is cut off, by a stop or a crash, was counted and stays due.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from daemon.backoff import DELIVERY_SCHEDULE, delay
from daemon.config import Webhook
from daemon.delivery import Sink
from daemon.model import Delivery, Refused, Transient
from daemon.state import Outbox
from daemon.telemetry import Board, HealthState, Metrics, Says, log

LONGEST_WAIT = 30.0
"""Seconds after which a worker looks again, whatever it was told; nothing is stalled for longer by a clock."""
_SHORTEST_WAIT = 0.1
_STORE_PAUSE = 1.0
"""Seconds before a busy or full store is asked again to write down how an attempt ended."""
_LONGEST_BACKOFF = 3600.0
_CLOCK_SET_BACK = 2 * _LONGEST_BACKOFF
"""Nothing is put off for longer than _LONGEST_BACKOFF: a delivery due later than this tells of a clock set back."""
_UNEXPECTED_LIMIT = 10
_CUT_LIMIT = 20
"""Attempts of which none ever came to an end: this delivery ends the process, or never lets it live long enough."""
_MAX_COUNTED = 1000

Result = TypeVar("Result")


class Dispatcher:
    """Delivers what is owed until cancelled. A webhook without a sink keeps what it is owed.

    Bounded: one delivery in memory per webhook.
    """

    def __init__(
        self,
        outbox: Outbox,
        sinks: Mapping[str, Sink],
        *,
        webhooks: Sequence[Webhook],
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
    ) -> None:
        self._workers = [
            _Worker(
                outbox, sinks[webhook.name], webhook, board=board, metrics=metrics, now=now, sleep=sleep, jitter=jitter
            )
            for webhook in webhooks
            if webhook.name in sinks
        ]

    def nudge(self) -> None:
        """Something new is owed: look now."""
        for worker in self._workers:
            worker.nudge()

    async def run(self) -> None:
        """Deliver until cancelled. Errors of the store other than Transient escape."""
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run(), name=worker.component)
            await asyncio.Event().wait()


class _Steady:
    """A clock that a step of the wall clock cannot hold back: never below what it showed plus what was slept."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._reached = now()

    def now(self) -> float:
        self._reached = max(self._reached, self._now())
        return self._reached

    def reach(self, at: float) -> None:
        self._reached = max(self._reached, at)


class _Worker:
    """One webhook, one delivery at a time."""

    def __init__(
        self,
        outbox: Outbox,
        sink: Sink,
        config: Webhook,
        *,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
    ) -> None:
        self.component = f"webhook:{config.name}"
        self._name = config.name
        self._expire_after = config.expire_after
        self._outbox = outbox
        self._sink = sink
        self._board = board
        self._metrics = metrics
        self._now = now
        self._clock = _Steady(now)
        self._sleep = sleep
        self._jitter = jitter
        self._rung = asyncio.Event()
        self._disabled = ""
        self._complaint = ""
        self._unexpected: dict[int, int] = {}

    def nudge(self) -> None:
        self._rung.set()

    async def run(self) -> None:
        if self._board.get(self.component) is None:
            self._board.set(self.component, HealthState.ok)
        while True:
            self._rung.clear()  # before looking, so that what is owed from here on rings again
            delivery = await self._stored(lambda: self._outbox.due(self._name, self._clock.now()))
            if delivery is None:
                await self._wait()
            else:
                await self._deliver(delivery)
            await self._measure()

    async def _wait(self) -> None:
        """Until nudged, or the next delivery is due."""
        due_at = await self._stored(lambda: self._outbox.next_due_at(self._name))
        since = self._clock.now()
        if due_at is not None and due_at - since > _CLOCK_SET_BACK:
            self._clock.reach(due_at)
            return
        wait = LONGEST_WAIT if due_at is None else min(max(due_at - since, _SHORTEST_WAIT), LONGEST_WAIT)
        async with asyncio.TaskGroup() as group:
            timer = group.create_task(self._ring(since, wait))
            await self._rung.wait()
            timer.cancel()

    async def _ring(self, since: float, wait: float) -> None:
        await self._sleep(wait)
        self._clock.reach(since + wait)
        self._rung.set()

    async def _deliver(self, delivery: Delivery) -> None:
        hopeless = self._hopeless(delivery)
        if hopeless is not None:
            await self._bury(delivery, *hopeless)
            return
        await self._stored(lambda: self._outbox.begin(delivery.id, self._now()))
        try:
            await self._sink.send(delivery, self._now())
        except Transient as failure:
            await self._retry(delivery, failure.detail, failure.retry_after)
        except Refused as failure:
            await self._refuse(delivery, failure)
        except Exception as error:  # noqa: BLE001 - a bug in a sink must cost one delivery, not the others
            await self._survive(delivery, error)
        else:
            await self._accept(delivery)

    def _hopeless(self, delivery: Delivery) -> tuple[str, str] | None:
        """Why a delivery is not even attempted, as (outcome, detail)."""
        if self._disabled:
            return "disabled", self._disabled
        # what nobody ever tried is tried once, however late: the host may have been off, or its clock wrong
        if delivery.attempts and self._now() - delivery.created_at > self._expire_after:
            return "expired", f"not accepted within {self._expire_after:.0f} s: {delivery.detail or 'no answer'}"
        if delivery.attempts >= _CUT_LIMIT and not delivery.detail:
            return "dead", f"{delivery.attempts} attempts were begun and none came to an end"
        return None

    async def _accept(self, delivery: Delivery) -> None:
        now = self._now()
        await self._stored(lambda: self._outbox.sent(delivery.id, now))
        self._unexpected.pop(delivery.id, None)
        self._count("sent")
        if delivery.alert.version == 1:
            self._metrics.line_to_webhook.observe(max(0.0, now - delivery.created_at))
        self._complaint = ""
        self._board.set(self.component, HealthState.ok)
        log.info(Says.delivered, attempt=delivery.attempts + 1, **self._about(delivery))

    async def _retry(self, delivery: Delivery, detail: str, retry_after: float | None) -> None:
        attempt = delivery.attempts + 1
        wait = delay(DELIVERY_SCHEDULE, attempt, self._jitter)
        if retry_after is not None:
            wait = min(max(retry_after, _SHORTEST_WAIT), _LONGEST_BACKOFF)
        await self._stored(lambda: self._outbox.again(delivery.id, self._clock.now() + wait, detail))
        self._count("again")
        if self._complains(detail):
            log.warning(Says.delivery_failed, attempt=attempt, again_in=wait, detail=detail, **self._about(delivery))

    async def _refuse(self, delivery: Delivery, failure: Refused) -> None:
        outcome = "refused"
        if failure.gone:
            outcome = "gone"
            self._disabled = f"disabled by its receiver ({failure.detail}); remove this webhook, or reload to try again"
            log.error(Says.webhook_disabled, webhook=self._name, detail=failure.detail)
        await self._bury(delivery, outcome, failure.detail)

    async def _survive(self, delivery: Delivery, error: Exception) -> None:
        """A sink raised what it must not. Its text may quote secrets: only its kind and place are told."""
        if len(self._unexpected) >= _MAX_COUNTED:
            self._unexpected.pop(next(iter(self._unexpected)))
        failures = self._unexpected[delivery.id] = self._unexpected.get(delivery.id, 0) + 1
        detail = f"unexpected {type(error).__name__} at {_place(error)}"
        if failures >= _UNEXPECTED_LIMIT:
            await self._bury(delivery, "dead", f"{detail}, {failures} times")
        else:
            await self._retry(delivery, detail, None)

    async def _bury(self, delivery: Delivery, outcome: str, detail: str) -> None:
        await self._stored(lambda: self._outbox.dead(delivery.id, self._now(), detail))
        self._unexpected.pop(delivery.id, None)
        self._count(outcome)
        changed = self._complains(self._disabled or detail)
        if outcome == "expired":
            log.error(Says.delivery_expired, detail=detail, **self._about(delivery))
        elif changed or outcome != "disabled":
            log.error(Says.delivery_refused, detail=detail, **self._about(delivery))

    def _complains(self, detail: str) -> bool:
        """Show on the board what is wrong; True when it was not wrong in this way before."""
        changed = detail != self._complaint
        self._complaint = detail
        return self._board.set(self.component, HealthState.degraded, detail) or changed

    def _count(self, outcome: str) -> None:
        self._metrics.deliveries.labels(self._name, outcome).inc()

    def _about(self, delivery: Delivery) -> dict[str, str | int]:
        return {"webhook": self._name, "alert": delivery.alert.id, "version": delivery.alert.version}

    async def _measure(self) -> None:
        depth = await self._stored(self._outbox.depth)
        self._metrics.outbox_depth.set(depth.due)
        self._metrics.outbox_oldest.set(max(0.0, self._now() - depth.oldest_at) if depth.due else 0.0)

    async def _stored(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Ask the store until it answers: an attempt whose end is not written down would be made again."""
        while True:
            try:
                return await call()
            except Transient:
                await self._sleep(_STORE_PAUSE)


def _place(error: Exception) -> str:
    """`file.py:line` where an exception was raised."""
    trace = error.__traceback__
    if trace is None:
        return "?"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
