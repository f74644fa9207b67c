"""Incident → Alert: redact → evidence → similar → explain → ground.

The base alert is pure (`template`) and is stored in the transaction that stored its incident: it waits for nobody.
The parts that may be slow or down sit behind two protocols. Each makes one attempt with one time budget and raises
`Transient` or `Refused`; only `enricher` decides what a failure means, and it always means a `Gap`, never a missing
or later alert. Rules decide, the model explains: no field of an answer can change severity, routing or timing.

Log text is hostile and may hold secrets: it is redacted before it is stored, embedded, sent or shown to a model.
One model call is in flight at a time; what waits is bounded and overflow drops explanations, never alerts.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from daemon.model import Alert, Evidence, Explanation, Gap, Sentence, Similar


class ModelStatus(Struct, frozen=True):
    """What is known of the model: `reachable`, its `name`, `digest`, `context` tokens, and what mends it if not."""

    reachable: bool
    name: str
    digest: str = ""
    context: int = 0
    detail: str = ""


class Answer(Struct, frozen=True):
    """The model's text, exactly as it came, and what it took (`took` seconds, token counts)."""

    text: str
    model: str
    digest: str
    took: float
    prompt_tokens: int = 0
    answer_tokens: int = 0


class Prompt(Struct, frozen=True):
    """What is sent to a model: instructions, fenced evidence, and the JSON schema of the answer."""

    system: str
    user: str
    schema: dict[str, object]
    evidence: tuple[Evidence, ...]
    truncated: bool = False


class Grounded(Struct, frozen=True):
    """A model's answer after grounding: what survived, or why nothing did (`invalid_schema`, `ungrounded`,
    `insufficient_evidence`), and how many sentences were dropped.
    """

    explanation: Explanation | None
    why: str = ""
    dropped: int = 0


class QueryAnswer(Struct, frozen=True):
    """An on-call engineer's question, answered from stored incidents only. Every sentence cites an evidence id."""

    question: str
    sentences: tuple[Sentence, ...]
    evidence: tuple[Evidence, ...]
    similar: tuple[Similar, ...]
    origin: str
    model: str = ""
    gaps: tuple[Gap, ...] = ()


class AiHealth(Struct, frozen=True):
    """How model and memory are."""

    model: ModelStatus
    memory: str
    remembered: int
    waiting: int
    breaker: str


class Memory(Protocol):
    """Past incidents, found by what they resemble."""

    async def find(self, alert: Alert, limit: int) -> Sequence[Similar]:
        """At most `limit` past incidents above the similarity threshold, best first; never the alert's own."""
        ...

    async def search(self, text: str, limit: int) -> Sequence[Similar]:
        """At most `limit` past incidents that resemble the words of a question, best first."""
        ...

    async def remember(self, alert: Alert, outcome: str = "") -> None:
        """Keep this incident; a second call with the same incident replaces the first."""
        ...

    async def count(self) -> int:
        """How many incidents are remembered."""
        ...


class Explainer(Protocol):
    """A language model."""

    async def probe(self) -> ModelStatus:
        """Ask what is there; never raises for a model that is missing or down."""
        ...

    async def ask(self, system: str, user: str, schema: dict[str, object]) -> Answer:
        """One attempt at an answer that follows the JSON schema. The caller validates and grounds it."""
        ...


class Analyst(Protocol):
    """What the endpoint asks on behalf of a person."""

    async def query(self, question: str, limit: int) -> QueryAnswer:
        """Answer from stored incidents; without a model list those that fit. Never raises for a part that is down."""
        ...

    async def analyze(self, alert: Alert) -> Alert:
        """The alert with similar incidents and an explanation, or with the gaps that say why not."""
        ...

    async def health(self) -> AiHealth:
        """How model and memory are."""
        ...
