"""Alive, ready, metrics, status."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from prometheus_client.parser import text_string_to_metric_families

from daemon.api import Phase
from daemon.model import Transient
from daemon.state import OutboxDepth
from daemon.telemetry import HealthState
from tests.api.conftest import Daemon
from tests.doubles.values import T0, an_incident

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]


class BusyStore:
    """A store whose disk is full or whose file is locked."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object, **__: object) -> Any:
            raise Transient("database is locked", why="busy")

        return fail


@pytest.mark.parametrize(
    ("phase", "store", "status", "said"),
    [
        (Phase.running, HealthState.ok, 200, "ok"),
        (Phase.running, HealthState.degraded, 200, "ok"),
        (Phase.starting, HealthState.starting, 200, "ok"),
        (Phase.running, HealthState.failed, 503, "failing"),
        (Phase.stopping, HealthState.ok, 503, "stopping"),
        (Phase.stopping, HealthState.failed, 503, "stopping"),
    ],
)
async def test_liveness_says_one_word(
    client: TestClient[Any, Any], world: Daemon, phase: Phase, store: HealthState, status: int, said: str
) -> None:
    world.set(phase=phase)
    world.board.set("store", store, "disk full at /var/lib/tellwhy")
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (status, {"status": said})


async def test_a_pipeline_that_makes_no_progress_is_failing(client: TestClient[Any, Any], world: Daemon) -> None:
    world.set(stalled=True)
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (503, {"status": "failing"})


async def test_one_log_that_can_be_read_is_enough_to_be_ready(client: TestClient[Any, Any], world: Daemon) -> None:
    world.set(logs=("source:audit", "source:auth"))
    world.board.set("source:auth", HealthState.starting, "missing")
    response = await client.get("/readyz")
    assert (response.status, await response.json()) == (503, {"ready": False, "waiting_for": ["logs"]})
    world.board.set("source:audit", HealthState.ok)
    assert (await client.get("/readyz")).status == 200


async def test_what_is_not_essential_does_not_make_us_dead_or_unready(
    client: TestClient[Any, Any], world: Daemon
) -> None:
    world.board.set("model", HealthState.failed)
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/readyz")).status == 200


@pytest.mark.parametrize(
    ("phase", "store", "waiting"),
    [
        (Phase.running, HealthState.ok, []),
        (Phase.running, HealthState.off, []),
        (Phase.running, HealthState.starting, ["store"]),
        (Phase.running, HealthState.degraded, ["store"]),
        (Phase.running, HealthState.failed, ["store"]),
        (Phase.starting, HealthState.ok, ["service"]),
        (Phase.stopping, HealthState.failed, ["service", "store"]),
    ],
)
async def test_readiness_names_what_is_not_ready_and_nothing_else(
    client: TestClient[Any, Any], world: Daemon, phase: Phase, store: HealthState, waiting: list[str]
) -> None:
    world.set(phase=phase)
    world.board.set("store", store, "secret detail")
    response = await client.get("/readyz")
    assert response.status == (503 if waiting else 200)
    assert await response.json() == {"ready": not waiting, "waiting_for": waiting}


async def test_an_essential_component_that_never_reported_is_not_ready(
    client: TestClient[Any, Any], world: Daemon
) -> None:
    world.set(essential=("store", "sources"))
    assert await (await client.get("/readyz")).json() == {"ready": False, "waiting_for": ["sources"]}
    assert (await client.get("/healthz")).status == 200, "not there yet is not failed"


async def families(client: TestClient[Any, Any]) -> dict[tuple[str, str], float]:
    response = await client.get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(await response.text()):
        for sample in family.samples:
            found[sample.name, ",".join(sample.labels.values())] = sample.value
    return found


async def test_metrics_are_prometheus_text_and_ages_are_true_when_asked_for(
    client: TestClient[Any, Any], filled: Daemon
) -> None:
    found = await families(client)
    assert found["tellwhy_outbox_depth", ""] == 2
    assert found["tellwhy_outbox_oldest_seconds", ""] == 100
    filled.clock.jump(20)
    assert (await families(client))["tellwhy_outbox_oldest_seconds", ""] == 120
    filled.clock.jump(-1000)
    assert (await families(client))["tellwhy_outbox_oldest_seconds", ""] == 0


