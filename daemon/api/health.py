"""Alive, ready, metrics, status."""

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import generate_latest

from daemon.api.endpoint import ENDPOINT, Endpoint, Phase, RunningStatus
from daemon.api.shapes import Alive, ComponentShape, OutboxShape, Ready, RulesShape, StatusShape
from daemon.api.views import file_shape, instant, instant_or_none
from daemon.api.wire import encode
from daemon.model import Transient
from daemon.state import OutboxDepth
from daemon.telemetry import Health, HealthState


def answer(value: object, status: int = 200) -> web.Response:
    """A shape as JSON."""
    return web.Response(body=encode(value), status=status, content_type="application/json")


def _essential(endpoint: Endpoint, status: RunningStatus) -> Iterator[tuple[str, Health | None]]:
    return ((name, endpoint.board.get(name)) for name in status.essential)


async def alive(request: web.Request) -> web.Response:
    """Whether the process does its job, and nothing else: no name, no number, no token asked for."""
    endpoint = request.app[ENDPOINT]
    status = endpoint.status()
    if status.phase is Phase.stopping:
        return answer(Alive("stopping"), 503)
    failed = status.stalled or any(row and row.state is HealthState.failed for _, row in _essential(endpoint, status))
    return answer(Alive("failing"), 503) if failed else answer(Alive("ok"))


async def ready(request: web.Request) -> web.Response:
    """Whether logs are being read and alerts stored: running, and every essential component well."""
    endpoint = request.app[ENDPOINT]
    status = endpoint.status()
    well = {HealthState.ok, HealthState.off}
    waiting = [name for name, row in _essential(endpoint, status) if row is None or row.state not in well]
    logs = [endpoint.board.get(name) for name in status.logs]
    if logs and not any(row and row.state in well for row in logs):
        waiting.append("logs")
    if status.phase is not Phase.running:
        waiting.insert(0, "service")
    return answer(Ready(ready=not waiting, waiting_for=tuple(waiting)), 503 if waiting else 200)


async def _depth(endpoint: Endpoint) -> OutboxDepth | None:
    try:
        return await endpoint.outbox.depth()
    except Transient:
        return None  # the store's own row on the board says why


async def metrics(request: web.Request) -> web.Response:
    """The Prometheus metrics. An age is only true when asked for, so the outbox gauges are set here."""
    endpoint = request.app[ENDPOINT]
    depth = await _depth(endpoint)
    if depth is not None:
        endpoint.metrics.outbox_depth.set(depth.due)
        endpoint.metrics.outbox_oldest.set(_age(depth, endpoint.now()) or 0.0)
    return web.Response(
        body=generate_latest(endpoint.metrics.registry),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


def _age(depth: OutboxDepth, now: float) -> float | None:
    return max(0.0, now - depth.oldest_at) if depth.oldest_at else None


async def status(request: web.Request) -> web.Response:
    """The whole daemon at a glance."""
    endpoint = request.app[ENDPOINT]
    running, now = endpoint.status(), endpoint.now()
    depth = await _depth(endpoint)
    try:
        counts = await endpoint.desk.counts()
    except Transient:
        counts = None
    rules = running.rules
    return answer(
        StatusShape(
            version=endpoint.version,
            phase=running.phase.value,
            host=running.host,
            config=running.config,
            started_at=instant(running.started_at),
            uptime_seconds=round(max(0.0, now - running.started_at), 3),
            reloaded_at=instant_or_none(running.reloaded_at),
            components=tuple(
                ComponentShape(row.component, row.state, instant(row.since), row.detail)
                for row in endpoint.board.rows()
            ),
            files=tuple(map(file_shape, running.files)),
            rules=RulesShape(rules.loaded, rules.disabled, rules.refused, rules.problems),
            outbox=OutboxShape(depth.due, depth.dead, _age(depth, now)) if depth else None,
            counts=counts,
            versions=dict(running.versions),
            audit=running.audit,
        )
    )
