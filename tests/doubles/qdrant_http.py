"""A Qdrant server that has a bad day: answers every request as a test says. A real aiohttp server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class BadQdrant:
    """`status`, `body` and `headers` of every answer; `hang` answers never. Keeps what was asked."""

    def __init__(self) -> None:
        self.status = 500
        self.body = "{}"
        self.headers: dict[str, str] = {}
        self.hang = False
        self.url = ""
        self.was_asked = asyncio.Event()
        self.asked: list[tuple[str, str]] = []
        self.keys: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.Response:
        """As the test says."""
        self.was_asked.set()
        self.asked.append((request.method, request.path))
        self.keys.add(request.headers.get("api-key"))
        if self.hang:
            await asyncio.Event().wait()
        return web.Response(status=self.status, text=self.body, headers=self.headers)


@asynccontextmanager
async def bad_qdrant() -> AsyncIterator[BadQdrant]:
    """The double, listening on a free loopback port."""
    double = BadQdrant()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield double
    finally:
        await runner.cleanup()
