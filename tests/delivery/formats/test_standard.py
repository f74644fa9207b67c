"""The Standard Webhooks body: complete, bounded, deterministic, honest about what is missing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from daemon.delivery.formats.standard import MAX_BYTES, kind, render
from daemon.model import Alert, Decision, Evidence, Explanation, Gap, RuleRef, Sentence, Severity, Similar
from tests.doubles import hostile
from tests.doubles.alerts import RULE, make_alert

ATTEMPTS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def body(alert: Alert) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(render(alert))
    return decoded


def pieces(count: int, length: int) -> tuple[Evidence, ...]:
    return tuple(Evidence(id=f"E{n + 1}", at=float(n), source="audit", text="x" * length) for n in range(count))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (*strings(key), *strings(item))]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_an_ordinary_alert_is_said_completely() -> None:
    said = body(make_alert())
    assert list(said) == ["type", "timestamp", "data"]
    assert said["type"] == "alert.opened"
    assert said["timestamp"] == "2023-11-14T22:13:20.000Z"
    data = said["data"]
    assert data["id"] == "al-7f3a"
    assert data["version"] == 1
    assert data["incident"] == {
        "id": "in-7f3a",
        "status": "open",
        "opened_at": "2023-11-14T22:13:15.000Z",
        "last_at": "2023-11-14T22:13:19.000Z",
        "count": 3,
    }
    assert (data["severity"], data["host"], data["entity"]) == ("high", "web-1", "User=www-data")
    assert data["rule"]["author"] == "A. Author (Example Team)"
    assert data["rule"]["license"] == "DRL 1.1"
    assert data["rule"]["techniques"] == ["T1059.004"]
    assert [row["id"] for row in data["evidence"]] == ["E1", "E2"]
    assert data["evidence"][0]["fields"] == {"Image": "/bin/sh", "User": "www-data"}
    assert data["evidence"][0]["position"] == {"path": "/var/log/audit/audit.log", "offset": 4096}
    assert data["evidence_left_out"] == 0
    assert data["explanation"]["ai_generated"] is False
    assert data["explanation"]["sentences"] == [{"text": "www-data got a shell from nginx.", "cites": ["E1"]}]
    assert data["similar"][0]["score"] == 0.912
    assert data["gaps"] == [{"part": "explanation", "why": "timeout", "detail": "the model did not answer within 90 s"}]


def test_a_models_answer_is_marked_as_one_and_names_its_model() -> None:
    explanation = Explanation(
        "model", (Sentence("Why.", ("E1",)),), model="qwen3:4b", model_digest="sha256:1", took=2.5
    )
    said = body(make_alert(explanation=explanation))["data"]["explanation"]
    assert (said["ai_generated"], said["model"], said["model_digest"], said["took"]) == (
        True,
        "qwen3:4b",
        "sha256:1",
        2.5,
    )


@pytest.mark.parametrize(
    ("decision", "version", "expected"),
    [
        (Decision.first, 1, "alert.opened"),
        (Decision.first, 2, "alert.updated"),
        (Decision.escalated, 3, "alert.updated"),
        (Decision.repeated, 4, "alert.updated"),
        (Decision.resolved, 5, "alert.resolved"),
        (Decision.resolved, 1, "alert.resolved"),
    ],
)
def test_the_type_tells_the_life_of_the_incident(decision: Decision, version: int, expected: str) -> None:
    assert kind(make_alert(decision=decision, version=version)) == expected


def test_every_attempt_sends_the_same_bytes() -> None:
    assert render(make_alert()) == render(make_alert())


def test_evidence_is_left_out_first_visibly_and_what_is_cited_last() -> None:
    cited = Explanation("model", (Sentence("It was E20.", ("E20",)),))
    said = render(make_alert(evidence=pieces(20, 1500), explanation=cited))
    data = json.loads(said)["data"]
    kept = [row["id"] for row in data["evidence"]]
    assert len(said) <= MAX_BYTES
    assert kept[-1] == "E20"
    assert kept[:3] == ["E1", "E2", "E3"]
    assert data["evidence_left_out"] == 20 - len(kept) > 0
    detail = f"{20 - len(kept)} of 20 left out to keep this message under 20 kB"
    assert data["gaps"][-1] == {"part": "evidence", "why": "too_large", "detail": detail}
    assert data["because"] == make_alert().because


def test_as_much_evidence_goes_in_as_fits() -> None:
    said = render(make_alert(evidence=pieces(60, 300)))
    assert MAX_BYTES - 1500 < len(said) <= MAX_BYTES


def test_one_piece_of_evidence_larger_than_a_message_is_cut_not_left_out() -> None:
    data = body(make_alert(evidence=pieces(1, 1_000_000)))["data"]
    assert data["evidence"][0]["text"].endswith("x…")
    assert data["evidence_left_out"] == 0


def test_lists_that_were_shortened_are_named() -> None:
    data = body(make_alert(gaps=tuple(Gap("similar", "timeout") for _ in range(50))))["data"]
    assert data["gaps"][-1] == {"part": "message", "why": "too_large", "detail": "lists shortened: gaps"}


@pytest.mark.parametrize("fat", ["🚀" * 5000, '"' * 5000, "\x1b" * 5000, "x" * 5000])
def test_ids_and_some_evidence_survive_the_tightest_room(fat: str) -> None:
    rule = RuleRef(RULE.id, fat, Severity.high, fat, fat, fat, (fat,) * 50, (fat,) * 50, (fat,) * 50, (fat,) * 50, fat)
    past = Similar("in-1", fat, 0.9, 0.0, 1, fat, fat, fat, fat)
    said_why = Explanation("model", (Sentence(fat, ("E1",) * 50),) * 50, (fat,) * 50, fat, fat, fat)
    alert = make_alert(
        rule=rule, because=fat, entity=fat, host=fat, source=fat, next_steps=(fat,) * 50, explanation=said_why,
        similar=(past,) * 50, gaps=(Gap(fat, fat, fat),) * 50,
    )  # fmt: skip
    said = render(alert)
    data = json.loads(said)["data"]
    assert len(said) <= MAX_BYTES
    assert (data["id"], data["incident"]["id"], data["rule"]["id"]) == (alert.id, alert.incident_id, RULE.id)
    assert [row["id"] for row in data["evidence"]] == ["E1", "E2"]
    assert all(data[name].endswith("…") for name in ("host", "because", "entity"))
    assert "sentences" in data["gaps"][-1]["detail"]


@given(alert=hostile.alerts)
@ATTEMPTS
def test_any_alert_is_valid_bounded_and_without_hidden_characters(alert: Alert) -> None:
    said = render(alert)
    assert len(said) <= MAX_BYTES
    decoded = json.loads(said.decode("utf-8"), parse_constant=pytest.fail)
    data = decoded["data"]
    assert not [text for text in strings(decoded) if _HIDDEN.search(text)]
    assert len(data["evidence"]) + data["evidence_left_out"] == len(alert.evidence)
    assert data["severity"] == alert.severity.name
    assert data["rule"]["level"] == alert.rule.severity.name
    assert bool(data["evidence_left_out"]) == any(
        gap["why"] == "too_large" and gap["part"] == "evidence" for gap in data["gaps"][-2:]
    )


def test_every_field_is_documented(repository: Path) -> None:
    documented = (repository / "docs" / "webhooks.md").read_text(encoding="utf-8")

    def paths(value: Any, prefix: str) -> list[str]:
        if isinstance(value, list):
            return paths(value[0], f"{prefix}[]") if value else []
        if isinstance(value, dict) and prefix.rsplit(".", maxsplit=1)[-1] != "fields":
            below = [path for key, item in value.items() for path in paths(item, f"{prefix}.{key}" if prefix else key)]
            return ([prefix] if prefix else []) + below
        return [prefix]

    missing = [path for path in paths(body(make_alert()), "") if f"`{path}`" not in documented]
    assert not missing
