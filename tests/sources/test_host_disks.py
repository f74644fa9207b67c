"""Filesystems once each, whole disks alone; how busy they are and how long they take."""

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from daemon.sources.host_disks import MOST, Disks, disk_counters, disk_values, find_mounts
from tests.doubles.host_system import HostSystem, ProcTree


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


def row(name: str, reads: int = 0, sectors: int = 0, reading: int = 0, busy: int = 0, waiting: int = 0) -> str:
    return f"   8       0 {name} {reads} 0 {sectors} {reading} 0 0 0 0 0 {busy} {waiting} 0 0 0 0 0 0\n"


def test_each_real_filesystem_counts_once_and_images_never() -> None:
    system = HostSystem()
    system.partitions = [
        ("/dev/sda2", "/var/lib/tellwhy", "ext4"),  # a bind mount of the unit's sandbox
        ("/dev/sda1", "/", "ext4"),
        ("/dev/sda2", "/var", "ext4"),
        ("/dev/loop0", "/snap/core/1", "squashfs"),
        ("proc", "/proc", "proc"),
        ("overlay", "/var/lib/docker/overlay2/x/merged", "overlay"),
        ("tmpfs", "/run", "tmpfs"),
        ("tmpfs", "/run/user/1000", "tmpfs"),
        ("tmpfs", "/dev/shm", "tmpfs"),
        ("nas:/export", "/mnt/nas", "nfs4"),
        ("/dev/fuse", "/run/user/1000/doc", "fuse.portal"),
        ("tank/data", "/tank", "zfs"),
    ]
    assert list(find_mounts(system)) == [
        ("/", "/dev/sda1"), ("/dev/shm", "tmpfs"), ("/mnt/nas", "nas:/export"), ("/run", "tmpfs"), ("/tank", "tank/data"),
        ("/var", "/dev/sda2"),
    ]  # fmt: skip


def test_the_root_is_there_also_where_it_is_an_overlay() -> None:
    system = HostSystem()
    system.partitions = []
    assert list(find_mounts(system)) == [("/", "rootfs")]


def test_mounts_are_bounded() -> None:
    system = HostSystem()
    system.partitions = [(f"/dev/sd{number}", f"/m{number}", "ext4") for number in range(1000)]
    assert len(list(find_mounts(system))) == MOST


def test_of_very_many_mounts_those_of_the_host_are_kept() -> None:
    """The worst bug: a thousand volumes of containers, and nobody is told that /var is full."""
    system = HostSystem()
    volumes = [(f"/dev/sd{number}", f"/mnt/volumes/{number}", "ext4") for number in range(1000)]
    system.partitions = [*volumes, ("/dev/a", "/", "ext4"), ("/dev/b", "/var", "ext4"), ("/dev/c", "/srv/www", "xfs")]
    found = [mount for mount, _ in find_mounts(system)]
    assert {"/", "/var"} < set(found)
    assert found == sorted(found)


def statvfs(blocks: int, free: int, files: int, files_free: int) -> Callable[[str], os.statvfs_result]:
    return lambda _: os.statvfs_result((4096, 512, blocks, free + 5, free, files, files_free, files_free, 0, 255))


def test_how_full_as_an_ordinary_user_sees_it() -> None:
    assert disk_values("/", statvfs(105, 10, 200, 50)) == {
        "disk.percent": 90.0, "disk.free_bytes": 5120, "disk.inodes_percent": 75.0, "disk.inodes_free": 50
    }  # fmt: skip
    assert disk_values("/", statvfs(105, 10, 0, 0)).keys() == {"disk.percent", "disk.free_bytes"}


def test_whole_disks_only(tree: ProcTree) -> None:
    tree.write(
        "diskstats",
        "".join(row(name, reads=1) for name in ("sda", "sda1", "dm-0", "loop0", "nvme0n1", "sr0")) + row("sdb"),
    )
    for name in ("sda", "dm-0", "loop0", "nvme0n1", "sr0", "sdb"):
        (tree.sys / "block" / name / "slaves").mkdir(parents=True)
    (tree.sys / "block/dm-0/slaves/sda").touch()
    assert sorted(disk_counters(tree.proc, tree.sys)) == ["nvme0n1", "sda"]


def test_rows_that_are_none_cost_nothing(tree: ProcTree) -> None:
    (tree.sys / "block/sda").mkdir(parents=True)
    tree.write("diskstats", f"\n3 1 hda1 1 2 3 4\n{row('sda', reads=1)}odd\n")
    assert list(disk_counters(tree.proc, tree.sys)) == ["sda"]


def test_disks_are_bounded(tree: ProcTree) -> None:
    for number in range(MOST + 10):
        (tree.sys / f"block/sd{number}").mkdir(parents=True)
    tree.write("diskstats", "".join(row(f"sd{number}", reads=1) for number in range(MOST + 10)))
    assert len(disk_counters(tree.proc, tree.sys)) == MOST


def test_what_a_disk_did_between_two_readings(tree: ProcTree) -> None:
    (tree.sys / "block/sda").mkdir(parents=True)
    disks = Disks(tree.proc, tree.sys)
    tree.write("diskstats", row("sda", reads=100, sectors=0, reading=1000, busy=0, waiting=0))
    assert list(disks.read(100.0, 5.0)) == []
    tree.write("diskstats", row("sda", reads=150, sectors=2048, reading=3000, busy=4000, waiting=10_000))
    assert list(disks.read(105.0, 5.0)) == [
        (
            "/dev/sda",
            {
                "disk.read_bytes_per_second": 2048 * 512 / 5, "disk.written_bytes_per_second": 0.0,
                "disk.operations_per_second": 10.0, "disk.busy_percent": 80.0, "disk.queue_length": 2.0,
                "disk.latency_ms": 40.0,
            },
        )
    ]  # fmt: skip
    assert "disk.latency_ms" not in dict(disks.read(110.0, 5.0))["/dev/sda"], "what did nothing took no time, not none"


def test_a_disk_that_was_replaced_makes_no_rate(tree: ProcTree) -> None:
    (tree.sys / "block/sda").mkdir(parents=True)
    disks = Disks(tree.proc, tree.sys)
    for reads in (1000, 5):
        tree.write("diskstats", row("sda", reads=reads))
        assert list(disks.read(float(reads == 5), 5.0)) == []
    disks.forget()
    assert list(disks.read(2.0, 5.0)) == []


def test_this_very_host() -> None:
    assert "/" in dict(find_mounts(psutil))
    assert 0 <= disk_values("/")["disk.percent"] <= 100
    assert disk_counters(Path("/proc"), Path("/sys")).keys().isdisjoint({"loop0", "ram0"})
