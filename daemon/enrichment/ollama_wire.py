"""Ollama's wire, without a socket: what we send, and bytes → answer, facts or error. Pure.

Behaviour is taken from Ollama's `docs/api.md`, `docs/api/errors.mdx` and `server/routes.go` (commit fb3076099): an
error before the first byte has a status; one in mid-stream is a line `{"error": …}` under status 200; a stream that
ends without `done: true` is incomplete; a too long prompt is cut in silence and only its token count tells.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct
from yarl import URL

from daemon.config.schema import Model
from daemon.enrichment import plain
from daemon.model import Refused, Transient

Think: TypeAlias = bool | str | None
"""What is sent as `think`; None leaves the key out, which a model that cannot think insists on."""

MAX_TEXT = 256 * 1024
"""Bytes of an answer, as JSON text, that are taken; an honest one has a few thousand."""
SEED = 11
_LINE_OVERHEAD = 512
_MAX_DETAIL = 300
_RUNS = re.compile(r"(.)\1{3,}", re.DOTALL)
_TOO_LONG = ("context length", "context size", "context window", "prompt is longer", "input length exceeds")

_Shape = TypeVar("_Shape")


class Facts(Struct, frozen=True):
    """What the server says of a model. `context` is what it was trained with, 0 when unknown."""

    digest: str = ""
    context: int = 0
    capabilities: frozenset[str] = frozenset()
    family: str = ""

    @property
    def thinks(self) -> tuple[Think, ...]:
        """The values of `think` worth trying, best first (gpt-oss knows levels only and cannot be told not to)."""
        if "thinking" not in self.capabilities:
            return (None,)
        return ("low", "medium") if self.family.startswith("gptoss") else (False, True)


class Elsewhere(Struct):
    """Where Ollama says a model runs: both are left out for one that runs on the server itself (`api/types.go`)."""

    remote_host: str | None = None
    remote_model: str | None = None


class _Message(Struct):
    content: str | None = None
    thinking: str | None = None


class _Chunk(Elsewhere):
    message: _Message | None = None
    error: Any = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: float | None = None
    eval_count: float | None = None


def base_url(config: Model) -> URL:
    """Where the server is. Raises Refused for no http(s) address, and for one off this host without `allow_remote`."""
    try:
        url = URL(config.url)
        host = (url.host or "").rstrip(".").lower()
    except ValueError as error:
        raise Refused(f"model.url: expected an http address ({error})", why="invalid_url") from error
    if url.scheme not in {"http", "https"} or not host:
        message = f"model.url: expected an address such as http://127.0.0.1:11434 (got {shown(config.url)})"
        raise Refused(message, why="invalid_url")
    if not config.allow_remote and not _is_loopback(host):
        message = (
            f"model.url: expected a loopback address (got {shown(host)}): evidence would leave this host; "
            "set model.allow_remote: true if it may"
        )
        raise Refused(message, why="remote_refused")
    return url.with_query(None).with_fragment(None)


def stays_here(config: Model, *places: Elsewhere) -> None:
    """Raises Refused if the model runs elsewhere and evidence may not leave this host.

    A local Ollama passes prompts for a cloud model on. It names the place in /api/show, /api/tags and every answer;
    models named `…:cloud` and `…-cloud` are passed on without having been pulled, so their name is enough.
    """
    if config.allow_remote:
        return
    there = next(
        (place.remote_host or place.remote_model for place in places if place.remote_host or place.remote_model), ""
    )
    if there or config.name.strip().lower().endswith((":cloud", "-cloud")):
        message = (
            f"model.name: expected a model that runs on this host (got {shown(config.name)}, which runs at "
            f"{shown(there or 'ollama.com')}): evidence would leave it; choose a local model, or set "
            "model.allow_remote: true if it may"
        )
        raise Refused(message, why="remote_refused")


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def shown(text: object) -> str:
    """Foreign text as it may stand in one line of a log: printable, bounded."""
    return plain.shown(str(text).strip(), _MAX_DETAIL)


def context_tokens(config: Model, facts: Facts) -> int:
    """`num_ctx`: constant for a model, because every change of it makes the server load the model anew."""
    return min(config.context, facts.context) if facts.context else config.context


def answer_tokens(config: Model, context: int, think: Think) -> int:
    """`num_predict`: thinking counts as answer, so who thinks gets four times the room, up to half the context."""
    wanted = config.max_answer_tokens * (4 if think else 1)
    return min(wanted, max(context // 2, 1))


def chat_body(config: Model, context: int, think: Think, messages: tuple[str, str], schema: dict[str, object]) -> bytes:
    """The body of POST /api/chat for (system, user). Nothing that matters is left to the server's defaults."""
    body: dict[str, object] = {
        "model": config.name,
        "messages": [
            {"role": role, "content": content.encode("utf-8", "replace").decode("utf-8")}
            for role, content in zip(("system", "user"), messages, strict=True)
        ],
        "stream": True,
        "format": schema,
        "truncate": False,
        "keep_alive": _keep_alive(config.keep_alive),
        "options": {
            "num_ctx": context,
            "num_predict": answer_tokens(config, context, think),
            "temperature": 0,
            "seed": SEED,
        },
    }
    if think is not None:
        body["think"] = think
    return msgspec.json.encode(body)


