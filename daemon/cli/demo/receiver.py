"""The demo's own webhook receiver: checks the Standard Webhooks signature before it believes a word."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from daemon.delivery.signature import verify


@dataclass(frozen=True)
class Received:
    """One accepted delivery."""

    webhook_id: str
    at: float
    body: dict[str, Any]


@dataclass
class Receiver:
    """Remembers what it accepted (the demo sends a few dozen alerts) and how many it refused."""

    secret: str
    accepted: list[Received] = field(default_factory=list)
    refused: int = 0
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            verify(headers, body, [self.secret], time.time())
        except ValueError:
            self.refused += 1
            return web.Response(status=401)
        self.accepted.append(Received(headers["webhook-id"], time.time(), json.loads(body)))
        self.arrived.set()
        return web.Response(status=204)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Receiver"]:
        """Listen on a free loopback port while the context lasts."""
        app = web.Application()
        app.router.add_post("/alerts", self._post)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()
