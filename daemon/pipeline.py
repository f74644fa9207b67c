"""The live half: sources → flow → store, in one page.

    sources ─emit─▶ channel ─▶ Pipeline.run ─▶ flow ─▶ Batch ─commit─▶ store ─nudge─▶ enricher, dispatcher

An item is evaluated, what it caused is collected, and one transaction stores it with the position reached. A batch that
speaks (or loses something) is stored at once; one that only moved positions may wait half a second, because
positions and memory move together: a crash re-reads those lines in the state they were first read in. The flow runs
beside the event loop, one step at a time: nothing of it is asked for while a step is at work. A source says
what was lost just before the lines behind it, so a loss waits for these: stored alone, it would be said again by
whoever reads on from the position before it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from daemon.batch import Batch
from daemon.channel import Channel
from daemon.config import Alerts, Webhook
from daemon.enrichment.template import base_alert
from daemon.flow import Flow, Outcome
from daemon.model import (
    Checkpoint,
    Decision,
    Forgotten,
    IncidentChange,
    Lines,
    Lost,
    Sample,
    Severity,
    Transient,
)
from daemon.side_thread import Aside, at_once
from daemon.sources import Handed, Item
from daemon.state import Intake, Owed, Told
from daemon.telemetry import Board, HealthState, Metrics, Says, log

_LAZY = 0.5  # seconds that a batch without anything to say may wait
_TICK = 1.0
_KEEP_ANOMALIES = 100  # stored per incident; the count is exact all the same
_GATHER = 16  # items evaluated before a commit is considered
_MOST_LOSSES = 100  # of one source that wait for the position behind them
_TICKS, _CHANGES = ":ticks", ":changes"  # no names of sources
_ENRICHED = {Decision.first, Decision.escalated, Decision.repeated}


class Pipeline:
    """One channel in, one store out. Bounded: the channel's items and one batch."""

    def __init__(
        self,
        flow: Flow,
        store: Intake,
        *,
        alerts: Alerts,
        webhooks: Sequence[Webhook],
        waits_for_memory: bool,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        stored: Callable[[], None],
        no_room: Callable[[], None],
        has_room: Callable[[], bool] = lambda: True,
        ticked: Callable[[], None] = lambda: None,
        aside: Aside = at_once,
    ) -> None:
        self._flow, self._aside = flow, aside
        self._store = store
        self._alerts = alerts
        self._webhooks = webhooks
        self._gap_hooks = tuple((hook.name, Severity[hook.min_severity]) for hook in webhooks if hook.versions == "all")
        self._waits = waits_for_memory
        self._board = board
        self._metrics = metrics
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._stored = stored
        self._no_room = no_room
        self._has_room = has_room
        self._ticked = ticked
        self._channel: Channel[Item] = Channel(64)
        self._coming: Counter[str] = Counter()  # items by source that were read and are not evaluated
        self._batch = Batch()
        self._losses: dict[str, list[tuple[float, Lost]]] = {}  # by source; since when each waits
        self.positions: dict[tuple[str, str], tuple[Checkpoint, float]] = {}  # one for each file, as in the store
        self.beats = 0  # progress; the watchdog is fed by it
        self.taken = 0  # items evaluated

    async def emit(self, item: Item) -> None:
        """What sources call: waits while the pipeline is behind (that is the back-pressure)."""
        self._coming[item.source] += 1
        try:
            await self._channel.put(item)
        except BaseException:
            self._coming[item.source] -= 1
            raise

    async def close(self) -> None:
        """No more input; `run` ends when what is in the channel is stored."""
        await self._channel.close()

    async def run(self) -> None:
        """Evaluate and store until closed and drained."""
        self._board.set("pipeline", HealthState.ok)
        committed = ticked = self._monotonic()
        while not self._channel.drained:
            self.beats += 1
            lively = await self._gather()
            tick = self._monotonic() - ticked >= _TICK
            if tick:
                ticked = self._monotonic()
                lively = await self._say_losses(ticked) or lively
                lively = await self._tick() or lively
                self._ticked()
            if lively or ((self._batch.dirty or tick) and self._monotonic() - committed >= _LAZY):
                await self._commit()
                committed = self._monotonic()
        await self._tick()
        await self._commit()

    async def _tick(self) -> bool:
        """Time does not pass for a source while lines of it wait here: what its events lack may be in them."""
        now, behind = self._now(), {source for source, items in self._coming.items() if items}
        return self._take(await self._aside(lambda: self._flow.tick(now, behind), kind=_TICKS))

    async def _feed(self, item: Lines | Sample | Lost) -> bool:
        size = len(item.data) if isinstance(item, Lines) else 1
        return self._take(await self._aside(lambda: self._flow.feed(item), kind=item.source, size=size))

    async def _gather(self) -> bool:
        """Evaluate what is there, a bounded number of items; True when something must be stored at once."""
        item = await self._channel.get(timeout=_LAZY if self._batch.dirty else _TICK)
        lively, taken = False, 0
        while item is not None:
            self._coming[item.source] -= 1
            lively = await self._evaluate(item) or lively
            taken += 1
            self.taken += 1
            await asyncio.sleep(0)  # a burst must not keep the endpoint and the webhooks waiting
            urgent = lively and not self._batch.receipts  # those who wait for receipts share a transaction
            if urgent or taken >= _GATHER or not len(self._channel):
                break
            item = await self._channel.get()
        return lively or bool(self._batch.receipts)

    async def _evaluate(self, item: Item) -> bool:
        """Run the flow over an item, with the losses that stand before it; True when it must be stored at once."""
        if isinstance(item, Forgotten):
            self._batch.forget(item)
            self.positions.pop((item.source, item.path), None)
            return False
        if isinstance(item, Handed):
            self._batch.receipts.append(item.stored)
            self._batch.dirty = True
            self._count(item.lines)
            return await self._feed(item.lines)
        waiting = self._losses.setdefault(item.source, [])
        if isinstance(item, Lost) and len(waiting) < _MOST_LOSSES:
            waiting.append((self._monotonic(), item))
            return False
        self._batch.dirty = True
        if not isinstance(item, Lines):
            return await self._feed(item)
        self._count(item)
        del self._losses[item.source]
        lively = await self._say([lost for _, lost in waiting])
        lively = await self._feed(item) or lively
        position = item.checkpoint.position
        self._batch.reach(item.checkpoint)
        self.positions[item.source, position.path] = (item.checkpoint, self._now())
        return lively

    async def _say_losses(self, now: float) -> bool:
        """Those behind which no lines came for a while are said alone; True when there are any."""
        overdue = [lost for waiting in self._losses.values() for since, lost in waiting if now - since >= _TICK]
        for source, waiting in self._losses.items():
            self._losses[source] = [one for one in waiting if now - one[0] < _TICK]
        return await self._say(overdue)

    async def _say(self, losses: Sequence[Lost]) -> bool:
        for lost in losses:
            await self._feed(lost)
        return bool(losses)

    def _take(self, outcome: Outcome) -> bool:
        """Collect what an item caused; True when it must be stored at once."""
        for lost in outcome.lost:
            self._metrics.lost.labels(source=lost.source, why=lost.why).inc(lost.count or 1)
            log.warning(Says.input_lost, source=lost.source, why=lost.why, count=lost.count, detail=lost.detail)
        self._batch.unseen += outcome.unseen
        for anomaly in outcome.anomalies:
            self._metrics.anomalies.labels(severity=anomaly.rule.severity.name).inc()
        for change in outcome.changes:
            self._add(change)
        return bool(outcome.changes or outcome.lost)

    def _add(self, change: IncidentChange) -> None:
        incident, decision = change.incident, change.decision
        self._metrics.incidents.labels(decision=decision.value).inc()
        self._batch.dirty = True
        self._batch.incidents[incident.id] = incident
        if change.anomaly is not None and incident.count <= _KEEP_ANOMALIES:
            self._batch.anomalies.append((incident.id, change.anomaly))
        if decision.notifies:
            self._speak(change)

    def _speak(self, change: IncidentChange) -> None:
        """Owe the base alert to every webhook that wants this severity."""
        now, incident, decision = self._now(), change.incident, change.decision
        critical = incident.severity >= Severity.critical
        wait = self._alerts.critical_deadline if critical else self._alerts.deadline
        enriched = decision in _ENRICHED
        due_at = now + wait if enriched and self._waits else now
        wanted = [hook.name for hook in self._webhooks if Severity[hook.min_severity] <= incident.severity]
        alert = base_alert(incident, decision, version=0, now=now, gaps=change.gaps)
        self._batch.told.append(Told(alert, tuple(Owed(name, due_at) for name in wanted), enrich=enriched))
        told = {
            "incident": incident.id, "rule": incident.rule.title, "severity": incident.severity.name,
            "entity": incident.entity, "count": incident.count, "decision": decision.value,
        }  # fmt: skip
        if decision is Decision.first:
            log.info(Says.incident_opened, **told)
        elif decision is Decision.resolved:
            log.info(Says.incident_resolved, **told)
        else:
            log.info(Says.incident_updated, **told)

    async def _commit(self) -> None:
        """Store the batch; while that is impossible, wait: nothing is dropped, reading pauses."""
        snapshots = await self._aside(self._flow.changes, kind=_CHANGES)
        if not self._batch.dirty and not snapshots:
            return
        commit, receipts = self._batch.commit(self._now(), snapshots, self._gap_hooks), self._batch.receipts
        self._batch = Batch()
        while True:
            self.beats += 1
            try:
                with self._metrics.commit_seconds.time():
                    await self._store.commit(commit)
            except Transient as error:
                await self._pause(error)
            else:
                break
        if self._board.set("store", HealthState.ok):
            log.info(Says.commit_recovered)
        for receipt in receipts:
            receipt()
        if commit.told:
            self._stored()

    async def _pause(self, error: Transient) -> None:
        if self._board.set("store", HealthState.degraded, f"{error.detail}; reading is paused, free some disk space"):
            log.error(Says.commit_failed, why=error.why, error=error.detail)
        if error.why != "disk_full":
            await self._sleep(_TICK)
            return
        self._no_room()
        await self._sleep(_TICK)
        while not self._has_room():  # what was given up is for deliveries, not for us
            self.beats += 1
            await self._sleep(_TICK)

    def _count(self, item: Lines) -> None:
        self._metrics.lines.labels(source=item.source).inc(item.data.count(b"\n"))
        self._metrics.read_bytes.labels(source=item.source).inc(len(item.data))