def _keep_alive(value: str) -> str | int:
    """Go reads a string as a duration and refuses one without a unit; a bare number is seconds, negative for ever."""
    return int(value) if re.fullmatch(r"-?\d{1,9}", value.strip()) else value.strip()


def decode(body: bytes, shape: type[_Shape]) -> _Shape:
    """JSON of a known shape, unknown keys ignored. Raises Transient (`bad_response`) for anything else."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        message = f"expected Ollama's JSON (got {shown(body[:60].decode('utf-8', 'replace'))!r})"
        raise Transient(message, why="bad_response") from error


class AnswerReader:
    """NDJSON in pieces cut anywhere → the answer. At most `MAX_TEXT` plus an overhead per token is ever taken in.

    `check` sees every piece, and raises to stop the answer.
    """

    def __init__(self, max_tokens: int, check: Callable[[Elsewhere], None] = lambda _: None) -> None:
        self._room = MAX_TEXT + _LINE_OVERHEAD * max_tokens
        self._check = check
        self._rest = b""
        self._size = 0
        self._pieces: list[str] = []
        self._thought = False
        self._reason = ""
        self.done = False
        self.prompt_tokens = 0
        self.answer_tokens = 0

    def feed(self, data: bytes) -> None:
        """Take bytes in. Raises Transient for an error of the server, Refused for an answer without end."""
        self._room -= len(data)
        if self._room < 0:
            raise Refused("the answer has no end: expected at most 256 KiB", why="too_large")
        for line in self._lines(data):
            if not self.done:
                self._take(line)

    def finish(self) -> str:
        """The whole text, once the stream has ended. Raises Transient or Refused when it is none."""
        if not self.done and self._rest.strip():
            self._take(self._rest)
        if not self.done:
            raise Transient("the stream ended before the answer did", why="incomplete_answer")
        text = "".join(self._pieces)
        if not text.strip():
            after = "it only thought" if self._thought else "the model said nothing"
            raise Transient(f"empty answer: {after}", why="empty_answer")
        if self._reason == "length":
            message = "the answer was cut at its token limit: raise model.max_answer_tokens or model.context"
            raise Refused(message, why="truncated_answer")
        return text

    def _lines(self, data: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return (line for line in lines if line.strip())

    def _take(self, line: bytes) -> None:
        chunk = decode(line, _Chunk)
        self._check(chunk)
        if chunk.error is not None:
            raise Transient(f"the model failed: {shown(chunk.error)}", why="model_error")
        if chunk.message is not None:
            self._thought = self._thought or bool(chunk.message.thinking)
            self._say(chunk.message.content or "")
        self.done = chunk.done
        self._reason = chunk.done_reason or self._reason
        self.prompt_tokens = int(chunk.prompt_eval_count or self.prompt_tokens)
        self.answer_tokens = int(chunk.eval_count or self.answer_tokens)

    def _say(self, content: str) -> None:
        self._size += len(content)
        if self._size > MAX_TEXT:
            raise Refused("the answer is too long: expected at most 256 KiB", why="too_large")
        self._pieces.append(content)


def lost_its_head(prompt_tokens: int, user: str, context: int) -> bool:
    """Whether the server cut the prompt without a word, to judge by how many tokens it says it read.

    A cut prompt has about `context / 2` tokens (num_keep and the newer half: measured as context/2 + 2), and far fewer
    than its text must have (3 bytes to a token, runs of one character counted short). Only the user's part is
    estimated: older servers do not count the system prompt that they had cached. 0 means that the server did not say.
    """
    if prompt_tokens <= 0:
        return False
    expected = len(_RUNS.sub(r"\1\1\1", user).encode("utf-8", "replace")) / 3
    return abs(prompt_tokens - context // 2) <= 4 or prompt_tokens < 0.6 * expected  # noqa: PLR2004 - the docstring's figures


def error_of(status: int, body: bytes, name: str, url: str, retry_after: float | None = None) -> Transient | Refused:
    """What an answer other than 200 means, and what mends it."""
    said = _said(body)
    if any(sign in said.lower() for sign in _TOO_LONG):
        return Transient(f"the prompt does not fit: {said}", why="context_overflow")
    if status in {408, 429, 499} or status >= 500:  # noqa: PLR2004 - HTTP's own classes
        busy = status in {429, 503} or "loading model" in said.lower()
        detail = f"the model {'is busy' if busy else 'failed'} (HTTP {status}): {said}"
        return Transient(detail, why="busy" if busy else "model_error", retry_after=retry_after)
    if status == 404 and "model" in said.lower() and "not found" in said.lower():  # noqa: PLR2004 - same
        return Refused(f"the model is not there: run `ollama pull {shown(name)}`", why="model_missing")
    if status == 404:  # noqa: PLR2004 - same
        return Refused(f"expected Ollama at {url} (got HTTP 404: {said})", why="invalid_url")
    why = {3: "redirected"}.get(status // 100, "unauthorized" if status in {401, 403} else "invalid_request")
    return Refused(f"{url} refused the request (HTTP {status}): {said}", why=why)


def _said(body: bytes) -> str:
    """The `error` of a body; the text itself where there is none (a gateway's page)."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return shown(body.decode("utf-8", "replace"))
    return shown(found["error"] if isinstance(found, dict) and "error" in found else found)
