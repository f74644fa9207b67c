"""From what psutil says to gauges: exact shares, nothing invented, nothing that is full by design."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from daemon.sources.host_reading import (
    HIDDEN,
    cpu_values,
    disk_values,
    find_mounts,
    load_values,
    memory_values,
    named,
    net_values,
    pressure_values,
    process_values,
    swap_values,
)
from tests.doubles.host_system import HostSystem, core, interface


def test_cpu_shares_are_of_the_time_between_two_readings() -> None:
    before = [core(user=100, idle=100), core(user=50, idle=50)]
    after = [core(user=109, idle=101), core(user=51, idle=54, iowait=4, steal=1)]
    assert cpu_values(before, after) == {
        "cpu.percent": pytest.approx(100 * (9 + 2) / 20),
        "cpu.max_core_percent": pytest.approx(90.0),
        "cpu.iowait_percent": pytest.approx(20.0),
        "cpu.steal_percent": pytest.approx(5.0),
    }


def test_guest_time_is_not_counted_twice() -> None:
    """The kernel counts it in user time already (proc(5))."""
    values = cpu_values([core()], [core(user=5, guest=5, idle=5)])
    assert values["cpu.percent"] == pytest.approx(50.0)


def test_counters_that_step_back_do_not_make_negative_shares() -> None:
    values = cpu_values([core(user=1, idle=10, iowait=5)], [core(user=2, idle=9, iowait=4)])
    assert values["cpu.percent"] == pytest.approx(100.0)
    assert values["cpu.iowait_percent"] == 0.0


@pytest.mark.parametrize(
    ("before", "after"), [([core()], [core()]), ([core()], [core(user=1), core(user=1)]), ([], [])]
)
def test_without_time_passed_or_with_other_cores_there_is_no_share(before: list[object], after: list[object]) -> None:
    assert cpu_values(before, after) == {}


def test_a_core_that_is_asleep_takes_no_part() -> None:
    values = cpu_values([core(), core()], [core(user=1, idle=1), core()])
    assert values["cpu.percent"] == values["cpu.max_core_percent"] == pytest.approx(50.0)


def test_load_memory_swap_and_processes() -> None:
    system = HostSystem()
    assert load_values(system) == {"load.1": 3.0, "load.5": 2.0, "load.15": 1.0, "load.1_per_core": 1.5}
    assert memory_values(system) == {"memory.percent": 50.0, "memory.available_bytes": 512}
    assert swap_values(system) == {"swap.percent": 25.0, "swap.used_bytes": 25}
    assert process_values(system) == {"process.count": 3}


def test_a_host_without_swap_or_a_known_number_of_cores_has_no_such_gauge() -> None:
    system = HostSystem()
    system.swap.total = 0
    system.cores = []
    assert swap_values(system) == {}
    assert "load.1_per_core" not in load_values(system)


def test_pressure_is_the_share_of_the_last_ten_seconds(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    for name in ("cpu", "memory", "io"):
        (tmp_path / "pressure" / name).write_text(
            "some avg10=12.50 avg60=1.00 avg300=0.10 total=99\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
        )
    assert pressure_values(tmp_path) == {
        "pressure.cpu_percent": 12.5, "pressure.memory_percent": 12.5, "pressure.io_percent": 12.5
    }  # fmt: skip


@pytest.mark.parametrize("text", [None, "", "nonsense\n", "some avg10=x\n"])
def test_a_kernel_without_pressure_is_a_hidden_gauge(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "pressure").mkdir()
    if text is not None:
        (tmp_path / "pressure" / "cpu").write_text(text)
    with pytest.raises(HIDDEN):
        pressure_values(tmp_path)


def test_each_real_filesystem_counts_once_and_images_never() -> None:
    system = HostSystem()
    system.partitions = [
        ("/dev/sda2", "/var/lib/tellwhy", "ext4"),  # a bind mount of the unit's sandbox
        ("/dev/sda1", "/", "ext4"),
        ("/dev/sda2", "/var", "ext4"),
        ("/dev/loop0", "/snap/core/1", "squashfs"),
    ]
    assert list(find_mounts(system)) == [("/", "/dev/sda1"), ("/var", "/dev/sda2")]


def test_the_root_is_there_also_where_it_is_an_overlay() -> None:
    system = HostSystem()
    system.partitions = []
    assert list(find_mounts(system)) == [("/", "rootfs")]


def test_inodes_are_left_out_where_their_number_is_not_fixed() -> None:
    def inodes(total: int, free: int) -> Callable[[str], os.statvfs_result]:
        return lambda _: os.statvfs_result((4096, 4096, 0, 0, 0, total, free, free, 0, 255))

    assert disk_values(HostSystem(), "/", inodes(200, 50)) == {
        "disk.percent": 91.5, "disk.free_bytes": 1000, "disk.inodes_percent": 75.0
    }  # fmt: skip
    assert "disk.inodes_percent" not in disk_values(HostSystem(), "/", inodes(0, 0))


def test_rates_are_per_second_and_without_loopback_newcomers_and_restarts() -> None:
    before = {"lo": interface(), "eth0": interface(100, 200), "ppp0": interface(5000, 5000)}
    after = {"lo": interface(9, 9), "eth0": interface(1100, 4200, 8, 4), "ppp0": interface(1, 1), "eth1": interface()}
    assert list(net_values(before, after, 2.0)) == [
        (
            "eth0",
            {
                "net.received_bytes_per_second": 2000.0,
                "net.sent_bytes_per_second": 500.0,
                "net.errors_per_second": 4.0,
                "net.drops_per_second": 2.0,
            },
        )
    ]


def test_tags_have_dots_and_are_text_for_any_encoder() -> None:
    assert named(disk_mount="/mnt/\udcff", net_interface="eth0") == {
        "disk.mount": "/mnt/\\xff",
        "net.interface": "eth0",
    }


def test_this_very_host_can_be_read() -> None:
    times = psutil.cpu_times(percpu=True)
    later = [SimpleNamespace(**one._asdict(), _fields=one._fields) for one in times]
    for one in later:
        one.user += 1.0
    assert cpu_values(times, later)["cpu.percent"] == pytest.approx(100.0)
    mounts = dict(find_mounts(psutil))
    assert "/" in mounts
    assert 0 <= disk_values(psutil, "/")["disk.percent"] <= 100
    assert memory_values(psutil)["memory.available_bytes"] > 0
