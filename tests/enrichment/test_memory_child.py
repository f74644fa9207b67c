"""The daemon's side of the worker: timeouts, bounds, death, hanging, cancellation."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment import memory_wire as wire
from daemon.enrichment.memory_child import MAX_PENDING, MemoryChild
from daemon.model import Refused, Transient
from tests.doubles.running import running, spawned
from tests.doubles.worker import ROOT, WorkerProcess, gone

MISBEHAVING = "tests.doubles.embedder:misbehaving"
Make = Callable[..., MemoryChild]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def build(
        embedder: str = "load", directory: Path | None = None, timeout: float = 20.0, **limits: float
    ) -> MemoryChild:
        name = f"tests.doubles.embedder:{embedder}"
        return MemoryChild(MemoryConfig(timeout=timeout), directory, embedder=name, **limits)  # type: ignore[arg-type]

    return build


class Readiness:
    """Waits for `on_ready`, and keeps what it was told."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.said: list[wire.Ready] = []

    def __call__(self, ready: wire.Ready) -> None:
        self.said.append(ready)
        self.event.set()


async def test_requests_before_it_is_ready_wait_for_it(make: Make, tmp_path: Path) -> None:
    child, readiness = make(directory=tmp_path), Readiness()
    async with running(child.run(readiness)):
        await spawned(child)
        assert (await child.ask(wire.Count())).count == 0
        assert readiness.said == [await child.ready()]


async def test_many_at_once_each_get_their_own_reply(make: Make) -> None:
    child, readiness = make(), Readiness()
    async with running(child.run(readiness)):
        await readiness.event.wait()
        texts = [f"text {number}" for number in range(MAX_PENDING)]
        replies = await asyncio.gather(*(child.ask(wire.Embed((text,))) for text in texts))
        again = await child.ask(wire.Embed(tuple(texts)))
        assert tuple(reply.vectors[0] for reply in replies) == again.vectors


async def test_nobody_there_is_transient_and_says_why(make: Make) -> None:
    child = make()
    with pytest.raises(Transient, match="has not been started") as caught:
        await child.ask(wire.Count())
    assert caught.value.why == "unavailable"
    with pytest.raises(Transient, match="has not been started"):
        await child.ready()


async def test_a_slow_reply_is_a_timeout_and_the_next_is_not_mistaken_for_it(make: Make) -> None:
    child = make(timeout=0.0)
    readiness = Readiness()
    async with running(child.run(readiness)):
        await readiness.event.wait()
        with pytest.raises(Transient) as caught:
            await child.ask(wire.Embed(("first",)))
        assert caught.value.why == "timeout"
        child._timeout = 20.0
        late = await child.ask(wire.Embed(("second",)))
        assert late.vectors == (await child.ask(wire.Embed(("second",)))).vectors


async def test_a_worker_that_hangs_costs_a_bounded_number_of_requests_then_its_life(make: Make) -> None:
    child, readiness = make("misbehaving", timeout=0.01, patience=0.6, grace=0.1), Readiness()
    async with running(child.run(readiness)) as task:
        await readiness.event.wait()
        pid = child.pid
        assert pid is not None
        for _ in range(MAX_PENDING):
            with pytest.raises(Transient, match="no answer from the memory within"):
                await child.ask(wire.Embed(("stall",)))
        with pytest.raises(Transient, match="requests to answer first"):
            await child.ask(wire.Embed(("one more",)))
        await asyncio.wait([task])
        assert isinstance(task.exception(), Transient)
        assert "did not answer for 0.6 s" in str(task.exception())
        assert gone(pid, 0)
        with pytest.raises(Transient, match=r"did not answer for 0\.6 s"):
            await child.ask(wire.Count())


async def test_a_worker_that_dies_fails_those_who_wait_and_can_be_started_again(make: Make, tmp_path: Path) -> None:
    child, readiness = make("misbehaving", directory=tmp_path), Readiness()
    async with running(child.run(readiness)) as task:
        await readiness.event.wait()
        with pytest.raises(Transient, match=r"ended \(exit status 7\)"):
            await child.ask(wire.Embed(("die",)))
        await asyncio.wait([task])
        assert isinstance(task.exception(), Transient)
    again = Readiness()
    async with running(child.run(again)):
        await again.event.wait()
        assert (await child.ask(wire.Count())).count == 0


async def test_a_worker_that_is_killed_is_told_by_its_signal(make: Make) -> None:
    child, readiness = make(), Readiness()
    async with running(child.run(readiness)) as task:
        await readiness.event.wait()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await asyncio.wait([task])
        assert "killed by signal 9" in str(task.exception())


@pytest.mark.parametrize("embedder", ["load", "misbehaving", "endless"])
async def test_cancellation_ends_the_worker_whatever_it_does(make: Make, embedder: str) -> None:
    child, readiness = (
        make(embedder, timeout=0.01, start_limit=30, grace=0.1 if embedder == "misbehaving" else 2.0),
        Readiness(),
    )
    async with running(child.run(readiness)) as task:
        await spawned(child)
        pid = child.pid
        if embedder != "endless":
            await readiness.event.wait()
        if embedder == "misbehaving":
            with pytest.raises(Transient):
                await child.ask(wire.Embed(("stall",)))
        task.cancel()
    assert task.cancelled()
    assert pid is not None
    assert gone(pid, 0)
    assert child.pid is None


async def test_a_model_that_never_loads_is_given_up(make: Make) -> None:
    child = make("endless", start_limit=0.5)
    with pytest.raises(Transient, match=r"did not load its model within 0\.5 s"):
        await child.run(Readiness())


async def test_while_it_loads_ready_times_out(make: Make) -> None:
    child = make("endless", timeout=0.05)
    async with running(child.run(Readiness())):
        await spawned(child)
        with pytest.raises(Transient, match="still loading") as caught:
            await child.ready()
        assert caught.value.why == "timeout"


async def test_its_last_word_is_the_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(Transient, match="the weights are on a disk that is gone"):
        await make("broken").run(Readiness())
    with WorkerProcess(tmp_path) as holder:
        holder.ready()
        with pytest.raises(Transient, match="another process uses it"):
            await make(directory=tmp_path).run(Readiness())
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Refused, match="expected to be able to write"):
        await make(directory=tmp_path / "file" / "memory").run(Readiness())


async def test_a_failed_reply_is_refused_or_transient_as_the_worker_says(make: Make, tmp_path: Path) -> None:
    child, readiness = make("misbehaving", directory=tmp_path), Readiness()
    async with running(child.run(readiness)):
        await readiness.event.wait()
        with pytest.raises(Transient, match="the model has a bad day"):
            await child.ask(wire.Embed(("fail",)))
        without = MemoryChild(MemoryConfig(timeout=20), None, embedder=MISBEHAVING)
        ready = Readiness()
        async with running(without.run(ready)):
            await ready.event.wait()
            with pytest.raises(Refused, match="with a shard"):
                await without.ask(wire.Count())


async def test_a_request_that_cannot_be_sent_is_refused_and_costs_nothing(make: Make) -> None:
    child, readiness = make(), Readiness()
    async with running(child.run(readiness)):
        await readiness.event.wait()
        for text, words in (("x" * wire.MAX_FRAME, "at most"), ("\ud800", "surrogates")):
            with pytest.raises(Refused, match=words):
                await child.ask(wire.Embed((text,)))
        assert len((await child.ask(wire.Embed(("y",)))).vectors) == 1
        assert not child._waiting
