"""The base alert is complete without a model, and keeps to the rules that a model must keep to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from daemon.enrichment.hard_values import Holder, hard_values
from daemon.enrichment.template import alert_id, base_alert
from daemon.model import Decision, Logsource, Severity
from tests.doubles.told_incidents import AT, RULE, event, incident


def said(alert_text: tuple) -> str:  # type: ignore[type-arg]
    return " ".join(sentence.text for sentence in alert_text)


def test_the_alert_says_what_why_and_what_next() -> None:
    alert = base_alert(incident(event(), event(1), count=2, last_at=AT + 60), Decision.first, version=3, now=AT + 61)
    assert (alert.version, alert.made_at, alert.severity, alert.decision) == (3, AT + 61, Severity.high, Decision.first)
    assert alert.explanation.origin == "rules"
    text = said(alert.explanation.sentences)
    assert "2 anomalies of “Download piped to a shell” about User=www-data on web01" in text
    assert "between 2026-11-21T09:30:00Z and 2026-11-21T09:31:00Z" in text
    assert "It counts as an anomaly because CommandLine contains “| bash”." in text
    assert "running commands through a Unix shell (T1059.004)" in text
    assert "this can also come from: Installers of some projects" in text
    assert alert.next_steps[:2] == ("Look at the script.", "Compare its hash.")
    assert len(alert.next_steps) > 4
    assert alert.gaps == ()


def test_every_sentence_cites_evidence_that_exists() -> None:
    alert = base_alert(incident(event()), Decision.escalated, version=1, now=AT)
    ids = {item.id for item in alert.evidence}
    assert alert.explanation.sentences
    assert all(sentence.cites and set(sentence.cites) <= ids for sentence in alert.explanation.sentences)


def test_what_happened_and_why_would_survive_our_own_grounding() -> None:
    alert = base_alert(incident(event(), event(1), count=2, last_at=AT + 60), Decision.first, version=1, now=AT)
    texts = {item.id: [item.text, *(f"{k} = {v}" for k, v in item.fields.items())] for item in alert.evidence}
    for sentence in alert.explanation.sentences[:2]:
        holder = Holder([text for cite in sentence.cites for text in texts[cite]])
        assert not [value for value in hard_values(sentence.text) if not holder.holds(value)]


@pytest.mark.parametrize(
    ("decision", "opening"),
    [
        (Decision.resolved, "no longer holds"),
        (Decision.repeated, "still going on"),
        (Decision.escalated, "more serious"),
    ],
)
def test_later_versions_say_what_changed(decision: Decision, opening: str) -> None:
    assert opening in base_alert(incident(event()), decision, version=2, now=AT).explanation.sentences[0].text


def test_a_closed_incident_asks_for_other_steps() -> None:
    rule = structs.replace(RULE, runbook="")
    alert = base_alert(incident(event(), rule=rule, status="closed"), Decision.resolved, version=2, now=AT)
    assert alert.next_steps == ("Check that the cause is gone and not only its sign.",)


@pytest.mark.parametrize(
    ("runbook", "steps"),
    [
        ("1. One.\n2) Two.\n- Three.\n* Four.\n\n  Step 5: Five.", ["One.", "Two.", "Three.", "Four.", "Five."]),
        ("1. One. 2. Two.", ["One.", "Two."]),
        ("https://runbooks.example/x", ["https://runbooks.example/x"]),
        ("Wait 10 minutes.", ["Wait 10 minutes."]),
        ("   \n ", []),
    ],
)
def test_runbooks_become_steps(runbook: str, steps: list[str]) -> None:
    alert = base_alert(
        incident(event(), rule=structs.replace(RULE, runbook=runbook)), Decision.first, version=1, now=AT
    )
    assert list(alert.next_steps[: len(steps)]) == steps
    assert alert.next_steps[len(steps)].startswith("Find out who was logged in")


def test_steps_fit_the_kind_of_source_and_hold_no_log_text() -> None:
    login = structs.replace(event(), logsource=Logsource(service="sshd"))
    alert = base_alert(incident(login, rule=structs.replace(RULE, runbook="")), Decision.first, version=1, now=AT)
    assert "login" in alert.next_steps[0]
    assert not [step for step in alert.next_steps if "curl" in step or "203.0.113.7" in step]


def test_cut_and_missing_evidence_are_gaps() -> None:
    many = base_alert(incident(*[event(n) for n in range(50)]), Decision.first, version=1, now=AT)
    assert [(gap.part, gap.why) for gap in many.gaps] == [("evidence", "truncated")]
    none = base_alert(incident(), Decision.first, version=1, now=AT)
    assert [(gap.part, gap.why) for gap in none.gaps] == [("evidence", "missing")]


@given(st.text(st.characters(exclude_categories=[])))
def test_ids_are_stable_and_have_no_dot(incident_id: str) -> None:
    assert alert_id(incident_id) == alert_id(incident_id)
    assert "." not in alert_id(incident_id)
    assert alert_id(incident_id) != alert_id(incident_id + "x")


@given(st.text(), st.text(), st.text())
def test_any_rule_and_log_text_gives_an_alert(because: str, title: str, runbook: str) -> None:
    rule = structs.replace(RULE, title=title, runbook=runbook, description=because, falsepositives=(title,))
    alert = base_alert(incident(event(), rule=rule, because=because), Decision.first, version=1, now=AT)
    assert all(sentence.text.isprintable() and len(sentence.text) <= 700 for sentence in alert.explanation.sentences)
    assert 1 <= len(alert.next_steps) <= 8


def test_the_same_incident_gives_the_same_alert() -> None:
    one, two = (base_alert(incident(event()), Decision.first, version=1, now=AT) for _ in range(2))
    assert one == two
