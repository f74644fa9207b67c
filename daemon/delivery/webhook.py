"""One webhook: an alert, signed, to one URL. One attempt, one timeout, no redirects, no proxies, no cookies.

The URL may itself be a password (Slack's is), so no error, log or repr ever holds more of it than `scheme://host`,
and no exception is chained to one of aiohttp's, whose reprs quote the whole URL.
"""

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from msgspec import Struct

from daemon import __version__
from daemon.config import Webhook
from daemon.delivery import FORBIDDEN
from daemon.delivery.address_guard import AddressRefusedError, GuardedConnector, check_url, guard_for, origin
from daemon.delivery.formats import slack, standard
from daemon.delivery.signature import headers, message_id, parse_secret
from daemon.model import Alert, Delivery, Refused, Transient

MAX_RESPONSE = 65_536
"""Bytes of an answer that are read; nobody needs more to say yes or no."""
MAX_RETRY_AFTER = 3600.0
_DEFAULT_TIMEOUT = 15.0
_GONE = 410
_BODY_REFUSED = frozenset({400, 413, 415, 422})
"""Statuses that speak of what was sent, not of where it was sent to or by whom."""
_MENDED_BY: Mapping[int, str] = {
    401: "check its secret or token",
    403: "check its secret or token",
    404: "check its url",
    405: "check its url",
}
_TOKEN = re.compile(r"[a-z][a-z_]{1,60}")
_SLACK_BODY_REFUSED = frozenset(
    {
        *("invalid_blocks", "invalid_payload", "msg_blocks_too_long", "msg_too_long", "no_text"),
        "too_many_attachments",
    }
)
"""Slack's words for a message that it does not take; its others speak of the hook, the channel or the workspace, which
people can mend (docs.slack.dev, incoming webhooks)."""

_RENDER: Mapping[str, tuple[Callable[[Alert], bytes], str]] = {
    "standard": (standard.render, standard.CONTENT_TYPE),
    "slack": (slack.render, slack.CONTENT_TYPE),
}


class Answer(Struct, frozen=True):
    """What the receiver said: the status, how long to wait (raw header), and the body's first bytes where it counts."""

    status: int
    retry_after: str
    body: bytes = b""


