"""The nouns of tellwhy: frozen values, and the two errors that cross a contract.

Instants are UTC seconds since the epoch as `float` (`at`, `*_at`); durations are seconds as `float`.
Nothing here does anything: no clock, no file, no log.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from typing import TypeAlias

from msgspec import Struct

Value: TypeAlias = str | int | float | bool | tuple[str, ...] | None
"""What a field of an event may hold; a tuple is a field with several values, any of which may match."""


class Severity(IntEnum):
    """Sigma's `level`, ordered."""

    informational = 0
    low = 1
    medium = 2
    high = 3
    critical = 4


class Position(Struct, frozen=True, gc=False):
    """A place in a file: its path, which file that was (`device:inode:fingerprint`), and a byte offset."""

    path: str
    identity: str
    offset: int


class Checkpoint(Struct, frozen=True, gc=False):
    """How far a source has been read: the next byte to read, and a hash of the bytes just before it."""

    source: str
    position: Position
    marker: str = ""


class Lines(Struct, frozen=True):
    """A run of whole lines of one file, each ended by `\\n`: what a source hands over.

    `position.offset` is where `data` starts; `checkpoint` is where reading resumes once all of it is stored.
    """

    source: str
    data: bytes
    position: Position
    checkpoint: Checkpoint

    def split(self) -> Iterator[tuple[int, bytes]]:
        """Each line without its `\\n` (a `\\r` before it is dropped too), with its byte offset in the file."""
        offset = self.position.offset
        for line in self.data.split(b"\n")[:-1]:
            yield offset, line.removesuffix(b"\r")
            offset += len(line) + 1


class Sample(Struct, frozen=True):
    """Readings of one thing (the host, a mount, an interface, a GPU) at one moment.

    `category` is the Sigma logsource category (`host_metrics`, `gpu_metrics`); `tags` name the thing
    (`disk.mount: /var`), `values` are its gauges (`disk.percent: 91.2`).
    """

    source: str
    category: str
    at: float
    tags: Mapping[str, str]
    values: Mapping[str, float]


class Lost(Struct, frozen=True):
    """Input that we know we did not see; `count` is None where the number cannot be known."""

    source: str
    why: str
    count: int | None
    at: float
    detail: str = ""


class Logsource(Struct, frozen=True, gc=False):
    """Sigma's logsource of an event: which rules may look at it."""

    product: str = "linux"
    category: str = ""
    service: str = ""


class Event(Struct, frozen=True):
    """One thing that happened, in Sigma's field names.

    `id` is derived from the record (never from a counter or the clock), so a second reading gives the same id.
    `text` is the whole decoded record: what Sigma keywords search.
    """

    id: str
    at: float
    host: str
    source: str
    logsource: Logsource
    fields: Mapping[str, Value]
    text: str
    position: Position | None = None


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


class IncidentChange(Struct, frozen=True):
    """What one anomaly (or the passing of time) did to an incident, and whether to speak of it."""

    incident: Incident
    decision: Decision
    anomaly: Anomaly | None = None


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


class Gap(Struct, frozen=True):
    """What an alert lacks (`similar`, `explanation`, `evidence`) and why (`timeout`, `unavailable` …)."""

    part: str
    why: str
    detail: str = ""


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


class Snapshot(Struct, frozen=True):
    """One changed piece of a step's memory; `value` None means that it is gone."""

    step: str
    key: str
    value: bytes | None


class Problem(Struct, frozen=True):
    """One thing wrong with a config or rule file, said as `path:line: key: expected …`."""

    path: str
    line: int
    key: str
    expected: str

    def __str__(self) -> str:
        """The one line that people read."""
        return f"{self.path}:{self.line}: {self.key}: {self.expected}"


class ProblemsError(ValueError):
    """Config or rules are invalid; carries every problem, never just the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Transient(Exception):  # noqa: N818 - a contract word: "this failure is transient"
    """Try again later; `retry_after` in seconds if the other side named it."""

    def __init__(self, detail: str, *, why: str = "unavailable", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.why = why
        self.retry_after = retry_after


class Refused(Exception):  # noqa: N818 - a contract word: "the other side refused"
    """Never try this again; `gone` when the whole destination asks not to be called any more."""

    def __init__(self, detail: str, *, why: str = "refused", gone: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.why = why
        self.gone = gone
