"""Every process that can be seen, whatever it calls itself; command lines without halves of secrets."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.redact import Redactor
from daemon.sources import process_table
from daemon.sources.process_table import People, parse_stat, read_process, read_table, say_command
from tests.doubles.host_system import PAGE, ProcTree


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


def test_a_process_as_the_kernel_writes_it(tree: ProcTree) -> None:
    tree.run(42, "a) R (b", cpu=1.5, memory=3, state="D", parent=7, started=12.5, threads=9)
    one = read_process(tree.proc, 42)
    assert one is not None
    assert (one.pid, one.name, one.state, one.parent, one.threads) == (42, "a) R (b", "D", 7, 9)
    assert (one.cpu, one.started, one.memory) == (1.5, 12.5, 3 * PAGE)


@given(st.binary(max_size=200))
def test_whatever_stands_there_is_no_error(text: bytes) -> None:
    parse_stat(text)


def test_all_are_found_and_what_ended_is_left_out(tree: ProcTree) -> None:
    tree.run(42, "x")
    tree.write("43/cmdline", "")
    tree.write("uptime", "1 2\n")
    tree.write("4x/stat", "")
    table = read_table(tree.proc)
    assert sorted(table.processes) == [1, 42]
    assert (table.more, table.whole) == (0, True)
    tree.end(1)
    assert not read_table(tree.proc).whole


def test_of_too_many_the_rest_is_counted(tree: ProcTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_table, "MOST", 3)
    for pid in range(2, 12):
        tree.run(pid, "x")
    table = read_table(tree.proc)
    assert (len(table.processes), table.more) == (3, 8)


def test_this_very_host() -> None:
    mine = read_table(Path("/proc")).processes[os.getpid()]
    assert mine.memory > 1_000_000
    assert mine.cpu > 0
    assert "python" in People(Path("/proc")).command(mine) or "pytest" in People(Path("/proc")).command(mine)


def test_who_runs_it_and_how(tree: ProcTree) -> None:
    tree.run(42, "python3", command="python3 train.py")
    people = People(tree.proc, lambda uid: f"user{uid}")
    one = read_process(tree.proc, 42)
    assert one is not None
    assert people.say("97 % of a core", one) == f"97 % of a core, pid 42 of user{os.getuid()}: python3 train.py"
    tree.end(42)
    assert (people.user(one), people.uid(one)) == ("", None)
    assert people.say("1 %", one) == "1 %, pid 42: [python3]"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", ""),
        (b"sh\0-c\0echo 'a b'; ls\0", """sh -c 'echo '"'"'a b'"'"'; ls'"""),
        (b"nginx: worker process\0\0\0\0", "'nginx: worker process'"),
        (b"postgres: " + b"x " * 100, "postgres: " + "x " * 50 + "…"),
        (b"a\0" + b"b" * 5000, "a …"),
        (b"a\0\xff\0", "a \\xff"),
        (b"x" * 200 + b"\0", "…"),
    ],
)
def test_command_lines_in_words(raw: bytes, said: str) -> None:
    assert say_command(raw) == said


@pytest.mark.parametrize(
    "words",
    [
        ["mysql", "-uroot", "-pSecretS3cret", "db"],
        ["curl", "-u", "bob:SecretS3cret", "https://x.example"],
        ["app", "--password", "SecretS3cret"],
        ["app", "--password", "SecretS3cret and more"],
        ["env", "AWS_SECRET_ACCESS_KEY=SecretS3cretSecretS3cretSecretS3cretabcd", "x"],
        ["psql", "postgres://u:SecretS3cret@db.example/x"],
    ],
)
@pytest.mark.parametrize("before", range(0, 130, 7))
def test_no_secret_and_no_half_of_one_leaves(words: list[str], before: int) -> None:
    """The worst bug: a command line that is cut within a password, of which the redactor then knows nothing."""
    raw = b"\0".join(word.encode() for word in [words[0], *["y" * before][: before and 1], *words[1:]]) + b"\0"
    told = Redactor().text(f"97 % of a core, pid 42 of alice: {say_command(raw)}")
    assert "Secret" not in told
    assert "S3cret" not in told
