"""Deliveries owed. A delivery ends as `sent` or `dead`; versions of one alert reach a webhook in their order."""

import sqlite3
from collections.abc import Collection

from daemon.model import Delivery, DeliveryState
from daemon.state import OutboxDepth
from daemon.state.rows import DELIVERY_COLUMNS, delivery_of

# an earlier version of the same alert that is still owed to the same webhook goes first
_IN_ORDER = (
    "d.webhook = ? AND d.state = 'due' AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.alert_id = d.alert_id "
    "AND e.webhook = d.webhook AND e.version < d.version AND e.state = 'due')"
)
_DUE = (
    f"SELECT {DELIVERY_COLUMNS} WHERE {_IN_ORDER} AND d.due_at <= ? "
    "ORDER BY d.severity DESC, d.created_at, d.id LIMIT 1"
)
_PROBE = (
    f"SELECT {DELIVERY_COLUMNS} WHERE {_IN_ORDER} AND d.due_at <= ? "
    "ORDER BY d.created_at < ? DESC, (d.attempts = 0 AND d.created_at > ?) DESC, d.attempts, "
    "d.severity DESC, d.created_at, d.id LIMIT 1"
)
_NEXT = f"SELECT min(d.due_at) FROM deliveries d WHERE {_IN_ORDER} AND d.due_at > ?"  # noqa: S608 - constants only


def due(connection: sqlite3.Connection, webhook: str, now: float) -> Delivery | None:
    """The most urgent delivery owed to the webhook now."""
    row = connection.execute(_DUE, (webhook, now)).fetchone()
    return delivery_of(row) if row else None


def probe(connection: sqlite3.Connection, webhook: str, now: float, overdue: float, since: float) -> Delivery | None:
    """The delivery to ask a receiver with that did not accept the last one."""
    row = connection.execute(_PROBE, (webhook, now, overdue, since)).fetchone()
    return delivery_of(row) if row else None


def next_due_at(connection: sqlite3.Connection, webhook: str, after: float) -> float | None:
    """When the next delivery that need not wait for an earlier version is due, of those due later than `after`."""
    value: float | None = connection.execute(_NEXT, (webhook, after)).fetchone()[0]
    return value


def begin(connection: sqlite3.Connection, delivery_id: int) -> Delivery:
    """Count an attempt before it is made; returns what is to be sent."""
    connection.execute("UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?", (delivery_id,))
    return delivery_of(connection.execute(f"SELECT {DELIVERY_COLUMNS} WHERE d.id = ?", (delivery_id,)).fetchone())


def resume(connection: sqlite3.Connection, webhook: str, now: float) -> None:
    """What was tried and put off is due now."""
    connection.execute(
        "UPDATE deliveries SET due_at = ? WHERE webhook = ? AND state = 'due' AND due_at > ? AND attempts > 0",
        (now, webhook, now),
    )


def end(connection: sqlite3.Connection, delivery_id: int, state: DeliveryState, now: float, detail: str) -> None:
    """Sent or dead; either is for good."""
    connection.execute(
        "UPDATE deliveries SET state = ?, ended_at = ?, detail = ? WHERE id = ?",
        (state.value, now, detail, delivery_id),
    )


def again(connection: sqlite3.Connection, delivery_id: int, due_at: float, detail: str) -> None:
    """Try again later."""
    connection.execute("UPDATE deliveries SET due_at = ?, detail = ? WHERE id = ?", (due_at, detail, delivery_id))


def abandon(connection: sqlite3.Connection, webhooks: Collection[str], before: float, now: float) -> int:
    """Give up what is owed since before `before` to webhooks that are not among these."""
    marks = ", ".join("?" * len(webhooks))
    cursor = connection.execute(
        f"UPDATE deliveries SET state = 'dead', ended_at = ?, detail = ? "  # noqa: S608 - question marks only
        f"WHERE state = 'due' AND created_at < ? AND webhook NOT IN ({marks})",
        (now, "its webhook is not configured any more", before, *webhooks),
    )
    return cursor.rowcount


def depth(connection: sqlite3.Connection) -> OutboxDepth:
    """How much is owed."""
    due_rows, oldest = connection.execute(
        "SELECT count(*), coalesce(min(created_at), 0) FROM deliveries WHERE state = 'due'"
    ).fetchone()
    dead = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'dead'").fetchone()[0]
    return OutboxDepth(due=due_rows, dead=dead, oldest_at=oldest)
