"""A person's question → what to look for; incidents → evidence and, without a model, the answer. Pure.

Nothing clever: words, a time span, a severity, a status. What cannot be found by these is found by resemblance, and
what is shown is always said to be what it is.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from msgspec import Struct

from daemon.enrichment.evidence import spoken_count
from daemon.enrichment.plain import cut, iso, shown
from daemon.model import Evidence, Incident, Sentence, Severity, Similar

MAX_QUESTION = 1000
MAX_WORDS = 6
_MAX_TEXT = 600
_SPAN = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0, "night": 86_400.0, "week": 604_800.0, "month": 2_592_000.0}
_LAST = re.compile(
    r"\b(?:last|past|previous|within)\s+(?:the\s+)?(?:(\d{1,4})\s*)?(minute|hour|day|night|week|month)s?\b"
)
_DAYS = {"today": 1.0, "tonight": 1.0, "yesterday": 2.0, "this week": 7.0, "this month": 31.0, "recently": 7.0}
_SEVERE = re.compile(r"\b(?:(critical)|(?:high|severe|serious)[ -](?:severity|incidents?|alerts?))\b")
_OPEN = re.compile(r"\b(?:open|ongoing|active|unresolved)\s+(?:incidents?|alerts?)\b|\bstill\s+(?:open|going|active)\b")
_CLOSED = re.compile(r"\b(?:closed|resolved|ended)\s+(?:incidents?|alerts?)\b")
_WORD = re.compile(r"[^\W_][\w./:@=+-]{1,79}")
_NAMES = re.compile(
    r"(?!\d+[.:]\d+(?::\d+)?$|\d{4}-\d\d-\d\d)(?:"  # a number, a time, a date: none of them is a name
    r".*\d.*[.:].*|.*[.:].*\d.*|[a-z].*-.*\d.*|(?:bin|boot|dev|etc|home|lib|mnt|opt|proc|root|run|s?bin|srv|tmp|usr|var)/.+)"
)
"""What a name of one thing looks like: `203.0.113.9`, `etc/shadow`, `db-7`."""
_COMMON = frozenset({
    "a", "about", "active", "after", "again", "alert", "alerts", "all", "also", "am", "an", "and", "any", "anyone",
    "anything", "are", "as", "at", "be", "because", "been", "before", "being", "between", "but", "by", "can",
    "closed", "could", "critical", "current", "day", "days", "did", "do", "does", "during", "ended", "events",
    "ever", "every", "find", "for", "from", "get", "give", "go", "going", "got", "had", "happen", "happened",
    "happening", "happens", "has", "have", "hello", "help", "high", "hour", "hours", "how", "if", "in",
    "incident", "incidents", "into", "is", "it", "its", "know", "last", "latest", "list", "look", "many", "me",
    "minute", "minutes", "month", "most", "much", "my", "near", "need", "new", "night", "no", "not", "now",
    "of", "off", "on", "one", "ongoing", "open", "or", "other", "our", "out", "over", "past", "please",
    "previous", "problem", "problems", "recent", "recently", "resolved", "same", "see", "serious", "severe",
    "severity", "should", "show", "similar", "since", "so", "some", "something", "still", "tell", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "thing", "things", "this", "those",
    "time", "to", "today", "tonight", "unresolved", "up", "us", "was", "we", "week", "were", "what", "whats",
    "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "within", "would", "yesterday",
    "you", "your",
})  # fmt: skip


class Wanted(Struct, frozen=True):
    """What a question asks for: not before `since` (UTC seconds), at least this `severity`, this `status` (or any)."""

    words: tuple[str, ...]
    since: float = 0.0
    severity: int = 0
    status: str = ""

    def fits(self, incident: Incident) -> bool:
        """Whether an incident is of the time, severity and status that were asked for."""
        return (
            incident.last_at >= self.since
            and incident.severity >= self.severity
            and self.status in {"", incident.status.value}
        )


def read_question(question: str, now: float) -> Wanted:
    """The words that carry meaning (at most six), and the filters that are said in plain English."""
    text = " ".join(question[:MAX_QUESTION].lower().split())
    found = (word.rstrip(".:/-=+@") for word in _WORD.findall(text))
    words = dict.fromkeys(word for word in found if len(word) > 1 and word not in _COMMON and not word.isdigit())
    severe = _SEVERE.search(text)
    severity = 0 if severe is None else Severity.critical if severe[1] else Severity.high
    status = "open" if _OPEN.search(text) else "closed" if _CLOSED.search(text) else ""
    return Wanted(tuple(words)[:MAX_WORDS], _since(text, now), int(severity), status)


def _since(text: str, now: float) -> float:
    last = _LAST.search(text)
    if last is not None:
        return max(now - int(last[1] or 1) * _SPAN[last[2]], 0.0)
    days = next((days for said, days in _DAYS.items() if re.search(rf"\b{said}\b", text)), 0.0)
    return max(now - days * _SPAN["day"], 0.0) if days else 0.0


def best_first(rounds: Iterable[Sequence[Incident]]) -> list[Incident]:
    """Incidents that were found by one word each → those found by most words first, then the newest. What has less than
    half of the words that the best has does not fit.
    """
    found: dict[str, Incident] = {}
    hits: dict[str, int] = {}
    for incidents in rounds:
        for one in incidents:
            found[one.id] = one
            hits[one.id] = hits.get(one.id, 0) + 1
    most = max(hits.values(), default=0)
    fitting = [one for one in found.values() if 2 * hits[one.id] >= most]
    return sorted(fitting, key=lambda one: (-hits[one.id], -one.last_at, one.id))


def named_in(words: Iterable[str]) -> list[str]:
    """The words that are names of one thing."""
    return [word for word in words if _NAMES.fullmatch(word)]


def of_what_is_named(words: Sequence[str], rounds: Sequence[Sequence[Incident]]) -> list[list[Incident]]:
    """The incidents of each word's round, without those that have none of the addresses, paths and hosts that the
    question names: what is told of another address is no answer.
    """
    named = [{one.id for one in found} for word, found in zip(words, rounds, strict=True) if _NAMES.fullmatch(word)]
    kept = set().union(*named)
    return [[one for one in found if one.id in kept or not named] for found in rounds]


def take_turns(one: Sequence[Incident], other: Sequence[Incident], limit: int) -> list[Incident]:
    """The best of two rankings: each gives its next in turn, none twice, `limit` in all."""
    pairs = zip_longest(one, other)
    merged = {incident.id: incident for pair in pairs for incident in pair if incident is not None}
    return list(merged.values())[:limit]


def incident_evidence(incidents: Sequence[Incident], others: Sequence[Similar]) -> tuple[Evidence, ...]:
    """`E1` … for stored incidents, then for past ones that only the memory still has."""
    items = [_of_incident(f"E{number}", one) for number, one in enumerate(incidents, 1)]
    items += [_of_similar(f"E{number}", one) for number, one in enumerate(others, len(items) + 1)]
    return tuple(items)


def list_incidents(evidence: Sequence[Evidence]) -> tuple[Sentence, ...]:
    """The answer without a model: each incident in one sentence, which cites it."""
    return tuple(Sentence(f"{item.text.rstrip('. ')}.", (item.id,)) for item in evidence)


def _of_incident(name: str, one: Incident) -> Evidence:
    status = f"{one.severity.name}, {one.status.value}"
    text = (
        f"{spoken_count(one.count)} of “{shown(one.rule.title, 160)}” ({status}) about {shown(one.entity, 160)} on "
        f"{shown(one.host, 80)}, first seen {iso(one.opened_at)}, last seen {iso(one.last_at)}"
    )
    text += f"; because {shown(one.because, _MAX_TEXT)}" if one.because else ""
    return Evidence(name, one.last_at, shown(one.source, 60), cut(text, _MAX_TEXT), {"incident": shown(one.id, 80)})


def _of_similar(name: str, one: Similar) -> Evidence:
    text = f"{spoken_count(one.count)} of “{shown(one.title, 160)}” about {shown(one.entity, 160)}"
    text += f", last seen {iso(one.at)}"
    text += f"; outcome: {shown(one.outcome, 160)}" if one.outcome else ""
    text += f"; because {shown(one.because, _MAX_TEXT)}" if one.because else ""
    return Evidence(name, one.at, "memory", cut(text, _MAX_TEXT), {"incident": shown(one.incident_id, 80)})
