"""A process that keeps a processor busy has readings of its own, until after it has calmed down."""

import os
from pathlib import Path

import pytest

from daemon.sources.busy_processes import BusyProcesses
from daemon.sources.followed import LINGER
from daemon.sources.host_processes import Bystanders
from tests.doubles.host_system import PAGE, ProcTree


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


def test_its_readings_and_its_end(tree: ProcTree) -> None:
    seen, busy = Bystanders(tree.proc, lambda _: "alice"), BusyProcesses()
    tree.run(42, "loop", cpu=0.0, started=40.0, memory=2, threads=3, command="loop --forever")
    seen.take(100.0)
    assert list(busy.read(seen, 100.0, None)) == []
    tree.run(42, "loop", cpu=9.5, started=40.0, memory=2, threads=3, command="loop --forever")
    seen.take(110.0)
    [told] = busy.read(seen, 110.0, {os.getuid(): 2})
    assert told.tags == {"process.pid": "42", "process.name": "loop", "process.user": "alice"}
    assert told.values == {
        "process.cpu_percent": pytest.approx(95.0), "process.memory_bytes": 2 * PAGE, "process.own_threads": 3,
        "process.age_seconds": 70.0, "process.connections_to_pools": 2,
    }  # fmt: skip
    assert told.context == {"process.command": ("loop --forever",)}
    tree.end(42)
    seen.take(120.0)
    [gone] = busy.read(seen, 120.0, None)
    assert gone.tags == told.tags
    assert gone.values == {"process.cpu_percent": 0.0, "process.memory_bytes": 0.0}
    seen.take(111.0 + LINGER)
    assert list(busy.read(seen, 111.0 + LINGER, None)) == []


def test_those_that_are_told_of_are_bounded(tree: ProcTree) -> None:
    seen, busy = Bystanders(tree.proc), BusyProcesses()
    for pid in range(10, 60):
        tree.run(pid, "w")
    seen.take(0.0)
    for pid in range(10, 60):
        tree.run(pid, "w", cpu=10.0)
    seen.take(10.0)
    assert len(list(busy.read(seen, 10.0, None))) == 16
