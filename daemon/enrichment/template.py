"""Incident → base alert: complete and useful without a model, and made from nothing that may be slow or down.

Every sentence cites evidence, as a model's must. Next steps come from the rule's runbook, then from the kind of
source; they never contain text of a log, so nobody can smuggle a command into them.
"""

import hashlib
import re

from daemon.enrichment.attack_words import say_tactic, say_technique, technique_id
from daemon.enrichment.evidence import collect_evidence, left_out, spoken_count
from daemon.enrichment.plain import cut, iso, shown
from daemon.model import (
    Alert,
    Decision,
    Evidence,
    Explanation,
    Gap,
    Incident,
    IncidentStatus,
    Logsource,
    Sentence,
)

_MAX_STEPS = 8
_MAX_STEP = 300
_MAX_SENTENCE = 700
_NUMBERED = re.compile(r"^\s*(?:(?:step\s*)?\d{1,2}\s*[.):]|[-*•])\s+", re.IGNORECASE)
_INLINE = re.compile(r"\s+(?=\d{1,2}[.)]\s+\S)")
_STEPS = {
    "process_creation": (
        "Find out who was logged in at that time and whether a person or a service started the process.",
        "Look at the parent process: a web server, database or mail service should not start shells or download tools.",
        "Look for files and connections that the process left behind on the host.",
    ),
    "file_event": (
        "Compare the file with a backup or with the package that owns it.",
        "Find out which process and which user wrote the file, and what else they wrote.",
    ),
    "network_connection": (
        "Find out which process owns the connection and whether the remote address is known to you.",
        "Look for other hosts that talk to the same remote address.",
    ),
    "host_metrics": (
        "See which processes use the resource now, and what started or changed shortly before the first reading.",
        "Check whether the resource is still scarce, and what fails if it runs out.",
    ),
    "gpu_metrics": (
        "See which processes use the GPU now, and whether its cooling, power and driver are well.",
        "Check whether jobs on the GPU are slowed down or have failed.",
    ),
    "evidence_loss": (
        "Treat the host as unobserved for the time named: look at other records of it.",
        "Find out what took the events: a full backlog, a rotation, or somebody who stopped the audit system.",
    ),
    "login": (
        "Check whether a login from the same address or of the same account succeeded afterwards.",
        "If a login succeeded that nobody can account for, change the credentials and end its sessions.",
    ),
}
_LOGINS = frozenset({"sshd", "auth", "sudo", "vsftpd"})
_ANY_STEPS = (
    "Read the evidence, then the log around the time of the first event.",
    "Ask whoever is responsible for the host whether the activity was planned.",
    "If it was not, isolate the host and keep its logs and memory before changing anything.",
)
_OPENINGS = {
    Decision.escalated: "This incident has become more serious.",
    Decision.repeated: "This incident is still going on.",
    Decision.resolved: "The condition no longer holds; this incident has ended.",
}


def alert_id(incident_id: str) -> str:
    """One id for all versions of an incident's alert, the same on every attempt; no dot (Standard Webhooks)."""
    digest = hashlib.blake2b(incident_id.encode("utf-8", "surrogatepass"), digest_size=12)
    return f"alert_{digest.hexdigest()}"


def base_alert(
    incident: Incident, decision: Decision, *, version: int, now: float, gaps: tuple[Gap, ...] = ()
) -> Alert:
    """The alert that waits for nobody. `incident` is redacted; `now` is UTC seconds; `gaps` are those of its time."""
    evidence = collect_evidence(incident)
    return Alert(
        id=alert_id(incident.id),
        version=version,
        incident_id=incident.id,
        decision=decision,
        rule=incident.rule,
        severity=incident.severity,
        status=incident.status,
        host=incident.host,
        source=incident.source,
        entity=shown(incident.entity, _MAX_SENTENCE),
        because=shown(incident.because, _MAX_SENTENCE),
        opened_at=incident.opened_at,
        last_at=incident.last_at,
        count=incident.count,
        made_at=now,
        evidence=evidence,
        explanation=Explanation("rules", _sentences(incident, decision, evidence)),
        next_steps=_next_steps(incident),
        gaps=(*_gaps(incident), *gaps),
    )


