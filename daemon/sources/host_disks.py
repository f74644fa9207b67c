"""Filesystems and disks as gauges: how full they are, how busy, and how long they take.

Filesystems: real ones, those of the network, and memory that is mounted where programs write (/tmp, /run, /dev/shm).
Disks: whole ones, not their partitions, nor what is only stacked upon others (LVM, RAID, encryption): their time is
that of the disks below.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from daemon.sources.growth import Growth
from daemon.sources.host_reading import Readings
from daemon.sources.openings import shown

MOST = 64
"""Filesystems, and disks, that are looked at: those that lie least deep, and the first ones by number."""
IMAGES = {"squashfs", "iso9660", "udf", "erofs", "cramfs"}
"""Filesystems that are full by design."""
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "9p", "virtiofs", "afs"}
IN_MEMORY = {"/tmp", "/run", "/dev/shm", "/var/tmp"}  # noqa: S108 - looked at, never written
_SECTOR = 512
"""Bytes, whatever the disk's own sectors are (Documentation/admin-guide/iostats.rst)."""
_COLUMNS = 14
"""Words of a row that are read; partitions of old kernels have fewer."""
_NO_DISK = ("loop", "ram", "zram", "fd", "sr", "nbd")


def find_mounts(system: Any) -> Iterator[tuple[str, str]]:
    """(mount point, device) of each filesystem once; bind mounts of the same device are left out.

    The root is always there, also as a container's overlay.
    """
    shortest: dict[str, str] = {}
    parts = system.disk_partitions(all=True)
    for part in sorted(parts, key=lambda part: (len(part.mountpoint), part.mountpoint)):
        if _counts(part):
            shortest.setdefault(part.mountpoint if part.fstype == "tmpfs" else part.device, part.mountpoint)
    mounts = {mount: "tmpfs" if device == mount else device for device, mount in shortest.items()}
    mounts.setdefault("/", "rootfs")
    yield from sorted(sorted(mounts.items(), key=_depth)[:MOST])


def _depth(mount: tuple[str, str]) -> tuple[int, str]:
    """Of very many, those of volumes of containers lie deepest; what fills up a host does not."""
    return mount[0].count("/"), mount[0]


def _counts(part: Any) -> bool:
    if part.fstype == "tmpfs":
        return part.mountpoint in IN_MEMORY
    if part.fstype in NETWORK or part.fstype == "zfs":
        return True
    return part.device.startswith("/") and part.fstype not in IMAGES and not part.fstype.startswith("fuse.")


def disk_values(mount: str, statvfs: Callable[[str], os.statvfs_result] = os.statvfs) -> Readings:
    """How full one filesystem is, as an ordinary user sees it: what is kept back for root is not free."""
    seen = statvfs(mount)
    values: Readings = {}
    used = seen.f_blocks - seen.f_bfree
    if seen.f_blocks and used + seen.f_bavail:
        values["disk.percent"] = 100 * used / (used + seen.f_bavail)
        values["disk.free_bytes"] = seen.f_bavail * seen.f_frsize
    if seen.f_files:  # btrfs and others have no fixed number
        values["disk.inodes_percent"] = 100 * (seen.f_files - seen.f_ffree) / seen.f_files
        values["disk.inodes_free"] = seen.f_favail
    return values


def disk_counters(proc: Path, sys: Path) -> dict[str, Readings]:
    """Counters of each whole disk that was ever used (proc_diskstats(5)), by name."""
    found: dict[str, Readings] = {}
    for words in sorted(row.split() for row in (proc / "diskstats").read_text(encoding="ascii").splitlines()):
        if len(words) < _COLUMNS or len(found) >= MOST or not _is_whole(words[2], sys):
            continue
        reads, _, read, reading, writes, _, written, writing, _, busy, waiting = map(float, words[3:_COLUMNS])
        if reads + writes:
            found[words[2]] = {
                "operations": reads + writes, "read": read * _SECTOR, "written": written * _SECTOR,
                "taken": reading + writing, "busy": busy, "waiting": waiting,
            }  # fmt: skip
    return found


def _is_whole(name: str, sys: Path) -> bool:
    if name.startswith(_NO_DISK):
        return False
    directory = sys / "block" / name.replace("/", "!")
    try:
        return not os.listdir(directory / "slaves")  # noqa: PTH208 - whether it has any
    except FileNotFoundError:
        return directory.is_dir()


def disk_rates(passed: float, grown: Mapping[str, float]) -> Readings:
    """What a disk did between two readings `passed` seconds apart. Its latency is absent when it did nothing."""
    if len(grown) < len(_COUNTED):
        return {}
    values = {
        "disk.read_bytes_per_second": grown["read"] / passed,
        "disk.written_bytes_per_second": grown["written"] / passed,
        "disk.operations_per_second": grown["operations"] / passed,
        "disk.busy_percent": min(100.0, grown["busy"] / 10 / passed),
        "disk.queue_length": grown["waiting"] / 1000 / passed,
    }
    if grown["operations"]:
        values["disk.latency_ms"] = grown["taken"] / grown["operations"]
    return values


_COUNTED = ("operations", "read", "written", "taken", "busy", "waiting")


class Disks:
    """What each disk did since the last reading. Bounded: 64 disks, those that are there now."""

    def __init__(self, proc: Path, sys: Path) -> None:
        self._proc = proc
        self._sys = sys
        self._growth: dict[str, Growth] = {}

    def forget(self) -> None:
        """Begin anew."""
        self._growth = {}

    def read(self, at: float, interval: float) -> Iterator[tuple[str, Readings]]:
        """(device, gauges) of each disk that was there before, too."""
        counters = disk_counters(self._proc, self._sys)
        self._growth = {name: self._growth.get(name, Growth()) for name in counters}
        for name, counted in counters.items():
            values = disk_rates(*self._growth[name].since(counted, at, interval))
            if values:
                yield shown(f"/dev/{name}"), values
