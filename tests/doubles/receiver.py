"""A webhook receiver that follows a script: a real server on a real port, with the faults that real ones have."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web

Oracle: Any = None
with contextlib.suppress(ImportError):  # the reference implementation is a test dependency only
    import standardwebhooks

    Oracle = standardwebhooks.Webhook

_TRICKLE = 0.02


@dataclass(frozen=True)
class Reply:
    """What to answer one request with.

    `fault`: `hang` never answers, `cut` closes the connection, `half` sends half a status line and waits, `trickle`
    sends the body byte by byte for ever, `huge` sends zeros for ever.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Received:
    """One request as it came in. `verified` is None where there was nothing to verify it with."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    verified: bool | None


class Receiver:
    """`async with Receiver(Reply(503), Reply(200)) as receiver:` answers by the script, then with the last reply.

    Listens on 127.0.0.1 and a free port, or on `port`. `secrets` verify signatures with the reference implementation of
    Standard Webhooks, not with ours.
    """

    def __init__(
        self,
        *script: Reply,
        secrets: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self._script = list(script) or [Reply()]
        self._secrets = secrets
        self._tls = tls
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = port
        self.connections = 0
        self.received: list[Received] = []

    @property
    def url(self) -> str:
        """The address with a path that is as secret as Slack's."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/services/T0SECRET/B0SECRET?key=SECRET"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def arrived(self, count: int) -> None:
        """Wait until `count` requests have come in."""
        while len(self.received) < count:
            self._arrived.clear()
            await self._arrived.wait()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        reply = self._script[min(len(self.received), len(self._script) - 1)]
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.method, request.path_qs, headers, body, self._verified(headers, body)))
        self._arrived.set()
        return await self._play(request, reply)

    def _verified(self, headers: Mapping[str, str], body: bytes) -> bool | None:
        if Oracle is None or not self._secrets:
            return None
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        given = headers.get("webhook-signature", "").split(" ")
        wanted = [Oracle(secret).sign(headers["webhook-id"], at, body.decode()) for secret in self._secrets]
        return any(signature in given for signature in wanted)

    async def _play(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        transport = request.transport
        if reply.fault == "cut" and transport is not None:
            transport.abort()
        if reply.fault == "half" and transport is not None:
            transport.write(b"HTTP/1.1 2")
        if reply.fault in {"cut", "half", "hang"}:
            await self._closing.wait()
            return web.Response(status=500)
        if reply.fault in {"trickle", "huge"}:
            return await self._stream(request, reply)
        return web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers))

    async def _stream(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
        await response.prepare(request)
        chunk = bytes(1 << 16) if reply.fault == "huge" else b"o"
        while not self._closing.is_set():
            await response.write(chunk)
            await asyncio.sleep(0 if reply.fault == "huge" else _TRICKLE)
        return response
