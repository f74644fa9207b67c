"""What is found: rules, anomalies, incidents and the decision to speak of them."""

from enum import IntEnum, StrEnum

from msgspec import Struct

from daemon.model.gaps import Gap
from daemon.model.happenings import Event


class Severity(IntEnum):
    """Sigma's `level`, ordered."""

    informational = 0
    low = 1
    medium = 2
    high = 3
    critical = 4


class RuleRef(Struct, frozen=True):
    """What the rest of the program needs to know of a rule. Author and licence travel with every alert (DRL 1.1)."""

    id: str
    title: str
    severity: Severity
    description: str = ""
    author: str = ""
    license: str = ""
    techniques: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    runbook: str = ""
    path: str = ""


class Anomaly(Struct, frozen=True):
    """One rule firing on one or several events, with the reason in words.

    `entity` is `field=value` pairs joined by `, `: whom the anomaly is about. `ends` is true when the condition
    of a sustained rule no longer holds: it closes the incident instead of counting.
    """

    id: str
    rule: RuleRef
    at: float
    host: str
    source: str
    entity: str
    because: str
    events: tuple[Event, ...]
    ends: bool = False


class IncidentStatus(StrEnum):
    """The life of an incident."""

    open = "open"
    quiet = "quiet"
    closed = "closed"


class Decision(StrEnum):
    """Why we speak, or do not."""

    first = "first"
    escalated = "escalated"
    repeated = "repeated"
    suppressed = "suppressed"
    resolved = "resolved"
    quiet = "quiet"

    @property
    def notifies(self) -> bool:
        """Whether people are told."""
        return self in {Decision.first, Decision.escalated, Decision.repeated, Decision.resolved}


class Incident(Struct, frozen=True):
    """Anomalies of one rule about one entity. `count` is exact; `anomalies` keeps a bounded selection."""

    id: str
    rule: RuleRef
    entity: str
    host: str
    source: str
    severity: Severity
    status: IncidentStatus
    opened_at: float
    last_at: float
    count: int
    because: str
    first_event: str
    last_event: str
    anomalies: tuple[Anomaly, ...] = ()
    notified_at: float = 0.0

    @property
    def span(self) -> tuple[float, float]:
        """From the first evidence to the last: the events that a rule counted may lie before the incident."""
        stamps = [event.at for anomaly in self.anomalies for event in anomaly.events]
        return min([self.opened_at, *stamps]), max([self.last_at, *stamps])

    @property
    def of_loss(self) -> bool:
        """Whether it is about evidence that was lost."""
        return any(event.logsource.category == "evidence_loss" for one in self.anomalies for event in one.events)


class IncidentChange(Struct, frozen=True):
    """What one anomaly (or the passing of time) did to an incident, and whether to speak of it.

    `gaps` say what evidence of its time is known to be missing.
    """

    incident: Incident
    decision: Decision
    anomaly: Anomaly | None = None
    gaps: tuple[Gap, ...] = ()
