"""Daemons without the second that imports take: one process imports everything, and each daemon is a fork of it.

What a fork runs is `tellwhy run` from its first statement on: it reads its configuration, opens its store, asks its
sources. It has a process id of its own and is killed like any other. Only the imports, which touch no file of ours,
have happened before. If the test ends, so do the nursery and the daemon.
"""

import asyncio
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import NoReturn

from daemon.cli import main as command

ROOT = Path(__file__).parent.parent.parent


class Child:
    """A daemon that was forked: what tests ask of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, nursery: "Nursery") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.ensure_future(nursery.read())  # noqa: TID251 - a double that waits for its process
        self._ended.add_done_callback(self._note)

    def _note(self, ended: "asyncio.Future[int]") -> None:
        if not ended.cancelled() and ended.exception() is None:
            self.returncode = ended.result()

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it ended: its process id may be another's by now."""
        if self.returncode is None:
            os.kill(self.pid, number)  # the nursery reaps it only once it has ended, and then we are told

    async def wait(self) -> int:
        """Its exit code; negative: the signal that ended it."""
        return await asyncio.shield(self._ended)


class Nursery:
    """One after the other: `born` may be called again once the last one has ended."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process

    async def open(self) -> None:
        """Start it; it imports while the test goes on."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.doubles.nursery",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip

    async def born(self, arguments: list[str], *, top: Path, log: Path) -> Child:
        """A daemon with these arguments that writes to `log` and stands in `top`."""
        assert self._process.stdin is not None
        order = {"arguments": arguments, "top": str(top), "log": str(log)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        return Child(await self.read(), self)

    async def read(self) -> int:
        """What it says next: the process id of a daemon that was born, the exit code of one that has ended."""
        assert self._process.stdout is not None
        return int(await self._process.stdout.readline())

    async def close(self) -> None:
        """End it, and with it a daemon that lives."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


def _be_born(order: dict[str, str | list[str]]) -> NoReturn:
    """In the fork: become the daemon."""
    os.chdir(str(order["top"]))
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, fd in ((0, nothing), (1, log), (2, log)):
        os.dup2(fd, number)
    sys.argv = ["tellwhy", *order["arguments"]]
    command()
    raise SystemExit(0)


def _say(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def _mind(pid: int, orders: int) -> bool:
    """Wait for the end of a daemon and say its exit code; False when we are to end, and then it has ended too."""
    watched = os.pidfd_open(pid)
    ready, _, _ = select.select([watched, orders], [], [])
    if orders in ready and watched not in ready:  # nothing is ordered while it lives: our own end
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(watched)
    _say(os.waitstatus_to_exitcode(status))
    return orders not in ready


def _run() -> None:
    import daemon.cli.app  # noqa: F401, PLC0415 - what all daemons share

    with os.fdopen(0, "rb", buffering=0, closefd=False) as orders:
        while line := orders.readline():
            order = json.loads(line)
            Path(order["log"]).touch()  # it is there when the process id is told
            pid = os.fork()
            if pid == 0:
                _be_born(order)
            _say(pid)
            if not _mind(pid, 0):
                return


if __name__ == "__main__":
    _run()
