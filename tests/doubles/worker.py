"""A memory worker as a real process, driven synchronously, for tests that need no event loop."""

import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from daemon.enrichment import memory_wire as wire

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-P", "-m", "daemon.enrichment.memory_worker")
FAKE = "tests.doubles.embedder:load"


def environment() -> dict[str, str]:
    """An environment in which the worker finds the doubles."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


class WorkerProcess:
    """Start a worker, wait until it is ready, ask it things, end it. `with` closes its input and reaps it."""

    def __init__(self, directory: Path | None = None, embedder: str = FAKE, *extra: str) -> None:
        shard = ("--shard", str(directory)) if directory else ()
        self.process = subprocess.Popen(
            (*COMMAND, "--embedder", embedder, *shard, *extra),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        self._number = 0
        self.hello = self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> int:
        """End the worker's input and wait for its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def read(self) -> wire.Reply:
        """The next frame."""
        assert self.process.stdout is not None
        prefix = self.process.stdout.read(wire.PREFIX.size)
        return wire.read_reply(self.process.stdout.read(wire.PREFIX.unpack(prefix)[0]))

    def ready(self) -> wire.Ready:
        """The frame that says that the model is loaded."""
        reply = self.read()
        assert isinstance(reply, wire.Ready), reply
        return reply

    def post(self, *operations: wire.Operation) -> None:
        """Write requests, all at once."""
        assert self.process.stdin is not None
        frames = b""
        for operation in operations:
            self._number += 1
            frames += wire.frame(wire.Request(self._number, operation))
        self.process.stdin.write(frames)
        self.process.stdin.flush()

    def ask(self, operation: wire.Operation) -> wire.Done | wire.Failed:
        """One request and its reply."""
        self.post(operation)
        reply = self.read()
        assert isinstance(reply, wire.Done | wire.Failed)
        assert reply.number == self._number
        return reply

    def done(self, operation: wire.Operation) -> wire.Done:
        """One request that must succeed."""
        reply = self.ask(operation)
        assert isinstance(reply, wire.Done), reply
        return reply


def gone(pid: int, seconds: float = 20.0) -> bool:
    """Whether a process (not a child of ours) ends within so many seconds."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)
