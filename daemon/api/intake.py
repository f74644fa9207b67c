"""Events from other tools: `POST /api/v1/events`. Answered only once what they caused is stored.

Whoever may post here may do nothing else: an intake has a token of its own (or shares the API's), and always asks for
it, on loopback too, because what is posted becomes evidence. Tools that only know user and password in an address
(Falco) give it as the password.
"""

import asyncio
import base64
import binascii
import io
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
from daemon.model import Lines, Transient
from daemon.telemetry import HealthState, Says, log

RATES = web.AppKey("intake rates", dict)
"""Name of an intake and its configured rate → its `Rate`; as many as intakes were ever configured."""
PLACES = web.AppKey("intake places", Room)
"""For senders of all intakes together, slow ones too: fewer than the endpoint has, so that health is still answered."""
EXAMINING = web.AppKey("intake bodies being examined", asyncio.Semaphore)
"""Decoded, a body is twenty times as large: two of them at once, so that one that takes long does not hold up all."""

MEDIA = ("application/json", "application/x-ndjson", "application/ndjson", "application/jsonl")
"""Types of bodies; all but the first say that there is one event a line."""
KEYS = ("Idempotency-Key", "webhook-id")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_MOST_TOLD = 100
_MOST_RECORDS = 10_000
_AT_MOST = f"at most {_MOST_RECORDS} events in a request, each alert of a notification counted"
_DEEP = "an object of at most 32 levels"
_OURS = "nothing of you: tellwhy failed on it, and its log says why; please report it"
_EXPECTED = "a JSON object, an array of objects, or one object a line, in UTF-8, each key once, numbers that are finite"


class BadLine(Struct, frozen=True):
    """A line that is no JSON, where an event should stand: what was expected."""

    expected: str


class RejectedShape(Struct, frozen=True):
    """An event that was not taken: its place in what was posted (from 0), and what was expected of it."""

    index: int
    expected: str


class Examined(Struct, frozen=True):
    """What is in a body: the events that can be taken (None: there are none) and how many, how many cannot and the
    first of them, and what is answered where none can.
    """

    packed: Lines | None
    accepted: int
    faults: int
    rejected: tuple[RejectedShape, ...]
    refusal: ApiError | None = None


class TakenShape(Struct, frozen=True):
    """How many events are stored, how many of them were stored before already, and which were not taken."""

    source: str
    accepted: int
    repeated: int
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
    data = await read_body(request, intake.max_body, endpoint.limits.body_seconds, MEDIA)
    listed = request.content_type != MEDIA[0]
    async with request.app[EXAMINING]:
        found = await asyncio.to_thread(_examined, data, intake, key, listed=listed)  # a large one takes a second
    if found.faults:  # most senders look at the status only: who runs us must see it
        endpoint.metrics.unparsed.labels(source=intake.name).inc(found.faults)
    if found.refusal is not None:
        raise found.refusal
    del data
    repeated = await _hand_over(intake, found.packed) if found.packed is not None else 0
    return answer(TakenShape(intake.name, found.accepted, repeated, found.rejected))


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
    given = next((request.headers[name] for name in KEYS if name in request.headers), "")
    if given and not _KEY.fullmatch(given):
        raise ApiError(400, code="bad_parameter", message="The request's key is not as expected.",
                       expected="Idempotency-Key: 1 to 200 visible ASCII characters")  # fmt: skip
    return given


def _examined(data: bytes, intake: Intake, key: str, *, listed: bool) -> Examined:
    """What is in a body. Raises ApiError 400, 413."""
    records = parse_records(data, listed=listed)
    if len(records) > _MOST_RECORDS or sum(intake.weigh(record) for record in records) > _MOST_RECORDS:
        raise ApiError(413, expected=_AT_MOST)
    faults = {index: fault for index, record in enumerate(records) if (fault := _fault_of(record, intake))}
    rejected = tuple(RejectedShape(index, expected) for index, expected in list(faults.items())[:_MOST_TOLD])
    good = {index: record for index, record in enumerate(records) if index not in faults}
    if good or not faults:
        return Examined(_packed(intake, good, key) if good else None, len(good), len(faults), rejected)
    refusal = ApiError(500) if _OURS in faults.values() else _none_of(rejected)
    return Examined(None, 0, len(faults), rejected, refusal)


def _none_of(rejected: Sequence[RejectedShape]) -> ApiError:
    problems = tuple(f"event {one.index}: expected {one.expected}" for one in rejected)
    return ApiError(
        400,
        code="bad_body",
        message="None of the events can be taken.",
        expected=problems[0],
        problems=problems,
    )


def _packed(intake: Intake, records: Mapping[int, Mapping[str, Any]], key: str) -> Lines:
    try:
        return intake.pack(records, key)
    except RecursionError as error:
        raise _bad("nested too deep") from error


def _fault_of(record: Any, intake: Intake) -> str:
    if isinstance(record, BadLine):
        return record.expected
    try:
        return intake.find_fault(record)
    except RecursionError:
        return _DEEP
    except Exception as error:  # noqa: BLE001 - a bug met by one event must not cost the others; it is not taken, and said
        log.error(Says.request_failed, route="/api/v1/events", error=type(error).__name__, exc_info=error)
        return _OURS


async def _hand_over(intake: Intake, packed: Lines) -> int:
    """How many of them were stored before. Raises ApiError 429, 503."""
    try:
        return await intake.hand_over(packed)
    except Transient as error:
        after = {"Retry-After": str(max(1, math.ceil(error.retry_after or 5.0)))}
        if error.why == "full":
            raise ApiError(429, message="Too many requests wait for the store.", headers=after) from error
        said = "It is not known to be stored." if error.why == "timeout" else "Nothing was taken."
        raise ApiError(503, message=said, headers=after) from error


def parse_records(data: bytes, *, listed: bool = False) -> list[Any]:
    """The events in a body: one object, an array of them, or one a line, of which each that is no JSON is a `BadLine`.

    `listed` says that it is declared as lines. Else it is lines where no JSON text that goes on over several lines has
    such a first line. Raises ApiError 400.
    """
    try:
        found = _decoded(data)
    except (ValueError, RecursionError) as error:
        lines = _lines(data)
        if not lines or not (listed or (len(lines) > 1 and not _goes_on(lines[0][1]))):
            raise _bad(str(error)) from error
        return [_line(number, line) for number, line in lines]
    return found if isinstance(found, list) else [found]


def _lines(data: bytes) -> list[tuple[int, bytes]]:
    """The lines with something in them, with their numbers. Raises ApiError 413 before it holds more than are taken."""
    found: list[tuple[int, bytes]] = []
    for number, line in enumerate(io.BytesIO(data), 1):
        if not line.strip(b" \t\r\n"):
            continue
        if len(found) == _MOST_RECORDS:
            raise ApiError(413, expected=_AT_MOST)
        found.append((number, line.strip(b" \t\r\n")))
    return found


def _goes_on(first: bytes) -> bool:
    """Whether the first line of a JSON text that goes on behind it may look so."""
    return first.startswith(b"[") or first.endswith((b"{", b"[", b",", b":"))


def _line(number: int, line: bytes) -> Any:
    try:
        return _decoded(line)
    except (ValueError, RecursionError) as error:
        return BadLine(f"a JSON object (line {number}: {_printed(str(error))})")


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
    return ApiError(
        400, code="bad_body", message="The body is not as expected.", expected=_EXPECTED, problems=(_printed(why),)
    )


def _printed(why: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", why)[:120]
