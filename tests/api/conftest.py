"""A whole endpoint over a real store: only the analyst, the clock and the service's own callables are doubles."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from daemon.api import RUNNER_OPTIONS, Changes, Endpoint, FileStatus, Phase, RuleStatus, RunningStatus, build_app
from daemon.api.endpoint import KeyChange, NamedRule
from daemon.model import Alert, Anomaly, Event, Incident
from daemon.state import Commit, Owed, Told
from daemon.state.store import SqliteStore
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.analyst import ScriptedAnalyst
from tests.doubles.clock import ManualTime
from tests.doubles.values import T0, an_alert, an_anomaly, an_event, an_incident

TOKEN = "t0ken-" + "x" * 40
CHANGED = Changes(added=(NamedRule("r-1", "Reverse shell"),), config=(KeyChange("model.name", "changed"),))


@dataclass
class Daemon:
    """The daemon around the endpoint, as far as the endpoint can see it."""

    store: SqliteStore
    clock: ManualTime
    analyst: ScriptedAnalyst
    board: Board
    metrics: Metrics
    running: RunningStatus
    changed: Changes = CHANGED
    reload_failure: Exception | None = None
    reloads: int = 0
    composed: list[Anomaly] = field(default_factory=list)
    read: list[tuple[str, bytes]] = field(default_factory=list)

    async def on_reload(self) -> Changes:
        """What the service does with a reload."""
        self.reloads += 1
        if self.reload_failure is not None:
            raise self.reload_failure
        return self.changed

    def on_read(self, fmt: str, data: bytes) -> Sequence[Event]:
        """One event per line that has an equals sign, as a reader would."""
        self.read.append((fmt, data))
        if fmt == "json":
            raise ValueError("expected one JSON object a line (got text)")
        lines = [line for line in data.decode().splitlines() if "=" in line]
        return [an_event(number, text=line) for number, line in enumerate(lines, 1)]

    def on_compose(self, anomaly: Anomaly) -> Alert:
        """A base alert of the anomaly."""
        self.composed.append(anomaly)
        return an_alert(
            1,
            version=1,
            incident_id="",
            rule=anomaly.rule,
            severity=anomaly.rule.severity,
            host=anomaly.host,
            entity=anomaly.entity,
            because=anomaly.because,
        )

    def endpoint(self, **changes: Any) -> Endpoint:
        """What the routes are given."""
        made = Endpoint(
            desk=self.store,
            outbox=self.store,
            analyst=self.analyst,
            board=self.board,
            metrics=self.metrics,
            status=lambda: self.running,
            reload=self.on_reload,
            read=self.on_read,
            compose=self.on_compose,
            version="1.2.3",
            now=self.clock.now,
            monotonic=self.clock.monotonic,
        )
        return replace(made, **changes)

    def set(self, **changes: Any) -> None:
        """Change what the service says of itself."""
        self.running = msgspec.structs.replace(self.running, **changes)

    async def store_incident(self, incident: Incident, *, told: bool = True, **alert: Any) -> None:
        """An incident with one anomaly, and the alert owed to two webhooks unless it was never told."""
        number = int(incident.id.removeprefix("inc_"), 16)
        told_now = (
            Told(an_alert(number, incident_id=incident.id, **alert), (Owed("slack", T0), Owed("siem", T0 + 3))),
        )
        anomalies = ((incident.id, an_anomaly(number)),)
        await self.store.commit(
            Commit(at=T0, anomalies=anomalies, incidents=(incident,), told=told_now if told else ())
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Daemon]:
    store = SqliteStore(tmp_path, ballast_bytes=4096)
    store.open()
    clock = ManualTime(T0 + 100)
    board = Board(clock.now)
    board.set("store", HealthState.ok)
    board.set("pipeline", HealthState.ok)
    board.set("model", HealthState.degraded, "connection refused; start ollama")
    running = RunningStatus(
        phase=Phase.running,
        started_at=T0 + 40,
        essential=("store", "pipeline"),
        host="web-1",
        config="/etc/tellwhy/config.yaml",
        files=(FileStatus("audit", "/var/log/audit/audit.log", "1:2:3", 900, 1000, T0 + 99),),
        rules=RuleStatus(loaded=41, disabled=1, refused=1, problems=("/etc/tellwhy/rules/x.yml:3: level: expected …",)),
        versions={"python": "3.11.7"},
    )
    yield Daemon(store, clock, ScriptedAnalyst(), board, Metrics(), running)
    store.close()


@pytest.fixture
async def serve(world: Daemon) -> AsyncIterator[Callable[..., Awaitable[TestClient[Any, Any]]]]:
    """Start the endpoint on a real socket with the options that the service uses; keyword arguments change it."""
    clients: list[TestClient[Any, Any]] = []

    async def start(*, options: dict[str, Any] | None = None, **changes: Any) -> TestClient[Any, Any]:
        server = TestServer(build_app(world.endpoint(**changes)))
        client = TestClient(server)
        await server.start_server(**{**RUNNER_OPTIONS, **(options or {})})
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serve: Callable[..., Awaitable[TestClient[Any, Any]]]) -> TestClient[Any, Any]:
    """The endpoint as configured by default: loopback, no token."""
    return await serve()


@pytest.fixture
async def filled(world: Daemon) -> Daemon:
    """One incident, told to two webhooks."""
    await world.store_incident(an_incident(1))
    return world
