"""Ollama as a real HTTP server on a port of its own: its wire, its habits and its failures.

Shapes and behaviour: Ollama's docs/api.md, docs/api/errors.mdx, server/routes.go and sched.go (commit fb3076099).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.doubles.ollama_answers import AT, FIXED, Mode, derived_answer, piece, spoiled

__all__ = ["DIGEST", "Mode", "OllamaDouble", "serving"]

DIGEST = "sha256:" + "5e" * 32


class OllamaDouble:
    """The server. Set `mode` (or push to `modes`, one per request); read `requests`, `most_in_flight`, `disconnects`."""

    def __init__(self, name: str = "qwen3:4b", capabilities: tuple[str, ...] = ("completion", "tools")) -> None:
        self.name = name
        self.capabilities: tuple[str, ...] | None = capabilities
        self.family = "qwen3"
        self.trained_context = 40_960
        self.digest = DIGEST
        self.present = True
        self.mode = Mode.ok
        self.modes: deque[Mode] = deque()
        self.answers: deque[str] = deque()
        self.raw = b""
        self.raw_status = 200
        self.retry_after = ""
        self.pause = 0.005
        self.prompt_eval_count: int | None = None  # None: counted from the prompt
        self.running: list[dict[str, Any]] = []
        self.elsewhere: dict[
            str, str
        ] = {}  # remote_host and remote_model, where a cloud model's requests are passed on to
        self.told_by = {"show", "tags", "chat"}  # which answers say so
        self.old = False  # a release without capabilities, digests and /api/ps
        self.hold: asyncio.Event | None = None  # chats wait for it after they were counted
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.asked = asyncio.Event()
        self.in_flight = 0
        self.most_in_flight = 0
        self.disconnects = 0
        self.disconnected = asyncio.Event()
        self.url = ""
        self._closing = False

    @property
    def chats(self) -> int:
        """How many answers were asked for."""
        return len(self.requests)

    # routes

    def application(self) -> web.Application:
        """The routes of Ollama that a client of ours may know."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_get("/", self._alive)
        app.router.add_get("/api/version", self._version)
        app.router.add_get("/api/tags", self._tags)
        app.router.add_get("/api/ps", self._ps)
        app.router.add_post("/api/show", self._show)
        app.router.add_post("/api/chat", self._chat)
        return app

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _version(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        return web.json_response({"version": "0.33.0"})

    async def _tags(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        digest = {} if self.old else {"digest": self.digest}
        row = {"name": self.name, "model": self.name, "modified_at": AT, "size": 2_500_000_000, **digest}
        row |= self._elsewhere("tags")
        return web.json_response({"models": [row] if self.present else []})

    async def _ps(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        return (
            web.Response(status=404, text="404 page not found")
            if self.old
            else web.json_response({"models": self.running})
        )

    async def _show(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        if self.mode is Mode.hang_before_header:
            await self._hang()
        if not self.present:
            return self._not_found()
        shows: dict[str, Any] = {
            "modelfile": "FROM x",
            "template": "{{ .Prompt }}",
            "details": {"format": "gguf", "family": self.family, "parameter_size": "4.0B"},
            "model_info": {
                "general.architecture": self.family,
                "general.parameter_count": 4_000_000_000,
                f"{self.family}.embedding_length": 2560,
                f"{self.family}.context_length": self.trained_context,
            },
            "modified_at": AT,
        }
        if not self.old and self.capabilities is not None:
            shows["capabilities"] = list(self.capabilities)
        return web.json_response(shows | self._elsewhere("show"))

    def _elsewhere(self, route: str) -> dict[str, str]:
        return self.elsewhere if route in self.told_by else {}

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            body = await request.json()
            self.requests.append(body)
            self.asked.set()
            if self.hold is not None:
                await self.hold.wait()
            mode = self.modes.popleft() if self.modes else self.mode
            return await self._answer(request, body, mode)
        except (asyncio.CancelledError, ConnectionResetError):
            if not self._closing:
                self.disconnects += 1
                self.disconnected.set()
            raise
        finally:
            self.in_flight -= 1

    # answers

    async def _answer(self, request: web.Request, body: dict[str, Any], mode: Mode) -> web.StreamResponse:
        refused = self._refused(body, mode)
        if refused is not None:
            return refused
        if mode is Mode.hang_before_header:
            await self._hang()
        headers = {"Content-Type": "text/html" if mode is Mode.html else "application/x-ndjson"}
        response = web.StreamResponse(status=self.raw_status if mode is Mode.raw else 200, headers=headers)
        if self.retry_after:
            response.headers["Retry-After"] = self.retry_after
        await response.prepare(request)
        async for data in self._stream(body, mode):
            await response.write(data)
        if mode is Mode.cut:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write_eof()
        return response

    def _refused(self, body: dict[str, Any], mode: Mode) -> web.Response | None:
        if not self.present or mode is Mode.model_missing:
            return self._not_found()
        if body.get("think") and "thinking" not in (self.capabilities or ()):
            return _error(400, f'"{self.name}" does not support thinking')
        after = {"Retry-After": self.retry_after} if self.retry_after else {}
        return {
            Mode.error_before: _error(500, '{"code":500,"message":"llama runner process has terminated"}'),
            Mode.wrong_server: web.Response(status=404, text="404 page not found"),
            Mode.busy: _error(503, "server busy, please try again.  maximum pending requests exceeded", after),
            Mode.loading: _error(500, "llm server loading model"),
            Mode.over_context: _error(
                400, "the prompt is longer than the context length currently available to the model; shorten the prompt"
            ),
            Mode.redirect: web.Response(status=307, headers={"Location": "http://192.0.2.1/api/chat"}),
        }.get(mode)

    async def _stream(self, body: dict[str, Any], mode: Mode) -> AsyncIterator[bytes]:
        if mode is Mode.raw:
            yield self.raw
            return
        if mode is Mode.html:
            yield b"<html>gateway login</html>"
            return
        if mode in {Mode.hang_before_body, Mode.hang_mid_stream, Mode.drip, Mode.endless}:
            async for endless in self._without_end(mode):
                yield endless
        text = self._text(body, mode)
        if mode is Mode.split_utf8:
            for byte in piece(text) + self._last(body, mode):
                yield bytes((byte,))
            return
        half = len(text) // 2
        yield piece(text[:half])
        yield spoiled(mode, piece(text[half:]))
        if mode not in {Mode.cut, Mode.no_done, Mode.error_mid_stream}:
            yield self._last(body, mode)

    async def _without_end(self, mode: Mode) -> AsyncIterator[bytes]:
        if mode is not Mode.hang_before_body:
            yield piece('{"')
        if mode in {Mode.hang_before_body, Mode.hang_mid_stream}:
            await self._hang()
        while True:
            await asyncio.sleep(self.pause if mode is Mode.drip else 0)
            yield piece("a" if mode is Mode.drip else "a" * 4096)

    def _text(self, body: dict[str, Any], mode: Mode) -> str:
        if mode is Mode.prose_without_thinking and body.get("think") is False:
            mode = Mode.prose
        if mode in FIXED:
            return FIXED[mode]
        text = self.answers.popleft() if self.answers else derived_answer(body)
        return f"```json\n{text}\n```" if mode is Mode.fenced else text

    def _last(self, body: dict[str, Any], mode: Mode) -> bytes:
        context = body["options"]["num_ctx"]
        counted = len(body["messages"][-1]["content"].encode()) // 3 + 200
        if mode is Mode.truncated_prompt:
            counted = context // 2 + 2
        return piece(
            "",
            model=self.name,
            done=True,
            done_reason="length" if mode is Mode.length else "stop",
            total_duration=1_500_000_000,
            load_duration=300_000_000,
            prompt_eval_count=counted if self.prompt_eval_count is None else self.prompt_eval_count,
            eval_count=42,
            **self._elsewhere("chat"),
            a_field_of_tomorrow={"x": [1, 2]},
        )

    def _not_found(self) -> web.Response:
        return _error(404, f"model '{self.name}' not found")

    async def _hang(self) -> None:
        await asyncio.Event().wait()


def _error(status: int, said: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": said}, status=status, headers=headers)


@asynccontextmanager
async def serving(double: OllamaDouble | None = None) -> AsyncIterator[OllamaDouble]:
    """Run the double on 127.0.0.1 on a free port; a handler whose client goes away is cancelled, as in Ollama."""
    double = double or OllamaDouble()
    runner = web.AppRunner(double.application(), handler_cancellation=True, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield double
    finally:
        double._closing = True
        await runner.cleanup()
