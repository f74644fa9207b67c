"""Incidents: a page of them, or one with everything that is known of it."""

import math
import re
from datetime import UTC, datetime

from aiohttp import web
from msgspec import Struct

from daemon.api.endpoint import ENDPOINT
from daemon.api.errors import ApiError, bad_parameter
from daemon.api.health import answer
from daemon.api.requests import IncidentsQuery
from daemon.api.shapes import IncidentDetail, IncidentsShape
from daemon.api.views import (
    alert_shape,
    anomaly_shape,
    delivery_shape,
    evidence_shape,
    explanation_shape,
    gap_shape,
    incident_shape,
    similar_shape,
)
from daemon.api.wire import ShapeError, decode_query
from daemon.model import Incident, Severity
from daemon.state import Desk

_CURSOR = re.compile(r"(-?\d{1,15}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?)~(\d{1,4})")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,9})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:$|[Tt ]\d\d:\d\d)")  # fromisoformat takes much more than RFC 3339
_BLANK = re.compile(r" (\d\d:\d\d)$")  # a + in a query reads as a blank
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_SHOWN = 100


class Cursor(Struct, frozen=True):
    """Where a page starts: incidents last seen before `at`, or at exactly `at` when they come after the first `skip`
    of those. Without the second half, incidents of one instant that straddle two pages would be lost.
    """

    at: float
    skip: int = 0

    def __str__(self) -> str:
        """As it goes over the wire."""
        return f"{self.at!r}~{self.skip}"


def parse_instant(text: str) -> float | None:
    """RFC 3339 or seconds since the epoch → UTC seconds; None for anything else. A time without an offset is UTC."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _DATE.match(text):
        return None
    try:
        at = datetime.fromisoformat(_BLANK.sub(r"+\1", text))
    except ValueError:
        return None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return seconds if seconds >= 0 else None


def parse_before(text: str) -> Cursor | None:
    """The `before` parameter. Raises ApiError 400."""
    if not text:
        return None
    match = _CURSOR.fullmatch(text)
    if match and math.isfinite(float(match[1])):
        return Cursor(float(match[1]), int(match[2]))
    at = parse_instant(text)
    if at is None:
        expected = "the next of an earlier page, a time in RFC 3339, or seconds since the epoch"
        raise bad_parameter("before", expected)
    return Cursor(at)


async def load_page(desk: Desk, query: IncidentsQuery, cursor: Cursor | None) -> tuple[list[Incident], Cursor | None]:
    """One page and where the next one starts (None: this was the last)."""
    skip = cursor.skip if cursor else 0
    bound = None
    if cursor is not None:
        bound = math.nextafter(cursor.at, math.inf) if skip else cursor.at
    found = await desk.incidents(
        limit=query.limit + skip + 1,
        before=bound,
        severity=int(Severity[query.severity]),
        status=query.status,
        rule=query.rule,
        text=query.q,
    )
    page = found[_already_shown(found, cursor) :]
    if len(page) <= query.limit:
        return page, None
    page = page[: query.limit]
    edge = page[-1].last_at
    shown = sum(1 for incident in page if incident.last_at == edge)
    again = skip if cursor is not None and cursor.at == edge else 0
    return page, Cursor(edge, shown + again)


def _already_shown(found: list[Incident], cursor: Cursor | None) -> int:
    """How many of the leading incidents an earlier page has shown."""
    if cursor is None:
        return 0
    return sum(1 for incident in found[: cursor.skip] if incident.last_at == cursor.at)


async def listed(request: web.Request) -> web.Response:
    """A page of incidents, the last active first."""
    try:
        query = decode_query(request.query, IncidentsQuery)
    except ShapeError as error:
        raise bad_parameter(error.name, error.expected) from error
    for name, text in (("q", query.q), ("rule", query.rule)):
        if _CONTROL.search(text):
            raise bad_parameter(name, "text without control characters")
    page, following = await load_page(request.app[ENDPOINT].desk, query, parse_before(query.before))
    return answer(IncidentsShape(tuple(map(incident_shape, page)), str(following) if following else None))


async def find_incident(desk: Desk, incident_id: str) -> Incident:
    """One incident. Raises ApiError 404."""
    incident = await desk.incident(incident_id) if _ID.fullmatch(incident_id) else None
    if incident is None:
        raise ApiError(404, message="There is no such incident.", expected="an id listed by /api/v1/incidents")
    return incident


async def shown(request: web.Request) -> web.Response:
    """One incident with its anomalies, every version of its alert, and where those went."""
    desk = request.app[ENDPOINT].desk
    incident = await find_incident(desk, request.match_info["id"])
    alerts = await desk.alerts(incident.id)
    newest = alerts[-1] if alerts else None
    return answer(
        IncidentDetail(
            incident=incident_shape(incident),
            anomalies=tuple(map(anomaly_shape, await desk.anomalies(incident.id, _SHOWN))),
            alerts=tuple(map(alert_shape, alerts)),
            evidence=tuple(map(evidence_shape, newest.evidence)) if newest else (),
            similar=tuple(map(similar_shape, newest.similar)) if newest else (),
            explanation=explanation_shape(newest.explanation) if newest else None,
            gaps=tuple(map(gap_shape, newest.gaps)) if newest else (),
            deliveries=tuple(map(delivery_shape, await desk.deliveries(incident.id))),
        )
    )
