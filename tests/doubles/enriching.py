"""Alerts as the pipeline stores them: real base alerts of real incidents, for tests of enrichment."""

import hashlib
from typing import Any

import msgspec

from daemon.enrichment.template import base_alert
from daemon.model import Alert, Decision, Incident, Severity, Similar
from tests.doubles.told_incidents import AT, event, incident

PAST = Similar(
    incident_id="inc_past",
    title="Download piped to a shell",
    score=0.91,
    at=AT - 86_400,
    count=3,
    entity="User=deploy",
    because="CommandLine contains “| bash”",
    outcome="a deployment script, fixed",
    why="same rule",
)


def stored_incident(number: int = 1, *, severity: Severity = Severity.high, **fields: Any) -> Incident:
    """An incident of its own with one process start; `fields` are fields of that event."""
    at = AT + number
    told = {"ProcessId": 4000 + number} | fields
    found = incident(event(0, at=at, **told), last_at=at)
    name = hashlib.sha256(f"{number}{sorted(fields.items())}".encode()).hexdigest()[:16]
    return msgspec.structs.replace(found, id=f"inc-{name}", severity=severity, opened_at=at)


def base(number: int = 1, *, severity: Severity = Severity.high, **fields: Any) -> Alert:
    """The base alert of `stored_incident(number, …)`: alerts of different numbers have one cause, other fields another."""
    found = stored_incident(number, severity=severity, **fields)
    return base_alert(found, Decision.first, version=0, now=AT + number)
