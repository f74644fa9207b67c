"""The real daemon as a process of its own, on logs, a configuration and a state of its own in one directory."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec
import yaml

from daemon.cli.demo.stage import free_port, new_secret
from daemon.model import Alert, Incident
from tests.doubles.real_time import wait_until

ROOT = Path(__file__).parent.parent.parent
START = 60.0
"""Seconds that a start may take on a busy machine; the embedding model is not waited for."""


class Process(Protocol):
    """What is asked of the daemon's process."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def returncode(self) -> int | None:
        """None while it lives; negative: the signal that ended it."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...

    def send_signal(self, signal: signal.Signals) -> None:
        """Send a signal to a process that lives."""
        ...

    async def wait(self) -> int:
        """Wait for its end."""
        ...


class LiveDaemon:
    """`python -m daemon run` in `top`. Before `start`, change `config` (the YAML as a mapping) and
    what stands `before` the command.
    """

    def __init__(self, top: Path, *, webhook_port: int, sources: dict[str, str]) -> None:
        self.top = top
        self.secret = new_secret()
        self.port = free_port()
        self.process: Process | None = None
        self.before: tuple[str, ...] = ()
        self._lives = 0
        self.config: dict[str, Any] = {
            "host": "web-1",
            "state_directory": str(top / "state"),
            "sources": [
                {
                    "type": "file",
                    "name": name,
                    "path": str(top / f"{name}.log"),
                    "format": fmt,
                    "start": "beginning",  # so that what is written before the first start counts too
                }
                for name, fmt in sources.items()
            ],
            "memory": {"mode": "off"},
            "model": {"mode": "off"},
            "webhooks": [self.webhook("ops", webhook_port)],
            "api": {"listen": f"127.0.0.1:{self.port}"},
            "log": {"format": "json"},
        }
        (top / "secret").write_text(self.secret, encoding="ascii")
        for name in sources:
            (top / f"{name}.log").touch()

    def webhook(self, name: str, port: int, **more: Any) -> dict[str, Any]:
        """One entry of `webhooks` for a receiver on this host."""
        return {
            "name": name,
            "url": f"http://127.0.0.1:{port}/alerts",
            "secret_files": [str(self.top / "secret")],
            "allow_private": ["127.0.0.1/32"],
            "timeout": "2s",
            **more,
        }

    @property
    def database(self) -> Path:
        """The store."""
        return self.top / "state" / "tellwhy.db"

    def append(self, source: str, *lines: bytes | str) -> None:
        """Write to a log as its daemon would: one appending write."""
        raw = b"".join(line.encode() if isinstance(line, str) else line for line in lines)
        with (self.top / f"{source}.log").open("ab") as log:
            log.write(raw)

    def write_config(self) -> Path:
        """The configuration file, as `config` is now."""
        path = self.top / "config.yaml"
        path.write_text(yaml.safe_dump(self.config), encoding="utf-8")
        return path

    async def start(self, *, ready: bool = True) -> None:
        """Start it; with `ready`, wait until it says that it is."""
        path = self.write_config()
        self._lives += 1
        self.process = await self.spawn(["run", "--config", str(path)], self._log(self._lives))
        if ready:
            await self.until_ready()

    async def spawn(self, arguments: list[str], log: Path) -> Process:
        """A process that runs `tellwhy` with these arguments and writes to `log`."""
        with log.open("wb") as out:
            return await asyncio.create_subprocess_exec(
                *self.before, sys.executable, "-m", "daemon", *arguments,
                stdout=out, stderr=out, cwd=self.top,
                env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def last_event(self) -> str:
        """The event of the last whole entry of this life's log; "" while there is none."""
        for line in reversed(self.log().read_bytes().splitlines()):
            if line.startswith(b"{") and line.endswith(b"}"):
                return str(json.loads(line).get("event"))
        return ""

    async def until_ready(self) -> None:
        """Wait for /readyz to say yes."""

        async def answers() -> bool:
            assert self.running, f"the daemon ended: {self.last_words()}"
            return (await self.get("/readyz"))[0] == 200

        await wait_until(answers, START, self.last_words)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.returncode is None

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs another instruction."""
        assert self.process is not None
        if self.running:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM and wait for the drain; returns the exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        assert self.process is not None
        async with asyncio.timeout(30):
            return await self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to a daemon that runs."""
        assert self.process is not None
        self.process.send_signal(number)

    async def get(self, path: str) -> tuple[int, str]:
        """One GET of the endpoint; (0, why) when it does not answer."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as said:
                return said.status, await said.text()
        except aiohttp.ClientError as error:
            return 0, str(error)

    async def health(self, component: str) -> tuple[str, str]:
        """State and detail of one component; ("", "") while it is not known."""
        status, text = await self.get("/api/v1/status")
        rows = json.loads(text)["components"] if status == 200 else []
        return next(((row["state"], row["detail"]) for row in rows if row["component"] == component), ("", ""))

    async def until_health(self, component: str, state: str, seconds: float = 30) -> str:
        """Wait until a component is in a state; returns its detail."""
        seen: list[tuple[str, str]] = []

        async def reached() -> bool:
            seen[:] = [await self.health(component)]
            return seen[0][0] == state

        await wait_until(reached, seconds, lambda: f"{component} {state}; it is {seen}: {self.last_words()}")
        return seen[0][1]

    async def gauge(self, name: str) -> float:
        """The sum of a metric over its labels; -1 while nothing answers."""
        status, text = await self.get("/metrics")
        rows = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(row.rsplit(" ", 1)[1]) for row in rows) if status == 200 else -1.0

    def said(self, event: str) -> list[dict[str, Any]]:
        """The entries of its log, of all its lives, with this event."""
        found = []
        for life in range(1, self._lives + 1):
            for line in self._log(life).read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("{") and line.endswith("}"):  # the last line of a life may be cut
                    entry = json.loads(line)
                    found += [entry] if entry.get("event") == event else []
        return found

    def log(self) -> Path:
        """The log of this life."""
        return self._log(self._lives)

    def _log(self, life: int) -> Path:
        return self.top / f"tellwhy.{life}.log"

    def last_words(self) -> str:
        """The end of its log."""
        text = self._log(self._lives).read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-8:])

    # the store, read beside the daemon

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a query; none while there is no store."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def incidents(self) -> list[Incident]:
        """Everything that was found."""
        return [msgspec.json.decode(body, type=Incident) for (body,) in self.rows("SELECT body FROM incidents")]

    def alerts(self) -> list[Alert]:
        """Every version of every alert."""
        rows = self.rows("SELECT body FROM alerts ORDER BY id, version")
        return [msgspec.json.decode(body, type=Alert) for (body,) in rows]

    def known_logs(self) -> set[str]:
        """The sources of which any position is stored."""
        try:
            return {str(source) for (source,) in self.rows("SELECT source FROM checkpoints")}
        except sqlite3.OperationalError:  # killed before the tables were made
            return set()

    def owed(self) -> int:
        """Deliveries that are due, now or later."""
        return int(self.rows("SELECT count(*) FROM deliveries WHERE state = 'due'")[0][0])


async def until_remembered(daemon: LiveDaemon, incidents: int) -> None:
    """Wait until the memory holds so many incidents."""

    async def held() -> bool:
        status, text = await daemon.get("/api/v1/ai/health")
        return status == 200 and json.loads(text)["remembered"] == incidents

    await wait_until(held, 120, daemon.last_words)


@asynccontextmanager
async def live_daemon(top: Path, *, webhook_port: int, sources: dict[str, str]) -> AsyncIterator[LiveDaemon]:
    """A daemon that is ended with the block, however the block ends. It is not started yet."""
    daemon = LiveDaemon(top, webhook_port=webhook_port, sources=sources)
    try:
        yield daemon
    finally:
        if daemon.running:
            await daemon.kill()
