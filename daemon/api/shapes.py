"""What goes over the wire, as types: the OpenAPI document is generated from them and bodies are checked by them.

Instants are RFC 3339 in UTC with milliseconds, severities are their names, absent is null. The description of a request
field is also what its error says was expected.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from daemon.api.audit import AuditStatus
from daemon.model import Decision, DeliveryState, IncidentStatus
from daemon.telemetry import HealthState

Level: TypeAlias = Literal["informational", "low", "medium", "high", "critical"]
Instant: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Field: TypeAlias = str | int | float | bool | tuple[str, ...] | None


class Alive(Struct, frozen=True):
    """Liveness, and nothing else."""

    status: Literal["ok", "stopping", "failing"]


class Ready(Struct, frozen=True):
    """Readiness; `waiting_for` names what is not ready."""

    ready: bool
    waiting_for: tuple[str, ...] = ()


class ComponentShape(Struct, frozen=True):
    """How one component is; `detail` says what is wrong and what mends it."""

    component: str
    state: HealthState
    since: Instant
    detail: str


class FileShape(Struct, frozen=True):
    """How far one file has been read."""

    source: str
    path: str
    identity: str
    offset: int
    size: int
    lag_bytes: int
    last_read_at: Instant | None


class OutboxShape(Struct, frozen=True):
    """What is owed: due, dead, and the age of the oldest due in seconds (null when nothing is due)."""

    due: int
    dead: int
    oldest_age_seconds: float | None


class RulesShape(Struct, frozen=True):
    """Rules in force, disabled, refused; and why refused."""

    loaded: int
    disabled: int
    refused: int
    problems: tuple[str, ...]


class StatusShape(Struct, frozen=True):
    """The whole daemon at a glance. `outbox` and `counts` are null while the store cannot answer."""

    version: str
    phase: Literal["starting", "running", "stopping"]
    host: str
    config: str
    started_at: Instant
    uptime_seconds: float
    reloaded_at: Instant | None
    components: tuple[ComponentShape, ...]
    files: tuple[FileShape, ...]
    rules: RulesShape
    outbox: OutboxShape | None
    counts: dict[str, int] | None
    versions: dict[str, str]
    audit: AuditStatus


class RuleShape(Struct, frozen=True):
    """The rule that fired; author and licence travel with it."""

    id: str
    title: str
    severity: Level
    description: str
    author: str
    license: str
    techniques: tuple[str, ...]
    tactics: tuple[str, ...]
    references: tuple[str, ...]
    falsepositives: tuple[str, ...]
    runbook: str


class IncidentShape(Struct, frozen=True):
    """Anomalies of one rule about one entity."""

    id: str
    rule: RuleShape
    entity: str
    host: str
    source: str
    severity: Level
    status: IncidentStatus
    opened_at: Instant
    last_at: Instant
    notified_at: Instant | None
    count: int
    because: str


class PlaceShape(Struct, frozen=True):
    """A place in a file."""

    path: str
    identity: str
    offset: int


class EvidenceShape(Struct, frozen=True):
    """One numbered, redacted fact, citable by its id."""

    id: str
    at: Instant
    source: str
    text: str
    fields: dict[str, str]
    position: PlaceShape | None


class SimilarShape(Struct, frozen=True):
    """A past incident that resembles this one; `score` is the cosine similarity, `why` what they share."""

    incident_id: str
    title: str
    score: float
    at: Instant
    count: int
    entity: str
    because: str
    outcome: str
    why: str


class SentenceShape(Struct, frozen=True):
    """One sentence and the evidence that it cites."""

    text: str
    cites: tuple[str, ...]


class ExplanationShape(Struct, frozen=True):
    """Why it happened: by the rules alone (`origin: rules`) or by a model after grounding (`origin: model`)."""

    origin: str
    sentences: tuple[SentenceShape, ...]
    next_steps: tuple[str, ...]
    model: str
    model_digest: str
    prompt_version: str
    took_seconds: float
    dropped_sentences: int


class GapShape(Struct, frozen=True):
    """What is lacking and why."""

    part: str
    why: str
    detail: str


class AlertShape(Struct, frozen=True):
    """One version of what people are told of an incident."""

    id: str
    version: int
    incident_id: str
    decision: Decision
    rule: RuleShape
    severity: Level
    status: IncidentStatus
    host: str
    source: str
    entity: str
    because: str
    opened_at: Instant
    last_at: Instant
    made_at: Instant
    count: int
    evidence: tuple[EvidenceShape, ...]
    explanation: ExplanationShape
    next_steps: tuple[str, ...]
    similar: tuple[SimilarShape, ...]
    gaps: tuple[GapShape, ...]


class DeliveryShape(Struct, frozen=True):
    """One alert version owed to one webhook."""

    id: int
    webhook: str
    alert_version: int
    state: DeliveryState
    attempts: int
    created_at: Instant
    due_at: Instant
    detail: str


class AnomalyShape(Struct, frozen=True):
    """One firing of the rule, with the ids of its events."""

    id: str
    at: Instant
    because: str
    events: tuple[str, ...]


class IncidentsShape(Struct, frozen=True):
    """One page, newest first; `next` is the `before` of the following page, null on the last one."""

    incidents: tuple[IncidentShape, ...]
    next: str | None


class IncidentDetail(Struct, frozen=True):
    """One incident. `evidence`, `similar`, `explanation` and `gaps` are those of the newest alert version."""

    incident: IncidentShape
    anomalies: tuple[AnomalyShape, ...]
    alerts: tuple[AlertShape, ...]
    evidence: tuple[EvidenceShape, ...]
    similar: tuple[SimilarShape, ...]
    explanation: ExplanationShape | None
    gaps: tuple[GapShape, ...]
    deliveries: tuple[DeliveryShape, ...]


class AnswerShape(Struct, frozen=True):
    """An answer from stored incidents only; every sentence cites evidence."""

    question: str
    sentences: tuple[SentenceShape, ...]
    evidence: tuple[EvidenceShape, ...]
    similar: tuple[SimilarShape, ...]
    origin: str
    model: str
    gaps: tuple[GapShape, ...]


class AnalysisShape(Struct, frozen=True):
    """The analysed alert; it was neither stored nor sent."""

    alert: AlertShape


class ModelShape(Struct, frozen=True):
    """What is known of the model."""

    reachable: bool
    name: str
    digest: str
    context: int
    detail: str


class AiHealthShape(Struct, frozen=True):
    """How model and memory are, how many explanations wait, and the state of the circuit breaker."""

    model: ModelShape
    memory: str
    remembered: int
    waiting: int
    breaker: str
