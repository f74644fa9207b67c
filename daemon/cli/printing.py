"""Anomalies and incidents as JSON lines, for `replay` and for whoever reads its output.

Anomaly: `rule_id rule_title level author techniques time host entity because position evidence`; `time` is ISO 8601
UTC, `position` is {path, offset} of the event that completed it (null for readings), `evidence` lists the events
with `time`, `text`, `fields`.
Incident: the same of its rule, with `id status opened_at last_at count first_event last_event`.
"""

import msgspec

from daemon.delivery.formats.plain import rfc3339
from daemon.model import Anomaly, Event, Incident, RuleRef


def _rule(rule: RuleRef) -> dict[str, object]:
    return {
        "rule_id": rule.id,
        "rule_title": rule.title,
        "level": rule.severity.name,
        "author": rule.author,
        "techniques": rule.techniques,
    }


def _evidence(event: Event) -> dict[str, object]:
    return {"time": rfc3339(event.at), "text": event.text, "fields": dict(event.fields)}


def anomaly_json(anomaly: Anomaly) -> bytes:
    """One line of JSON without the newline."""
    last = anomaly.events[-1] if anomaly.events else None
    where = last.position if last else None
    return msgspec.json.encode(
        {
            **_rule(anomaly.rule),
            "time": rfc3339(anomaly.at),
            "host": anomaly.host,
            "entity": anomaly.entity,
            "because": anomaly.because,
            "position": {"path": where.path, "offset": where.offset} if where else None,
            "evidence": [_evidence(event) for event in anomaly.events],
        }
    )


def incident_json(incident: Incident) -> bytes:
    """One line of JSON without the newline."""
    return msgspec.json.encode(
        {
            "id": incident.id,
            **_rule(incident.rule),
            "severity": incident.severity.name,
            "status": incident.status.value,
            "host": incident.host,
            "entity": incident.entity,
            "opened_at": rfc3339(incident.opened_at),
            "last_at": rfc3339(incident.last_at),
            "count": incident.count,
            "because": incident.because,
            "first_event": incident.first_event,
            "last_event": incident.last_event,
            "evidence": [_evidence(event) for anomaly in incident.anomalies for event in anomaly.events],
        }
    )