def _sentences(incident: Incident, decision: Decision, evidence: tuple[Evidence, ...]) -> tuple[Sentence, ...]:
    facts = evidence[0].fields
    ends = [item.id for item in (evidence[1:2] + evidence[-1:]) if item.id != "E1"]
    latest = tuple(dict.fromkeys(["E1", *ends]))
    about = f" about {facts['entity']}" if "entity" in facts else ""
    what = (
        f"{spoken_count(incident.count)} of “{facts.get('rule', 'an untitled rule')}”{about} on "
        f"{facts.get('host', 'this host')} between {iso(incident.opened_at)} and {iso(incident.last_at)}."
    )
    if incident.count == 1:
        what = what.split(" between ", 1)[0] + f" at {iso(incident.last_at)}."
    said: list[tuple[str, tuple[str, ...]]] = []
    if decision in _OPENINGS:
        said.append((_OPENINGS[decision], ("E1",)))
    said.append((what, latest))
    if incident.because:
        because = shown(incident.because, _MAX_SENTENCE - 60).rstrip(". ")
        said.append((f"It counts as an anomaly because {because}.", latest))
    said += [(text, ("E1",)) for text in _meaning(incident)]
    return tuple(Sentence(cut(text, _MAX_SENTENCE), cites) for text, cites in said)


def _meaning(incident: Incident) -> list[str]:
    """What the rule's author says of it, what its technique means, and what else it may be."""
    rule = incident.rule
    said = []
    description = " ".join(rule.description.split())
    if description:
        said.append(f"The rule looks for this: {shown(description, 400).rstrip('. ')}.")
    known = [(technique_id(tag), say_technique(tag)) for tag in rule.techniques]
    meant = [f"{meaning} ({name})" for name, meaning in known if meaning][:3]
    tactics = [meaning for tag in rule.tactics if (meaning := say_tactic(tag))][:2]
    if meant:
        said.append(f"Attackers use this for {'; '.join(meant)}.")
    elif tactics:
        said.append(f"If an attacker is behind it, {'; '.join(tactics)}.")
    excuses = [shown(" ".join(text.split()), 150).rstrip(". ") for text in rule.falsepositives[:5]]
    excuses = [text for text in excuses if text and text.lower() not in {"unknown", "none", "unlikely"}]
    if excuses:
        said.append(f"According to the rule, this can also come from: {'; '.join(excuses)}.")
    return said


def _next_steps(incident: Incident) -> tuple[str, ...]:
    if incident.status is IncidentStatus.closed:
        defaults: tuple[str, ...] = ("Check that the cause is gone and not only its sign.",)
    else:
        defaults = (*_STEPS.get(_kind(incident), ()), *_ANY_STEPS)
    steps = [*_runbook(incident.rule.runbook), *defaults]
    return tuple(dict.fromkeys(steps))[:_MAX_STEPS]


def _kind(incident: Incident) -> str:
    events = [event for anomaly in incident.anomalies for event in anomaly.events]
    logsource = events[-1].logsource if events else Logsource()
    return "login" if logsource.service in _LOGINS else logsource.category


def _runbook(runbook: str) -> list[str]:
    """Lines, bullets or `1. … 2. …` → steps."""
    lines = [part for line in runbook.splitlines() for part in _INLINE.split(line)]
    steps = [shown(_NUMBERED.sub("", line).strip(), _MAX_STEP) for line in lines]
    return [step for step in steps if step]


def _gaps(incident: Incident) -> tuple[Gap, ...]:
    seen, kept = left_out(incident)
    if not kept:
        return (Gap("evidence", "missing", "no event was kept with this incident"),)
    if seen < kept:
        return (Gap("evidence", "truncated", f"{seen} of {kept} distinct events are shown"),)
    return ()
