"""Who may ask, how often and how much: Host header, bearer token, request rate, body."""

import asyncio
import hashlib
import hmac
import ipaddress
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from aiohttp import web

from daemon.api.endpoint import Limits
from daemon.api.errors import ApiError, bad_parameter
from daemon.api.wire import ShapeError, decode_body

T = TypeVar("T")

TOKEN_MIN = 32
_TOKEN = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:\d{1,5})?")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def split_host(text: str) -> str | None:
    """The host of a Host header or listen address: lower-case, without port, brackets and final dot; else None."""
    match = _HOST.fullmatch(text)
    return match[1].strip("[]").rstrip(".").lower() if match else None


class HostCheck:
    """Does a Host header name us? Stops DNS rebinding: a page of evil.example whose name resolves to us still says
    `Host: evil.example`. Loopback names and the configured host do; where we listen on every address, any address
    does too, since a rebound name is never an address. Off loopback, where others know us by names that we do not, any
    name will do for what a token guards: a page has none, under whatever name.
    """

    def __init__(self, listen: str) -> None:
        host = split_host(listen)
        if host is None:
            raise ValueError(f"expected api.listen as host:port (got {listen!r})")
        self._names = _LOOPBACK | {host}
        self._any_address = _address(host) in {_address("0.0.0.0"), _address("::")}  # noqa: S104 - compared, not bound
        self.loopback = host in _LOOPBACK

    def allows(self, header: str | None, *, any_name: bool = False) -> bool:
        """Whether a request with this Host header is meant for us. `any_name`: a token is asked for besides."""
        host = split_host(header or "")
        if host is None:
            return False
        if any_name and not self.loopback:
            return True
        return host in self._names or (self._any_address and _address(host) is not None)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class TokenCheck:
    """Compares bearer tokens in constant time. Empty: none is asked for. Raises ValueError for one that is too weak."""

    def __init__(self, token: str) -> None:
        if token and len(token) < TOKEN_MIN:
            raise ValueError(f"expected at least {TOKEN_MIN} characters in api.token_file (got {len(token)})")
        if token and not _TOKEN.fullmatch(token):
            raise ValueError("expected only visible ASCII characters without blanks in api.token_file")
        self.asked = bool(token)
        self._digest = _digest(token)

    def allows(self, header: str | None) -> bool:
        """Whether an Authorization header carries the token."""
        if not self.asked:
            return True
        scheme, _, given = (header or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(_digest(given.strip()), self._digest)


def _digest(text: str) -> bytes:
    """Of equal length for every text, so that the comparison does not tell how long the token is."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


class Rate:
    """A token bucket: `burst` requests at once, refilled at `per_second`. Never holds more than one number."""

    def __init__(self, burst: int, per_second: float, monotonic: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._monotonic = monotonic
        self._left = float(burst)
        self._at = monotonic()

    def take(self) -> float:
        """Take one; 0 when there was one, else the seconds until there is."""
        now = self._monotonic()
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._per_second


class Room:
    """At most so many at once; more are turned away, not queued."""

    def __init__(self, places: int) -> None:
        self._free = places

    @contextmanager
    def place(self, refusal: ApiError) -> Iterator[None]:
        """Hold a place, or raise the refusal."""
        if self._free <= 0:
            raise refusal
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class Questions:
    """The turnstile before the model: one rate and one number in flight for all clients together."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._rate = Rate(limits.ai_burst, limits.ai_per_second, monotonic)
        self._room = Room(limits.ai_at_once)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a turn. Raises ApiError 429 with Retry-After; one turned away for want of room costs no turn."""
        busy = ApiError(429, message="The model is busy with other questions.", headers={"Retry-After": "5"})
        with self._room.place(busy):
            wait = self._rate.take()
            if wait:
                raise ApiError(429, headers={"Retry-After": str(math.ceil(wait))})
            yield


async def read_json(request: web.Request, shape: type[T], limits: Limits, *, empty: bytes = b"") -> T:
    """The checked body of a POST; `empty` stands for a body that is not there.

    Raises ApiError: 415 unless it is declared as plain JSON (a cross-site form cannot do that without a preflight,
    which we never answer), 413, 408, or 400 with what was expected.
    """
    data = await read_body(request, limits.body_bytes, limits.body_seconds) or empty
    try:
        return decode_body(data, shape)
    except ShapeError as error:
        if error.name:
            raise bad_parameter(error.name, error.expected) from error
        raise ApiError(400, code="bad_body", message="The body is not as expected.", expected=error.expected) from error


async def read_body(
    request: web.Request, most: int, seconds: float, media: Sequence[str] = ("application/json",)
) -> bytes:
    """The body of a POST, at most `most` bytes within `seconds`. Raises ApiError 415, 413, 408 or 400."""
    if request.content_type not in media or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise ApiError(415, expected=f"a header Content-Type: {' or '.join(media)}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiError(
            415,
            message="The body is compressed.",
            expected="a body without Content-Encoding",
            headers={"Accept-Encoding": "identity"},
        )
    too_large = ApiError(413, expected=f"a body of at most {most} bytes")
    if (request.content_length or 0) > most:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.content.iter_any():
                size += len(part)
                if size > most:
                    raise too_large
                parts.append(part)
    except TimeoutError as error:
        raise ApiError(408) from error
    except web.RequestPayloadError as error:  # cut short, or chunks that are none
        raise ApiError(400) from error
    return b"".join(parts)
