"""Ask: a question about stored incidents, or an anomaly to be analysed. Nothing here is stored or sent to anyone."""

import hashlib

import msgspec
from aiohttp import web

from daemon.api.access import Questions, read_json
from daemon.api.endpoint import ENDPOINT, Endpoint
from daemon.api.errors import ApiError, bad_parameter
from daemon.api.health import answer
from daemon.api.incidents import find_incident, parse_instant
from daemon.api.requests import AnomalyBody, Question
from daemon.api.shapes import AnalysisShape
from daemon.api.views import ai_health_shape, alert_shape, answer_shape
from daemon.model import Alert, Anomaly, Event, Logsource, RuleRef, Severity

QUESTIONS = web.AppKey("questions", Questions)

POSTED = "posted"
"""The source of an anomaly that came over the API and names none; also the id of its rule."""

_MAX_EVENTS = 50
_LAST = 253_402_300_799.0  # 9999-12-31T23:59:59Z


async def health(request: web.Request) -> web.Response:
    """How model and memory are."""
    return answer(ai_health_shape(await request.app[ENDPOINT].analyst.health()))


async def query(request: web.Request) -> web.Response:
    """Answer an on-call engineer's question from stored incidents."""
    endpoint = request.app[ENDPOINT]
    asked = await read_json(request, Question, endpoint.limits)
    if not asked.question.strip():
        raise bad_parameter("question", "a question of 1 to 2000 characters that is not blank")
    async with request.app[QUESTIONS].turn():
        return answer(answer_shape(await endpoint.analyst.query(asked.question.strip(), asked.limit)))


async def analyze(request: web.Request) -> web.Response:
    """Analyse a stored incident or a posted anomaly."""
    endpoint = request.app[ENDPOINT]
    body = await read_json(request, AnomalyBody, endpoint.limits)
    alert = await _stored(endpoint, body) if body.incident_id else _posted(endpoint, body)
    async with request.app[QUESTIONS].turn():
        return answer(AnalysisShape(alert_shape(await endpoint.analyst.analyze(alert))))


async def _stored(endpoint: Endpoint, body: AnomalyBody) -> Alert:
    """The newest alert of a stored incident; one that was never told gets a base alert for its last anomaly."""
    if body != AnomalyBody(incident_id=body.incident_id):
        raise bad_parameter("incident_id", "the id of a stored incident, and no other field")
    incident = await find_incident(endpoint.desk, body.incident_id)
    alerts = await endpoint.desk.alerts(incident.id)
    if alerts:
        return alerts[-1]
    if not incident.anomalies:
        raise ApiError(404, message="Nothing more is known of this incident.", expected="an incident with an alert")
    return endpoint.compose(incident.anomalies[-1])


def _posted(endpoint: Endpoint, body: AnomalyBody) -> Alert:
    """The base alert of what a client observed. Raises ApiError 400."""
    lines = body.lines if isinstance(body.lines, str) else "\n".join(body.lines)
    if not (body.because.strip() or any(body.events) or lines.strip()):
        raise bad_parameter("because", "at least one of incident_id, because, events and lines")
    at = _instant(body, endpoint.now())
    events = tuple(_event(body, fields, at) for fields in body.events if fields)
    events += _read(endpoint, body.format, lines)
    return endpoint.compose(_anomaly(body, events, at))


def _instant(body: AnomalyBody, now: float) -> float:
    if body.at is None:
        return now
    at = parse_instant(body.at) if isinstance(body.at, str) else body.at
    if at is None or not 0 <= at <= _LAST:
        raise bad_parameter("at", "a time in RFC 3339 or seconds since the epoch (now when left out)")
    return at


def _event(body: AnomalyBody, fields: dict[str, str | int | float | bool | tuple[str, ...] | None], at: float) -> Event:
    return Event(
        id=_id(fields),
        at=at,
        host=body.host,
        source=body.source or POSTED,
        logsource=Logsource(),
        fields=fields,
        text=" ".join(f"{key}={value}" for key, value in fields.items()),
    )


def _read(endpoint: Endpoint, fmt: str, lines: str) -> tuple[Event, ...]:
    """The events in raw lines: the newest, if there are more than one alert can carry."""
    if not lines.strip():
        return ()
    try:
        events = endpoint.read(fmt, (lines.rstrip("\n") + "\n").encode("utf-8", "backslashreplace"))
    except ValueError as error:
        raise bad_parameter("lines", str(error)) from error
    if not events:
        raise bad_parameter("lines", f"at least one whole record in the format {fmt}")
    return tuple(events[-_MAX_EVENTS:])


def _anomaly(body: AnomalyBody, events: tuple[Event, ...], at: float) -> Anomaly:
    title = body.title.strip() or "Posted anomaly"
    rule = RuleRef(id=POSTED, title=title, severity=Severity[body.severity])
    return Anomaly(
        id=_id([title, body.entity, [event.id for event in events], body.because, at]),
        rule=rule,
        at=at,
        host=body.host or next((event.host for event in events if event.host), ""),
        source=body.source or next((event.source for event in events), POSTED),
        entity=body.entity,
        because=body.because.strip() or f"{len(events)} posted events",
        events=events,
    )


def _id(content: object) -> str:
    """The same for the same content, so that a repeated analysis is recognised as one."""
    return "posted-" + hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:24]
