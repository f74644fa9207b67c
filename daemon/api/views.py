"""Values of the program → shapes of the wire. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from daemon.api.endpoint import FileStatus
from daemon.api.shapes import (
    AiHealthShape,
    AlertShape,
    AnomalyShape,
    AnswerShape,
    DeliveryShape,
    EvidenceShape,
    ExplanationShape,
    FileShape,
    GapShape,
    IncidentShape,
    Level,
    ModelShape,
    PlaceShape,
    RuleShape,
    SentenceShape,
    SimilarShape,
)
from daemon.enrichment import AiHealth, QueryAnswer
from daemon.model import (
    Alert,
    Anomaly,
    Delivery,
    Evidence,
    Explanation,
    Gap,
    Incident,
    RuleRef,
    Sentence,
    Severity,
    Similar,
)

LEVEL: Mapping[Severity, Level] = {
    Severity.informational: "informational",
    Severity.low: "low",
    Severity.medium: "medium",
    Severity.high: "high",
    Severity.critical: "critical",
}

_FIRST = -62_135_596_800.0  # 0001-01-01T00:00:00Z
_LAST = 253_402_300_799.0  # 9999-12-31T23:59:59Z


def instant(at: float) -> str:
    """UTC seconds → RFC 3339 with milliseconds. A time that a hostile log made up is clamped to the years 1 to 9999."""
    sane = min(max(at, _FIRST), _LAST) if at == at else 0.0  # noqa: PLR0124 - NaN is not equal to itself
    return datetime.fromtimestamp(sane, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_none(at: float) -> str | None:
    """The same, where 0 stands for never."""
    return instant(at) if at else None


def rule_shape(rule: RuleRef) -> RuleShape:
    """A rule, without where its file lies on this machine."""
    return RuleShape(
        id=rule.id,
        title=rule.title,
        severity=LEVEL[rule.severity],
        description=rule.description,
        author=rule.author,
        license=rule.license,
        techniques=rule.techniques,
        tactics=rule.tactics,
        references=rule.references,
        falsepositives=rule.falsepositives,
        runbook=rule.runbook,
    )


def incident_shape(incident: Incident) -> IncidentShape:
    """An incident, without its anomalies."""
    return IncidentShape(
        id=incident.id,
        rule=rule_shape(incident.rule),
        entity=incident.entity,
        host=incident.host,
        source=incident.source,
        severity=LEVEL[incident.severity],
        status=incident.status,
        opened_at=instant(incident.opened_at),
        last_at=instant(incident.last_at),
        notified_at=instant_or_none(incident.notified_at),
        count=incident.count,
        because=incident.because,
    )


def anomaly_shape(anomaly: Anomaly) -> AnomalyShape:
    """One firing."""
    return AnomalyShape(anomaly.id, instant(anomaly.at), anomaly.because, tuple(event.id for event in anomaly.events))


def evidence_shape(evidence: Evidence) -> EvidenceShape:
    """One fact and where it stands."""
    place = evidence.position
    return EvidenceShape(
        id=evidence.id,
        at=instant(evidence.at),
        source=evidence.source,
        text=evidence.text,
        fields=dict(evidence.fields),
        position=PlaceShape(place.path, place.identity, place.offset) if place else None,
    )


def similar_shape(similar: Similar) -> SimilarShape:
    """A past incident."""
    return SimilarShape(
        incident_id=similar.incident_id,
        title=similar.title,
        score=similar.score,
        at=instant(similar.at),
        count=similar.count,
        entity=similar.entity,
        because=similar.because,
        outcome=similar.outcome,
        why=similar.why,
    )


def sentence_shape(sentence: Sentence) -> SentenceShape:
    """A sentence and what it cites."""
    return SentenceShape(sentence.text, sentence.cites)


def explanation_shape(explanation: Explanation) -> ExplanationShape:
    """An explanation and where it came from."""
    return ExplanationShape(
        origin=explanation.origin,
        sentences=tuple(map(sentence_shape, explanation.sentences)),
        next_steps=explanation.next_steps,
        model=explanation.model,
        model_digest=explanation.model_digest,
        prompt_version=explanation.prompt_version,
        took_seconds=explanation.took,
        dropped_sentences=explanation.dropped,
    )


def gap_shape(gap: Gap) -> GapShape:
    """What is lacking."""
    return GapShape(gap.part, gap.why, gap.detail)


def alert_shape(alert: Alert) -> AlertShape:
    """One version of an alert."""
    return AlertShape(
        id=alert.id,
        version=alert.version,
        incident_id=alert.incident_id,
        decision=alert.decision,
        rule=rule_shape(alert.rule),
        severity=LEVEL[alert.severity],
        status=alert.status,
        host=alert.host,
        source=alert.source,
        entity=alert.entity,
        because=alert.because,
        opened_at=instant(alert.opened_at),
        last_at=instant(alert.last_at),
        made_at=instant(alert.made_at),
        count=alert.count,
        evidence=tuple(map(evidence_shape, alert.evidence)),
        explanation=explanation_shape(alert.explanation),
        next_steps=alert.next_steps,
        similar=tuple(map(similar_shape, alert.similar)),
        gaps=tuple(map(gap_shape, alert.gaps)),
    )


def delivery_shape(delivery: Delivery) -> DeliveryShape:
    """One delivery, without the alert that it carries."""
    return DeliveryShape(
        id=delivery.id,
        webhook=delivery.webhook,
        alert_version=delivery.alert.version,
        state=delivery.state,
        attempts=delivery.attempts,
        created_at=instant(delivery.created_at),
        due_at=instant(delivery.due_at),
        detail=delivery.detail,
    )


def answer_shape(answer: QueryAnswer) -> AnswerShape:
    """The answer to a question."""
    return AnswerShape(
        question=answer.question,
        sentences=tuple(map(sentence_shape, answer.sentences)),
        evidence=tuple(map(evidence_shape, answer.evidence)),
        similar=tuple(map(similar_shape, answer.similar)),
        origin=answer.origin,
        model=answer.model,
        gaps=tuple(map(gap_shape, answer.gaps)),
    )


def ai_health_shape(health: AiHealth) -> AiHealthShape:
    """How model and memory are."""
    model = health.model
    return AiHealthShape(
        model=ModelShape(model.reachable, model.name, model.digest, model.context, model.detail),
        memory=health.memory,
        remembered=health.remembered,
        waiting=health.waiting,
        breaker=health.breaker,
    )


def file_shape(file: FileStatus) -> FileShape:
    """A file and how much of it is still unread."""
    return FileShape(
        source=file.source,
        path=file.path,
        identity=file.identity,
        offset=file.offset,
        size=file.size,
        lag_bytes=max(0, file.size - file.offset),
        last_read_at=instant_or_none(file.last_read_at),
    )
