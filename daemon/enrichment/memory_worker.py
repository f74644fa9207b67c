"""The memory's child process: `python -m daemon.enrichment.memory_worker --shard DIRECTORY`.

It exists because torch and qdrant-edge hold the interpreter's lock for up to seconds, and cost 500 MB: here they
delay and endanger nobody. It reads requests from standard input and writes replies to standard output
(`memory_wire`), logs to standard error, and ends when its standard input ends, so it never outlives the daemon.
Without `--shard` it only embeds (the vectors then live in a Qdrant server).
"""

import argparse
import contextlib
import importlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from daemon.enrichment import memory_wire as wire
from daemon.enrichment.embedding import Embedder, EmbeddingError
from daemon.enrichment.memory_worker_shard import DirectoryLock, Shard, ShardError
from daemon.enrichment.resemblance import Hit, Step, seek

INBOX = 64
"""Requests read ahead; the daemon has fewer in flight."""

T = TypeVar("T")


class Worker:
    """Answers requests one at a time. Updates are acknowledged once fsynced; together they share one fsync."""

    def __init__(self, embedder: Embedder, shard: Shard | None, send: Callable[[wire.Reply], None]) -> None:
        self._embedder = embedder
        self._shard = shard
        self._send = send
        self._unsynced: list[wire.Done] = []

    @property
    def unsynced(self) -> int:
        """Updates that are done but not yet acknowledged; `settle` acknowledges them."""
        return len(self._unsynced)

    def feed(self, request: wire.Request) -> None:
        """Answer one request. A request that fails is answered with `Failed`; the worker goes on."""
        try:
            done = self._answer(request)
        except (ValueError, EmbeddingError) as error:
            self._send(wire.Failed(request.number, str(error), final=True))
        except Exception as error:  # noqa: BLE001 - qdrant-edge knows no other type, and one bad request must not end the worker
            self._send(wire.Failed(request.number, f"{type(error).__name__}: {error}"))
        else:
            if isinstance(request.operation, wire.Upsert | wire.Delete):
                self._unsynced.append(done)
            else:
                self._send(done)

    def settle(self) -> None:
        """Fsync what was updated and acknowledge it, or say of each update that it failed."""
        if not self._unsynced:
            return
        waiting, self._unsynced = self._unsynced, []
        try:
            self._kept().flush()
        except Exception as error:  # noqa: BLE001 - same as above: a full disk arrives as a bare Exception
            for done in waiting:
                self._send(wire.Failed(done.number, f"{type(error).__name__}: {error}"))
            return
        for done in waiting:
            self._send(done)

    def _kept(self) -> Shard:
        if self._shard is None:
            raise ValueError("expected a worker with a shard")
        return self._shard

    def _answer(self, request: wire.Request) -> wire.Done:
        number, operation = request.number, request.operation
        if isinstance(operation, wire.Embed):
            vectors = tuple(tuple(vector) for vector in self._embedder.embed(operation.texts))
            return wire.Done(number, vectors=vectors)
        shard, evicted = self._kept(), 0
        if isinstance(operation, wire.Search):
            return wire.Done(number, hits=self._search(operation))
        if isinstance(operation, wire.Upsert):
            evicted = shard.upsert(operation.past, self._embedder.embed([operation.past.text])[0])
        elif isinstance(operation, wire.Delete):
            shard.delete(operation.incident_ids)
        return wire.Done(number, count=shard.count(), evicted=evicted)

    def _search(self, search: wire.Search) -> tuple[Hit, ...]:
        shard = self._kept()
        if shard.count() == 0:
            return ()
        vector = self._embedder.embed([search.text])[0]
        steps = seek(search.limit, search.own, search.now)
        return tuple(follow(steps, lambda step: shard.answer(step, vector, search.min_score)))


def follow(steps: Generator[Step, list[Hit], T], answer: Callable[[Step], list[Hit]]) -> T:
    """Run `seek` against a store that answers at once."""
    try:
        step = next(steps)
        while True:
            step = steps.send(answer(step))
    except StopIteration as stop:
        result: T = stop.value
        return result


