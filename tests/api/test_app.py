"""The application: routes, and what happens around each of them."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from daemon.api import RUNNER_OPTIONS, build_app
from daemon.api.app import ROUTES
from tests.api.conftest import Daemon

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]


def test_the_routes_are_those_that_were_promised(world: Daemon) -> None:
    registered = {
        (route.method, route.resource.canonical)
        for route in build_app(world.endpoint()).router.routes()
        if route.resource
    }
    assert registered == {(route.method, route.path) for route in ROUTES}
    assert registered == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/status"),
        ("GET", "/api/v1/incidents"),
        ("GET", "/api/v1/incidents/{id}"),
        ("GET", "/api/v1/ai/health"),
        ("POST", "/api/v1/ai/query"),
        ("POST", "/api/v1/ai/analyze-anomaly"),
        ("POST", "/api/v1/events"),
        ("POST", "/api/v1/reload"),
        ("GET", "/api/v1/openapi.json"),
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/api/v1/incidents", 200),
        ("GET", "/api/v1/incidents?x=1", 400),
        ("GET", "/nothing", 404),
        ("PUT", "/healthz", 405),
        ("OPTIONS", "/api/v1/ai/query", 405),
        ("POST", "/api/v1/reload", 415),
    ],
)
async def test_every_answer_carries_the_same_headers(
    client: TestClient[Any, Any], method: str, path: str, status: int
) -> None:
    response = await client.request(method, path, headers={"Origin": "https://evil.example"})
    assert response.status == status
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Server"] == "tellwhy"
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/", "/api", "/healthz/", "/api/v1/incidents/", "/api/v1/../../etc/passwd", "/%2e%2e/x"]
)
async def test_an_unknown_path_is_a_clean_404(client: TestClient[Any, Any], path: str) -> None:
    response = await client.get(path)
    assert response.status == 404
    assert response.content_type == "application/json"
    assert (await response.json())["error"]["code"] == "not_found"


async def test_a_wrong_method_says_which_ones_there_are(client: TestClient[Any, Any]) -> None:
    response = await client.get("/api/v1/ai/query")
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert (await response.json())["error"]["code"] == "method_not_allowed"


async def test_a_bug_of_ours_is_a_500_without_insides_and_a_line_in_the_log(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        async def incident(self, incident_id: str) -> None:
            raise KeyError("/var/lib/tellwhy/state.db: no such column")

    client = await serve(desk=Broken())
    response = await client.get("/api/v1/incidents/inc_1")
    text = await response.text()
    assert response.status == 500
    assert (await response.json())["error"]["code"] == "internal"
    assert "state.db" not in text
    assert "KeyError" not in text
    logged = capfd.readouterr()
    assert "request failed" in logged.out + logged.err
    assert "/api/v1/incidents/{id}" in logged.out + logged.err


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (web.HTTPExpectationFailed(), 400, "bad_request"),
        (web.HTTPBadGateway(), 500, "internal"),
        (web.HTTPRequestEntityTooLarge(1, 2), 413, "too_large"),
    ],
)
async def test_errors_of_the_library_get_our_shape(
    serve: Serve, raised: web.HTTPException, status: int, code: str
) -> None:
    class Raising:
        async def incident(self, incident_id: str) -> None:
            raise raised

    response = await (await serve(desk=Raising())).get("/api/v1/incidents/inc_1")
    assert (response.status, (await response.json())["error"]["code"]) == (status, code)


def test_the_runner_takes_the_options(world: Daemon) -> None:
    web.AppRunner(build_app(world.endpoint()), **RUNNER_OPTIONS)
    assert RUNNER_OPTIONS["access_log"] is None
    assert RUNNER_OPTIONS["auto_decompress"] is False
    assert 0 < RUNNER_OPTIONS["keepalive_timeout"] <= 60
    assert not RUNNER_OPTIONS["logger"].isEnabledFor(logging.ERROR)
