"""Alert → what the memory keeps of its incident, and kept incidents → the ones that resemble it. Pure.

What is embedded is the rule's title, the masked reason and the masked command lines: the cause, not the actors.
What is compared besides is kept beside the vector: rule, entity, programs, techniques.
"""

import hashlib
import math
import uuid
from collections.abc import Generator, Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, ValidationError, convert, structs

from daemon.enrichment.masking import clean, mask
from daemon.model import Alert, Similar

SCHEMA = 1
"""Version of `Remembered` and of the text that is embedded. A change makes a new shard or collection."""

SEARCH_SCORE = 0.30
"""Least cosine for the words of a person's question: they have few of an incident's, so less than `min_score`."""

PAGE = 64
MOST = 20
"""Results of one search, whatever is asked: each may cost two queries."""

MAX_TEXT = 1500
MAX_WORDS = 1000
MAX_OUTCOME = 2000

_NAMESPACE = uuid.UUID("6f0c0d4e-2b1c-5c57-9a39-0d5f8f1c7e11")
_PROGRAM = ("Image", "exe", "comm", "program", "ProcessName", "process.executable", "process.name")
_MESSAGE = ("CommandLine", "cmdline", "command", "proctitle", "message", "msg")
_MESSAGES = 4
_MESSAGE_LENGTH = 300
_REASON_LENGTH = 400


class Remembered(Struct, frozen=True):
    """One past incident as it stands in the vector store (the point's payload).

    `known` is 1 when an outcome is recorded: a number, because Qdrant Edge 0.9.0 never matches a boolean.
    `wording` is the same for incidents with the same masked text, hence the same vector; `fingerprint` for those of
    them that are also of one rule and about one entity.
    """

    incident_id: str
    rule_id: str
    title: str
    severity: int
    host: str
    entity: str
    because: str
    at: float
    count: int
    outcome: str
    known: int
    text: str
    wording: str
    fingerprint: str
    programs: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    schema: int = SCHEMA
    embedder: str = ""


class Hit(Struct, frozen=True):
    """A kept incident and its cosine similarity."""

    score: float
    past: Remembered


class Nearest(Struct, frozen=True):
    """Ask for the `limit` best above the threshold, without the incident `own` and without these wordings."""

    limit: int
    own: str
    without: tuple[str, ...] = ()


class Newest(Struct, frozen=True):
    """Ask for the `limit` newest of one wording, newest first, without the incident `own` and these fingerprints;
    `known` asks only for those with an outcome.
    """

    limit: int
    own: str
    wording: str
    known: bool
    without: tuple[str, ...] = ()


Step: TypeAlias = Nearest | Newest


def point_id(incident_id: str) -> str:
    """The UUIDv5 under which an incident is stored, so that a second upsert replaces the first."""
    return str(uuid.uuid5(_NAMESPACE, clean(incident_id, MAX_WORDS)))


def _messages(alert: Alert) -> Iterable[str]:
    for item in alert.evidence:
        named = next((item.fields[name] for name in _MESSAGE if item.fields.get(name)), "")
        yield clean(mask(named or item.text), _MESSAGE_LENGTH)


def describe(alert: Alert) -> str:
    """The text that is embedded: title, masked reason, masked messages of the evidence (each once), one a line."""
    lines = [clean(alert.rule.title, MAX_WORDS), clean(mask(alert.because), _REASON_LENGTH)]
    for message in _messages(alert):
        if len(lines) == _MESSAGES + 2:
            break
        if message and message not in lines:
            lines.append(message)
    return "\n".join(line for line in lines if line)[:MAX_TEXT]


def _programs(alert: Alert) -> tuple[str, ...]:
    """Names of the programs in the evidence, without their directories; at most eight."""
    paths = (item.fields.get(name, "") for item in alert.evidence for name in _PROGRAM)
    names = dict.fromkeys(clean(path.strip("\"' ").rsplit("/", 1)[-1], 100) for path in paths)
    return tuple(name for name in names if name)[:8]


