"""Incidents, their anomalies and the versions of their alerts."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from daemon.model import Alert, Anomaly, Delivery, Incident, IncidentStatus
from daemon.state import Commit, Outstanding, Owed
from daemon.state.rows import DELIVERY_COLUMNS, alert_of, delivery_of, incident_of, pack

_INCIDENT = (
    "INSERT INTO incidents (id, rule_id, severity, status, opened_at, last_at, search, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, status = excluded.status, "
    "opened_at = excluded.opened_at, last_at = excluded.last_at, search = excluded.search, body = excluded.body"
)


def save(connection: sqlite3.Connection, batch: Commit) -> None:
    """The incidents, anomalies, alerts and deliveries of one batch."""
    for incident in batch.incidents:
        connection.execute(_INCIDENT, _incident_row(incident))
    connection.executemany(
        "INSERT OR IGNORE INTO anomalies (id, incident_id, at, body) VALUES (?, ?, ?, ?)",
        [(anomaly.id, incident_id, anomaly.at, pack(anomaly)) for incident_id, anomaly in batch.anomalies],
    )
    for told in batch.told:
        stored = append(connection, told.alert)
        owe(connection, stored, told.owed, batch.at)
        connection.execute("UPDATE incidents SET told = ? WHERE id = ?", (stored.version, stored.incident_id))
        # what was drafted for an earlier version is stale now
        connection.execute("DELETE FROM enrichments WHERE alert_id = ?", (stored.id,))
        if told.enrich:
            connection.execute(
                "INSERT INTO enrichments (alert_id, incident_id, severity, made_at, draft) VALUES (?, ?, ?, ?, ?)",
                (stored.id, stored.incident_id, int(stored.severity), stored.made_at, pack(stored)),
            )


def _incident_row(incident: Incident) -> tuple[object, ...]:
    rule = incident.rule
    search = f"{rule.title} {incident.entity} {incident.host} {incident.because} {' '.join(rule.techniques)}"
    return (
        incident.id, incident.rule.id, int(incident.severity), incident.status.value,
        incident.opened_at, incident.last_at, search.lower(), pack(incident),
    )  # fmt: skip


def append(connection: sqlite3.Connection, alert: Alert) -> Alert:
    """Store an alert as its next version."""
    newest = connection.execute("SELECT coalesce(max(version), 0) FROM alerts WHERE id = ?", (alert.id,)).fetchone()[0]
    stored = msgspec.structs.replace(alert, version=newest + 1)
    connection.execute(
        "INSERT INTO alerts (id, version, incident_id, severity, made_at, body) VALUES (?, ?, ?, ?, ?, ?)",
        (stored.id, stored.version, stored.incident_id, int(stored.severity), stored.made_at, pack(stored)),
    )
    return stored


def owe(connection: sqlite3.Connection, alert: Alert, owed: Iterable[Owed], now: float) -> None:
    """Owe a version to webhooks."""
    connection.executemany(
        "INSERT OR IGNORE INTO deliveries (alert_id, version, webhook, severity, state, due_at, created_at) "
        "VALUES (?, ?, ?, ?, 'due', ?, ?)",
        [(alert.id, alert.version, one.webhook, int(alert.severity), one.due_at, now) for one in owed],
    )


def newest(connection: sqlite3.Connection, alert_id: str) -> Alert | None:
    """The newest version of an alert."""
    row = connection.execute(
        "SELECT body FROM alerts WHERE id = ? ORDER BY version DESC LIMIT 1", (alert_id,)
    ).fetchone()
    return alert_of(row[0]) if row else None


def is_untouched(connection: sqlite3.Connection, alert: Alert) -> bool:
    """Nobody was sent this version, and nobody is being sent it."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(attempts), 0) FROM deliveries WHERE alert_id = ? AND version = ?",
        (alert.id, alert.version),
    ).fetchone()
    return bool(row[0]) and not row[1]


def revise(connection: sqlite3.Connection, alert: Alert, now: float, *, final: bool, webhooks: Sequence[str]) -> Alert:
    """See `daemon.state.Desk.revise`."""
    present = newest(connection, alert.id)
    if present is None or present.version != alert.version:
        return present or alert
    if final:
        connection.execute("DELETE FROM enrichments WHERE alert_id = ?", (alert.id,))
        if _same(present, alert):
            return present
        stored = append(connection, msgspec.structs.replace(alert, made_at=now))
        owe(connection, stored, [Owed(name, now) for name in webhooks], now)
        return stored
    if webhooks and alert.similar != present.similar and not is_untouched(connection, alert):
        alert = append(connection, msgspec.structs.replace(alert, made_at=now))
        owe(connection, alert, [Owed(name, now) for name in webhooks], now)
    connection.execute("UPDATE enrichments SET draft = ? WHERE alert_id = ?", (pack(alert), alert.id))
    if is_untouched(connection, alert):
        connection.execute(
            "UPDATE alerts SET body = ? WHERE id = ? AND version = ?", (pack(alert), alert.id, alert.version)
        )
        connection.execute(
            "UPDATE deliveries SET due_at = min(due_at, ?) WHERE alert_id = ? AND version = ?",
            (now, alert.id, alert.version),
        )
    return alert


def _same(one: Alert, other: Alert) -> bool:
    return (one.similar, one.explanation, one.gaps, one.next_steps) == (
        other.similar, other.explanation, other.gaps, other.next_steps,
    )  # fmt: skip


