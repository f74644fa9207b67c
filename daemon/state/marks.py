"""Alerts that were told before it was known that evidence of their time is missing: they get the gap.

A version that nobody was sent yet gets it in place; else it is the next version, owed to those who want to hear of gaps
alone, and everybody else has it with the next version that they get. In the transaction of the loss: neither is kept
without the other. An alert gets it once, until its incident notifies again with numbers that are up to date.
"""

import sqlite3

import msgspec

from daemon.model import Alert, Gap, Unseen
from daemon.state import Commit, Owed
from daemon.state.incidents import append, is_untouched, newest, owe
from daemon.state.rows import alert_of, incident_of, pack

_MOST = 200  # incidents looked at for one time, the newest first
_DAY = 86400.0  # by how much evidence may be older than the incident: what a rule counted
_NEAR = "SELECT body FROM incidents WHERE told > 0 AND last_at >= ? AND opened_at <= ? ORDER BY last_at DESC LIMIT ?"
_NEWEST = "SELECT id FROM alerts WHERE incident_id = ? ORDER BY version DESC LIMIT 1"


def mark(connection: sqlite3.Connection, batch: Commit) -> None:
    """Give the gaps of a batch to the alerts that lack them."""
    for unseen in batch.unseen:
        for incident_id in _affected(connection, unseen):
            row = connection.execute(_NEWEST, (incident_id,)).fetchone()
            alert = newest(connection, row[0]) if row else None
            if alert is not None and not _is_marked(alert.gaps, unseen.gap):
                _add(connection, alert, unseen.gap, batch)


def _affected(connection: sqlite3.Connection, unseen: Unseen) -> list[str]:
    """The incidents of the host whose evidence lies in that time."""
    rows = connection.execute(_NEAR, (unseen.since, unseen.until + _DAY, _MOST)).fetchall()
    found = []
    for (body,) in rows:
        incident = incident_of(body)
        since, until = incident.span
        if incident.host == unseen.host and not incident.of_loss and since <= unseen.until and until >= unseen.since:
            found.append(incident.id)
    return found


def _is_marked(gaps: tuple[Gap, ...], gap: Gap) -> bool:
    return any((one.part, one.why) == (gap.part, gap.why) for one in gaps)


def _add(connection: sqlite3.Connection, alert: Alert, gap: Gap, batch: Commit) -> None:
    marked = msgspec.structs.replace(alert, gaps=(*alert.gaps, gap))
    if is_untouched(connection, alert):
        connection.execute(
            "UPDATE alerts SET body = ? WHERE id = ? AND version = ?", (pack(marked), alert.id, alert.version)
        )
    else:
        marked = append(connection, msgspec.structs.replace(marked, made_at=batch.at))
        owed = [Owed(name, batch.at) for name, least in batch.gap_hooks if marked.severity >= least]
        owe(connection, marked, owed, batch.at)
    row = connection.execute("SELECT draft FROM enrichments WHERE alert_id = ?", (alert.id,)).fetchone()
    if row is not None:  # enrichment goes on from here, or it would be found stale
        draft = alert_of(row[0])
        draft = msgspec.structs.replace(draft, version=marked.version, gaps=(*draft.gaps, gap))
        connection.execute("UPDATE enrichments SET draft = ? WHERE alert_id = ?", (pack(draft), alert.id))
