"""Ask: questions and anomalies."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from daemon.model import Gap, Refused, Severity, Transient
from tests.api.conftest import Daemon
from tests.doubles.values import T0, an_incident

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]
ANALYZE = "/api/v1/ai/analyze-anomaly"
QUERY = "/api/v1/ai/query"


async def test_a_question_is_answered_with_citations(client: TestClient[Any, Any], world: Daemon) -> None:
    response = await client.post(QUERY, json={"question": "  why did www-data run curl?\n", "limit": 3})
    answer = await response.json()
    assert response.status == 200
    assert world.analyst.questions == [("why did www-data run curl?", 3)]
    assert answer["sentences"] == [{"text": "www-data piped a download into a shell.", "cites": ["E1"]}]
    assert answer["evidence"][0]["id"] == "E1"
    assert (answer["origin"], answer["model"], answer["gaps"]) == ("model", "qwen3:4b", [])


async def test_the_usual_number_of_incidents_is_five(client: TestClient[Any, Any], world: Daemon) -> None:
    await client.post(QUERY, json={"question": "?"})
    assert world.analyst.questions == [("?", 5)]


async def test_without_a_model_the_gaps_say_why(client: TestClient[Any, Any], world: Daemon) -> None:
    world.analyst.gaps = (Gap("explanation", "unavailable", "ollama refused the connection"),)
    answer = await (await client.post(QUERY, json={"question": "?"})).json()
    assert answer["origin"] == "rules"
    assert answer["gaps"][0]["why"] == "unavailable"


@pytest.mark.parametrize(
    ("failure", "status", "retry"),
    [
        (Transient("qdrant at 192.0.2.9 is down"), 503, "5"),
        (Transient("slow", retry_after=12.2), 503, "13"),
        (Transient("slow", retry_after=1e9), 503, "3600"),
        (Refused("model not found"), 503, None),
        (RuntimeError("Bearer hunter2 at /etc/shadow"), 500, None),
    ],
)
@pytest.mark.parametrize("route", ["query", "analyze", "health"])
async def test_a_failing_part_is_no_leak(
    client: TestClient[Any, Any], world: Daemon, failure: Exception, status: int, retry: str | None, route: str
) -> None:
    world.analyst.failure = failure
    if route == "health":
        response = await client.get("/api/v1/ai/health")
    else:
        body = {"question": "?"} if route == "query" else {"because": "b"}
        response = await client.post(QUERY if route == "query" else ANALYZE, json=body)
    assert (response.status, response.headers.get("Retry-After")) == (status, retry)
    assert str(failure) not in await response.text()


async def test_a_stored_incident_is_analyzed_by_its_newest_alert(client: TestClient[Any, Any], world: Daemon) -> None:
    incident = an_incident(1)
    await world.store_incident(incident)
    before = await world.store.alerts(incident.id)
    response = await client.post(ANALYZE, json={"incident_id": incident.id})
    alert = (await response.json())["alert"]
    assert response.status == 200
    assert (alert["incident_id"], alert["version"]) == (incident.id, 1)
    assert alert["explanation"]["origin"] == "model"
    assert alert["similar"][0]["incident_id"] == "inc_past"
    assert await world.store.alerts(incident.id) == before, "asking stores nothing"
    assert world.composed == []


async def test_an_incident_never_told_is_analyzed_by_its_last_anomaly(
    client: TestClient[Any, Any], world: Daemon
) -> None:
    incident = an_incident(1)
    await world.store_incident(incident, told=False)
    assert (await client.post(ANALYZE, json={"incident_id": incident.id})).status == 200
    assert world.composed == [incident.anomalies[-1]]


@pytest.mark.parametrize("incident_id", ["inc_unknown", "\u0000", "../x", "\u202e"])
async def test_an_unknown_incident_is_not_found(client: TestClient[Any, Any], world: Daemon, incident_id: str) -> None:
    response = await client.post(ANALYZE, json={"incident_id": incident_id})
    assert response.status == 404
    assert world.analyst.analyzed == []


async def test_an_incident_of_which_nothing_is_known_is_not_found(client: TestClient[Any, Any], world: Daemon) -> None:
    await world.store_incident(an_incident(1, anomalies=()), told=False)
    response = await client.post(ANALYZE, json={"incident_id": an_incident(1).id})
    assert response.status == 404
    assert (await response.json())["error"]["expected"] == "an incident with an alert"


async def test_a_posted_anomaly_becomes_an_anomaly_and_is_composed(client: TestClient[Any, Any], world: Daemon) -> None:
    body = {
        "title": " Shell from a web server ",
        "severity": "critical",
        "host": "web-7",
        "entity": "User=www-data",
        "because": "nginx started /bin/sh",
        "at": "2026-11-21T11:20:00Z",
        "events": [{"Image": "/bin/sh", "ParentImage": "/usr/sbin/nginx", "pid": 7, "args": ["sh", "-i"], "tty": None}],
    }
    response = await client.post(ANALYZE, json=body)
    alert = (await response.json())["alert"]
    assert response.status == 200
    assert (alert["severity"], alert["host"], alert["because"]) == ("critical", "web-7", "nginx started /bin/sh")
    (anomaly,) = world.composed
    assert (anomaly.rule.id, anomaly.rule.title, anomaly.rule.severity) == (
        "posted",
        "Shell from a web server",
        Severity.critical,
    )
    assert (anomaly.at, anomaly.entity, anomaly.source) == (T0, "User=www-data", "posted")
    (event,) = anomaly.events
    assert event.fields == body["events"][0] | {"args": ("sh", "-i")}  # type: ignore[operator]
    assert "ParentImage=/usr/sbin/nginx" in event.text
    assert (event.at, event.host) == (T0, "web-7")
    assert world.analyst.analyzed[0].rule is anomaly.rule
    assert (await world.store.counts())["incidents"] == 0, "nothing is stored"


async def test_the_same_anomaly_has_the_same_id(client: TestClient[Any, Any], world: Daemon) -> None:
    for body in (
        {"because": "a", "events": [{"a": 1, "b": 2}], "at": 5},
        {"because": "a", "events": [{"b": 2, "a": 1}], "at": 5},
        {"because": "a", "events": [{"a": 1, "b": 3}], "at": 5},
    ):
        assert (await client.post(ANALYZE, json=body)).status == 200
    first, again, other = world.composed
    assert first.id == again.id != other.id
    assert first.events[0].id == again.events[0].id != other.events[0].id


async def test_raw_lines_are_read_by_the_format(client: TestClient[Any, Any], world: Daemon) -> None:
    body = {"format": "auditd", "lines": "type=SYSCALL msg=audit(1.0:1): a=1\ntype=EXECVE b=2\n\n"}
    assert (await client.post(ANALYZE, json=body)).status == 200
    assert world.read == [("auditd", b"type=SYSCALL msg=audit(1.0:1): a=1\ntype=EXECVE b=2\n")]
    (anomaly,) = world.composed
    assert len(anomaly.events) == 2
    assert (anomaly.rule.title, anomaly.because) == ("Posted anomaly", "2 posted events")
    assert (anomaly.host, anomaly.source, anomaly.at) == ("web-1", "audit", T0 + 100)


async def test_lines_may_be_a_list_and_keep_the_separator_of_auditd(
    client: TestClient[Any, Any], world: Daemon
) -> None:
    assert (await client.post(ANALYZE, json={"lines": ["a=1\x1dUID=root", "b=\u2028"]})).status == 200
    assert world.read == [("auto", "a=1\x1dUID=root\nb=\u2028\n".encode())]


async def test_only_the_newest_events_of_many_lines_are_kept(client: TestClient[Any, Any], world: Daemon) -> None:
    lines = [f"n={number}" for number in range(200)]
    assert (await client.post(ANALYZE, json={"lines": lines})).status == 200
    texts = [event.text for event in world.composed[0].events]
    assert texts == lines[-50:]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "because: at least one of incident_id, because, events and lines"),
        ({"title": "x", "because": "  ", "lines": " \n"}, "because: at least one of"),
        ({"events": [{}]}, "because: at least one of"),
        ({"incident_id": "inc_1", "title": "x"}, "incident_id: the id of a stored incident, and no other field"),
        ({"because": "b", "severity": "urgent"}, "severity: one of informational, low, medium, high, critical"),
        ({"because": "b", "severity": 4}, "severity: one of"),
        ({"because": "b" * 2001}, "because: text of at most 2000 characters"),
        ({"because": "b", "title": "t" * 201}, "title: text of at most 200 characters"),
        ({"because": "b", "at": "soon"}, "at: a time in RFC 3339"),
        ({"because": "b", "at": -1}, "at: a time in RFC 3339"),
        ({"because": "b", "at": 1e300}, "at: a time in RFC 3339"),
        ({"because": "b", "at": True}, "at: a time in RFC 3339"),
        ({"events": [{"a": {"b": 1}}]}, "events[0][...]: at most 50 objects"),
        ({"events": {"a": 1}}, "events: at most 50 objects"),
        ({"events": [{}] * 51}, "events: at most 50 objects"),
        ({"lines": 7}, "lines: raw log lines"),
        ({"lines": "x=1", "format": "xml"}, "format: one of auto, auditd, syslog, json"),
        ({"lines": "no record at all"}, "lines: at least one whole record in the format auto"),
        ({"lines": "x", "format": "json"}, "lines: expected one JSON object a line"),
        ({"rule": "x", "because": "b"}, "rule: one of incident_id, title, severity"),
    ],
)
async def test_a_bad_anomaly_says_what_was_expected(
    client: TestClient[Any, Any], world: Daemon, body: dict[str, Any], expected: str
) -> None:
    response = await client.post(ANALYZE, json=body)
    error = (await response.json())["error"]
    assert (response.status, error["code"]) == (400, "bad_parameter")
    assert error["expected"].startswith(expected)
    assert world.analyst.analyzed == []


async def test_a_bad_anomaly_costs_no_turn(client: TestClient[Any, Any]) -> None:
    for _ in range(30):
        assert (await client.post(ANALYZE, json={})).status == 400
    assert (await client.post(ANALYZE, json={"because": "b"})).status == 200


async def test_the_health_of_the_model_is_shown(client: TestClient[Any, Any]) -> None:
    health = await (await client.get("/api/v1/ai/health")).json()
    assert health == {
        "model": {"reachable": True, "name": "qwen3:4b", "digest": "sha256:0", "context": 8192, "detail": ""},
        "memory": "ok",
        "remembered": 12,
        "waiting": 1,
        "breaker": "closed",
    }