def unenriched(connection: sqlite3.Connection, limit: int) -> list[Outstanding]:
    """Alerts whose enrichment is not finished, most urgent first."""
    rows = connection.execute(
        "SELECT e.draft, e.attempts, e.alert_id FROM enrichments e ORDER BY e.severity DESC, e.made_at DESC LIMIT ?",
        (limit,),
    ).fetchall()
    found = []
    for draft, attempts, _ in rows:
        alert = alert_of(draft)
        found.append(Outstanding(alert=alert, base_sent=not is_untouched(connection, alert), attempts=attempts))
    return found


def tried(connection: sqlite3.Connection, alert_id: str) -> None:
    """Count an attempt at enriching, before it is made."""
    connection.execute("UPDATE enrichments SET attempts = attempts + 1 WHERE alert_id = ?", (alert_id,))


def remembered(connection: sqlite3.Connection, alert: Alert) -> None:
    """The memory holds what this version tells, unless its incident has notified again since."""
    connection.execute(
        "UPDATE incidents SET remembered = told WHERE id = ? AND told <= ?", (alert.incident_id, alert.version)
    )


def forgotten(connection: sqlite3.Connection) -> None:
    """The memory holds nothing."""
    connection.execute("UPDATE incidents SET remembered = 0 WHERE remembered > 0")


def unremembered(connection: sqlite3.Connection, limit: int) -> list[Alert]:
    """Newest alerts of incidents that notified since the memory was given them, oldest first."""
    rows = connection.execute(
        "SELECT a.body FROM incidents i JOIN alerts a ON a.incident_id = i.id WHERE i.remembered < i.told "
        "AND a.version = (SELECT max(version) FROM alerts WHERE id = a.id) ORDER BY i.last_at LIMIT ?",
        (limit,),
    ).fetchall()
    return [alert_of(body) for (body,) in rows]


def live(connection: sqlite3.Connection, limit: int) -> list[Incident]:
    """The most recent incidents, oldest first; of equally recent ones those that the grouping step keeps."""
    rows = connection.execute("SELECT body FROM incidents ORDER BY last_at DESC, id DESC LIMIT ?", (limit,)).fetchall()
    return [incident_of(body) for (body,) in reversed(rows)]


def close_others(connection: sqlite3.Connection, limit: int) -> None:
    """Close what is open beside the most recent: the grouping step lost it, so nothing else would ever close it."""
    rows = connection.execute(
        "SELECT id FROM incidents WHERE status = 'open' "
        "AND id NOT IN (SELECT id FROM incidents ORDER BY last_at DESC, id DESC LIMIT ?)",
        (limit,),
    ).fetchall()
    for (incident_id,) in rows:
        incident = one(connection, incident_id)
        if incident is not None:
            closed = msgspec.structs.replace(incident, status=IncidentStatus.closed)
            connection.execute(_INCIDENT, _incident_row(closed))


def one(connection: sqlite3.Connection, incident_id: str) -> Incident | None:
    """One incident, or None."""
    row = connection.execute("SELECT body FROM incidents WHERE id = ?", (incident_id,)).fetchone()
    return incident_of(row[0]) if row else None


def listed(connection: sqlite3.Connection, limit: int, filters: dict[str, object]) -> list[Incident]:
    """Incidents, newest first. `filters`: before, severity, status, rule, text."""
    clauses, values = ["severity >= ?"], [filters["severity"]]
    for key, clause in (("before", "last_at < ?"), ("status", "status = ?"), ("rule", "rule_id = ?")):
        if filters[key] not in {None, ""}:
            clauses.append(clause)
            values.append(filters[key])
    for word in str(filters["text"]).lower().split():
        clauses.append("instr(search, ?) > 0")
        values.append(word)
    rows = connection.execute(
        f"SELECT body FROM incidents WHERE {' AND '.join(clauses)} ORDER BY last_at DESC, id LIMIT ?",  # noqa: S608 - our clauses
        (*values, limit),
    )
    return [incident_of(body) for (body,) in rows]


def alerts(connection: sqlite3.Connection, incident_id: str) -> list[Alert]:
    """All versions of the incident's alert, oldest first."""
    rows = connection.execute("SELECT body FROM alerts WHERE incident_id = ? ORDER BY version", (incident_id,))
    return [alert_of(body) for (body,) in rows]


def deliveries(connection: sqlite3.Connection, incident_id: str) -> list[Delivery]:
    """What was or is owed for the incident's alert."""
    rows = connection.execute(
        f"SELECT {DELIVERY_COLUMNS} WHERE a.incident_id = ? ORDER BY d.id",
        (incident_id,),
    )
    return [delivery_of(row) for row in rows]


def anomalies(connection: sqlite3.Connection, incident_id: str, limit: int) -> list[Anomaly]:
    """The stored anomalies of an incident, oldest first."""
    rows = connection.execute(
        "SELECT body FROM anomalies WHERE incident_id = ? ORDER BY at LIMIT ?", (incident_id, limit)
    )
    return [msgspec.json.decode(body, type=Anomaly) for (body,) in rows]


def prune(connection: sqlite3.Connection, before: float, keep_rows: int) -> int:
    """Drop closed incidents that are older than `before` or beyond the newest `keep_rows`; what is owed stays."""
    cursor = connection.execute(
        "DELETE FROM incidents WHERE id IN (SELECT i.id FROM incidents i WHERE i.status <> 'open' "
        "AND (i.last_at < ? OR i.id NOT IN (SELECT id FROM incidents ORDER BY last_at DESC, id LIMIT ?)) "
        "AND NOT EXISTS (SELECT 1 FROM alerts a JOIN deliveries d ON d.alert_id = a.id "
        "WHERE a.incident_id = i.id AND d.state = 'due') LIMIT 1000)",
        (before, keep_rows),
    )
    return cursor.rowcount
