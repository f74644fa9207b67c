"""The daemon's side of the memory worker: start it, talk to it, notice its death, end it.

`run` is a supervised component: it raises when the worker dies, hangs or says that it cannot work, and the
supervisor starts it again. `ask` is one attempt with one timeout. At most `MAX_PENDING` requests are in flight,
those that timed out included, so a worker that hangs costs neither memory nor waiting.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

import msgspec

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment import memory_wire as wire
from daemon.model import Refused, Transient

MAX_PENDING = 32
GRACE = 2.0
"""Seconds that a worker gets to end by itself, once its input or its output is closed."""

EMBEDDER = "daemon.enrichment.embedding:load"
MAX_POINTS = 100_000
WORKER = "daemon.enrichment.memory_worker"


class MemoryChild:
    """One worker process at a time. `directory` None makes a worker that only embeds.

    `start_limit` and `patience` are seconds: until the model is loaded, and without any reply while some are owed.
    """

    def __init__(
        self,
        config: MemoryConfig,
        directory: Path | None,
        *,
        embedder: str = EMBEDDER,
        max_points: int = MAX_POINTS,
        start_limit: float = 300.0,
        patience: float = 60.0,
        grace: float = GRACE,
    ) -> None:
        self._timeout = config.timeout
        self._arguments = ["--embedder", embedder, "--max-points", str(max_points)]
        if directory is not None:
            self._arguments += ["--shard", str(directory)]
        if config.embedding_path is not None:
            self._arguments += ["--embedding-path", str(config.embedding_path)]
        self._start_limit = start_limit
        self._patience = patience
        self._grace = grace
        self._process: Process | None = None
        self._ready: asyncio.Future[wire.Ready] | None = None
        self._hang: asyncio.Timeout | None = None
        self._waiting: dict[int, asyncio.Future[wire.Done] | None] = {}
        self._number = 0
        self._absent = "the memory worker has not been started"

    @property
    def pid(self) -> int | None:
        """The worker's process id; None when there is none."""
        return self._process.pid if self._process else None

    async def run(self, on_ready: Callable[[wire.Ready], None]) -> None:
        """Start a worker and read its replies until cancelled. Raises Transient when it dies or hangs, Refused
        when a human is needed. The worker is gone when this returns, however it returns.
        """
        self._absent = "the memory worker is being started"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", WORKER, *self._arguments),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._process, self._ready = process, asyncio.get_running_loop().create_future()
        try:
            await self._converse(process, on_ready)
        except (Transient, Refused) as error:
            self._absent = error.detail
            raise
        finally:
            self._give_up()
            await _end(process, self._grace)

    async def ready(self) -> wire.Ready:
        """What the worker said when its model was loaded; waits for it within the timeout. Raises Transient."""
        if self._ready is None:
            raise Transient(self._absent)
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(self._ready)
        except TimeoutError as error:
            raise Transient("the memory worker is still loading its embedding model", why="timeout") from error

    async def ask(self, operation: wire.Operation) -> wire.Done:
        """One request, one reply. Raises Transient (`unavailable`, `timeout`) or Refused."""
        if self._process is None or self._process.stdin is None:
            raise Transient(self._absent)
        if len(self._waiting) >= MAX_PENDING:
            raise Transient(f"the memory worker has {MAX_PENDING} requests to answer first")
        self._number = number = self._number + 1
        try:
            data = wire.frame(wire.Request(number, operation))
        except ValueError as error:
            raise Refused(f"expected a request that can be sent to the memory worker (got {error})") from error
        future: asyncio.Future[wire.Done] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._process.stdin.write(data)
        self._expect()
        try:
            async with asyncio.timeout(self._timeout):
                return await future
        except TimeoutError as error:
            raise Transient(f"no answer from the memory within {self._timeout:g} s", why="timeout") from error
        finally:
            if number in self._waiting:
                self._waiting[number] = None  # still owed: it counts until the worker has answered

    def _expect(self) -> None:
        """Start the patience clock, unless it runs already."""
        if self._hang is not None and self._hang.when() is None and self._waiting:
            self._hang.reschedule(asyncio.get_running_loop().time() + self._patience)

    async def _converse(self, process: Process, on_ready: Callable[[wire.Ready], None]) -> None:
        try:
            async with asyncio.timeout(self._start_limit):
                ready = await self._greeting(process)
        except TimeoutError as error:
            raise Transient(f"the memory worker did not load its model within {self._start_limit:g} s") from error
        assert self._ready is not None
        self._ready.set_result(ready)
        on_ready(ready)
        try:
            while True:
                async with asyncio.timeout(None) as self._hang:
                    self._expect()
                    reply = await _receive(process)
                self._settle(reply)
        except TimeoutError as error:
            raise Transient(f"the memory worker did not answer for {self._patience:g} s") from error
        finally:
            self._hang = None

    async def _greeting(self, process: Process) -> wire.Ready:
        hello = await _receive(process)
        if not isinstance(hello, wire.Hello) or hello.protocol != wire.PROTOCOL:
            raise Refused("the memory worker is of another version than the daemon; restart tellwhy")
        ready = await _receive(process)
        if not isinstance(ready, wire.Ready):
            raise Transient(f"expected the memory worker to be ready (got {type(ready).__name__})")
        return ready

    def _settle(self, reply: wire.Reply) -> None:
        if not isinstance(reply, wire.Done | wire.Failed):
            raise Transient(f"expected a reply from the memory worker (got {type(reply).__name__})")
        future = self._waiting.pop(reply.number, None)
        if future is None or future.done():
            return
        if isinstance(reply, wire.Done):
            future.set_result(reply)
        else:
            error = Refused(reply.detail) if reply.final else Transient(reply.detail)
            future.set_exception(error)

    def _give_up(self) -> None:
        """Nobody will answer any more: tell those who wait."""
        if self._absent == "the memory worker is being started":
            self._absent = "the memory worker has been stopped"
        waiting, self._waiting = self._waiting, {}
        self._process, ready, self._ready = None, self._ready, None
        for future in (*waiting.values(), ready):
            if future is not None and not future.done():
                future.set_exception(Transient(self._absent))
                future.exception()  # retrieved: nobody may be waiting, and that is no news


async def _receive(process: Process) -> wire.Reply:
    """The next reply. Raises Transient when the worker is gone or speaks nonsense, and what a `Fatal` says."""
    assert process.stdout is not None
    try:
        prefix = await process.stdout.readexactly(wire.PREFIX.size)
        length = wire.check_length(wire.PREFIX.unpack(prefix)[0])
        reply = wire.read_reply(await process.stdout.readexactly(length))
    except asyncio.IncompleteReadError as error:
        raise Transient(f"the memory worker ended ({await _status(process)})") from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise Transient(f"the memory worker wrote what is no reply ({error})") from error
    if isinstance(reply, wire.Fatal):
        raise Refused(reply.detail) if reply.final else Transient(reply.detail)
    return reply


async def _status(process: Process) -> str:
    """How a worker ended whose output has ended."""
    try:
        async with asyncio.timeout(GRACE):
            code = await process.wait()
    except TimeoutError:
        return "its output is closed"
    return f"killed by signal {-code}" if code < 0 else f"exit status {code}"


async def _end(process: Process, grace: float) -> None:
    """Close the worker's input, wait for its orderly end, then kill it. It is reaped when this returns."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(grace):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