async def test_requests_are_counted_by_route_never_by_path(client: TestClient[Any, Any]) -> None:
    for path in ("/healthz", "/api/v1/incidents/a", "/api/v1/incidents/b", "/x", "/y?z=1", "/api/v1/incidents?x=1"):
        await client.get(path)
    await client.delete("/healthz")
    found = {
        key[1]: value for key, value in (await families(client)).items() if key[0] == "tellwhy_http_requests_total"
    }
    assert found == {
        "/healthz,200": 1,
        "/api/v1/incidents/{id},404": 2,
        "/api/v1/incidents,400": 1,
        "unmatched,404": 2,
        "unmatched,405": 1,
    }


async def test_metrics_without_the_store_are_the_ones_from_before(serve: Serve) -> None:
    client = await serve(desk=BusyStore(), outbox=BusyStore())
    assert (await families(client))["tellwhy_outbox_depth", ""] == 0


async def test_status_shows_the_whole_daemon(client: TestClient[Any, Any], filled: Daemon) -> None:
    status = await (await client.get("/api/v1/status")).json()
    assert (status["version"], status["phase"], status["host"]) == ("1.2.3", "running", "web-1")
    assert (status["uptime_seconds"], status["started_at"]) == (60.0, "2026-11-21T11:20:40.000Z")
    assert status["reloaded_at"] is None
    assert [row["component"] for row in status["components"]] == ["model", "pipeline", "store"]
    assert status["components"][0] == {
        "component": "model",
        "state": "degraded",
        "since": "2026-11-21T11:21:40.000Z",
        "detail": "connection refused; start ollama",
    }
    assert status["files"] == [
        {
            "source": "audit",
            "path": "/var/log/audit/audit.log",
            "identity": "1:2:3",
            "offset": 900,
            "size": 1000,
            "lag_bytes": 100,
            "last_read_at": "2026-11-21T11:21:39.000Z",
        }
    ]
    assert (status["rules"]["loaded"], status["rules"]["refused"]) == (41, 1)
    assert status["outbox"] == {"due": 2, "dead": 0, "oldest_age_seconds": 100.0}
    assert (status["counts"]["incidents"], status["counts"]["deliveries"]) == (1, 2)
    assert status["versions"] == {"python": "3.11.7"}


async def test_an_empty_outbox_has_no_age(client: TestClient[Any, Any]) -> None:
    status = await (await client.get("/api/v1/status")).json()
    assert status["outbox"] == {"due": 0, "dead": 0, "oldest_age_seconds": None}


async def test_status_answers_while_the_store_cannot(serve: Serve) -> None:
    client = await serve(desk=BusyStore(), outbox=BusyStore())
    response = await client.get("/api/v1/status")
    status = await response.json()
    assert (response.status, status["outbox"], status["counts"]) == (200, None, None)
    assert [row["component"] for row in status["components"]] == ["model", "pipeline", "store"]


async def test_a_broken_outbox_is_not_hidden_as_busy(serve: Serve) -> None:
    class Broken(BusyStore):
        async def depth(self) -> OutboxDepth:
            raise RuntimeError("disk I/O error on /dev/sda1")

    client = await serve(outbox=Broken())
    assert (await client.get("/api/v1/status")).status == 500


async def test_uptime_is_never_negative(client: TestClient[Any, Any], world: Daemon) -> None:
    world.clock.jump(-86_400)
    assert (await (await client.get("/api/v1/status")).json())["uptime_seconds"] == 0


async def test_the_depth_counts_what_is_stored_meanwhile(client: TestClient[Any, Any], filled: Daemon) -> None:
    await filled.store_incident(an_incident(2))
    status = await (await client.get("/api/v1/status")).json()
    assert status["outbox"]["due"] == 4
    assert (await filled.store.depth()).oldest_at == T0
