"""Values ↔ columns. Bodies are JSON, so that a person with the sqlite3 shell can read a store."""

import sqlite3
from typing import TypeVar

import msgspec

from daemon.model import Alert, Anomaly, Delivery, DeliveryState, Incident

Kind = TypeVar("Kind", Alert, Anomaly, Incident)
_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert).decode
_incident = msgspec.json.Decoder(Incident).decode

DELIVERY_COLUMNS = (
    "d.id, a.body, d.webhook, d.attempts, d.due_at, d.created_at, d.state, d.detail "
    "FROM deliveries d JOIN alerts a ON a.id = d.alert_id AND a.version = d.version"
)


def pack(value: Alert | Anomaly | Incident) -> bytes:
    """A value as JSON."""
    return _encode(value)


def alert_of(body: bytes) -> Alert:
    """JSON → Alert."""
    return _alert(body)


def incident_of(body: bytes) -> Incident:
    """JSON → Incident."""
    return _incident(body)


def delivery_of(row: sqlite3.Row | tuple[object, ...]) -> Delivery:
    """A row of DELIVERY_COLUMNS → Delivery."""
    number, body, webhook, attempts, due_at, created_at, state, detail = row
    return Delivery(
        id=int(str(number)),
        alert=alert_of(bytes(body)),  # type: ignore[arg-type]  # a BLOB column
        webhook=str(webhook),
        attempts=int(str(attempts)),
        due_at=float(str(due_at)),
        created_at=float(str(created_at)),
        state=DeliveryState(str(state)),
        detail=str(detail),
    )
