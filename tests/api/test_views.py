"""Values of the program → shapes of the wire."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.api import FileStatus
from daemon.api.shapes import AlertShape
from daemon.api.views import (
    LEVEL,
    ai_health_shape,
    alert_shape,
    anomaly_shape,
    answer_shape,
    delivery_shape,
    evidence_shape,
    explanation_shape,
    file_shape,
    gap_shape,
    incident_shape,
    instant,
    instant_or_none,
    rule_shape,
    sentence_shape,
    similar_shape,
)
from daemon.api.wire import encode
from daemon.enrichment import AiHealth, ModelStatus, QueryAnswer
from daemon.model import (
    Delivery,
    DeliveryState,
    Evidence,
    Explanation,
    Gap,
    Incident,
    Position,
    RuleRef,
    Sentence,
    Severity,
    Similar,
)
from tests.doubles.analyst import SIMILAR
from tests.doubles.values import T0, a_rule, an_alert, an_anomaly, an_incident


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (T0, "2026-11-21T11:20:00.000Z"),
        (T0 + 0.25, "2026-11-21T11:20:00.250Z"),
        (0.0, "1970-01-01T00:00:00.000Z"),
        (-1.0, "1969-12-31T23:59:59.000Z"),
        (1e300, "9999-12-31T23:59:59.000Z"),
        (float("inf"), "9999-12-31T23:59:59.000Z"),
        (float("-inf"), "0001-01-01T00:00:00.000Z"),
        (float("nan"), "1970-01-01T00:00:00.000Z"),
    ],
)
def test_an_instant_is_rfc_3339_whatever_a_log_made_up(at: float, text: str) -> None:
    assert instant(at) == text


@given(st.floats())
def test_every_float_is_an_instant(at: float) -> None:
    assert instant(at).endswith("Z")


def test_never_is_null() -> None:
    assert instant_or_none(0) is None
    assert instant_or_none(T0) == instant(T0)


def test_every_severity_has_its_name() -> None:
    assert {severity: severity.name for severity in Severity} == LEVEL


def test_every_field_of_a_value_is_shown_or_left_out_on_purpose() -> None:
    """A field that is added to the model must be decided on here."""
    left_out = {
        RuleRef: {"path"},  # where a file lies on this machine
        Incident: {"anomalies", "first_event", "last_event"},  # shown in the detail
    }
    renamed = {"took": "took_seconds", "dropped": "dropped_sentences"}
    cases = (
        (RuleRef, rule_shape(a_rule())),
        (Incident, incident_shape(an_incident())),
        (Similar, similar_shape(SIMILAR)),
        (Gap, gap_shape(Gap("similar", "timeout"))),
        (Sentence, sentence_shape(Sentence("a", ("E1",)))),
        (Explanation, explanation_shape(Explanation("rules", ()))),
        (Evidence, evidence_shape(Evidence("E1", T0, "audit", "x"))),
    )
    for kind, shape in cases:
        fields = set(kind.__struct_fields__) - left_out.get(kind, set())
        assert {renamed.get(name, name) for name in fields} == set(type(shape).__struct_fields__), kind


def test_an_alert_is_shown_whole() -> None:
    alert = an_alert(
        1,
        version=3,
        similar=(SIMILAR,),
        gaps=(Gap("explanation", "timeout", "180 s"),),
        evidence=(Evidence("E1", T0, "audit", "text", {"User": "root"}, Position("/var/log/a", "1:2:3", 7)),),
        next_steps=("look at the shell's parent",),
        explanation=Explanation("model", (Sentence("s", ("E1",)),), ("n",), "qwen3:4b", "sha256:1", "p1", 1.5, 2),
    )
    shape = alert_shape(alert)
    assert (shape.version, shape.severity, shape.decision, shape.status) == (3, "high", "first", "open")
    assert shape.evidence[0].position is not None
    assert shape.evidence[0].position.offset == 7
    assert (shape.explanation.took_seconds, shape.explanation.dropped_sentences) == (1.5, 2)
    assert shape.gaps[0].detail == "180 s"
    assert shape.similar[0].score == 0.91
    back = msgspec.json.decode(encode(shape), type=AlertShape)
    assert back == shape


def test_an_anomaly_names_its_events() -> None:
    anomaly = an_anomaly()
    assert anomaly_shape(anomaly).events == (anomaly.events[0].id,)


def test_a_delivery_names_the_version_it_carries() -> None:
    delivery = Delivery(9, an_alert(version=2), "slack", 4, T0 + 30, T0, DeliveryState.dead, "410 Gone")
    shape = delivery_shape(delivery)
    assert (shape.alert_version, shape.state, shape.attempts, shape.detail) == (2, "dead", 4, "410 Gone")
    assert (shape.created_at, shape.due_at) == (instant(T0), instant(T0 + 30))


def test_an_answer_keeps_its_citations_and_gaps() -> None:
    answer = QueryAnswer("why?", (Sentence("s", ("E1",)),), (), (SIMILAR,), "rules", "", (Gap("explanation", "off"),))
    shape = json.loads(encode(answer_shape(answer)))
    assert shape["sentences"] == [{"text": "s", "cites": ["E1"]}]
    assert shape["gaps"] == [{"part": "explanation", "why": "off", "detail": ""}]
    assert shape["similar"][0]["incident_id"] == "inc_past"


def test_the_health_of_the_model_is_shown() -> None:
    health = AiHealth(ModelStatus(reachable=False, name="qwen3:4b", detail="start ollama"), "ok", 3, 2, "open")
    shape = ai_health_shape(health)
    assert (shape.model.reachable, shape.model.detail, shape.breaker) == (False, "start ollama", "open")


@pytest.mark.parametrize(("offset", "size", "lag"), [(900, 1000, 100), (1000, 1000, 0), (1000, 10, 0)])
def test_a_file_that_was_truncated_has_no_negative_lag(offset: int, size: int, lag: int) -> None:
    assert file_shape(FileStatus("audit", "/a", "1:2:3", offset, size)).lag_bytes == lag
