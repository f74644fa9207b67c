"""From what psutil says to gauges: exact shares, nothing invented."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from daemon.sources.host_reading import (
    HIDDEN,
    cpu_values,
    load_values,
    memory_values,
    named,
    pressure_values,
    swap_values,
    temperature_values,
)
from tests.doubles.host_system import HostSystem, Sensor, core


def test_cpu_shares_are_of_the_time_between_two_readings() -> None:
    before = [core(user=100, idle=100), core(user=50, idle=50)]
    after = [core(user=109, idle=101), core(user=51, idle=54, iowait=4, steal=1)]
    assert cpu_values(before, after) == {
        "cpu.percent": pytest.approx(100 * (9 + 2) / 20),
        "cpu.max_core_percent": pytest.approx(90.0),
        "cpu.system_percent": 0.0,
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


def test_load_memory_and_swap() -> None:
    system = HostSystem()
    assert load_values(system) == {"load.1": 3.0, "load.5": 2.0, "load.15": 1.0, "load.1_per_core": 1.5}
    assert memory_values(system) == {"memory.percent": 50.0, "memory.available_bytes": 512}
    assert swap_values(system) == {"swap.percent": 25.0, "swap.used_bytes": 25, "swap.free_bytes": 75}


def test_a_host_without_swap_or_a_known_number_of_cores_has_no_such_gauge() -> None:
    system = HostSystem()
    system.swap.total = 0
    system.cores = []
    assert swap_values(system) == {}
    assert "load.1_per_core" not in load_values(system)


def test_pressure_is_the_share_of_the_last_ten_seconds(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    some = "some avg10=12.50 avg60=1.00 avg300=0.10 total=99\n"
    (tmp_path / "pressure" / "cpu").write_text(some)
    (tmp_path / "pressure" / "io").write_text(f"{some}full avg10=2.50 avg60=0.00 avg300=0.00 total=0\n")
    assert pressure_values(tmp_path, "cpu") == {"pressure.cpu_percent": 12.5}
    assert pressure_values(tmp_path, "io") == {"pressure.io_percent": 12.5, "pressure.io_full_percent": 2.5}


@pytest.mark.parametrize("text", [None, "nonsense\n", "some avg10=x\n"])
def test_a_kernel_without_pressure_is_a_hidden_gauge(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "pressure").mkdir()
    if text is not None:
        (tmp_path / "pressure" / "cpu").write_text(text)
    with pytest.raises(HIDDEN):
        pressure_values(tmp_path, "cpu")


def test_the_hottest_of_each_kind_of_chip() -> None:
    system = HostSystem()
    system.sensors = {
        "coretemp": [Sensor("Core 0", 61.0, 80.0, 100.0), Sensor("Core 1", 72.0, 80.0, 100.0)],
        "nvme": [Sensor("", 40.0, None, None)],
        "broken": [Sensor("", -128.0, 0.0, 0.0), Sensor("", 255.0, None, None), Sensor("", None, None, None)],
        "odd": [Sensor("", 50.0, None, 65261.0)],
    }
    assert dict(temperature_values(system)) == {
        "coretemp": {"temperature.celsius": 72.0, "temperature.headroom_celsius": 28.0},
        "nvme": {"temperature.celsius": 40.0},
        "odd": {"temperature.celsius": 50.0},
    }


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
    assert memory_values(psutil)["memory.available_bytes"] > 0
