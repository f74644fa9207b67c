"""The description of the endpoint is true: it is valid, complete, and what is answered fits it; so does docs/api.md."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp.test_utils import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from daemon.api import Limits
from daemon.api.app import ROUTES
from daemon.api.intake import KEYS, MEDIA
from daemon.api.openapi import build_document
from daemon.model import Gap, Problem, ProblemsError
from daemon.telemetry import HealthState
from tests.api.conftest import TOKEN, Daemon
from tests.doubles.intakes import INTAKE_TOKEN, ListedIntake
from tests.doubles.values import an_incident

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]
INCIDENT = an_incident(1).id
GOOD: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/metrics", None),
    ("GET", "/api/v1/status", None),
    ("GET", "/api/v1/incidents", None),
    ("GET", "/api/v1/incidents/{id}", None),
    ("GET", "/api/v1/ai/health", None),
    ("POST", "/api/v1/ai/query", {"question": "why?", "limit": 2}),
    ("POST", "/api/v1/ai/analyze-anomaly", {"incident_id": INCIDENT}),
    ("POST", "/api/v1/events", [{"a": 1}, 5]),
    ("POST", "/api/v1/reload", {}),
    ("GET", "/api/v1/openapi.json", None),
)
BAD: tuple[tuple[str, str, Any, int], ...] = (
    ("GET", "/api/v1/incidents?limit=0", None, 400),
    ("GET", "/api/v1/incidents/unknown", None, 404),
    ("POST", "/api/v1/ai/query", {}, 400),
    ("POST", "/api/v1/ai/query", "text", 415),
    ("POST", "/api/v1/ai/query", {"question": "x" * 70_000}, 413),
    ("POST", "/api/v1/ai/analyze-anomaly", {"incident_id": "unknown"}, 404),
    ("POST", "/api/v1/reload", {"x": 1}, 400),
    ("POST", "/api/v1/events", {"a": 1}, 404),
)


def fits(document: dict[str, Any], path: str, method: str, status: int, body: Any) -> None:
    """The answer is one that the document declares for this route and status."""
    declared = document["paths"][path][method.lower()]["responses"][str(status)]["content"]["application/json"]
    schema = {**declared["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        body
    )


def template(path: str) -> str:
    return re.sub(r"(/incidents)/[^/?]+", r"\1/{id}", path.partition("?")[0])


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(build_document(ROUTES, "1.2.3")).validate()


def test_every_route_is_described_and_tried() -> None:
    described = {
        (method.upper(), path) for path, methods in build_document(ROUTES, "1")["paths"].items() for method in methods
    }
    assert described == {(route.method, route.path) for route in ROUTES}
    assert described == {(method, path) for method, path, _ in GOOD}


async def test_what_is_answered_fits_the_document(serve: Serve, filled: Daemon) -> None:
    intake = ListedIntake()
    client = await serve(intakes=lambda: [intake])
    document = await (await client.get("/api/v1/openapi.json")).json()
    assert document["info"]["version"] == "1.2.3"
    for method, path, body in GOOD:
        mine = {"Authorization": f"Bearer {INTAKE_TOKEN}"}
        response = await client.request(method, path.replace("{id}", INCIDENT), json=body, headers=mine)
        assert response.status == 200, path
        if response.content_type == "application/json":
            fits(document, path, method, 200, await response.json())


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD)
async def test_what_is_refused_fits_the_document_too(
    client: TestClient[Any, Any], method: str, path: str, body: Any, status: int
) -> None:
    sent = {"data": body} if isinstance(body, str) else {"json": body}
    response = await client.request(method, path, **sent)
    assert response.status == status
    fits(build_document(ROUTES, "1"), template(path), method, status, await response.json())


async def test_the_rarer_answers_fit_as_well(serve: Serve, world: Daemon) -> None:
    document = build_document(ROUTES, "1")
    client = await serve(limits=Limits(ai_burst=1), token=TOKEN)
    mine = {"Authorization": f"Bearer {TOKEN}"}
    question = {"question": "?"}
    world.analyst.gaps = (Gap("explanation", "timeout"),)
    world.set(essential=("nobody",))
    world.reload_failure = ProblemsError((Problem("c", 1, "k", "expected x"),))
    for method, path, headers, body, status in (
        ("GET", "/readyz", {}, None, 503),
        ("GET", "/readyz", {"Host": "evil.example"}, None, 403),
        ("GET", "/api/v1/status", {}, None, 401),
        ("POST", "/api/v1/ai/query", mine, question, 200),
        ("POST", "/api/v1/ai/query", mine, question, 429),
        ("POST", "/api/v1/reload", mine, {}, 422),
    ):
        response = await client.request(method, path, headers=headers, json=body)
        assert response.status == status, path
        fits(document, path, method, status, await response.json())


def test_what_posting_events_takes_is_described() -> None:
    operation = build_document(ROUTES, "1")["paths"]["/api/v1/events"]["post"]
    assert operation["security"] == [{"bearer": []}, {"basic": []}], "asked for always, unlike everywhere else"
    assert set(operation["requestBody"]["content"]) == set(MEDIA)
    places = {one["name"]: one["in"] for one in operation["parameters"]}
    assert places == {"source": "query", **dict.fromkeys(KEYS, "header")}
    for status in ("429", "503"):
        assert "Retry-After" in operation["responses"][status]["headers"]


async def test_every_refusal_of_events_fits_the_document(serve: Serve, world: Daemon) -> None:
    document, intake = build_document(ROUTES, "1"), ListedIntake(max_body=1024, rate=4)
    client = await serve(intakes=lambda: [intake], limits=Limits(body_seconds=0.05), options={"lingering_time": 0.0})

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    mine = {"Authorization": f"Bearer {INTAKE_TOKEN}", "Content-Type": "application/json"}
    seen = set()
    for data, headers, path in (
        (b"x", {}, ""), (b"{}", {"Authorization": "Bearer x"}, ""), (b"{}", {"Host": "evil.example"}, ""), (b"{}", {}, "?source=nope"),
        (b"x" * 2000, {}, ""), (b"{}", {"Content-Type": "text/plain"}, ""), (never(), {}, ""), (b"{}", {}, "store"),
        *[(b"{}", {}, "")] * 9,
    ):  # fmt: skip
        world.board.set("store", HealthState.degraded if path == "store" else HealthState.ok)
        asked = f"/api/v1/events{path.removeprefix('store')}"
        async with client.post(asked, data=data, headers=mine | headers) as response:
            fits(document, "/api/v1/events", "POST", response.status, await response.json())
            seen.add(response.status)
            declared = document["paths"]["/api/v1/events"]["post"]["responses"][str(response.status)]
            assert ("Retry-After" in response.headers) == ("headers" in declared)
    described = {int(status) for status in document["paths"]["/api/v1/events"]["post"]["responses"]}
    assert seen == described - {404}, "404 is where no intake is configured"


async def test_what_the_document_allows_is_accepted(client: TestClient[Any, Any], filled: Daemon) -> None:
    parameters = build_document(ROUTES, "1")["paths"]["/api/v1/incidents"]["get"]["parameters"]
    assert [one["name"] for one in parameters] == ["limit", "before", "severity", "status", "rule", "q"]
    for one in parameters:
        for value in one["schema"].get("enum", [one["schema"]["default"]]):
            response = await client.get("/api/v1/incidents", params={one["name"]: value})
            assert response.status == 200, (one["name"], value)


def documented(repository: Path) -> dict[tuple[str, str], str]:
    """Each route of docs/api.md with the text of its section."""
    text = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `(GET|POST) (\S+)`$", text, flags=re.MULTILINE)
    return {(parts[at], parts[at + 1]): parts[at + 2] for at in range(1, len(parts), 3)}


def test_the_guide_describes_every_route_and_no_other(repository: Path) -> None:
    assert set(documented(repository)) == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_examples_of_the_guide_fit_the_document(repository: Path, route: Any) -> None:
    document = build_document(ROUTES, "1")
    examples = re.findall(
        r"```json (request|\d{3})\n(.*?)```", documented(repository)[route.method, route.path], re.DOTALL
    )
    wanted = route.gives is not None
    assert bool([kind for kind, _ in examples if kind.isdigit()]) is wanted, "an example of an answer"
    assert bool([kind for kind, _ in examples if kind == "request"]) is (route.body is not None)
    for kind, example in examples:
        body = json.loads(example)
        if kind == "request":
            schema = document["paths"][route.path][route.method.lower()]["requestBody"]["content"]["application/json"]
            jsonschema.validate(body, {**schema["schema"], "components": document["components"]})
        else:
            fits(document, route.path, route.method, int(kind), body)


def test_the_guide_names_every_parameter(repository: Path) -> None:
    sections = documented(repository)
    document = build_document(ROUTES, "1")
    for parameter in document["paths"]["/api/v1/incidents"]["get"]["parameters"]:
        assert f"`{parameter['name']}`" in sections["GET", "/api/v1/incidents"]
    for parameter in document["paths"]["/api/v1/events"]["post"]["parameters"]:
        assert f"`{parameter['name']}`" in sections["POST", "/api/v1/events"]
    for name in document["components"]["schemas"]["AnomalyBody"]["properties"]:
        assert f"`{name}`" in sections["POST", "/api/v1/ai/analyze-anomaly"]
