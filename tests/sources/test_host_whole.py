"""The host as a whole: every gauge by its name, what made it so beside it, and nothing where it cannot be seen."""

import os
from pathlib import Path

import pytest

from daemon.sources.attempts import Attempts
from daemon.sources.host_processes import Context
from daemon.sources.host_reading import Readings
from daemon.sources.host_whole import WholeHost
from tests.doubles.host_system import HostSystem, ProcTree, core

OF_THE_FIRST = {
    *("load.1", "load.5", "load.15", "load.1_per_core", "memory.percent", "memory.available_bytes"),
    *("swap.percent", "swap.used_bytes", "swap.free_bytes"),
    *(f"pressure.{name}_{kind}percent" for name in ("cpu", "memory", "io") for kind in ("", "full_")),
    *("process.threads", "process.running", "process.blocked", "process.count", "process.zombies"),
    *("files.open", "files.percent", "uptime.seconds", "units.failed"),
    *(f"net.connections_{state}" for state in ("established", "syn_sent", "syn_received", "fin_wait", "time_wait")),
    *(f"net.connections_{state}" for state in ("close_wait", "closing", "listening", "to_pools")),
}
OF_THE_SECOND = {
    *("cpu.percent", "cpu.max_core_percent", "cpu.system_percent", "cpu.iowait_percent", "cpu.steal_percent"),
    *("process.forks_per_second", "swap.in_pages_per_second", "swap.out_pages_per_second"),
    *("memory.major_faults_per_second", "memory.oom_kills", "clock.jump_seconds"),
    *(f"net.{what}_per_second" for what in ("listen_overflows", "listen_drops", "backlog_drops", "syn_drops")),
    *("net.syn_cookies_per_second", "net.retransmits_per_second"),
}
SLOW = {"units.failed"}


class Host:
    def __init__(self, tree: ProcTree) -> None:
        self.at = 1000.0
        self.tree, self.system = tree, HostSystem()
        self.failed: tuple[str, ...] = ("nginx.service",)
        self.whole = WholeHost(
            attempts=Attempts("host"), now=lambda: 1_700_000_000.0 + self.at, booted=lambda: self.at,
            username=lambda _: "alice", system=self.system, proc=tree.proc, units=self.units,
        )  # fmt: skip

    def units(self) -> tuple[Readings, Context]:
        return {"units.failed": float(len(self.failed))}, {"units.failed_names": self.failed} if self.failed else {}

    def after(self, seconds: float) -> Readings:
        self.at += seconds
        values, _ = self.whole.read(self.at, 5.0)
        return values


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(ProcTree(tmp_path))


def test_every_gauge_by_its_name(host: Host) -> None:
    assert host.after(0).keys() == OF_THE_FIRST
    host.system.cores = [core(user=1, idle=4), core(idle=5)]
    host.tree.counters(forks=1500, swapped=50, ooms=2, overflows=10)
    values = host.after(5)
    assert values.keys() == (OF_THE_FIRST | OF_THE_SECOND) - SLOW
    assert values["process.forks_per_second"] == 100.0
    assert values["swap.out_pages_per_second"] == 20.0
    assert values["memory.oom_kills"] == 2.0, "so many, not so many per second"
    assert values["net.listen_overflows_per_second"] == 2.0
    assert values["clock.jump_seconds"] == 0.0


def test_what_made_them_so_is_beside_them(host: Host) -> None:
    host.tree.run(42, "loop", command="loop --forever")
    host.after(0)
    host.tree.run(42, "loop", cpu=5.0, command="loop --forever")
    host.after(5)
    assert host.whole.context["top.cpu"] == ("100 % of a core, pid 42 of alice: loop --forever",)
    assert host.whole.context["units.failed_names"] == ("nginx.service",)
    host.failed = ()
    host.after(60)
    assert "units.failed_names" not in host.whole.context


def test_who_has_files_open_is_asked_when_many_are(host: Host) -> None:
    (host.tree.proc / "1" / "fd").mkdir()
    (host.tree.proc / "1" / "fd" / "0").touch()
    host.after(0)
    assert "top.files" not in host.whole.context
    host.tree.write("sys/fs/file-nr", "90000\t0\t100000\n")
    host.after(5)
    assert host.whole.context["top.files"][0].endswith("open files, pid 1 of alice: [systemd]")


def test_each_gauge_is_hidden_alone(host: Host) -> None:
    """The worst bug: one file that a container hides, and with it all gauges after it."""
    for name in ("stat", "vmstat", "loadavg", "sys/fs/file-nr", "net/sockstat", "net/netstat", "pressure/io"):
        (host.tree.proc / name).unlink()
    host.system.hidden = {"cpu_times": OSError("hidden"), "swap_memory": RuntimeWarning("sin and sout")}
    host.after(0)
    assert host.after(5).keys() == {
        *(name for name in OF_THE_FIRST if name.startswith(("load.", "memory.", "pressure.cpu", "pressure.memory"))),
        *("process.count", "process.zombies", "uptime.seconds", "clock.jump_seconds"),
    }


def test_a_counter_that_comes_back_begins_with_a_new_baseline(host: Host) -> None:
    host.after(0)
    (host.tree.proc / "stat").unlink()
    host.after(5)
    host.tree.counters(forks=999_999)
    assert "process.forks_per_second" not in host.after(5)
    host.tree.counters(forks=1_000_009)
    assert host.after(5)["process.forks_per_second"] == 2.0


def test_after_a_pause_nothing_is_compared_with_before(host: Host) -> None:
    host.after(0)
    host.whole.forget()
    assert host.after(5).keys().isdisjoint(OF_THE_SECOND)


def test_a_host_that_slept_makes_no_spike(host: Host) -> None:
    host.after(0)
    host.tree.counters(forks=1_000_000)
    assert "process.forks_per_second" not in host.after(36_000)


def test_busy_processes_come_with_the_pass_that_saw_them(host: Host) -> None:
    host.tree.run(42, "loop")
    host.after(0)
    host.tree.run(42, "loop", cpu=5.0)
    host.at += 5
    _, told = host.whole.read(host.at, 5.0)
    assert [one.values["process.cpu_percent"] for one in told] == [pytest.approx(100.0)]
    assert told[0].values["process.connections_to_pools"] == 0
    assert os.getuid() >= 0


FILES = (
    "stat", "vmstat", "loadavg", "sys/fs/file-nr", "net/sockstat", "net/tcp", "net/tcp6", "net/netstat", "net/snmp",
    "pressure/cpu", "sys/net/netfilter/nf_conntrack_count", "1/stat", "1/cmdline", "1/io",
)  # fmt: skip
RUBBISH = (
    b"",
    b"\n",
    b"\xff\xfe\x00",
    b"x\n",
    b"0 0 0\n",
    b"a: b\nc d\n",
    b"9" * 5000,
    b"TCP: inuse\n",
    b"Tcp: a b\nTcp: 1\n",
)


@pytest.mark.parametrize("rubbish", RUBBISH, ids=range(len(RUBBISH)))
@pytest.mark.parametrize("name", FILES)
def test_a_file_with_rubbish_in_it_costs_its_own_gauges_alone(host: Host, name: str, rubbish: bytes) -> None:
    host.after(0)
    host.tree.write(name, "")
    (host.tree.proc / name).write_bytes(rubbish)
    values = host.after(5)
    assert {"load.1", "memory.percent", "swap.percent", "pressure.io_percent", "clock.jump_seconds"} <= values.keys()
    assert all(isinstance(value, int | float) for value in values.values())
