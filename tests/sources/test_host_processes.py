"""Who is busy, large, waiting or many, at the moment of the reading."""

import os
from pathlib import Path

import pytest

from daemon.sources.host_processes import TOP, Bystanders, say_bytes
from tests.doubles.host_system import PAGE, ProcTree


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


@pytest.fixture
def seen(tree: ProcTree) -> Bystanders:
    return Bystanders(tree.proc, lambda _: "alice")


def test_the_busiest_are_those_of_the_time_between_two_passes(tree: ProcTree, seen: Bystanders) -> None:
    tree.run(10, "old", cpu=5000.0, command="old --x")
    tree.run(11, "busy", cpu=1.0, command="busy --y")
    seen.take(100.0)
    assert "top.cpu" not in seen.context()
    tree.run(10, "old", cpu=5000.5, command="old --x")
    tree.run(11, "busy", cpu=10.0, command="busy --y")
    tree.run(12, "new", cpu=2.0, started=104.0, command="new")
    seen.take(110.0)
    assert seen.context()["top.cpu"] == (
        "90 % of a core, pid 11 of alice: busy --y",
        "20 % of a core, pid 12 of alice: new",
        "5 % of a core, pid 10 of alice: old --x",
    )
    assert [(process.pid, round(share, 9)) for process, share in seen.busiest(0.5)] == [(11, 0.9)]


def test_a_later_process_of_the_same_number_is_another_one(tree: ProcTree, seen: Bystanders) -> None:
    tree.run(10, "first", cpu=5000.0)
    seen.take(100.0)
    tree.run(10, "second", cpu=1.0, started=105.0)
    seen.take(110.0)
    assert seen.context()["top.cpu"] == ("10 % of a core, pid 10 of alice: [second]",)


def test_a_process_that_could_not_be_read_before_has_not_used_all_of_it_since(tree: ProcTree, seen: Bystanders) -> None:
    """The worst bug: a database of ten days, unseen for one pass, is told to use ten days in five seconds."""
    tree.run(10, "first")
    seen.take(90_000.0)
    tree.run(11, "old", cpu=9000.0, started=5.0)
    seen.take(90_005.0)
    assert seen.busiest(0.5) == []
    assert seen.context()["top.cpu"] == ("10 % of a core, pid 11 of alice: [old]",)


def test_the_largest(tree: ProcTree, seen: Bystanders) -> None:
    for pid in range(10, 30):
        tree.run(pid, f"p{pid}", memory=pid * 1024)
    seen.take(1.0)
    largest = seen.context()["top.memory"]
    assert len(largest) == TOP
    assert largest[0] == f"{29 * PAGE / 1024:.1f} MiB, pid 29 of alice: [p29]"


def test_who_moves_data_and_who_waits_for_a_disk(tree: ProcTree, seen: Bystanders) -> None:
    tree.run(11, "hidden", state="D")
    for at, moved in ((90.0, 0), (100.0, 0), (110.0, 50 * 2**20)):
        tree.run(10, "writer", io=moved, cpu=at / 10)
        seen.take(at)
        words = seen.context()
    assert words["top.io"] == (
        "5.0 MiB per second, pid 10 of alice: [writer]",
        "waits for a disk, pid 11 of alice: [hidden]",
    )


def test_counts_zombies_and_who_does_not_fetch_them(tree: ProcTree, seen: Bystanders) -> None:
    tree.run(10, "parent", command="parent --bad")
    for pid in (11, 12, 13):
        tree.run(pid, "child", state="Z", parent=10, started=float(pid))
    seen.take(1.0)
    assert seen.gauges() == {"process.count": 5.0, "process.zombies": 3.0}
    assert seen.context()["top.zombies"] == ("3 zombies, pid 10 of alice: parent --bad",)
    assert seen.context()["top.processes"][:2] == ("3 × child", "newest, pid 13 of alice: [child]")


def test_where_other_users_are_hidden_nothing_is_counted(tree: ProcTree, seen: Bystanders) -> None:
    """The worst bug: two processes counted where two hundred run, because /proc shows only our own."""
    tree.end(1)
    tree.run(10, "ours")
    seen.take(1.0)
    assert seen.gauges() == {}


def test_after_a_pause_nothing_is_compared_with_before(tree: ProcTree, seen: Bystanders) -> None:
    tree.run(10, "x", cpu=1.0)
    seen.take(1.0)
    seen.forget()
    tree.run(10, "x", cpu=9000.0)
    seen.take(2.0)
    assert "top.cpu" not in seen.context()


def test_open_files_where_they_may_be_counted() -> None:
    seen = Bystanders(Path("/proc"))
    seen.take(1.0)
    assert any(f"pid {os.getpid()} " in words or "open files" in words for words in seen.files())


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (3 * 2**30, "3.0 GiB"), (2**45, "32.0 TiB")],
)
def test_bytes_in_words(number: float, said: str) -> None:
    assert say_bytes(number) == said