class Inbox:
    """Requests from the pipe, read by a thread so that its end is noticed even while the model loads."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._queue: queue.Queue[wire.Request | None] = queue.Queue(INBOX)
        self._opened = threading.Event()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def opened(self) -> None:
        """The shard is about to open: from here the end of the input means an orderly close, not an instant one."""
        self._opened.set()

    def take(self) -> wire.Request | None:
        """The next request; None when the daemon is gone."""
        return self._queue.get()

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._queue.empty()

    def _read(self) -> None:
        # a frame that is cut or not ours is the end too: the daemon that wrote it is gone or broken
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
            while prefix := self._exactly(wire.PREFIX.size):
                length = wire.check_length(wire.PREFIX.unpack(prefix)[0])
                self._queue.put(wire.read_request(self._exactly(length)))
        if not self._opened.is_set():
            os._exit(0)  # the main thread is seconds deep in an import, and has nothing to close
        self._queue.put(None)

    def _exactly(self, length: int) -> bytes:
        """So many bytes, or none when the input ends before. Not a buffered file: its lock breaks the exit."""
        data = bytearray()
        while len(data) < length:
            piece = os.read(self._source, length - len(data))
            if not piece:
                return b""
            data += piece
        return bytes(data)


def serve(inbox: Inbox, worker: Worker) -> None:
    """Answer until the input ends."""
    while (request := inbox.take()) is not None:
        worker.feed(request)
        if inbox.empty or worker.unsynced >= INBOX:
            worker.settle()
    worker.settle()


class Outbox:
    """Standard output, kept for frames alone: whatever else writes to it (libraries do) goes to standard error."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def send(self, message: wire.Reply) -> None:
        """Write one frame; a daemon that is gone is noticed by the inbox."""
        with contextlib.suppress(BrokenPipeError):
            self._file.write(wire.frame(message))
            self._file.flush()


def _step_back() -> None:
    """Yield the processor to the daemon, be the first to go when memory ends, and leave the signals to the daemon."""
    with contextlib.suppress(OSError):  # systemd's @resources filter refuses it
        os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    # a terminal's ctrl-c and systemd's stop reach the whole group; the daemon closes our input when it has drained
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tellwhy memory worker")
    parser.add_argument("--shard", type=Path)
    parser.add_argument("--max-points", type=int, default=100_000)
    parser.add_argument("--embedder", default="daemon.enrichment.embedding:load")
    parser.add_argument("--embedding-path", default="")
    return parser.parse_args(argv)


def _load(arguments: argparse.Namespace) -> Embedder:
    module, _, function = str(arguments.embedder).partition(":")
    embedder: Embedder = getattr(importlib.import_module(module), function)(arguments.embedding_path)
    return embedder


def _open(arguments: argparse.Namespace, inbox: Inbox, outbox: Outbox) -> tuple[Worker, Shard | None]:
    shard = None
    if arguments.shard:
        DirectoryLock(arguments.shard)  # held until this process ends
    inbox.start()
    embedder = _load(arguments)
    inbox.opened()
    if arguments.shard:
        shard = Shard(arguments.shard, embedder.digest, embedder.size, arguments.max_points)
    outbox.send(wire.Ready(embedder.digest, embedder.size, shard.count() if shard else 0))
    return Worker(embedder, shard, outbox.send), shard


def main(argv: Sequence[str]) -> int:
    """Run until standard input ends; the exit status is 0 then, and 1 after a `Fatal`."""
    arguments = _arguments(argv)
    outbox, inbox = Outbox(), Inbox(0)
    _step_back()
    outbox.send(wire.Hello(wire.PROTOCOL, os.getpid()))
    try:
        worker, shard = _open(arguments, inbox, outbox)
    except (ShardError, EmbeddingError) as error:
        outbox.send(wire.Fatal(str(error), final=getattr(error, "final", True)))
        return 1
    except Exception as error:  # noqa: BLE001 - torch and its friends fail in many ways; the daemon is told each
        outbox.send(wire.Fatal(f"{type(error).__name__}: {error}"))
        return 1
    serve(inbox, worker)
    if shard:
        shard.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
