"""Events from other tools: `POST /api/v1/events`. Answered only once what they caused is stored.

Whoever may post here may do nothing else: an intake has a token of its own (or shares the API's), and always asks for
it, on loopback too, because what is posted becomes evidence. Tools that only know user and password in an address
(Falco) give it as the password.
"""

import asyncio
import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from daemon.api.access import Rate, Room, TokenCheck, read_body
from daemon.api.endpoint import ENDPOINT, Endpoint, Intake
from daemon.api.errors import ApiError, bad_parameter
from daemon.api.health import answer
from daemon.api.requests import EventsQuery
from daemon.api.wire import ShapeError, decode_query
from daemon.model import Transient
from daemon.telemetry import HealthState

RATES = web.AppKey("intake rates", dict)
"""Name of an intake and its configured rate → its `Rate`; as many as intakes were ever configured."""
PLACES = web.AppKey("intake places", Room)
"""For senders of all intakes together, slow ones too: fewer than the endpoint has, so that health is still answered."""

_MEDIA = frozenset({"application/json", "application/x-ndjson", "application/ndjson", "application/jsonl"})
_KEYS = ("Idempotency-Key", "webhook-id")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_MOST_TOLD = 100
_MOST_RECORDS = 10_000
_EXPECTED = "a JSON object, an array of objects, or one object a line, in UTF-8, each key once, numbers that are finite"


class RejectedShape(Struct, frozen=True):
    """An event that was not taken: its place in what was posted (from 0), and what was expected of it."""

    index: int
    expected: str


class TakenShape(Struct, frozen=True):
    """How many events are stored (those that were stored before among them), and which were not taken."""

    source: str
    accepted: int
    rejected: tuple[RejectedShape, ...]


async def take(request: web.Request) -> web.Response:
    """Take events, and answer when they are stored."""
    endpoint = request.app[ENDPOINT]
    intake = _opened(request, endpoint)
    _ask_rate(request, endpoint, intake)
    _ask_store(endpoint)
    key = _key_of(request)
    busy = ApiError(429, message="Too many requests wait for the store.", headers={"Retry-After": "1"})
    with request.app[PLACES].place(busy):
        return await _take(request, endpoint, intake, key)


async def _take(request: web.Request, endpoint: Endpoint, intake: Intake, key: str) -> web.Response:
    data = await read_body(request, intake.max_body, endpoint.limits.body_seconds, _MEDIA)
    good, faults = await asyncio.to_thread(_examined, data, intake)  # a body of megabytes takes seconds
    rejected = tuple(RejectedShape(index, expected) for index, expected in list(faults.items())[:_MOST_TOLD])
    if not good and faults:
        first = next(iter(faults.items()))
        said = f"event {first[0]}: expected {first[1]}"
        problems = tuple(f"event {one.index}: expected {one.expected}" for one in rejected)
        raise ApiError(
            400, code="bad_body", message="None of the events can be taken.", expected=said, problems=problems
        )
    if good:
        await _hand_over(intake, good, key)
    return answer(TakenShape(intake.name, len(good), rejected))


def _opened(request: web.Request, endpoint: Endpoint) -> Intake:
    """The intake that is meant, if the token opens it."""
    try:
        wanted = decode_query(request.query, EventsQuery).source
    except ShapeError as error:
        raise bad_parameter(error.name, error.expected) from error
    header, configured = _as_bearer(request.headers.get("Authorization")), endpoint.intakes()
    if not configured:
        raise ApiError(
            404, message="No intake is configured.", expected="a source of type: intake in the configuration"
        )
    opened = [one for one in configured if one.token and TokenCheck(one.token).allows(header)]
    if not opened:
        raise ApiError(
            401,
            message="This needs the token of an intake.",
            headers={"WWW-Authenticate": 'Bearer realm="tellwhy intake"'},
        )
    if not wanted:
        return opened[0]
    named = [one for one in opened if one.name == wanted]
    if not named:
        raise bad_parameter("source", "the name of an intake that this token opens, or left out")
    return named[0]


