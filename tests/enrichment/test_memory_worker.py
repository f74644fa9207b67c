"""The worker as a process: replies, durability, and that it never outlives its daemon."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from daemon.enrichment import memory_wire as wire
from daemon.enrichment.memory_worker import Worker
from daemon.enrichment.memory_worker_shard import Shard
from daemon.enrichment.resemblance import Remembered, remembered
from tests.doubles.embedder import SIZE, WordEmbedder
from tests.doubles.values import T0, an_alert
from tests.doubles.worker import COMMAND, FAKE, WorkerProcess, environment, gone

MISBEHAVING = "tests.doubles.embedder:misbehaving"


def a_past(number: int = 1, **changes: object) -> Remembered:
    return replace(remembered(an_alert(number)), fingerprint=str(number), **changes)


def a_search(text: str, limit: int = 3, min_score: float = 0.5, own: str = "") -> wire.Search:
    return wire.Search(text, limit, min_score, own, T0)


def test_a_life(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        assert worker.hello == wire.Hello(wire.PROTOCOL, worker.process.pid)
        assert worker.ready() == wire.Ready("a" * 64, SIZE, 0)
        assert worker.done(a_search("anything")).hits == ()
        assert worker.done(wire.Upsert(a_past(1, text="curl piped to bash"))).count == 1
        assert worker.done(wire.Upsert(a_past(2, text="disk almost full"))).count == 2
        hits = worker.done(a_search("curl piped to bash")).hits
        assert [hit.past.text for hit in hits] == ["curl piped to bash"]
        assert hits[0].past.embedder == "a" * 64
        assert worker.done(a_search("curl piped to bash", own=a_past(1).incident_id)).hits == ()
        assert len(worker.done(wire.Embed(("a", "b"))).vectors) == 2
        assert worker.done(wire.Delete((a_past(1).incident_id,))).count == 1
        assert worker.done(wire.Count()).count == 1
        assert worker.close() == 0


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        worker.ready()
        for number in range(20):
            worker.done(wire.Upsert(a_past(number)))
        worker.process.kill()
        assert worker.close() == -signal.SIGKILL
    with WorkerProcess(tmp_path) as worker:
        assert worker.ready().count == 20


def test_updates_that_come_together_are_each_acknowledged(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        worker.post(*(wire.Upsert(a_past(number)) for number in range(100)))  # before it is ready: they wait
        worker.ready()
        replies = [worker.read() for _ in range(100)]
    assert sorted(reply.number for reply in replies if isinstance(reply, wire.Done)) == list(range(1, 101))


def test_requests_already_written_are_carried_out_though_the_daemon_goes(tmp_path: Path) -> None:
    worker = WorkerProcess(tmp_path)
    worker.ready()
    worker.post(*(wire.Upsert(a_past(number)) for number in range(30)))
    assert worker.close() == 0
    with WorkerProcess(tmp_path) as again:
        assert again.ready().count == 30


def test_a_second_worker_on_one_directory_is_refused(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as first:
        first.ready()
        with WorkerProcess(tmp_path) as second:
            reply = second.read()
            assert isinstance(reply, wire.Fatal)
            assert "another process uses it" in reply.detail
            assert not reply.final
            assert second.process.wait(timeout=30) == 1
        assert first.done(wire.Count()).count == 0


def test_it_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    """The daemon is killed with -9: nobody closes anything in an orderly way."""
    program = (
        "import subprocess, sys, time\n"
        "worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "worker.stdout.read(8)\n"
        "print(worker.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = (*COMMAND, "--embedder", FAKE, "--shard", str(tmp_path))
    with subprocess.Popen(
        (sys.executable, "-c", program, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid, 0)
        parent.kill()
    assert gone(pid)


def test_it_dies_at_once_while_its_model_loads(tmp_path: Path) -> None:
    worker = WorkerProcess(tmp_path, "tests.doubles.embedder:endless")
    assert worker.close() == 0


def test_signals_of_the_group_are_the_daemon_s(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        worker.ready()
        for number in (signal.SIGINT, signal.SIGTERM):
            worker.process.send_signal(number)
        assert worker.done(wire.Count()).count == 0
        assert os.getpriority(os.PRIO_PROCESS, worker.process.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
        assert worker.close() == 0


def test_what_libraries_print_does_not_reach_the_daemon(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path, MISBEHAVING) as worker:
        worker.ready()
        assert len(worker.done(wire.Embed(("shout",))).vectors) == 1
        assert worker.done(wire.Count()).count == 0


def test_one_bad_request_does_not_end_it(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path, MISBEHAVING) as worker:
        worker.ready()
        nan = worker.ask(wire.Upsert(a_past(1, text="nan")))
        assert isinstance(nan, wire.Failed)
        assert nan.final
        failed = worker.ask(a_search("fail"))
        assert isinstance(failed, wire.Done)  # an empty memory needs no vector
        worker.done(wire.Upsert(a_past(2)))
        failed = worker.ask(a_search("fail"))
        assert isinstance(failed, wire.Failed)
        assert failed.detail == "RuntimeError: the model has a bad day"
        assert not failed.final
        assert worker.done(wire.Count()).count == 1


def test_without_a_shard_it_only_embeds() -> None:
    with WorkerProcess() as worker:
        assert worker.ready().count == 0
        assert len(worker.done(wire.Embed(("a",))).vectors[0]) == SIZE
        refused = worker.ask(wire.Count())
        assert isinstance(refused, wire.Failed)
        assert "with a shard" in refused.detail


@pytest.mark.parametrize(
    ("embedder", "words"),
    [
        ("tests.doubles.embedder:broken", "OSError: the weights are on a disk that is gone"),
        ("tests.doubles.nowhere:load", "No module named"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_its_last_word(embedder: str, words: str) -> None:
    with WorkerProcess(None, embedder) as worker:
        reply = worker.read()
        assert isinstance(reply, wire.Fatal)
        assert words in reply.detail
        assert worker.process.wait(timeout=30) == 1


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x01\xc1", b"\x00"])
def test_noise_on_its_input_is_the_end(noise: bytes, tmp_path: Path) -> None:
    worker = WorkerProcess(tmp_path)
    worker.ready()
    assert worker.process.stdin is not None
    worker.process.stdin.write(noise)
    assert worker.close() == 0


def test_its_directory_is_for_its_user_only(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path / "memory") as worker:
        worker.ready()
        assert (tmp_path / "memory").stat().st_mode & 0o777 == 0o700


class FullDisk(Shard):
    """A shard whose disk fills up between the update and its fsync."""

    full = True

    def flush(self) -> None:
        if self.full:
            raise Exception("Service runtime error: No space left on device")  # noqa: TRY002 - as qdrant-edge does
        super().flush()


def test_an_update_that_could_not_be_fsynced_is_not_acknowledged(tmp_path: Path) -> None:
    shard = FullDisk(tmp_path, "a" * 64, SIZE, 10)
    sent: list[wire.Reply] = []
    worker = Worker(WordEmbedder(), shard, sent.append)
    worker.feed(wire.Request(1, wire.Upsert(a_past(1))))
    assert sent == []
    assert worker.unsynced == 1
    worker.settle()
    assert sent == [wire.Failed(1, "Exception: Service runtime error: No space left on device")]
    shard.full = False
    worker.feed(wire.Request(2, wire.Upsert(a_past(1))))
    worker.settle()
    assert sent[1:] == [wire.Done(2, count=1)]
    shard.close()
