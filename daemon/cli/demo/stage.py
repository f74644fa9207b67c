"""The demo's stage: a temporary directory with logs, a configuration, and the real daemon on it as a child process."""

import asyncio
import base64
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from daemon.config import Config, Model, load_config

_CONFIG = """\
host: {host}
state_directory: {top}/state
sources:
  - {{type: file, name: audit, path: {top}/audit.log, format: auditd}}
  - {{type: file, name: auth, path: {top}/auth.log, format: syslog}}
  - {{type: host, name: host, interval: 2s}}
  - {{type: gpu, name: gpu, interval: 2s}}
model:
  url: {model_url}
  name: {model_name}
  allow_remote: {remote}
webhooks:
  - name: demo
    url: http://127.0.0.1:{port}/alerts
    secret_files: [{top}/webhook.secret]
    allow_private: [127.0.0.1/32]
    versions: all
api:
  listen: 127.0.0.1:{api}
log: {{level: info, format: json}}
"""


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Stage:
    """Where the demo plays: paths, ports, and the running daemon."""

    top: Path
    host: str
    secret: str
    api: int
    config: Config
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """The endpoint of the demo's daemon."""
        return f"http://127.0.0.1:{self.api}"

    def append(self, name: str, data: bytes) -> None:
        """Write to a log as its daemon would: one appending write."""
        with (self.top / name).open("ab") as log:
            log.write(data)

    async def start(self) -> None:
        """Start `tellwhy run` on the stage."""
        log = (self.top / "tellwhy.log").open("wb")
        with log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "daemon", "run", "--config", str(self.top / "config.yaml"),
                stdout=log, stderr=log, cwd=self.top, env={**os.environ, "PYTHONSAFEPATH": "1"},
            )  # fmt: skip

    async def get(self, path: str) -> tuple[int, str]:
        """One GET of the daemon's endpoint; (0, why) when it does not answer."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.address + path) as response:
                return response.status, await response.text()
        except aiohttp.ClientError as error:
            return 0, str(error)

    async def ready(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long a person waits
        """Wait until the daemon says that it is ready; False when it ended or took too long."""
        deadline = asyncio.get_running_loop().time() + timeout
        while asyncio.get_running_loop().time() < deadline:
            if self.process is None or self.process.returncode is not None:
                return False
            if (await self.get("/readyz"))[0] == 200:  # noqa: PLR2004 - HTTP OK
                return True
            await asyncio.sleep(0.1)
        return False

    async def stop(self) -> int:
        """SIGTERM, wait for the drain; returns the daemon's exit code."""
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), 15)
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()

    def last_words(self) -> str:
        """The end of the daemon's own log, for when it did not start."""
        return "\n".join((self.top / "tellwhy.log").read_text(errors="replace").splitlines()[-5:])


@contextlib.asynccontextmanager
async def staged(port: int, secret: str) -> AsyncIterator[Stage]:
    """A stage in a temporary directory; the daemon on it is stopped and the directory removed at the end."""
    with tempfile.TemporaryDirectory(prefix="tellwhy-demo-", ignore_cleanup_errors=True) as name:
        top = Path(name)
        (top / "webhook.secret").write_text(secret)
        for log in ("audit.log", "auth.log"):
            (top / log).touch()
        api, host, model = free_port(), socket.gethostname() or "demo", Model()
        url = os.environ.get("OLLAMA_HOST", model.url)
        url = url if "://" in url else f"http://{url}"
        text = _CONFIG.format(
            top=top, host=host, port=port, api=api, model_url=url, remote=str(url != model.url).lower(),
            model_name=os.environ.get("TELLWHY_MODEL", model.name),
        )  # fmt: skip
        (top / "config.yaml").write_text(text)
        stage = Stage(top, host, secret, api, load_config(top / "config.yaml"))
        try:
            yield stage
        finally:
            await stage.stop()


def new_secret() -> str:
    """A signing secret of 32 random bytes, as the Standard Webhooks specification writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
