"""What survives a restart: one SQLite file, one writer thread, one rule.

The rule: one transaction per batch holds the checkpoints reached, the anomalies, the incidents they opened or changed,
the alerts and deliveries those owe, and the changed memory of the steps. So a kill -9 neither loses nor doubles.

Methods raise `Transient` when the disk is full or the file busy (nothing was written: call again) and let anything
else escape. Whoever opened the store closes it. Retention is bounded by age and number (`prune`).
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from daemon.model import Alert, Anomaly, Checkpoint, Delivery, Forgotten, Incident, Severity, Snapshot, Unseen

GapHooks: TypeAlias = tuple[tuple[str, Severity], ...]


class Owed(Struct, frozen=True):
    """A delivery to be owed to a webhook, not before `due_at`."""

    webhook: str
    due_at: float


class Told(Struct, frozen=True):
    """A new version of an alert, to whom it is owed, and whether it is to be enriched.

    The store numbers it: it becomes the next version of its id, whatever `alert.version` says.
    """

    alert: Alert
    owed: tuple[Owed, ...] = ()
    enrich: bool = False


class Commit(Struct, frozen=True):
    """Everything that one batch caused. Applied whole or not at all; `forgotten` before `checkpoints`."""

    at: float
    checkpoints: tuple[Checkpoint, ...] = ()
    anomalies: tuple[tuple[str, Anomaly], ...] = ()  # (incident id, anomaly)
    incidents: tuple[Incident, ...] = ()
    told: tuple[Told, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    forgotten: tuple[Forgotten, ...] = ()
    unseen: tuple[Unseen, ...] = ()  # alerts of these times that were told without their gap get it
    gap_hooks: GapHooks = ()  # who wants a version that only adds a gap, from which severity on


class Outstanding(Struct, frozen=True):
    """An alert that is still to be enriched, whether its base version was sent, and attempts at the explanation."""

    alert: Alert
    base_sent: bool
    attempts: int


class OutboxDepth(Struct, frozen=True):
    """How much is owed: number due, number dead, creation time of the oldest due (0 when none)."""

    due: int
    dead: int
    oldest_at: float


class Intake(Protocol):
    """What the pipeline needs: load once at start, then commit batches."""

    async def commit(self, batch: Commit) -> None:
        """Store a batch, fsynced before this returns."""
        ...

    async def checkpoints(self) -> list[Checkpoint]:
        """Where reading resumes."""
        ...

    async def snapshots(self) -> list[Snapshot]:
        """The stored memory of all steps."""
        ...

    async def live_incidents(self, limit: int) -> list[Incident]:
        """The most recent incidents, oldest first, for the grouping step to go on with.

        Open ones that are not among them, which nothing would ever close, are closed.
        """
        ...

    async def prune(self, before: float, keep_rows: int) -> int:
        """Drop closed incidents last seen before `before`, or beyond the newest `keep_rows`; what is owed stays."""
        ...


class Outbox(Protocol):
    """What the dispatcher needs."""

    async def due(self, webhook: str, now: float) -> Delivery | None:
        """The most urgent delivery owed to this webhook now (by severity, then age), else None."""
        ...

    async def probe(self, webhook: str, now: float, *, overdue: float, since: float) -> Delivery | None:
        """Of what `due` could give, the delivery to ask a receiver with that did not accept the last one, else None.

        First what is owed since before `overdue`, then what was never tried and is owed since after `since`, then what
        was tried least, then as `due`: so no alert that is never accepted bars others.
        """
        ...

    async def next_due_at(self, webhook: str, *, after: float = float("-inf")) -> float | None:
        """When the next delivery owed to this webhook is due, of those due later than `after`; None when nothing is.

        Versions of one alert go in order: one that waits for an earlier version is not counted.
        """
        ...

    async def begin(self, delivery_id: int, now: float) -> Delivery:
        """Count an attempt, before it is made; the delivery as it is then, which is what is to be sent.

        From here on `Desk.revise` leaves this version as it is; before, it may have replaced what `due` gave.
        """
        ...

    async def resume(self, webhook: str, now: float) -> None:
        """The receiver is back: what was tried and put off is due now."""
        ...

    async def sent(self, delivery_id: int, now: float) -> None:
        """The receiver accepted."""
        ...

    async def again(self, delivery_id: int, due_at: float, detail: str) -> None:
        """Try again at `due_at`."""
        ...

    async def dead(self, delivery_id: int, now: float, detail: str) -> None:
        """Never try again; kept for people to see."""
        ...

    async def depth(self) -> OutboxDepth:
        """How much is owed."""
        ...


class Desk(Protocol):
    """What the enricher and the endpoint need: alerts to enrich, incidents to show."""

    async def unenriched(self, limit: int) -> list[Outstanding]:
        """Alerts whose enrichment is not finished: by severity, then newest first."""
        ...

    async def tried(self, alert_id: str) -> None:
        """Count an attempt at enriching an alert, before it is made: one that kills us is not tried for ever."""
        ...

    async def revise(self, alert: Alert, *, final: bool, now: float, webhooks: Sequence[str]) -> Alert:
        """Store a richer alert; returns it as stored.

        Not final (similar incidents are known): kept as the draft that `unenriched` gives next; and while no attempt at
        the newest version has begun, it also replaces that version in place, which becomes due at once. Once one has,
        similar incidents become the next version, owed to `webhooks`; without webhooks they only are in the draft.
        Final: becomes the next version, owed to `webhooks` now, unless it says the same as the newest; enrichment of
        this alert ends until its incident notifies again. So what the model says never alters a base alert.
        An `alert` whose version is no longer the newest is stale: nothing is stored, the newest is returned.
        """
        ...

    async def remembered(self, alert: Alert) -> None:
        """The memory holds what this version of an alert tells; of no effect once its incident notified again."""
        ...

    async def forgotten(self) -> None:
        """The memory holds nothing: all incidents are to be given to it again."""
        ...

    async def unremembered(self, limit: int) -> list[Alert]:
        """Newest alerts of incidents that notified since the memory was given them, oldest first.

        Whether they are explained yet does not matter: the memory does not wait for the model.
        """
        ...

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident, or None."""
        ...

    async def incidents(
        self,
        *,
        limit: int,
        before: float | None = None,
        severity: int = 0,
        status: str = "",
        rule: str = "",
        text: str = "",
    ) -> list[Incident]:
        """Incidents, newest first, filtered."""
        ...

    async def alerts(self, incident_id: str) -> list[Alert]:
        """All versions of the incident's alert, oldest first."""
        ...

    async def anomalies(self, incident_id: str, limit: int = 100) -> list[Anomaly]:
        """The stored anomalies of an incident, oldest first."""
        ...

    async def deliveries(self, incident_id: str) -> list[Delivery]:
        """What was or is owed for the incident's alert."""
        ...

    async def counts(self) -> dict[str, int]:
        """Rows per table, for status and metrics."""
        ...
