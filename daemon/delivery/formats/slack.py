"""An alert → a Slack message of blocks, for an incoming webhook.

Everything that came from a log, a model or a rule is `plain_text`, which Slack does not parse, and is defused besides,
for receivers that only look like Slack. A message stays under 12,000 characters in all: Slack refuses more than
about 13,200 although every block keeps its own limit (slackapi/bolt-js#2509).
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from daemon.delivery.formats.plain import ELLIPSIS, clip, fit, json_units, rfc3339, whole
from daemon.model import Alert, Decision, Evidence, Similar

CONTENT_TYPE = "application/json; charset=utf-8"
MAX_UNITS = 12_000
_HEADER, _FIELD, _FALLBACK = 150, 160, 300
_BECAUSE, _WHY, _EVIDENCE, _SIMILAR, _STEPS, _GAPS, _CREDIT = 900, 2_200, 2_400, 900, 1_000, 400, 500
_LINE, _LABEL = 400, 100
_MAX_LINES = 40
"""Lines of one section that are looked at; more would not fit into its characters."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LIVE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"://"), "[:]//"),
    (re.compile(r"\b(mailto|tel|data|javascript):", re.IGNORECASE), r"\1[:]"),
    (re.compile(r"\bwww\.", re.IGNORECASE), "www[.]"),
    (re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE), "(at)"),
    (re.compile(r"\]\("), "] ("),
)
"""What chat clients turn into links and mentions."""

Block = dict[str, Any]


def render(alert: Alert) -> bytes:
    """The message. Never fails, and keeps every limit of Slack's, whatever the alert holds."""
    blocks = [
        {"type": "header", "text": _plain(_inert(_headline(alert), _HEADER))},
        {"type": "section", "fields": [_plain(field) for field in _facts(alert)]},
        *_section("What", [_inert(alert.because, _BECAUSE - _LABEL)], _BECAUSE),
        *_section(_why_label(alert), _why(alert), _WHY, len(alert.explanation.sentences)),
        *_section("Evidence", map(_evidence, alert.evidence[:_MAX_LINES]), _EVIDENCE, len(alert.evidence)),
        *_section("Similar incidents", map(_similar, alert.similar[:_MAX_LINES]), _SIMILAR, len(alert.similar)),
        *_section("Next steps", _steps(alert), _STEPS),
        *_section("Missing", _gaps(alert), _GAPS, len(alert.gaps)),
        {"type": "context", "elements": [_plain(_credit(alert))]},
    ]
    fallback = _inert(
        f"{_headline(alert)} on {clip(alert.host, _FALLBACK)}: {clip(alert.because, _FALLBACK)}", _FALLBACK
    )
    message = {"text": fallback, "mrkdwn": False, "link_names": False, "parse": "none"}
    return msgspec.json.encode({**message, "unfurl_links": False, "unfurl_media": False, "blocks": blocks})


def _headline(alert: Alert) -> str:
    said = "RESOLVED" if alert.decision is Decision.resolved else alert.severity.name.upper()
    update = f" (update {whole(alert.version)})" if alert.version > 1 and said != "RESOLVED" else ""
    return f"[{said}]{update} {clip(alert.rule.title, _HEADER)}"


def _facts(alert: Alert) -> Iterable[str]:
    yield _inert(f"Host: {clip(alert.host, _FIELD)}", _FIELD)
    yield _inert(f"Who: {clip(alert.entity, _FIELD)}", _FIELD)
    yield f"Severity: {alert.severity.name}"
    yield f"Status: {alert.status.value}, seen {whole(alert.count)} ×"
    yield f"First: {rfc3339(alert.opened_at)}"
    yield f"Last: {rfc3339(alert.last_at)}"


def _why_label(alert: Alert) -> str:
    return "Why (AI-generated, each sentence cites its evidence)" if alert.explanation.origin == "model" else "Why"


def _why(alert: Alert) -> Iterable[str]:
    for sentence in alert.explanation.sentences[:_MAX_LINES]:
        cites = f" [{', '.join(sentence.cites[:8])[:80]}]" if sentence.cites else ""
        yield _inert(sentence.text, 600) + _inert(cites, 100)


def _evidence(evidence: Evidence) -> str:
    return _inert(
        f"{clip(evidence.id, 40)} {rfc3339(evidence.at)} {clip(evidence.source, 60)}: {clip(evidence.text, _LINE)}",
        _LINE,
    )


def _similar(similar: Similar) -> str:
    outcome = f", {clip(similar.outcome, 100)}" if similar.outcome else ""
    why = f" ({clip(similar.why, 100)})" if similar.why else ""
    return _inert(
        f"{rfc3339(similar.at)[:10]} {clip(similar.title, 120)}: {clip(similar.entity, 100)}{outcome}{why}", _LINE
    )


def _steps(alert: Alert) -> Iterable[str]:
    for step in (*alert.next_steps, *alert.explanation.next_steps)[:_MAX_LINES]:
        yield _inert(step, _LINE)
    if alert.rule.runbook:
        yield _inert(f"Runbook: {clip(alert.rule.runbook, _LINE)}", _LINE)


def _gaps(alert: Alert) -> Iterable[str]:
    for gap in alert.gaps[:_MAX_LINES]:
        detail = f" ({clip(gap.detail, 160)})" if gap.detail else ""
        yield _inert(f"{clip(gap.part, 40)}: {clip(gap.why, 40)}{detail}", 200)


def _credit(alert: Alert) -> str:
    """The Detection Rule License asks that the author is named wherever a match is shown."""
    author = f" by {clip(alert.rule.author, 120)}" if alert.rule.author else ""
    terms = f", {clip(alert.rule.license, 60)}" if alert.rule.license else ""
    model = f" · {clip(alert.explanation.model, 60)}" if alert.explanation.model else ""
    rule = f"Rule {clip(alert.rule.title, 80)}{author}{terms} ({clip(alert.rule.id, 40)})"
    return _inert(rule, _CREDIT - 160) + _inert(f" · alert {clip(alert.id, 60)} v{whole(alert.version)}{model}", 160)


def _section(label: str, lines: Iterable[str], cap: int, total: int = 0) -> list[Block]:
    """A labelled section of lines, of at most `cap` characters, which says how many of `total` lines did not fit.

    `total` may be 0 where the lines are all there are. No lines, no section.
    """
    kept: list[str] = []
    room = cap - _LABEL
    given = list(lines)
    for line in given:
        entry = f"\n• {line}"
        room -= json_units(entry) + 1
        if room < 0:
            break
        kept.append(entry)
    missing = max(len(given), total) - len(kept)
    more = f"\n{ELLIPSIS} {missing} more" if missing else ""
    return [{"type": "section", "text": _plain(f"{label}{''.join(kept)}{more}")}] if given else []


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text or ELLIPSIS, "emoji": False}


def _inert(text: str, limit: int) -> str:
    """At most `limit` characters, visible, escaped, and without anything that a chat client would bring to life."""
    text = text[: limit + 1]
    for pattern, instead in _LIVE:
        text = pattern.sub(instead, text)
    return fit(text, limit, json_units, _escape)


def _escape(char: str) -> str:
    return _ENTITIES.get(char, char)
