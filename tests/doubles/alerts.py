"""Alerts and deliveries to try things on; every part can be replaced."""

from typing import Any

import msgspec

from daemon.model import (
    Alert,
    Decision,
    Delivery,
    Evidence,
    Explanation,
    Gap,
    IncidentStatus,
    Position,
    RuleRef,
    Sentence,
    Severity,
    Similar,
)

AT = 1_700_000_000.0

RULE = RuleRef(
    id="5c1b4c2e-0000-4000-8000-000000000001",
    title="Shell spawned by a web server",
    severity=Severity.high,
    description="A web server started an interactive shell.",
    author="A. Author (Example Team)",
    license="DRL 1.1",
    techniques=("T1059.004",),
    tactics=("execution",),
    references=("https://attack.mitre.org/techniques/T1059/004/",),
    falsepositives=("Administrators at work",),
    runbook="https://runbooks.example/web-shell",
)


def make_alert(**changes: Any) -> Alert:
    """A complete, ordinary alert."""
    alert = Alert(
        id="al-7f3a",
        version=1,
        incident_id="in-7f3a",
        decision=Decision.first,
        rule=RULE,
        severity=Severity.high,
        status=IncidentStatus.open,
        host="web-1",
        source="audit",
        entity="User=www-data",
        because="ParentImage is /usr/sbin/nginx and Image ends with /sh",
        opened_at=AT - 5,
        last_at=AT - 1,
        count=3,
        made_at=AT,
        evidence=(
            Evidence(
                id="E1",
                at=AT - 5,
                source="audit",
                text="nginx started sh -c id",
                fields={"Image": "/bin/sh", "User": "www-data"},
                position=Position("/var/log/audit/audit.log", "1:2:3", 4096),
            ),
            Evidence(id="E2", at=AT - 1, source="audit", text="sh read /etc/passwd"),
        ),
        explanation=Explanation(
            origin="rules", sentences=(Sentence("www-data got a shell from nginx.", ("E1",)),), took=0.0
        ),
        next_steps=("Look at the requests that nginx served at that time.",),
        similar=(
            Similar(
                incident_id="in-1",
                title="Shell spawned by a web server",
                score=0.91234,
                at=AT - 86400,
                count=1,
                entity="User=www-data",
                because="ParentImage is /usr/sbin/nginx",
                outcome="true positive",
                why="same rule, same user",
            ),
        ),
        gaps=(Gap("explanation", "timeout", "the model did not answer within 90 s"),),
    )
    return msgspec.structs.replace(alert, **changes)


def make_delivery(**changes: Any) -> Delivery:
    """The first attempt at an ordinary alert to `ops`."""
    delivery = Delivery(id=1, alert=make_alert(), webhook="ops", attempts=0, due_at=AT, created_at=AT)
    return msgspec.structs.replace(delivery, **changes)
