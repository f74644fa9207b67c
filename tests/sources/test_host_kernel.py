"""What the kernel counts for the whole host, and steps of the clock that are none."""

from pathlib import Path

import pytest

from daemon.sources.host_kernel import (
    ClockSteps,
    boottime,
    conntrack_values,
    file_values,
    fork_counters,
    oom_counters,
    paging_counters,
    task_values,
    uptime_values,
)
from daemon.sources.host_reading import HIDDEN
from tests.doubles.host_system import ProcTree


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


def test_tasks_paging_and_files(tree: ProcTree) -> None:
    tree.counters(forks=1234, swapped=5, ooms=2, blocked=7)
    assert task_values(tree.proc) == {"process.threads": 345.0, "process.running": 2.0, "process.blocked": 7.0}
    assert fork_counters(tree.proc) == {"process.forks_per_second": 1234.0}
    assert paging_counters(tree.proc) == {
        "swap.in_pages_per_second": 5.0, "swap.out_pages_per_second": 10.0, "memory.major_faults_per_second": 5.0
    }  # fmt: skip
    assert oom_counters(tree.proc) == {"memory.oom_kills": 2.0}
    assert file_values(tree.proc) == {"files.open": 1200.0, "files.percent": pytest.approx(1.2)}


def test_connections_tracked(tree: ProcTree) -> None:
    with pytest.raises(HIDDEN):
        conntrack_values(tree.proc)
    tree.write("sys/net/netfilter/nf_conntrack_count", "30\n")
    tree.write("sys/net/netfilter/nf_conntrack_max", "120\n")
    assert conntrack_values(tree.proc) == {"net.conntrack_connections": 30.0, "net.conntrack_percent": 25.0}


@pytest.mark.parametrize("text", ["", "nonsense\n", "1 2\n"])
@pytest.mark.parametrize("read", [task_values, fork_counters, oom_counters, file_values])
def test_what_says_something_else_is_hidden(tree: ProcTree, read: object, text: str) -> None:
    for name in ("stat", "vmstat", "loadavg", "sys/fs/file-nr"):
        tree.write(name, text)
    with pytest.raises(HIDDEN):
        read(tree.proc)  # type: ignore[operator]


class Clocks:
    def __init__(self) -> None:
        self.wall, self.boot = 1_700_000_000.0, 500.0
        self.steps = ClockSteps(lambda: self.wall, lambda: self.boot)

    def after(self, seconds: float, step: float = 0.0) -> dict[str, float]:
        self.wall += seconds + step
        self.boot += seconds
        return self.steps.read()


def test_a_step_is_told_once_and_with_its_direction() -> None:
    clocks = Clocks()
    assert clocks.after(0) == {}
    assert clocks.after(5) == {"clock.jump_seconds": 0.0}
    assert clocks.after(5, 3600) == {"clock.jump_seconds": pytest.approx(3600.0)}
    assert clocks.after(5) == {"clock.jump_seconds": 0.0}
    assert clocks.after(5, -86_400) == {"clock.jump_seconds": pytest.approx(-86_400.0)}


def test_neither_a_nap_nor_the_time_of_reading_is_a_step() -> None:
    clocks = Clocks()
    clocks.after(0)
    assert clocks.after(30_000) == {"clock.jump_seconds": 0.0}
    assert clocks.after(5, 0.004) == {"clock.jump_seconds": 0.0}
    clocks.steps.forget()
    assert clocks.after(5, 100) == {}


def test_an_interruption_between_the_clocks_is_no_step() -> None:
    """The worst bug: a busy host whose clock seems to jump because we were stopped between two readings of it."""
    boots = iter([0.0, 0.0] * 3 + [5.0, 9.0, 9.0, 9.0, 9.0, 9.0])
    walls = iter([100.0] * 3 + [109.0, 109.0, 109.0])
    steps = ClockSteps(lambda: next(walls), lambda: next(boots))
    steps.read()
    assert steps.read() == {"clock.jump_seconds": 0.0}


def test_uptime() -> None:
    assert uptime_values(lambda: 12.5) == {"uptime.seconds": 12.5}
    assert boottime() > 0
