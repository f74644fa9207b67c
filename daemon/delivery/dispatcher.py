"""The outbox → the sinks. The one place that decides what the failure of a webhook means.

One worker per webhook, so a slow receiver delays only itself. Each takes the most urgent delivery that is due, counts
the attempt, makes it, and writes down how it ended. What is cut off, by a stop or a crash, was counted and stays due.
What a sink calls Transient is taken for the receiver's own trouble: all that it is owed waits, see `Outage`. An alert
expires by an attempt of its own that fails, never by those of others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from daemon.backoff import DELIVERY_SCHEDULE, delay
from daemon.config import Webhook
from daemon.delivery import FORBIDDEN, Sink
from daemon.delivery.outage import Outage
from daemon.delivery.steady_clock import SteadyClock
from daemon.delivery.tally import Tally
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
_REFUSED_LIMIT = 3
"""Refusals of one body that are believed: a receiver that is being updated may refuse what it takes a moment later."""
_LEAST_ATTEMPTS = 3
"""An alert that is older than `expire_after` gets this many: it may be so because this host was off, or its clock."""
_CUT_LIMIT = 20
"""Attempts of which none ever came to an end: this delivery ends the process, or never lets it live long enough."""

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
        self._clock = SteadyClock(now)
        self._sleep = sleep
        self._jitter = jitter
        self._rung = asyncio.Event()
        self._disabled = ""
        self._complaint = ""
        self._unexpected = Tally()
        self._refusals = Tally()
        self._outage = Outage()

    def nudge(self) -> None:
        self._rung.set()

    async def run(self) -> None:
        if self._board.get(self.component) is None:
            self._board.set(self.component, HealthState.ok)
        while True:
            self._rung.clear()  # before looking, so that what is owed from here on rings again
            delivery = await self._stored(self._next)
            opens_at = None if delivery is None else self._outage.opens_at(delivery, overdue=self._overdue(delivery))
            if delivery is None or opens_at is None or opens_at > self._clock.now():
                await self._wait(opens_at)
            else:
                await self._deliver(delivery)
            await self._measure()

    async def _next(self) -> Delivery | None:
        now = self._clock.now()
        if not self._outage.probing:
            return await self._outbox.due(self._name, now)
        overdue = self._now() - self._expire_after
        return await self._outbox.probe(self._name, now, overdue=overdue, since=self._outage.since)

    async def _wait(self, opens_at: float | None) -> None:
        """Until nudged, or the receiver may be asked again (at `opens_at`), or the next delivery is due."""
        since = self._clock.now()
        # what is due already waits for the receiver, and tells nothing about when to look again
        after = float("-inf") if opens_at is None else since
        due_at = await self._stored(lambda: self._outbox.next_due_at(self._name, after=after))
        if opens_at is None and due_at is not None and due_at - since > _CLOCK_SET_BACK:
            self._clock.reach(due_at)
            return
        wake_at = min((at for at in (opens_at, due_at) if at is not None), default=since + LONGEST_WAIT)
        wait = min(max(wake_at - since, _SHORTEST_WAIT), LONGEST_WAIT)
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
        begun_at = self._now()
        delivery = await self._stored(lambda: self._outbox.begin(delivery.id, begun_at))
        try:
            await self._sink.send(delivery, self._now())
        except Transient as failure:
            await self._turned_away(delivery, failure, begun_at)
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
        if delivery.attempts >= _CUT_LIMIT and not delivery.detail:
            return "dead", f"{delivery.attempts} attempts were begun and none came to an end"
        return None

    async def _accept(self, delivery: Delivery) -> None:
        now = self._now()
        await self._stored(lambda: self._outbox.sent(delivery.id, now))
        if self._outage.end():
            await self._stored(lambda: self._outbox.resume(self._name, self._clock.now()))
        self._forget(delivery)
        self._count("sent")
        if delivery.alert.version == 1:
            self._metrics.line_to_webhook.observe(max(0.0, now - delivery.created_at))
        self._complaint = ""
        self._board.set(self.component, HealthState.ok)
        log.info(Says.delivered, attempt=delivery.attempts, **self._about(delivery))

    async def _turned_away(self, delivery: Delivery, failure: Transient, begun_at: float) -> None:
        """The receiver's trouble: this delivery waits, and with it all others."""
        asked, jitter = failure.retry_after, self._jitter()
        if asked is not None:
            asked = min(max(asked, _SHORTEST_WAIT), _LONGEST_BACKOFF)
        self._outage.failed(begun_at, self._clock.now(), retry_after=asked, jitter=jitter)
        wait = delay(DELIVERY_SCHEDULE, delivery.attempts, lambda: jitter) if asked is None else asked
        await self._retry(delivery, failure.detail, wait)

    async def _retry(self, delivery: Delivery, detail: str, wait: float) -> None:
        if delivery.attempts >= _LEAST_ATTEMPTS and self._overdue(delivery):
            await self._bury(delivery, "expired", f"not accepted within {self._expire_after:.0f} s: {detail}")
            return
        await self._stored(lambda: self._outbox.again(delivery.id, self._clock.now() + wait, detail))
        self._count("again")
        if self._complains(detail):
            told = {**self._about(delivery), "attempt": delivery.attempts}
            log.warning(Says.delivery_failed, again_in=wait, detail=detail, **told)

    async def _refuse(self, delivery: Delivery, failure: Refused) -> None:
        final = failure.gone or failure.why == FORBIDDEN
        if not final and self._refusals.add(delivery.id) < _REFUSED_LIMIT:
            await self._retry(delivery, failure.detail, delay(DELIVERY_SCHEDULE, delivery.attempts, self._jitter))
            return
        outcome = "refused"
        if failure.gone:
            outcome = "gone"
            self._outage.end()  # nobody is asked any more: what it is owed is buried without waiting
            self._disabled = f"disabled by its receiver ({failure.detail}); remove this webhook, or reload to try again"
            log.error(Says.webhook_disabled, webhook=self._name, detail=failure.detail)
        await self._bury(delivery, outcome, failure.detail)

    async def _survive(self, delivery: Delivery, error: Exception) -> None:
        """A sink raised what it must not. Its text may quote secrets: only its kind and place are told."""
        failures = self._unexpected.add(delivery.id)
        detail = f"unexpected {type(error).__name__} at {_place(error)}"
        if failures >= _UNEXPECTED_LIMIT:
            await self._bury(delivery, "dead", f"{detail}, {failures} times")
        else:
            await self._retry(delivery, detail, delay(DELIVERY_SCHEDULE, delivery.attempts, self._jitter))

    async def _bury(self, delivery: Delivery, outcome: str, detail: str) -> None:
        await self._stored(lambda: self._outbox.dead(delivery.id, self._now(), detail))
        self._forget(delivery)
        self._count(outcome)
        changed = self._complains(self._disabled or detail)
        if outcome == "expired":
            log.error(Says.delivery_expired, detail=detail, **self._about(delivery))
        elif changed or outcome != "disabled":
            log.error(Says.delivery_refused, detail=detail, **self._about(delivery))

    def _overdue(self, delivery: Delivery) -> bool:
        return self._now() - delivery.created_at > self._expire_after

    def _forget(self, delivery: Delivery) -> None:
        self._unexpected.forget(delivery.id)
        self._refusals.forget(delivery.id)

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
