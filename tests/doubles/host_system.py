"""psutil as the gauges use it, with a host that a test can set and take apart."""

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import psutil

CpuTimes = namedtuple("CpuTimes", "user nice system idle iowait irq softirq steal guest guest_nice")  # noqa: PYI024 - the shape of psutil's own
Interface = namedtuple(  # noqa: PYI024 - the shape of psutil's own
    "Interface", "bytes_sent bytes_recv packets_sent packets_recv errin errout dropin dropout"
)


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
        self.swap = SimpleNamespace(total=100, percent=25.0, used=25)

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
        return SimpleNamespace(percent=50.0, available=512)

    def swap_memory(self) -> Any:
        """As psutil.swap_memory()."""
        self._look("swap_memory")
        return self.swap

    def pids(self) -> list[int]:
        """As psutil.pids()."""
        self._look("pids")
        return [1, 2, 3]

    def disk_partitions(self, *, all: bool) -> list[Any]:  # noqa: A002 - psutil's name
        """As psutil.disk_partitions(all=False)."""
        assert not all
        self._look("disk_partitions")
        return [SimpleNamespace(device=d, mountpoint=m, fstype=f) for d, m, f in self.partitions]

    def disk_usage(self, mount: str) -> Any:
        """As psutil.disk_usage()."""
        self._look(f"disk_usage {mount}")
        return SimpleNamespace(percent=91.5, free=1000)

    def net_io_counters(self, *, pernic: bool) -> dict[str, Interface]:
        """As psutil.net_io_counters(pernic=True)."""
        assert pernic
        self._look("net_io_counters")
        return dict(self.interfaces)


DENIED = psutil.AccessDenied()
