"""An alert → the body of a Standard Webhook: `{"type", "timestamp", "data"}`; docs/webhooks.md has every field.

The same alert gives the same bytes, so that every attempt carries the same body. A body stays under 20 kB, as
Standard Webhooks asks: evidence is left out first (what the explanation cites last), and `gaps` says what is missing.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from daemon.delivery.formats.plain import fit, json_bytes, rfc3339, whole
from daemon.model import Alert, Decision, Evidence, Explanation, Gap, RuleRef, Similar

CONTENT_TYPE = "application/json"
MAX_BYTES = 19_999
_ROOM_FOR_EVIDENCE = 6_000
_ROOM_FOR_NOTES = 700
_SHORT, _NAME, _TEXT = 120, 300, 900
_EVIDENCE_TEXT, _EVIDENCE_FIELDS, _MAX_EVIDENCE = 2_000, 1_000, 64
_SCALES = (1.0, 0.5, 0.25, 0.1)
"""How much of every cap is used: the first at which all but the evidence leaves room for some evidence."""

Body = dict[str, Any]
Item = TypeVar("Item")


def render(alert: Alert) -> bytes:
    """The body. Never fails and never exceeds MAX_BYTES, whatever the alert holds."""
    room = MAX_BYTES - _ROOM_FOR_NOTES - (_ROOM_FOR_EVIDENCE if alert.evidence else 0)
    for scale in _SCALES:
        writer = _Writer(scale)
        body = writer.alert(alert)
        size = len(msgspec.json.encode(body))
        if size <= room:
            break
    rows, left_out = _fitting(alert, MAX_BYTES - _ROOM_FOR_NOTES - size)
    data = body["data"]
    data["evidence"] = rows
    data["evidence_left_out"] = left_out
    if left_out:
        detail = f"{left_out} of {len(alert.evidence)} left out to keep this message under 20 kB"
        data["gaps"].append({"part": "evidence", "why": "too_large", "detail": detail})
    if writer.shortened:
        detail = f"lists shortened: {', '.join(sorted(writer.shortened))}"
        data["gaps"].append({"part": "message", "why": "too_large", "detail": detail})
    return msgspec.json.encode(body)


class _Writer:
    """Turns values into JSON, with every text and list cut to `scale` of its cap."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self.shortened: set[str] = set()

    def alert(self, alert: Alert) -> Body:
        data = {
            "id": _short(alert.id),
            "version": whole(alert.version),
            "decision": alert.decision.value,
            "incident": {
                "id": _short(alert.incident_id),
                "status": alert.status.value,
                "opened_at": rfc3339(alert.opened_at),
                "last_at": rfc3339(alert.last_at),
                "count": whole(alert.count),
            },
            "severity": alert.severity.name,
            "title": self.text(alert.rule.title, _NAME),
            "host": self.text(alert.host, _NAME),
            "source": _short(alert.source),
            "entity": self.text(alert.entity, _NAME),
            "because": self.text(alert.because, _TEXT),
            "rule": self.rule(alert.rule),
            "evidence": [],
            "evidence_left_out": 0,
            "explanation": self.explanation(alert.explanation),
            "similar": [self.similar(one) for one in self.some("similar", alert.similar, 5)],
            "next_steps": self.texts("next_steps", alert.next_steps, 8),
            "gaps": [self.gap(gap) for gap in self.some("gaps", alert.gaps, 8)],
        }
        return {"type": kind(alert), "timestamp": rfc3339(alert.made_at), "data": data}

    def rule(self, rule: RuleRef) -> Body:
        return {
            "id": _short(rule.id),
            "title": self.text(rule.title, _NAME),
            "description": self.text(rule.description, _TEXT),
            "level": rule.severity.name,
            "author": self.text(rule.author, _NAME),
            "license": _short(rule.license),
            "techniques": self.ids("techniques", rule.techniques),
            "tactics": self.ids("tactics", rule.tactics),
            "references": self.texts("references", rule.references, 8),
            "falsepositives": self.texts("falsepositives", rule.falsepositives, 8),
            "runbook": self.text(" ".join(rule.runbook.split()), _TEXT),
        }

    def explanation(self, explanation: Explanation) -> Body:
        sentences = [
            {"text": self.text(sentence.text, 600), "cites": self.ids("cites", sentence.cites)}
            for sentence in self.some("sentences", explanation.sentences, 12)
        ]
        return {
            "origin": _short(explanation.origin, 40),
            "ai_generated": explanation.origin == "model",
            "model": _short(explanation.model),
            "model_digest": _short(explanation.model_digest),
            "prompt_version": _short(explanation.prompt_version, 40),
            "sentences": sentences,
            "next_steps": self.texts("next_steps", explanation.next_steps, 8),
            "took": _rounded(explanation.took),
            "dropped": whole(explanation.dropped),
        }

    def similar(self, similar: Similar) -> Body:
        return {
            "incident_id": _short(similar.incident_id),
            "title": self.text(similar.title, _NAME),
            "score": _rounded(similar.score),
            "at": rfc3339(similar.at),
            "count": whole(similar.count),
            "entity": self.text(similar.entity, _NAME),
            "because": self.text(similar.because, _NAME),
            "outcome": self.text(similar.outcome, _NAME),
            "why": self.text(similar.why, _NAME),
        }

    def gap(self, gap: Gap) -> Body:
        return {
            "part": _short(gap.part, 40),
            "why": _short(gap.why, 40),
            "detail": self.text(gap.detail, _NAME),
        }

    def text(self, text: str, cap: int) -> str:
        return fit(text, int(cap * self._scale), json_bytes)

    def texts(self, name: str, texts: Sequence[str], most: int) -> list[str]:
        return [self.text(text, _NAME) for text in self.some(name, texts, most)]

    def ids(self, name: str, ids: Sequence[str]) -> list[str]:
        return [_short(text, 40) for text in self.some(name, ids, 16)]

    def some(self, name: str, items: Sequence[Item], most: int) -> Sequence[Item]:
        kept = items[: max(1, int(most * self._scale))]
        if len(kept) < len(items):
            self.shortened.add(name)
        return kept


