"""A reload asked for by request: what changed, or every problem; never by accident."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from daemon.api import Changes
from daemon.model import Problem, ProblemsError, Transient
from tests.api.conftest import Daemon


@pytest.mark.parametrize("body", [b"", b"{}", b" {} "])
async def test_a_reload_says_what_changed(client: TestClient[Any, Any], world: Daemon, body: bytes) -> None:
    response = await client.post("/api/v1/reload", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 200
    assert await response.json() == {
        "reloaded": True,
        "changed": ["rules added: Reverse shell", "configuration: model.name changed"],
        "rules": {
            "added": [{"id": "r-1", "title": "Reverse shell"}],
            "removed": [],
            "changed": [],
            "disabled": [],
            "enabled": [],
        },
        "config": [{"key": "model.name", "change": "changed"}],
        "at_next_start": [],
    }
    assert world.reloads == 1


async def test_a_refused_reload_lists_every_problem(client: TestClient[Any, Any], world: Daemon) -> None:
    world.reload_failure = ProblemsError(
        (Problem("c.yaml", 3, "model.url", "expected a URL"), Problem("c.yaml", 9, "sorces", "expected a known key"))
    )
    response = await client.post("/api/v1/reload", json={})
    error = (await response.json())["error"]
    assert (response.status, error["code"]) == (422, "refused")
    assert error["problems"] == ["c.yaml:3: model.url: expected a URL", "c.yaml:9: sorces: expected a known key"]


async def test_an_unreadable_configuration_is_refused_too(client: TestClient[Any, Any], world: Daemon) -> None:
    world.reload_failure = PermissionError(13, "Permission denied", "/etc/tellwhy/config.yaml")
    response = await client.post("/api/v1/reload", json={})
    assert response.status == 422
    assert (await response.json())["error"]["problems"] == ["expected a readable configuration (got PermissionError)"]


async def test_a_reload_takes_no_parameters(client: TestClient[Any, Any], world: Daemon) -> None:
    response = await client.post("/api/v1/reload", json={"path": "/etc/shadow"})
    assert response.status == 400
    assert (await response.json())["error"]["expected"] == "path: one of no parameters"
    assert world.reloads == 0


async def test_a_get_never_reloads(client: TestClient[Any, Any], world: Daemon) -> None:
    response = await client.get("/api/v1/reload")
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert world.reloads == 0


async def test_nothing_changed_is_an_empty_answer(client: TestClient[Any, Any], world: Daemon) -> None:
    world.changed = Changes()
    body = await (await client.post("/api/v1/reload", json={})).json()
    assert (body["reloaded"], body["changed"], body["config"]) == (True, [], [])


async def test_while_the_process_ends_a_reload_is_unavailable(client: TestClient[Any, Any], world: Daemon) -> None:
    world.reload_failure = Transient("about to end")
    response = await client.post("/api/v1/reload", json={})
    assert (response.status, (await response.json())["error"]["code"]) == (503, "unavailable")
