"""The Slack message: inside every limit, inert, credited."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from daemon.delivery.formats.slack import MAX_UNITS, render
from daemon.model import Alert, Decision, Evidence, Explanation, Sentence
from tests.doubles import hostile
from tests.doubles.alerts import make_alert

ATTEMPTS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
_ALIVE = re.compile(r"<|>|://|\]\(|@(?:here|channel|everyone)\b|\bwww\.|\bmailto:|&(?!amp;|lt;|gt;)", re.IGNORECASE)
_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def message(alert: Alert) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(render(alert))
    return decoded


def objects(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Every text object of the blocks."""
    found = []
    for block in said["blocks"]:
        found += [block["text"]] if "text" in block else []
        found += block.get("fields", []) + block.get("elements", [])
    return found


def shown(said: dict[str, Any]) -> str:
    return "\n".join([said["text"], *(item["text"] for item in objects(said))])


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check_limits(said: dict[str, Any], raw: bytes) -> None:
    """Block Kit's limits, counted in UTF-16 units, the widest way to count."""
    assert units(raw.decode()) <= MAX_UNITS
    assert 1 <= len(said["blocks"]) <= 50
    for block in said["blocks"]:
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert 1 <= units(block["text"]["text"]) <= 150
        elif block["type"] == "section":
            assert 1 <= units(block.get("text", {"text": "x"})["text"]) <= 3000
            assert len(block.get("fields", [])) <= 10
            assert all(1 <= units(item["text"]) <= 2000 for item in block.get("fields", []))
        else:
            assert block["type"] == "context"
            assert 1 <= len(block["elements"]) <= 10
            assert all(1 <= units(item["text"]) <= 2000 for item in block["elements"])


def test_an_ordinary_alert_reads_well() -> None:
    said = message(make_alert())
    text = shown(said)
    assert said["blocks"][0]["text"]["text"] == "[HIGH] Shell spawned by a web server"
    assert said["text"].startswith("[HIGH] Shell spawned by a web server on web-1: ParentImage is")
    for part in (
        "Host: web-1",
        "Who: User=www-data",
        "seen 3 ×",
        "www-data got a shell from nginx. [E1]",
        "E1 2023-11-14T22:13:15.000Z audit: nginx started sh -c id",
        "Look at the requests",
        "explanation: timeout (the model did not answer within 90 s)",
        "by A. Author (Example Team), DRL 1.1",
        "alert al-7f3a v1",
        "Runbook: https[:]//runbooks.example/web-shell",
    ):
        assert part in text


def test_previews_names_and_markup_are_off() -> None:
    said = message(make_alert())
    off = {key: said[key] for key in ("mrkdwn", "link_names", "unfurl_links", "unfurl_media", "parse")}
    assert off == {"mrkdwn": False, "link_names": False, "unfurl_links": False, "unfurl_media": False, "parse": "none"}
    assert {item["type"] for item in objects(said)} == {"plain_text"}
    assert not any(item["emoji"] for item in objects(said))


def test_the_headline_tells_resolved_and_updates() -> None:
    assert message(make_alert(decision=Decision.resolved, version=3))["blocks"][0]["text"]["text"].startswith(
        "[RESOLVED] S"
    )
    assert message(make_alert(version=2))["blocks"][0]["text"]["text"].startswith("[HIGH] (update 2) Shell")


def test_an_explanation_by_a_model_says_so() -> None:
    text = shown(message(make_alert(explanation=Explanation("model", (Sentence("Why.", ("E1",)),), model="qwen3:4b"))))
    assert "AI-generated" in text
    assert "qwen3:4b" in text
    assert "AI-generated" not in shown(message(make_alert()))


def test_what_slack_would_bring_to_life_is_dead(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "vectors" / "log_injection.jsonl").read_text().splitlines()]
    for raw in (row["raw"] for row in rows):
        said = message(make_alert(because=raw, host=raw, evidence=(Evidence("E1", 0.0, raw, raw),), next_steps=(raw,)))
        assert not _ALIVE.search(shown(said)), raw
        assert not _HIDDEN.search(shown(said)), raw
    slack = next(row["raw"] for row in rows if row["id"] == "slack_mrkdwn")
    assert "&lt;!channel&gt; &lt;https[:]//evil.example|ok&gt; `*_~" in shown(message(make_alert(because=slack)))


def test_a_long_explanation_with_emoji_at_the_cut_and_too_many_parts_is_cut_visibly() -> None:
    sentences = tuple(Sentence("🚀" * 700, ("E1",)) for _ in range(60))
    evidence = tuple(Evidence(f"E{n}", 0.0, "audit", "<&>" * 400) for n in range(60))
    alert = make_alert(explanation=Explanation("model", sentences), evidence=evidence, next_steps=("go",) * 500)
    raw = render(alert)
    said = json.loads(raw)
    check_limits(said, raw)
    text = shown(said)
    assert "🚀…" in text
    assert re.search(r"… \d\d more", text)
    assert "&lt;&amp;&gt;" in text
    assert not re.search(r"&(amp|lt|gt)?…", text)


def test_every_cut_of_a_line_is_marked() -> None:
    long = "word " * 300
    text = shown(message(make_alert(host=long, because=long, entity=long)))
    assert all(f"{label}" in text for label in ("Host: word", "Who: word"))
    assert text.count("…") >= 4


@pytest.mark.parametrize("empty", [{"evidence": ()}, {"gaps": ()}, {"similar": ()}, {"next_steps": ()}])
def test_an_empty_part_has_no_block(empty: dict[str, Any]) -> None:
    assert len(message(make_alert(**empty))["blocks"]) <= len(message(make_alert())["blocks"])
    assert all(item["text"] for item in objects(message(make_alert(**empty))))


@given(alert=hostile.alerts)
@ATTEMPTS
def test_any_alert_keeps_every_limit_and_is_inert(alert: Alert) -> None:
    raw = render(alert)
    said = json.loads(raw.decode("utf-8"))
    check_limits(said, raw)
    text = shown(said)
    assert not _ALIVE.search(text)
    assert not _HIDDEN.search(text)
    assert "Rule " in text
    assert f"Severity: {alert.severity.name}" in text


def test_the_same_alert_is_the_same_message() -> None:
    assert render(make_alert()) == render(make_alert())