class WebhookSink:
    """One configured webhook. Never prints its URL.

    Raises ValueError at once for a malformed secret or `allow_private`. A URL that must not be called is refused on
    each attempt, so that `check_url` can say so to people beforehand.
    """

    def __init__(
        self,
        config: Webhook,
        *,
        url: str,
        secrets: Sequence[str] = (),
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._name = config.name
        self._slack = config.format == "slack"
        self._render, self._content_type = _RENDER[config.format]
        self._url = url
        self._origin = origin(url)
        self._keys = [parse_secret(secret) for secret in secrets]
        self._guard = guard_for(url, config.allow_private, config.allow_ports)
        self._forbidden = check_url(url, config.allow_private, config.allow_ports)
        # zero would mean "for ever" to aiohttp
        self._timeout = aiohttp.ClientTimeout(total=config.timeout if config.timeout > 0 else _DEFAULT_TIMEOUT)
        self._resolver = resolver
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"WebhookSink({self._name!r}, {self._origin!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    async def send(self, delivery: Delivery, now: float) -> None:
        """One attempt, signed with `now`. Returns when the receiver accepted; else raises Transient or Refused."""
        if self._forbidden is not None:
            raise Refused(f"{self._origin} is not allowed: {self._forbidden}", why=FORBIDDEN)
        body = self._render(delivery.alert)
        answer = await self._post(body, headers(message_id(delivery.alert), now, body, self._keys))
        # raised here, outside of any except block: a chained aiohttp error would carry the URL
        failure = answer if isinstance(answer, Transient | Refused) else self._judge(answer, now)
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """Let go of the connections; `send` may be called again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, body: bytes, signed: Mapping[str, str]) -> Answer | Transient | Refused:
        """The exchange. Failures come back as values, so that none is chained to an error that quotes the URL."""
        named = {"content-type": self._content_type, "accept-encoding": "identity", **signed}
        try:
            async with self._open().post(self._url, data=body, headers=named, allow_redirects=False) as response:
                # a 2xx status is the whole answer of a standard receiver; Slack's is in the body
                said = await _read(response.content) if self._slack else b""
                return Answer(response.status, response.headers.get("retry-after", ""), said)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failed(error)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = GuardedConnector(self._guard, self._resolver, ssl=self._tls or True)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": f"tellwhy/{__version__}"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _failed(self, error: Exception) -> Transient | Refused:
        cause = getattr(error, "os_error", error)
        if isinstance(cause, AddressRefusedError):
            # what a name resolves to may be wrong for a minute; the guard judges every attempt anew
            return Transient(f"{self._origin} is not allowed: {cause.reason}", why="address")
        if isinstance(error, aiohttp.InvalidURL):
            return Refused(f"{self._origin}: the URL is malformed", why=FORBIDDEN)
        why, said = _network_failure(error)
        return Transient(f"{self._origin}: {said}", why=why)

    def _judge(self, answer: Answer, now: float) -> Transient | Refused | None:
        """The failure that an answer means; None when the receiver accepted.

        Only what speaks of the body, or asks for silence, is refused: people can mend all else while the alert waits.
        """
        status, wait = answer.status, parse_retry_after(answer.retry_after, now)
        token = _token(answer.body) if self._slack else ""
        said = f"{self._origin} answered {status}" + (f" {token}" if token else "")
        if status in range(200, 300):
            return _judge_slack(token, said, wait) if self._slack else None
        if status == _GONE or status in _BODY_REFUSED:
            return Refused(said, why=f"status_{status}", gone=status == _GONE)
        redirect = "redirects are not followed: use the final address" if status in range(300, 400) else ""
        mended_by = _MENDED_BY.get(status, redirect)
        return Transient(f"{said}: {mended_by}" if mended_by else said, why=f"status_{status}", retry_after=wait)


def parse_retry_after(value: str, now: float) -> float | None:
    """Seconds to wait, at most MAX_RETRY_AFTER, from a Retry-After header: seconds or an HTTP date.

    None when it says nothing, as zero and the past do: then the dispatcher's schedule holds.
    """
    text = value.strip()
    if re.fullmatch(r"[0-9]+", text):
        seconds = float(text[:12]) if len(text) <= 12 else MAX_RETRY_AFTER  # noqa: PLR2004 - beyond any sane wait
    else:
        try:
            named = parsedate_to_datetime(text)
            seconds = (named if named.tzinfo else named.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError, OSError):
            return None
    return min(seconds, MAX_RETRY_AFTER) if seconds > 0 else None


async def _read(content: aiohttp.StreamReader) -> bytes:
    """At most MAX_RESPONSE bytes of an answer; the session's timeout bounds the time."""
    read = bytearray()
    while len(read) < MAX_RESPONSE:
        chunk = await content.read(MAX_RESPONSE - len(read))
        if not chunk:
            break
        read += chunk
    return bytes(read)


def _token(body: bytes) -> str:
    """Slack's one-word answer (`ok`, `no_channel`), plain or in JSON. Anything else is empty, and never quoted."""
    head = body[:1000]
    text = head.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            said = msgspec.json.decode(head, type=_SlackSaid)
        except (msgspec.MsgspecError, RecursionError):
            return ""
        text = "ok" if said.ok else said.error
    return text if _TOKEN.fullmatch(text) else ""


class _SlackSaid(Struct):
    ok: bool = False
    error: str = ""


def _judge_slack(token: str, said: str, wait: float | None) -> Transient | Refused | None:
    if token == "ok":  # noqa: S105 - Slack's word for yes
        return None
    if token in _SLACK_BODY_REFUSED:
        return Refused(said, why=token)
    return Transient(said if token else f"{said} without ok", why=token or "not_ok", retry_after=wait)


_FAILURES: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((TimeoutError,), "timeout", "no answer in time"),
    ((aiohttp.ClientConnectorCertificateError,), "tls", "the certificate was not accepted"),
    ((ssl.SSLError, aiohttp.ClientSSLError), "tls", "TLS failed"),
    ((aiohttp.ClientConnectorDNSError, UnicodeError), "dns", "the name could not be resolved"),
    ((aiohttp.ClientConnectorError,), "connect", "could not connect"),
    ((aiohttp.ServerDisconnectedError, OSError), "cut", "the connection was cut"),
    ((Exception,), "protocol", "the exchange failed"),
)


def _network_failure(error: Exception) -> tuple[str, str]:
    """A short code and words of ours for a failure; never the error's own text, which may quote the URL."""
    why, said = next((why, said) for kinds, why, said in _FAILURES if isinstance(error, kinds))
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        detail = getattr(error.certificate_error, "verify_message", "")
    elif why == "connect":
        detail = getattr(error.__cause__, "strerror", "")
    else:
        detail = type(error).__name__ if why == "protocol" else ""
    return why, f"{said} ({detail})" if detail else said
