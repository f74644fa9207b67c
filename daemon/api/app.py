"""The application: every route in one list, and what happens around each of them.

answering (errors, headers, metrics) → guarding (Host, token, requests in flight) → route
"""

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from daemon.api import ai, health, incidents, intake, reloading
from daemon.api.access import HostCheck, Questions, Room, TokenCheck
from daemon.api.endpoint import ENDPOINT, Endpoint
from daemon.api.errors import MEANING, ApiError
from daemon.api.intake import TakenShape
from daemon.api.openapi import Route, build_document
from daemon.api.reloading import ReloadShape
from daemon.api.requests import AnomalyBody, EventsQuery, IncidentsQuery, NoParameters, Question
from daemon.api.shapes import (
    AiHealthShape,
    Alive,
    AnalysisShape,
    AnswerShape,
    IncidentDetail,
    IncidentsShape,
    Ready,
    StatusShape,
)
from daemon.model import Refused, Transient
from daemon.telemetry import Says, log

__all__ = ["ROUTES", "RUNNER_OPTIONS", "Endpoint", "build_app"]

RUNNER_OPTIONS: Mapping[str, Any] = {
    "access_log": None,  # what was asked may hold names of people; metrics count, the log tells failures
    # malformed requests must not write our log
    "logger": logging.Logger("tellwhy.http", logging.CRITICAL),  # noqa: LOG001 - unregistered: nothing can turn it up
    "keepalive_timeout": 15.0,  # also the deadline for the whole request head: this is what ends a slowloris
    "lingering_time": 1.0,
    "max_line_size": 4096,
    "max_field_size": 4096,
    "max_headers": 64,
    "auto_decompress": False,  # compressed bodies are refused; a bomb must not be opened first
    "shutdown_timeout": 3.0,
}
"""For `web.AppRunner(app, **RUNNER_OPTIONS)`: the limits that aiohttp applies before any of our code runs."""

