"""What psutil and /proc say → gauges by name. A gauge that cannot be read is left out, never zero.

Percentages of cpu time and rates need two readings: the first one gives none. Names: `cpu.*`, `load.*`, `memory.*`,
`swap.*`, `process.*`, `pressure.*` (share of the last 10 s in which something waited, from /proc/pressure), `disk.*`,
`net.*`.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from daemon.sources.openings import shown

IMAGES = {"squashfs", "iso9660", "udf", "erofs", "cramfs"}
"""Filesystems that are full by design."""

HIDDEN = (OSError, AttributeError, KeyError, IndexError, ValueError, ZeroDivisionError, psutil.Error, RuntimeWarning)
"""What a kernel, a container or a platform raises for what it does not show."""

Readings = dict[str, float]


def cpu_values(before: Sequence[Any], after: Sequence[Any]) -> Readings:
    """Shares of the time between two readings of all cores (`psutil.cpu_times(percpu=True)`), in percent.

    Empty when the cores changed in number or no time passed.
    """
    if len(before) != len(after):
        return {}
    spent = [_spent(old, new) for old, new in zip(before, after, strict=True)]
    total = sum(core["total"] for core in spent)
    if total <= 0:
        return {}
    busy = [100 * core["busy"] / core["total"] for core in spent if core["total"] > 0]
    values = {
        "cpu.percent": 100 * sum(core["busy"] for core in spent) / total,
        "cpu.max_core_percent": max(busy),
    }
    for name in ("iowait", "steal"):
        if hasattr(after[0], name):
            values[f"cpu.{name}_percent"] = 100 * sum(core[name] for core in spent) / total
    return values


def _spent(before: Any, after: Any) -> Readings:
    # counters of idle and iowait may step back (proc(5)); guest time is contained in user time already
    spent = {name: max(0.0, getattr(after, name) - getattr(before, name)) for name in after._fields}
    total = sum(value for name, value in spent.items() if not name.startswith("guest"))
    idle = spent["idle"] + spent.get("iowait", 0.0)
    return {**spent, "total": total, "busy": max(0.0, total - idle)}


def load_values(system: Any) -> Readings:
    """Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes."""
    one, five, fifteen = system.getloadavg()
    values = {"load.1": one, "load.5": five, "load.15": fifteen}
    cores = system.cpu_count()
    return {**values, "load.1_per_core": one / cores} if cores else values


def memory_values(system: Any) -> Readings:
    """Memory that programs could not get without swapping, and what they could."""
    memory = system.virtual_memory()
    return {"memory.percent": memory.percent, "memory.available_bytes": memory.available}


def swap_values(system: Any) -> Readings:
    """Swap in use; nothing on a host without swap."""
    swap = system.swap_memory()
    return {"swap.percent": swap.percent, "swap.used_bytes": swap.used} if swap.total else {}


def process_values(system: Any) -> Readings:
    """How many processes there are."""
    return {"process.count": len(system.pids())}


def pressure_values(proc: Path) -> Readings:
    """Pressure stall information (Linux 4.20 and later, unless switched off)."""
    values: Readings = {}
    for name in ("cpu", "memory", "io"):
        first = (proc / "pressure" / name).read_text(encoding="ascii").splitlines()[0]
        parts = dict(part.split("=", 1) for part in first.split()[1:])
        values[f"pressure.{name}_percent"] = float(parts["avg10"])
    return values


def find_mounts(system: Any) -> Iterator[tuple[str, str]]:
    """(mount point, device) of each real filesystem once; bind mounts of the same device are left out.

    The root is always there, also as a container's overlay.
    """
    shortest: dict[str, str] = {}
    for part in sorted(system.disk_partitions(all=False), key=lambda part: (len(part.mountpoint), part.mountpoint)):
        if part.fstype not in IMAGES:
            shortest.setdefault(part.device, part.mountpoint)
    mounts = {mount: device for device, mount in shortest.items()}
    mounts.setdefault("/", "rootfs")
    yield from sorted(mounts.items())


def disk_values(system: Any, mount: str, statvfs: Callable[[str], os.statvfs_result] = os.statvfs) -> Readings:
    """How full one filesystem is, as an ordinary user sees it."""
    usage = system.disk_usage(mount)
    values: Readings = {"disk.percent": usage.percent, "disk.free_bytes": usage.free}
    inodes = statvfs(mount)
    if inodes.f_files:  # btrfs and others have no fixed number
        values["disk.inodes_percent"] = 100 * (inodes.f_files - inodes.f_ffree) / inodes.f_files
    return values


def net_values(before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> Iterator[tuple[str, Readings]]:
    """Rates per second of each interface that was there both times; without the loopback."""
    for name in sorted(before.keys() & after.keys() - {"lo"}):
        old, new = before[name], after[name]
        moved = {field: getattr(new, field) - getattr(old, field) for field in new._fields}
        if min(moved.values()) < 0:
            continue  # the interface was made anew: its counters began again
        yield (
            name,
            {
                "net.received_bytes_per_second": moved["bytes_recv"] / seconds,
                "net.sent_bytes_per_second": moved["bytes_sent"] / seconds,
                "net.errors_per_second": (moved["errin"] + moved["errout"]) / seconds,
                "net.drops_per_second": (moved["dropin"] + moved["dropout"]) / seconds,
            },
        )


def named(**tags: str) -> dict[str, str]:
    """Tags that any encoder takes (`disk_mount` becomes `disk.mount`)."""
    return {name.replace("_", ".", 1): shown(value) for name, value in tags.items()}