def _as_bearer(header: str | None) -> str | None:
    """A Basic header's password as the token that it is."""
    scheme, _, given = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return header
    try:
        pair = base64.b64decode(given.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return f"Bearer {pair.partition(':')[2]}"


def _ask_rate(request: web.Request, endpoint: Endpoint, intake: Intake) -> None:
    rates: dict[tuple[str, int], Rate] = request.app[RATES]
    rate = rates.setdefault((intake.name, intake.rate), Rate(2 * intake.rate, intake.rate, endpoint.monotonic))
    wait = rate.take()
    if wait:
        message = f"More than {intake.rate} requests a second."
        raise ApiError(429, message=message, headers={"Retry-After": str(math.ceil(wait))})


def _ask_store(endpoint: Endpoint) -> None:
    """While the store cannot write, nothing is taken: the sender keeps it."""
    store = endpoint.board.get("store")
    if store is not None and store.state in {HealthState.degraded, HealthState.failed}:
        raise ApiError(503, message="The store cannot write now; nothing was taken.", headers={"Retry-After": "5"})


def _key_of(request: web.Request) -> str:
    given = next((request.headers[name] for name in _KEYS if name in request.headers), "")
    if given and not _KEY.fullmatch(given):
        raise ApiError(400, code="bad_parameter", message="The request's key is not as expected.",
                       expected="Idempotency-Key: 1 to 200 visible ASCII characters")  # fmt: skip
    return given


def _examined(data: bytes, intake: Intake) -> tuple[list[Any], dict[int, str]]:
    """The events in a body that can be taken, and the faults of the others by their place. Raises ApiError 400, 413."""
    records = parse_records(data)
    if len(records) > _MOST_RECORDS:
        raise ApiError(413, expected=f"at most {_MOST_RECORDS} events in a request")
    try:
        faults = {index: fault for index, record in enumerate(records) if (fault := intake.find_fault(record))}
    except RecursionError as error:
        raise _bad("nested too deep") from error
    return [record for index, record in enumerate(records) if index not in faults], faults


async def _hand_over(intake: Intake, records: Sequence[Mapping[str, Any]], key: str) -> None:
    try:
        await intake.hand_over(records, key)
    except RecursionError as error:  # met where envelopes are made, before anything was handed over
        raise _bad("nested too deep") from error
    except Transient as error:
        after = {"Retry-After": str(max(1, math.ceil(error.retry_after or 5.0)))}
        if error.why == "full":
            raise ApiError(429, message="Too many requests wait for the store.", headers=after) from error
        said = "It is not known to be stored." if error.why == "timeout" else "Nothing was taken."
        raise ApiError(503, message=said, headers=after) from error


def parse_records(data: bytes) -> list[Any]:
    """The events in a body: one object, an array of them, or one a line. Raises ApiError 400."""
    try:
        found = _decoded(data)
    except (ValueError, RecursionError) as error:
        lines = [line for line in data.splitlines() if line.strip(b" \t\r")]
        if len(lines) < 2:  # noqa: PLR2004 - one line is no list of lines
            raise _bad(str(error)) from error
        return _lines(lines)
    return found if isinstance(found, list) else [found]


def _lines(lines: Sequence[bytes]) -> list[Any]:
    found = []
    for number, line in enumerate(lines):
        try:
            found.append(_decoded(line))
        except (ValueError, RecursionError) as error:
            raise _bad(f"line {number + 1}: {error}") from error
    return found


def _decoded(data: bytes) -> Any:
    """JSON by the letter: msgspec refuses NaN, numbers too large, halves of pairs, and what is no UTF-8."""
    msgspec.json.decode(data)
    return json.loads(data, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _bad(why: str) -> ApiError:
    problem = re.sub(r"[^\x20-\x7e]", "?", why)[:120]
    return ApiError(
        400, code="bad_body", message="The body is not as expected.", expected=_EXPECTED, problems=(problem,)
    )
