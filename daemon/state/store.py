"""`SqliteStore`: the three contracts of `daemon.state` on one database. Each method is one transaction or one query."""

import contextlib
import functools
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from daemon.model import Alert, Anomaly, Checkpoint, Delivery, DeliveryState, Incident, Snapshot, Transient
from daemon.state import Commit, OutboxDepth, Outstanding, checkpoints, incidents, marks, outbox
from daemon.state.ballast import Ballast
from daemon.state.database import Database, StoreFullError

_TABLES = ("checkpoints", "snapshots", "incidents", "anomalies", "alerts", "enrichments", "deliveries")


class SqliteStore:
    """Implements `Intake`, `Outbox` and `Desk`."""

    def __init__(self, directory: Path, *, ballast_bytes: int = 4 << 20) -> None:
        self.database = Database(directory)
        self.ballast = Ballast(directory / "ballast", ballast_bytes)

    def open(self) -> None:
        """Open, lock and migrate. Raises StoreError."""
        try:
            self.database.open()
        except StoreFullError:
            if not self.ballast.release():
                raise
            self.database.open()  # deliveries can go on; reading waits for more room
        self.ballast.fill()

    def close(self) -> None:
        """Finish what was submitted and close."""
        self.database.close()

    # Intake

    async def settle(self) -> None:
        """Wait until everything submitted before is written or refused."""
        await self.database.write(lambda _: None)

    async def commit(self, batch: Commit) -> None:
        """Store a batch, whole."""

        def work(connection: sqlite3.Connection) -> None:
            checkpoints.forget_checkpoints(connection, batch.forgotten)
            checkpoints.save_checkpoints(connection, batch.checkpoints)
            checkpoints.save_snapshots(connection, batch.snapshots)
            incidents.save(connection, batch)
            marks.mark(connection, batch)

        await self.database.write(work)

    async def checkpoints(self) -> list[Checkpoint]:
        """Where reading resumes."""
        return await self.database.read(checkpoints.load_checkpoints)

    async def snapshots(self) -> list[Snapshot]:
        """The stored memory of all steps."""
        return await self.database.read(checkpoints.load_snapshots)

    async def live_incidents(self, limit: int) -> list[Incident]:
        """The most recent incidents, oldest first; other open ones are closed."""
        with contextlib.suppress(Transient):  # no room to say so: the next start will
            await self.database.write(lambda c: incidents.close_others(c, limit))
        return await self.database.read(lambda c: incidents.live(c, limit))

    # Outbox

    async def due(self, webhook: str, now: float) -> Delivery | None:
        """The most urgent delivery owed to the webhook now."""
        return await self.database.read(lambda c: outbox.due(c, webhook, now))

    async def probe(self, webhook: str, now: float, *, overdue: float, since: float) -> Delivery | None:
        """The delivery to ask a receiver with that did not accept the last one."""
        return await self.database.read(lambda c: outbox.probe(c, webhook, now, overdue, since))

    async def next_due_at(self, webhook: str, *, after: float = float("-inf")) -> float | None:
        """When the next delivery owed to the webhook is due."""
        return await self.database.read(lambda c: outbox.next_due_at(c, webhook, after))

    async def begin(self, delivery_id: int, now: float) -> Delivery:  # noqa: ARG002 - the contract's signature
        """Count an attempt, before it is made; the delivery as it is then."""
        return await self.database.write(lambda c: outbox.begin(c, delivery_id))

    async def resume(self, webhook: str, now: float) -> None:
        """What was tried and put off is due now."""
        await self.database.write(lambda c: outbox.resume(c, webhook, now))

    async def sent(self, delivery_id: int, now: float) -> None:
        """The receiver accepted."""
        await self.database.write(lambda c: outbox.end(c, delivery_id, DeliveryState.sent, now, ""))

    async def again(self, delivery_id: int, due_at: float, detail: str) -> None:
        """Try again at `due_at`."""
        await self.database.write(lambda c: outbox.again(c, delivery_id, due_at, detail))

    async def dead(self, delivery_id: int, now: float, detail: str) -> None:
        """Never try again."""
        await self.database.write(lambda c: outbox.end(c, delivery_id, DeliveryState.dead, now, detail))

    async def abandon(self, webhooks: Collection[str], before: float, now: float) -> int:
        """Give up what webhooks that are gone from the configuration are owed for long; returns how much."""
        return await self.database.write(lambda c: outbox.abandon(c, webhooks, before, now))

    async def depth(self) -> OutboxDepth:
        """How much is owed."""
        return await self.database.read(outbox.depth)

    # Desk

    async def unenriched(self, limit: int) -> list[Outstanding]:
        """Alerts whose enrichment is not finished."""
        return await self.database.read(lambda c: incidents.unenriched(c, limit))

    async def tried(self, alert_id: str) -> None:
        """Count an attempt at enriching."""
        await self.database.write(lambda c: incidents.tried(c, alert_id))

    async def revise(self, alert: Alert, *, final: bool, now: float, webhooks: Sequence[str]) -> Alert:
        """Store a richer alert; returns it as stored."""
        return await self.database.write(lambda c: incidents.revise(c, alert, now, final=final, webhooks=webhooks))

    async def remembered(self, alert: Alert) -> None:
        """The memory holds what this version tells of its incident."""
        await self.database.write(lambda c: incidents.remembered(c, alert))

    async def forgotten(self) -> None:
        """The memory holds nothing."""
        await self.database.write(incidents.forgotten)

    async def unremembered(self, limit: int) -> list[Alert]:
        """Newest alerts of incidents that notified since the memory was given them."""
        return await self.database.read(lambda c: incidents.unremembered(c, limit))

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident, or None."""
        return await self.database.read(lambda c: incidents.one(c, incident_id))

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
        filters: dict[str, object] = {
            "before": before,
            "severity": severity,
            "status": status,
            "rule": rule,
            "text": text,
        }
        return await self.database.read(lambda c: incidents.listed(c, limit, filters))

    async def alerts(self, incident_id: str) -> list[Alert]:
        """All versions of the incident's alert, oldest first."""
        return await self.database.read(lambda c: incidents.alerts(c, incident_id))

    async def anomalies(self, incident_id: str, limit: int = 100) -> list[Anomaly]:
        """The stored anomalies of an incident, oldest first."""
        return await self.database.read(lambda c: incidents.anomalies(c, incident_id, limit))

    async def deliveries(self, incident_id: str) -> list[Delivery]:
        """What was or is owed for the incident's alert."""
        return await self.database.read(lambda c: incidents.deliveries(c, incident_id))

    async def counts(self) -> dict[str, int]:
        """Rows per table."""
        return await self.database.read(
            lambda c: {name: c.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _TABLES}  # noqa: S608 - our names
        )

    async def prune(self, before: float, keep_rows: int) -> int:
        """Drop old closed incidents; returns how many."""
        return await self.database.write(functools.partial(incidents.prune, before=before, keep_rows=keep_rows))