_DOCUMENT = web.AppKey("document", dict)
_HEADERS = {
    "Server": "tellwhy",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def _document(request: web.Request) -> web.Response:
    return health.answer(request.app[_DOCUMENT])


EVENTS = "/api/v1/events"
"""Asks for a token of its own, which opens nothing else."""
_RECORDS: Mapping[str, Mapping[str, Any]] = {
    media: {"type": ["object", "array"], "description": "one record, or an array of them"}
    if media == intake.MEDIA[0]
    else {"type": "string", "description": "one record a line"}
    for media in intake.MEDIA
}
_ASKS = (400, 408, 413, 415, 429)
ROUTES: tuple[Route, ...] = (
    Route("GET", "/healthz", health.alive, "Whether the process does its job.", Alive, also=(503,), open=True),
    Route("GET", "/readyz", health.ready, "Whether it is ready.", Ready, also=(503,), errors=(403,), open=True),
    Route("GET", "/metrics", health.metrics, "Metrics for Prometheus.", None, media="text/plain"),
    Route("GET", "/api/v1/status", health.status, "The whole daemon at a glance.", StatusShape),
    Route(
        "GET", "/api/v1/incidents", incidents.listed, "Incidents, the last active first.", IncidentsShape,
        query=IncidentsQuery, errors=(400,),
    ),
    Route(
        "GET", "/api/v1/incidents/{id}", incidents.shown, "One incident and all that is known of it.", IncidentDetail,
        errors=(404,),
    ),
    Route("GET", "/api/v1/ai/health", ai.health, "How model and memory are.", AiHealthShape),
    Route(
        "POST", "/api/v1/ai/query", ai.query, "Ask about stored incidents.", AnswerShape, body=Question, errors=_ASKS
    ),
    Route(
        "POST", "/api/v1/ai/analyze-anomaly", ai.analyze, "Analyse an incident or a posted anomaly.", AnalysisShape,
        body=AnomalyBody, errors=(*_ASKS, 404),
    ),
    Route(
        "POST", EVENTS, intake.take, "Take events from other tools; answered once they are stored.", TakenShape,
        query=EventsQuery, errors=(*_ASKS, 404), takes=_RECORDS, asks=("bearer", "basic"),
        headers=dict.fromkeys(intake.KEYS, "what the sender calls this request: sent again under it, it is taken once"),
    ),
    Route(
        "POST", "/api/v1/reload", reloading.reload, "Read configuration and rules again.", ReloadShape,
        body=NoParameters, errors=(400, 408, 413, 415, 422),
    ),
    Route("GET", "/api/v1/openapi.json", _document, "This description, as OpenAPI 3.1.", None),
)  # fmt: skip


def build_app(endpoint: Endpoint) -> web.Application:
    """The application for one endpoint. Raises ValueError for a weak token, or for none when others can connect."""
    hosts, tokens = HostCheck(endpoint.listen), TokenCheck(endpoint.token)
    if not (tokens.asked or hosts.loopback):
        raise ValueError(f"expected a token because {endpoint.listen} is not loopback; set api.token_file")
    app = web.Application(
        client_max_size=endpoint.limits.body_bytes,
        middlewares=[_answering(endpoint), _guarding(hosts, tokens, Room(endpoint.limits.at_once))],
    )
    app[ENDPOINT] = endpoint
    app[ai.QUESTIONS] = Questions(endpoint.limits, endpoint.monotonic)
    app[intake.RATES] = {}
    app[intake.EXAMINING] = asyncio.Semaphore(2)
    app[intake.PLACES] = Room(endpoint.limits.at_once // 2)
    app[_DOCUMENT] = build_document(ROUTES, endpoint.version)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    return app


def _template(request: web.Request) -> str:
    """The route's own path, never the client's: labels of metrics must stay few."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _answering(endpoint: Endpoint) -> Middleware:
    """Every failure in one shape, every answer with the same headers, every request counted."""

    @web.middleware
    async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except ConnectionError:  # the client went away: nobody is left to answer
            raise
        except Exception as error:  # noqa: BLE001 - the one place that decides what a failed request is
            response = _failure(request, error).response()
        response.headers.update(_HEADERS)
        endpoint.metrics.requests.labels(route=_template(request), status=str(response.status)).inc()
        return response

    return answering


def _failure(request: web.Request, error: Exception) -> ApiError:
    """What a failure looks like from outside."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, web.HTTPException):
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        usual = 400 if error.status < 500 else 500  # noqa: PLR2004 - the two families of HTTP errors
        return ApiError(error.status if error.status in MEANING else usual, headers=allow)
    if isinstance(error, Transient):
        wait = error.retry_after if error.retry_after and error.retry_after > 0 else 5.0
        return ApiError(503, headers={"Retry-After": str(min(3600, math.ceil(wait)))})
    if isinstance(error, Refused):
        return ApiError(503)
    log.error(Says.request_failed, route=_template(request), error=type(error).__name__, exc_info=error)
    return ApiError(500)


def _guarding(hosts: HostCheck, tokens: TokenCheck, room: Room) -> Middleware:
    """Host, token, number in flight. Liveness passes always: it says nothing, and must answer when all else is full."""
    open_paths = {route.path for route in ROUTES if route.open}

    @web.middleware
    async def guarding(request: web.Request, handler: Handler) -> web.StreamResponse:
        template = _template(request)
        if template == "/healthz":
            return await handler(request)
        events = request.path == EVENTS  # with another method too: who is wrong about that needs no token to hear it
        asks = events or (tokens.asked and template not in open_paths)
        if not hosts.allows(request.headers.get("Host"), any_name=asks):
            raise ApiError(403)
        if not (events or template in open_paths) and not tokens.allows(request.headers.get("Authorization")):
            raise ApiError(401, headers={"WWW-Authenticate": 'Bearer realm="tellwhy"'})
        with room.place(ApiError(503, message="Too many requests at once.", headers={"Retry-After": "1"})):
            return await handler(request)

    return guarding
