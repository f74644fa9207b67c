"""Alive, ready, metrics, incidents, ask, events from other tools: the HTTP endpoint.

`build_app(endpoint)` gives an aiohttp application; the service runs it (`web.AppRunner(app, **RUNNER_OPTIONS)`) on the
configured address. Handlers read contracts only (`Desk`, `Outbox`, `Analyst`); what needs an implementation of a stage
(raw lines → events, anomaly → base alert) comes as a callable. Nothing here stores, retries or decides.

Every error has one shape, `{"error": {"code", "message", "expected"}}`. A part that is down is a 503 or a gap, never a
500. Bounded: body, headers, page, requests in flight, questions per minute. The Host header must name us (DNS
rebinding); with a token everything but `/healthz` and `/readyz` asks for it, and posted events always ask for that of
their intake; a POST must say application/json (a form cannot).
"""

from daemon.api.app import RUNNER_OPTIONS, build_app
from daemon.api.endpoint import Changes, Endpoint, FileStatus, Intake, Limits, Phase, RuleStatus, RunningStatus

__all__ = [
    "RUNNER_OPTIONS",
    "Changes",
    "Endpoint",
    "FileStatus",
    "Intake",
    "Limits",
    "Phase",
    "RuleStatus",
    "RunningStatus",
    "build_app",
]
