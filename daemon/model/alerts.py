"""What people are told: alerts with evidence, explanation and gaps, and who is owed them."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from daemon.model.gaps import Gap
from daemon.model.happenings import Position
from daemon.model.incidents import Decision, IncidentStatus, RuleRef, Severity


class Evidence(Struct, frozen=True):
    """One numbered, redacted fact of an alert, citable by `id` (`E1`, `E2` …)."""

    id: str
    at: float
    source: str
    text: str
    fields: Mapping[str, str] = {}
    position: Position | None = None


class Similar(Struct, frozen=True):
    """A past incident that resembles this one. `score` is the cosine similarity; `why` names what they share."""

    incident_id: str
    title: str
    score: float
    at: float
    count: int
    entity: str
    because: str
    outcome: str = ""
    why: str = ""


class Sentence(Struct, frozen=True):
    """One sentence of an explanation and the ids of the evidence that it cites."""

    text: str
    cites: tuple[str, ...]


class Explanation(Struct, frozen=True):
    """Why it happened. `origin` is `rules` for the deterministic text, `model` for a grounded answer.

    There is deliberately no field for severity, routing, grouping, suppression or timing.
    """

    origin: str
    sentences: tuple[Sentence, ...]
    next_steps: tuple[str, ...] = ()
    model: str = ""
    model_digest: str = ""
    prompt_version: str = ""
    took: float = 0.0
    dropped: int = 0


class Alert(Struct, frozen=True):
    """What people are told of an incident. One `id` for its life, a new `version` for each thing added."""

    id: str
    version: int
    incident_id: str
    decision: Decision
    rule: RuleRef
    severity: Severity
    status: IncidentStatus
    host: str
    source: str
    entity: str
    because: str
    opened_at: float
    last_at: float
    count: int
    made_at: float
    evidence: tuple[Evidence, ...]
    explanation: Explanation
    next_steps: tuple[str, ...] = ()
    similar: tuple[Similar, ...] = ()
    gaps: tuple[Gap, ...] = ()


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    due = "due"
    sent = "sent"
    dead = "dead"


class Delivery(Struct, frozen=True):
    """One alert version owed to one webhook. `attempts` counts those already begun."""

    id: int
    alert: Alert
    webhook: str
    attempts: int
    due_at: float
    created_at: float
    state: DeliveryState = DeliveryState.due
    detail: str = ""
