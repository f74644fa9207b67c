"""The stage: alerts that are stored → alerts with similar incidents and an explanation, or with the gaps that say why.

Three loops, so that a new alert never waits behind a model that thinks for a minute: one looks for similar incidents
and decides who waits for the model, one asks it, one gives the memory what it lacks. What a failure means is decided
here alone, and it always means a `Gap`. The base alert is stored and owed before any of this begins and waits for none
of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec

from daemon.config.schema import Alerts, Model, Webhook
from daemon.enrichment import Explainer, Memory
from daemon.enrichment.explanations import PART, Explained, Explanations, failure_gap
from daemon.enrichment.model_slot import in_slot
from daemon.enrichment.patience import Patience, sheltered
from daemon.enrichment.remembering import Remembering
from daemon.enrichment.revision import receivers, with_explanation, with_similar
from daemon.enrichment.similar_search import SimilarSearch
from daemon.enrichment.waiting import Entry, Waiting
from daemon.model import Alert, Explanation, Gap, Refused, Transient
from daemon.state import Desk, Outstanding
from daemon.telemetry import Board, HealthState, Metrics, Says, log

TRIES = 3
"""Calls of the model for one version of an alert, restarts included."""
GIVE_UP_AFTER = 600.0
"""Seconds that an alert waits for a model that fails."""
WAIT_LONGEST = 3600.0
"""Seconds that an alert waits for a model that is merely busy with others."""
_RETRY = (5.0, 30.0, 60.0)
_MAX_SETTLED = 10_000
_TICK = 5.0
_BATCH = 16
_REMEMBER_TIMEOUT = 30.0


class Enricher:
    """`limit` similar incidents at most. `nonce` gives a fresh random word. `revised` is called when the store may owe
    something new. Alerts of at most `model.queue` causes wait for the model; overflow drops explanations, never
    alerts.
    """

    def __init__(
        self,
        desk: Desk,
        memory: Memory | None,
        explainer: Explainer | None,
        *,
        alerts: Alerts,
        model: Model,
        limit: int,
        webhooks: Sequence[Webhook],
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        nonce: Callable[[], str],
        memory_timeout: float | None = None,
        revised: Callable[[], None] = lambda: None,
    ) -> None:
        self.model = in_slot(explainer, board=board, monotonic=monotonic) if explainer is not None else None
        self._metrics, self._now, self._monotonic, self._sleep = metrics, now, monotonic, sleep
        self._explanations = self._build_explanations(model, nonce)
        # a search that takes longer than the base alert may wait has missed it
        timeout = max(alerts.deadline, 2.0) if memory_timeout is None else memory_timeout
        self._patience = Patience(sleep)
        self._search = SimilarSearch(memory, limit=limit, timeout=timeout, monotonic=monotonic)
        self._remembering = Remembering(
            desk, memory, patience=self._patience, breaker=self._search.breaker, timeout=_REMEMBER_TIMEOUT
        )
        self._desk = desk
        self._webhooks = webhooks
        self._board = board
        self._revised = revised
        self._bound = model.queue
        self._waiting = Waiting(model.queue)
        self._asked: Alert | None = None
        self._settled: set[tuple[str, int]] = set()
        self._new, self._turn, self._changed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def _build_explanations(self, model: Model, nonce: Callable[[], str]) -> Explanations | None:
        if self.model is None:
            return None
        return Explanations(self.model, model=model, metrics=self._metrics, monotonic=self._monotonic, nonce=nonce)

    @property
    def waiting(self) -> int:
        """How many alerts wait for the model."""
        return len(self._waiting)

    def nudge(self) -> None:
        """There may be something new: look now."""
        for event in (self._new, self._turn, self._changed):
            event.set()

    async def run(self) -> None:
        """Enrich until cancelled. Raises what the store raises, but Transient."""
        for part, there in (("model", self.model), ("memory", self._search.memory)):
            if there is None:
                self._board.set(part, HealthState.off)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick(), name="enrichment clock")
            group.create_task(self._admit_for_ever(), name="similar incidents")
            group.create_task(self._remember_for_ever(), name="remembering")
            if self.model is not None:
                group.create_task(self._explain_for_ever(), name="explanations")

    async def _tick(self) -> None:
        while True:
            await self._sleep(_TICK)
            self.nudge()

    # similar incidents, and who waits for the model

    async def _admit_for_ever(self) -> None:
        while True:
            self._new.clear()
            if not await self._admit_new():
                await self._new.wait()

    async def _admit_new(self) -> bool:
        """Look for similar incidents of the most urgent new alerts; False when there are none."""
        window = self._waiting.room + 1 + _BATCH + min(len(self._settled), _MAX_SETTLED)
        rows = await self._patience.store(lambda: self._desk.unenriched(window))
        self._settled &= {(row.alert.id, row.alert.version) for row in rows}
        new = [row for row in rows if not self._taken(row.alert)][:_BATCH]
        for row in new:
            await self._guarded(row.alert, "similar", partial(self._admit, row))
        return bool(new)

    def _taken(self, alert: Alert) -> bool:
        asked = self._asked
        in_flight = asked is not None and (asked.id, asked.version) == (alert.id, alert.version)
        return in_flight or self._waiting.holds(alert) or (alert.id, alert.version) in self._settled

    async def _admit(self, row: Outstanding) -> None:
        alert = row.alert
        if not alert.similar:  # known already when a restart came between
            alert = with_similar(alert, *await self._search.find(alert))
        names = receivers(self._webhooks, alert, row.alert) if self._explains_late else []
        stored = await self._patience.store(
            lambda: self._desk.revise(alert, final=False, now=self._now(), webhooks=names)
        )
        self._revised()
        if stored.version != alert.version:
            self._settled.add((alert.id, alert.version))
        if stored.version == alert.version or (names and stored.similar == alert.similar):
            await self._decide(stored, row.attempts)
        # else its incident has notified again; that version has a row of its own

    @property
    def _explains_late(self) -> bool:
        """Whether similar incidents should not wait for the explanation, where the base alert has left without them."""
        return self.model is not None and not self.model.ready

    async def _decide(self, alert: Alert, attempts: int) -> None:
        """Finish what needs no call of the model; the rest waits for one."""
        known = self._explanations.known(alert) if self._explanations is not None else Explained(None)
        if known is not None:
            await self._finish(alert, known.explanation, known.gaps)
        elif attempts >= TRIES:
            await self._finish(alert, None, (Gap(PART, "error", f"given up after {attempts} attempts"),))
        elif self._explanations is not None:
            cause = self._explanations.cause(alert)
            await self._wait(Entry(alert, attempts=attempts, since=self._monotonic(), cause=cause))

    async def _wait(self, entry: Entry) -> None:
        dropped = self._waiting.add(entry)
        self._turn.set()
        why = Gap(PART, "budget", f"more than {self._bound} causes wait for the model, and others are more urgent")
        for one in dropped:
            await self._finish(one.alert, None, (one.failure or why,))

    # explanations

    async def _explain_for_ever(self) -> None:
        assert self.model is not None
        while True:
            self._turn.clear()
            await self.model.refresh()
            for late in self._waiting:
                await self._give_up_on(late)
            entry = self._waiting.most_urgent(self._monotonic()) if self.model.well else None
            if entry is None:
                await self._turn.wait()
                continue
            self._asked = entry.alert
            self._waiting.remove(entry)
            try:
                await self._guarded(entry.alert, PART, partial(self._explain, entry))
            finally:
                self._asked = None

    async def _explain(self, entry: Entry) -> None:
        assert self._explanations is not None
        alert = entry.alert
        explained = self._explanations.known(alert)  # of the same cause as one before it
        if explained is None:
            await self._patience.store(lambda: self._desk.tried(alert.id))
            try:
                explained = await self._explanations.explain(alert, squeeze=entry.squeeze)
            except Transient as error:
                await self._later(entry, error)
                return
            except Refused as error:
                explained = Explained(None, (failure_gap(error),))
        await self._finish(alert, explained.explanation, explained.gaps)

    async def _later(self, entry: Entry, error: Transient) -> None:
        """Try again after a pause, within the number of attempts and the time that an alert has."""
        attempts = entry.attempts + 1
        pause = max(_RETRY[min(attempts, len(_RETRY)) - 1], error.retry_after or 0.0)
        begin = self._monotonic() + pause
        if attempts >= TRIES or begin - entry.since > GIVE_UP_AFTER:
            await self._finish(entry.alert, None, (failure_gap(error),))
            return
        again = msgspec.structs.replace(
            entry,
            attempts=attempts,
            not_before=begin,
            failure=failure_gap(error),
            squeeze=entry.squeeze * (2 if error.why == "context_overflow" else 1),
        )
        await self._wait(again)

    async def _give_up_on(self, entry: Entry) -> None:
        """End the waiting of an alert whose time is over."""
        assert self.model is not None
        waited = self._monotonic() - entry.since
        failing = entry.failure is not None or not self.model.well
        if waited <= (GIVE_UP_AFTER if failing else WAIT_LONGEST):
            return
        gap = Gap(PART, "budget", f"the model was busy with others for {WAIT_LONGEST:.0f} s")
        if failing:
            gap = entry.failure or failure_gap(self.model.failure)
        self._waiting.remove(entry)
        await self._finish(entry.alert, None, (gap,))

    # the end

    async def _finish(self, alert: Alert, explanation: Explanation | None, gaps: Sequence[Gap]) -> None:
        """Store the last revision, owed to the webhooks that want what it adds to what they have."""
        key = (alert.id, alert.version)
        self._settled.add(key)  # at once: the other loop must not take it for a new one meanwhile
        try:
            await self._store_last(with_explanation(alert, explanation, gaps))
        except BaseException:
            self._settled.discard(key)
            raise
        self._revised()

    async def _store_last(self, final: Alert) -> None:
        versions = await self._patience.store(lambda: self._desk.alerts(final.incident_id))
        present = next((one for one in reversed(versions) if one.id == final.id), final)
        names = receivers(self._webhooks, final, present)
        await self._patience.store(lambda: self._desk.revise(final, final=True, now=self._now(), webhooks=names))

    async def _remember_for_ever(self) -> None:
        while True:
            self._changed.clear()
            if not await self._remembering.remember_one():
                await self._changed.wait()

    async def _guarded(self, alert: Alert, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """A bug that one alert brings to light ends the enrichment of that alert, and of no other."""
        error = await sheltered(work)
        if not isinstance(error, Exception):
            return
        log.error(Says.enrichment_failed, alert=alert.id, part=part, error=repr(error), exc_info=error)
        self._metrics.explanations.labels("error").inc()
        await self._finish(alert, None, (Gap(part, "error", f"a bug in tellwhy: {type(error).__name__}"),))