def remembered(alert: Alert, outcome: str = "") -> Remembered:
    """What is kept of an alert's incident, every text bounded."""
    text, entity = describe(alert), clean(alert.entity, MAX_WORDS)
    outcome = clean(outcome, MAX_OUTCOME)
    key = "\0".join((clean(alert.rule.id, MAX_WORDS), entity, text))
    return Remembered(
        incident_id=clean(alert.incident_id, MAX_WORDS),
        rule_id=clean(alert.rule.id, MAX_WORDS),
        title=clean(alert.rule.title, MAX_WORDS),
        severity=int(alert.severity),
        host=clean(alert.host, MAX_WORDS),
        entity=entity,
        because=clean(alert.because, MAX_WORDS),
        at=alert.last_at if math.isfinite(alert.last_at) else 0.0,
        count=alert.count,
        outcome=outcome,
        known=int(bool(outcome)),
        text=text,
        wording=hashlib.sha256(text.encode()).hexdigest(),
        fingerprint=hashlib.sha256(key.encode()).hexdigest(),
        programs=_programs(alert),
        techniques=tuple(clean(technique, 100) for technique in alert.rule.techniques[:16]),
    )


def to_payload(past: Remembered, embedder: str) -> dict[str, Any]:
    """JSON-shaped payload of a point, with the digest of the embedder that made its vector."""
    payload = structs.asdict(structs.replace(past, embedder=embedder))
    return {key: list(value) if isinstance(value, tuple) else value for key, value in payload.items()}


def from_payload(payload: Mapping[str, Any] | None, score: float) -> Hit | None:
    """A point as read back; None for one that is not ours or is damaged (never an exception)."""
    try:
        past = convert(dict(payload or {}), Remembered)
    except ValidationError:
        return None
    return Hit(score, past) if math.isfinite(score) and past.schema == SCHEMA else None


def _better(past: Remembered, now: float) -> tuple[int, float, str]:
    return past.known, min(past.at, now), past.incident_id


def seek(limit: int, own: str, now: float) -> Generator[Step, list[Hit], list[Hit]]:
    """The queries that find up to `limit` (at most `MOST`) different incidents, best first: send back what each found.

    Incidents of one wording have one vector and one score, so a page of neighbours may be all of one wording, and an
    arbitrary part of it. Then the query is repeated without the wordings seen, and each wording is asked for its
    newest incidents, those with an outcome first. So a thousand repeats hide neither other causes nor the one solved.
    """
    limit = min(limit, MOST)
    hits: list[Hit] = []
    scores: dict[str, float] = {}
    page: list[Hit] = []
    for _ in range(limit):
        page = yield Nearest(PAGE, own, tuple(scores))
        hits += page
        for hit in page:
            scores.setdefault(hit.past.wording, hit.score)
        if len(page) < PAGE or len(scores) >= limit:
            break
    if len(hits) >= PAGE:
        hits = []
        for wording in sorted(scores, key=lambda one: -scores[one])[:limit]:
            hits += yield from _newest(wording, scores[wording], limit, own)
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda one: _better(one.past, now)):
        best[hit.past.fingerprint] = hit
    return rank(best.values(), limit, now)


def _newest(wording: str, score: float, limit: int, own: str) -> Generator[Step, list[Hit], list[Hit]]:
    """`limit` or more of one wording: of each fingerprint the newest with an outcome, else the newest."""
    found: dict[str, Hit] = {}
    for known in (True, False):
        while len(found) < limit:
            page = yield Newest(PAGE, own, wording, known, tuple(found))
            for hit in page:
                found.setdefault(hit.past.fingerprint, Hit(score, hit.past))
            if len(page) < PAGE:
                break
    return list(found.values())


def rank(hits: Iterable[Hit], limit: int, now: float) -> list[Hit]:
    """By similarity to two decimals, then known outcome, then the newest (a future date counts as now)."""
    return sorted(hits, key=lambda hit: (round(hit.score, 2), *_better(hit.past, now)), reverse=True)[:limit]


def shared(mine: Remembered, past: Remembered) -> str:
    """What two incidents have in common, in words; `similar wording` when it is nothing but that."""
    reasons = []
    if mine.rule_id == past.rule_id:
        reasons.append("same rule")
    if mine.entity and mine.entity == past.entity:
        reasons.append("same entity")
    for name, ours, theirs in (
        ("program", mine.programs, past.programs),
        ("technique", mine.techniques, past.techniques),
    ):
        both = sorted(set(ours) & set(theirs))[:3]
        if both:
            reasons.append(f"same {name}{'s' if len(both) > 1 else ''} {', '.join(both)}")
    return ", ".join(reasons) or "similar wording"


def similar(hit: Hit, why: str) -> Similar:
    """A hit as people see it. The score is held to 1, which float rounding may pass."""
    past = hit.past
    return Similar(
        incident_id=past.incident_id,
        title=past.title,
        score=max(-1.0, min(1.0, hit.score)),
        at=past.at,
        count=past.count,
        entity=past.entity,
        because=past.because,
        outcome=past.outcome,
        why=why,
    )
