"""A host that a test can set and take apart: psutil as the gauges use it, and trees like /proc and /sys."""

import os
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

CpuTimes = namedtuple("CpuTimes", "user nice system idle iowait irq softirq steal guest guest_nice")  # noqa: PYI024 - the shape of psutil's own
Interface = namedtuple(  # noqa: PYI024 - the shape of psutil's own
    "Interface", "bytes_sent bytes_recv packets_sent packets_recv errin errout dropin dropout"
)
Sensor = namedtuple("Sensor", "label current high critical")  # noqa: PYI024 - the shape of psutil's own
HERTZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def core(user: float = 0.0, idle: float = 0.0, **more: float) -> CpuTimes:
    """Cpu times of one core in seconds."""
    return CpuTimes(**{**dict.fromkeys(CpuTimes._fields, 0.0), "user": user, "idle": idle, **more})


def interface(sent: int = 0, received: int = 0, errors: int = 0, drops: int = 0) -> Interface:
    """Counters of one network interface."""
    return Interface(sent, received, 0, 0, errors, 0, drops, 0)


class HostSystem:
    """Two cores, half its memory, a root filesystem. `hidden` names the functions that this host does not allow."""

    def __init__(self) -> None:
        self.hidden: dict[str, Exception] = {}
        self.cores = [core(), core()]
        self.interfaces = {"lo": interface(), "eth0": interface()}
        self.partitions = [("/dev/sda1", "/", "ext4")]
        self.memory_percent = 50.0
        self.swap = SimpleNamespace(total=100, percent=25.0, used=25)
        self.sensors: dict[str, list[Sensor]] = {}

    def _look(self, name: str) -> None:
        if name in self.hidden:
            raise self.hidden[name]

    def cpu_times(self, *, percpu: bool) -> list[CpuTimes]:
        """As psutil.cpu_times(percpu=True)."""
        assert percpu
        self._look("cpu_times")
        return list(self.cores)

    def getloadavg(self) -> tuple[float, float, float]:
        """As psutil.getloadavg()."""
        self._look("getloadavg")
        return 3.0, 2.0, 1.0

    def cpu_count(self) -> int | None:
        """As psutil.cpu_count()."""
        return len(self.cores) or None

    def virtual_memory(self) -> Any:
        """As psutil.virtual_memory()."""
        self._look("virtual_memory")
        return SimpleNamespace(percent=self.memory_percent, available=512)

    def swap_memory(self) -> Any:
        """As psutil.swap_memory()."""
        self._look("swap_memory")
        return self.swap

    def disk_partitions(self, *, all: bool) -> list[Any]:  # noqa: A002 - psutil's name
        """As psutil.disk_partitions(all=True)."""
        assert all
        self._look("disk_partitions")
        return [SimpleNamespace(device=d, mountpoint=m, fstype=f) for d, m, f in self.partitions]

    def statvfs(self, mount: str) -> os.statvfs_result:
        """As os.statvfs(): 92 of 100 blocks used, a quarter of the inodes."""
        self._look(f"statvfs {mount}")
        return os.statvfs_result((4096, 4096, 100, 10, 8, 200, 150, 150, 0, 255))

    def net_io_counters(self, *, pernic: bool) -> dict[str, Interface]:
        """As psutil.net_io_counters(pernic=True)."""
        assert pernic
        self._look("net_io_counters")
        return dict(self.interfaces)

    def sensors_temperatures(self) -> dict[str, list[Sensor]]:
        """As psutil.sensors_temperatures()."""
        self._look("sensors_temperatures")
        return dict(self.sensors)


DENIED = psutil.AccessDenied()


class ProcTree:
    """A directory like /proc (`proc`) with one beside it like /sys, of a small host with pid 1."""

    def __init__(self, top: Path) -> None:
        self.proc, self.sys = top / "proc", top / "sys"
        self.write("loadavg", "0.10 0.20 0.30 2/345 12345\n")
        self.counters()
        self.write("sys/fs/file-nr", "1200\t0\t100000\n")
        for name in ("cpu", "memory", "io"):
            self.write(
                f"pressure/{name}",
                "some avg10=12.50 avg60=1.00 avg300=0.10 total=99\nfull avg10=2.50 avg60=0.00 avg300=0.00 total=0\n",
            )
        self.write("net/sockstat", "sockets: used 15\nTCP: inuse 3 orphan 0 tw 2 alloc 4 mem 1\n")
        self.sockets()
        self.write("diskstats", "")
        self.run(1, "systemd")

    def write(self, name: str, text: str) -> None:
        """A file below /proc."""
        path = self.proc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")

    def counters(
        self, forks: int = 1000, swapped: int = 0, ooms: int = 0, overflows: int = 0, blocked: int = 0
    ) -> None:
        """What only grows since the boot (/proc/stat, vmstat, net/netstat)."""
        self.write("stat", f"cpu  1 2 3 4\nprocesses {forks}\nprocs_running 2\nprocs_blocked {blocked}\n")
        self.write("vmstat", f"pswpin {swapped}\npswpout {swapped * 2}\npgmajfault {swapped}\noom_kill {ooms}\n")
        names = "ListenOverflows ListenDrops TCPBacklogDrop TCPReqQFullDrop TCPReqQFullDoCookies"
        self.write("net/netstat", f"TcpExt: {names}\nTcpExt: {overflows} {overflows} 0 0 0\nIpExt: A\nIpExt: 1\n")
        self.write("net/snmp", "Tcp: ActiveOpens RetransSegs\nTcp: 7 9\n")

    def sockets(self, *rows: tuple[str, str, str, int]) -> None:
        """(local, remote, state, uid) of each TCP socket: `0100007F:0016`, `00000000:0000`, `0A`, 0."""
        head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode".ljust(
            149
        )
        lines = [
            f"{number:4d}: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:5d}        0 651 1".ljust(
                149
            )
            for number, (local, remote, state, uid) in enumerate(rows)
        ]
        self.write("net/tcp", "\n".join([head, *lines]) + "\n")

    def run(
        self, pid: int, name: str, *, cpu: float = 0.0, memory: int = 1, state: str = "S", parent: int = 1,
        started: float = 1.0, command: str = "", threads: int = 1, io: int | None = None,
    ) -> None:  # fmt: skip
        """A process: `cpu` seconds used, `memory` in pages, `started` seconds after the boot, `io` bytes moved."""
        rest = [
            state,
            parent,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            int(cpu * HERTZ),
            0,
            0,
            0,
            20,
            0,
            threads,
            0,
            int(started * HERTZ),
        ]
        self.write(f"{pid}/stat", f"{pid} ({name}) {' '.join(map(str, rest))} 1000000 {memory} 18446744073709551615\n")
        self.write(f"{pid}/cmdline", command.replace(" ", "\0") + ("\0" if command else ""))
        if io is not None:
            self.write(f"{pid}/io", f"rchar: 1\nread_bytes: {io}\nwrite_bytes: 0\ncancelled_write_bytes: 0\n")

    def end(self, pid: int) -> None:
        """A process is gone."""
        for path in sorted((self.proc / str(pid)).iterdir()):
            path.unlink()
        (self.proc / str(pid)).rmdir()