def kind(alert: Alert) -> str:
    """The event type: opened for the first version, resolved for the last word, updated for all others."""
    if alert.decision is Decision.resolved:
        return "alert.resolved"
    return "alert.opened" if alert.version <= 1 else "alert.updated"


def _fitting(alert: Alert, room: int) -> tuple[list[Body], int]:
    """The evidence that fits into `room` bytes, in its own order, and how many pieces do not. Cited ones go first."""
    cited = {cite for sentence in alert.explanation.sentences for cite in sentence.cites}
    order = sorted(range(len(alert.evidence)), key=lambda index: alert.evidence[index].id not in cited)
    chosen: dict[int, Body] = {}
    for index in order[:_MAX_EVIDENCE]:
        row = _evidence(alert.evidence[index])
        size = len(msgspec.json.encode(row)) + 1
        if size > room:
            continue
        room -= size
        chosen[index] = row
    return [chosen[index] for index in sorted(chosen)], len(alert.evidence) - len(chosen)


def _evidence(evidence: Evidence) -> Body:
    fields, missing = _fields(evidence.fields)
    row: Body = {
        "id": _short(evidence.id),
        "at": rfc3339(evidence.at),
        "source": _short(evidence.source),
        "text": fit(evidence.text, _EVIDENCE_TEXT, json_bytes),
        "fields": fields,
        "fields_left_out": missing,
        "position": None,
    }
    if evidence.position is not None:
        path = fit(evidence.position.path, _NAME, json_bytes)
        row["position"] = {"path": path, "offset": whole(evidence.position.offset)}
    return row


def _fields(fields: Mapping[str, str]) -> tuple[Body, int]:
    """The fields in their order as far as they fit, and how many are missing."""
    kept: Body = {}
    room = _EVIDENCE_FIELDS
    for name, value in fields.items():
        shown = fit(name, 80, json_bytes), fit(value, _NAME, json_bytes)
        room -= len(json.dumps(shown, ensure_ascii=False).encode())
        if room < 0:
            break
        kept[shown[0]] = shown[1]
    return kept, len(fields) - len(kept)


def _short(text: str, cap: int = _SHORT) -> str:
    """A name or id, which no lack of room may cut further."""
    return fit(text, cap, json_bytes)


def _rounded(number: float) -> float | None:
    """Three decimals; None where the number is none."""
    return round(number, 3) if abs(number) < float("inf") else None
