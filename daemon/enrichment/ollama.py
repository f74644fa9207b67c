"""A language model behind Ollama's API: one attempt, four timeouts, one bound, two kinds of error.

`Transient.why`: `timeout`, `unavailable`, `busy`, `model_error`, `incomplete_answer`, `bad_response`, `empty_answer`,
`format_ignored`, `context_overflow`.
`Refused.why`: `model_missing`, `invalid_request`, `invalid_url`, `remote_refused`, `redirected`, `unauthorized`,
`truncated_answer`, `too_large`.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import aiohttp
from msgspec import Struct
from yarl import URL

from daemon.config.schema import Model
from daemon.enrichment import Answer, ModelStatus
from daemon.enrichment.ollama_wire import (
    AnswerReader,
    Elsewhere,
    Facts,
    answer_tokens,
    base_url,
    chat_body,
    context_tokens,
    decode,
    error_of,
    lost_its_head,
    shown,
    stays_here,
)
from daemon.model import Refused, Transient

_MAX_ERROR = 64 * 1024
_MAX_FACTS = 16 * 1024 * 1024
"""/api/show carries the model's licence and template; some carry megabytes."""


class _Tag(Elsewhere):
    name: str = ""
    model: str = ""
    digest: str = ""


class _Tags(Struct):
    models: list[_Tag] | None = None


class _Running(Struct):
    name: str = ""
    size: float = 0
    size_vram: float = 0


class _Processes(Struct):
    models: list[_Running] | None = None


class _Details(Struct):
    family: str | None = None


class _Show(Elsewhere):
    details: _Details | None = None
    model_info: dict[str, Any] | None = None
    capabilities: list[str] | None = None


class Ollama:
    """Implements `Explainer`. Whoever opened `session` closes it; it must not read proxies from the environment."""

    def __init__(
        self,
        config: Model,
        session: aiohttp.ClientSession,
        *,
        monotonic: Callable[[], float],
        probe_timeout: float = 5.0,
    ) -> None:
        if session.trust_env:
            message = "expected a session with trust_env=False: a proxy would get the evidence"
            raise ValueError(message)
        self._config = config
        self._session = session
        self._monotonic = monotonic
        self._probe_timeout = probe_timeout
        self._facts: Facts | None = None
        self._mode = 0

    async def probe(self) -> ModelStatus:
        """Ask what is there: neither loads the model nor asks it anything. `detail` says what mends what is wrong."""
        try:
            facts = await self._look()
            detail = await self._placement()
        except (Transient, Refused) as error:
            return ModelStatus(reachable=False, name=self._config.name, detail=error.detail)
        context = context_tokens(self._config, facts)
        return ModelStatus(reachable=True, name=self._config.name, digest=facts.digest, context=context, detail=detail)

    async def ask(self, system: str, user: str, schema: dict[str, object]) -> Answer:
        """One attempt. An answer that shows that the model's thinking got in the way of the schema is Transient once:
        the next attempt is made in the model's other mode.
        """
        began = self._monotonic()
        facts = self._facts or await self._look()
        think = facts.thinks[self._mode % len(facts.thinks)]
        context = context_tokens(self._config, facts)
        body = chat_body(self._config, context, think, (system, user), schema)
        reader = AnswerReader(answer_tokens(self._config, context, think), self._stays_here)
        await self._chat(body, reader)
        text = self._finish(reader, facts)
        if lost_its_head(reader.prompt_tokens, user, context):
            raise Transient(
                f"the server cut the prompt to {reader.prompt_tokens} tokens: raise its context length",
                why="context_overflow",
            )
        return Answer(
            text,
            model=self._config.name,
            digest=facts.digest,
            took=self._monotonic() - began,
            prompt_tokens=reader.prompt_tokens,
            answer_tokens=reader.answer_tokens,
        )

    def _finish(self, reader: AnswerReader, facts: Facts) -> str:
        try:
            text = reader.finish()
        except Transient as error:
            if error.why == "empty_answer":
                self._turn(facts)
            raise
        if "{" not in text and self._turn(facts):
            raise Transient("the model ignored the schema of the answer", why="format_ignored")
        return text

    def _turn(self, facts: Facts) -> bool:
        """Think otherwise next time; False when every way has been tried, and the first is next again."""
        self._mode = (self._mode + 1) % len(facts.thinks)
        return self._mode != 0

    # what is there

    async def _look(self) -> Facts:
        """Learn what the server says of the model. Raises Transient or Refused."""
        name = self._config.name
        self._stays_here()
        try:
            shows = decode(await self._call("POST", "api/show", {"model": name}), _Show)
            tags = decode(await self._call("GET", "api/tags"), _Tags).models or []
        except Refused:
            self._facts = None
            raise
        names = {name, f"{name}:latest"}
        found = [tag for tag in tags if names & {tag.name, tag.model}]
        self._stays_here(shows, *found)
        digests = [tag.digest for tag in found]
        facts = Facts(
            digest=digests[0] if digests else "",
            context=_trained_context(shows.model_info or {}),
            capabilities=frozenset(shows.capabilities or ()),
            family=(shows.details.family or "") if shows.details else "",
        )
        if facts.capabilities and "completion" not in facts.capabilities:
            self._facts = None
            raise Refused(
                f"model.name: expected a model that completes text (got {shown(name)})", why="invalid_request"
            )
        if self._facts is None or facts.digest != self._facts.digest:
            self._mode = 0
        self._facts = facts
        return facts

    def _stays_here(self, *places: Elsewhere) -> None:
        """Raises Refused if the model turns out to run elsewhere; what was known of it is forgotten."""
        try:
            stays_here(self._config, *places)
        except Refused:
            self._facts = None
            raise

    async def _placement(self) -> str:
        """What slows a loaded model down without a word: a part of it outside the GPU. "" when nothing is known."""
        try:
            running = decode(await self._call("GET", "api/ps"), _Processes).models or []
        except (Transient, Refused):
            return ""  # older servers have no such route, and nothing hangs on it
        for one in running:
            if one.name in {self._config.name, f"{self._config.name}:latest"} and 0 < one.size_vram < one.size:
                return f"slow: only {one.size_vram / one.size:.0%} of the model is in GPU memory"
        return ""

    async def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> bytes:
        try:
            async with asyncio.timeout(self._probe_timeout):
                return await self._exchange(method, path, body)
        except TimeoutError as error:
            raise Transient(f"{self._at()} did not answer in {self._probe_timeout:g} s", why="timeout") from error

    async def _exchange(self, method: str, path: str, body: dict[str, str] | None) -> bytes:
        try:
            async with self._session.request(
                method, self._url(path), json=body, allow_redirects=False, timeout=self._no_timeout()
            ) as response:
                found = await _bounded(response, _MAX_FACTS)
                if response.status != 200:  # noqa: PLR2004 - OK
                    raise self._error(response, found)
                return found
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from error

    # the answer

    async def _chat(self, body: bytes, reader: AnswerReader) -> None:
        """Stream an answer into `reader`. However this ends, the socket is closed, which frees the model."""
        try:
            async with asyncio.timeout(self._config.total_timeout):
                await self._stream(body, reader)
        except TimeoutError as error:
            raise Transient(f"no whole answer in {self._config.total_timeout:g} s", why="timeout") from error

    async def _stream(self, body: bytes, reader: AnswerReader) -> None:
        clock = asyncio.get_running_loop().time
        waiting = f"no answer in {self._config.first_byte_timeout:g} s (is the model still being loaded?)"
        try:
            async with (
                asyncio.timeout(self._config.first_byte_timeout) as patience,
                self._session.post(
                    self._url("api/chat"),
                    data=body,
                    headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                    allow_redirects=False,
                    timeout=self._no_timeout(),
                ) as response,
            ):
                if response.status != 200:  # noqa: PLR2004 - OK
                    raise self._error(response, await _bounded(response, _MAX_ERROR))
                while not reader.done and (data := await response.content.readany()):
                    waiting = f"the answer stopped for {self._config.stall_timeout:g} s"
                    patience.reschedule(clock() + self._config.stall_timeout)
                    reader.feed(data)
        except aiohttp.ClientPayloadError as error:
            raise Transient("the connection was cut in the middle of the answer", why="incomplete_answer") from error
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error
        except TimeoutError as error:
            raise Transient(waiting, why="timeout") from error
        except OSError as error:
            raise self._unreachable(error) from error

    # who is there

    def _url(self, path: str) -> URL:
        return base_url(self._config) / path

    def _at(self) -> str:
        """The server's address as it may be shown: without a password."""
        return shown(base_url(self._config).with_user(None))

    def _no_timeout(self) -> aiohttp.ClientTimeout:
        """The library's own timeouts, but for connecting, are off: ours say which one it was."""
        wait = self._config.connect_timeout
        return aiohttp.ClientTimeout(total=None, connect=wait, sock_connect=wait, sock_read=None)

    def _error(self, response: aiohttp.ClientResponse, body: bytes) -> Transient | Refused:
        after = response.headers.get("Retry-After", "")
        named = float(after) if after.isascii() and after.isdigit() else None
        error = error_of(response.status, body, self._config.name, self._at(), named)
        if isinstance(error, Refused) and error.why == "model_missing":
            self._facts = None
        return error

    def _unreachable(self, error: Exception) -> Transient:
        if isinstance(error, TimeoutError):
            return Transient(f"no connection to {self._at()} in {self._config.connect_timeout:g} s", why="timeout")
        said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else shown(error)
        return Transient(f"{self._at()} is not reachable: {said or type(error).__name__}", why="unavailable")


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """At most `limit` bytes of a body; the rest is not waited for."""
    body = b""
    while len(body) < limit and (data := await response.content.readany()):
        body += data
    return body[:limit]


def _trained_context(info: dict[str, Any]) -> int:
    """`<architecture>.context_length`, the tokens that a model was trained for."""
    for key, value in info.items():
        if key.endswith(".context_length") and isinstance(value, int) and value > 0:
            return value
    return 0
