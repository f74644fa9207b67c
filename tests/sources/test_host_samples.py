"""One sample per thing, with its tags; what hangs keeps nobody waiting."""

import os
import threading
import warnings
from pathlib import Path

import pytest
import structlog

from daemon.model import Sample
from daemon.sources.host_samples import HostSamples
from daemon.sources.probes import Probes
from tests.doubles.clock import ManualTime
from tests.doubles.host_system import DENIED, HostSystem, ProcTree, Sensor, core, interface


class Host:
    def __init__(self, tree: ProcTree) -> None:
        self.time = ManualTime()
        self.tree, self.system = tree, HostSystem()
        self.go = threading.Event()
        self.go.set()
        self.samples = HostSamples(
            "host", now=self.time.now, booted=self.time.monotonic, system=self.system, proc=tree.proc, sys=tree.sys,
            units=lambda: ({"units.failed": 0.0}, {}), statvfs=self.statvfs, probes=Probes(patience=0.05),
        )  # fmt: skip

    def statvfs(self, mount: str) -> os.statvfs_result:
        if mount.startswith("/mnt/nas"):
            self.go.wait()
        return self.system.statvfs(mount)

    async def next(self, seconds: float = 5.0) -> list[Sample]:
        await self.time.advance(seconds)
        return self.samples.read(5.0)


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    return Host(ProcTree(tmp_path))


def of(samples: list[Sample], tag: str) -> list[Sample]:
    return [sample for sample in samples if tag in sample.tags]


async def test_one_sample_for_each_thing(host: Host) -> None:
    host.system.sensors = {"coretemp": [Sensor("", 70.0, None, 100.0)]}
    (host.tree.sys / "block/sda").mkdir(parents=True)
    host.tree.write("diskstats", "8 0 sda 5 0 5 5 5 0 5 5 0 5 5\n")
    first = host.samples.read(5.0)
    whole, disk, chip = first
    assert (whole.source, whole.category, whole.at, whole.tags) == ("host", "host_metrics", 1_700_000_000.0, {})
    assert (disk.tags, disk.values["disk.percent"]) == ({"disk.mount": "/", "disk.device": "/dev/sda1"}, 100 * 90 / 98)
    assert chip.tags == {"temperature.chip": "coretemp"}
    host.system.cores = [core(user=4, idle=1), core(idle=5)]
    host.system.interfaces["eth0"] = interface(sent=500, received=1000)
    second = await host.next()
    assert second[0].values["cpu.percent"] == pytest.approx(40.0)
    assert [sample.tags for sample in second[1:]] == [
        {"disk.mount": "/", "disk.device": "/dev/sda1"}, {"disk.device": "/dev/sda"}, {"net.interface": "eth0"},
    ]  # fmt: skip
    assert second[-1].values["net.received_bytes_per_second"] == pytest.approx(200.0)
    assert all(type(value) is float for sample in second for value in sample.values.values())


async def test_tags_are_text_for_any_encoder(host: Host) -> None:
    host.system.partitions = [("/dev/sdb", "/mnt/\udcff", "ext4"), ("/dev/sda1", "/", "ext4")]
    tags = [sample.tags["disk.mount"] for sample in of(host.samples.read(5.0), "disk.mount")]
    assert tags == ["/", "/mnt/\\xff"]


async def test_a_filesystem_that_hangs_has_a_name_for_any_encoder(host: Host) -> None:
    """The worst bug: whoever may mount one (sshfs) under bytes that are no text makes the health unreadable."""
    host.system.partitions.append(("nas:/export", "/mnt/nas\udcff", "nfs4"))
    host.go.clear()
    await host.next()
    assert host.samples.hung == ["/mnt/nas\\xff"]
    host.go.set()


async def test_a_filesystem_that_hangs_keeps_nobody_waiting(host: Host) -> None:
    """The worst bug: a file server that is away, and no gauge of this host is read any more."""
    host.system.partitions.append(("nas:/export", "/mnt/nas", "nfs4"))
    host.go.clear()
    for _ in range(3):
        samples = await host.next()
        assert [sample.tags["disk.mount"] for sample in of(samples, "disk.mount")] == ["/"]
        assert host.samples.hung == ["/mnt/nas"]
    host.go.set()
    while host.samples.hung:
        pass
    assert len(of(await host.next(), "disk.mount")) == 2


async def test_what_a_container_hides_is_absent_and_said_once(host: Host) -> None:
    host.system.hidden = {
        "cpu_times": FileNotFoundError("/proc/stat"), "statvfs /": PermissionError("/"), "net_io_counters": OSError("none"),
        "sensors_temperatures": AttributeError("not on this platform"), "virtual_memory": DENIED,
    }  # fmt: skip
    (host.tree.proc / "diskstats").unlink()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            samples = await host.next()
            assert [sample.tags for sample in samples] == [{}]
    absent = [entry["gauge"] for entry in logs if entry["event"] == "gauge absent on this host"]
    assert sorted(absent) == ["conntrack", "cpu", "disk /", "disk io", "memory", "net", "temperature"]


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0, 60.0])
async def test_a_clock_that_jumps_makes_no_wrong_rate(host: Host, jump: float) -> None:
    host.samples.read(5.0)
    host.time.jump(jump)
    host.system.interfaces["eth0"] = interface(received=1000)
    samples = await host.next()
    assert samples[-1].values["net.received_bytes_per_second"] == pytest.approx(200.0)
    assert samples[0].values["clock.jump_seconds"] == pytest.approx(jump)


async def test_an_interface_that_was_made_anew_has_no_rates_for_once(host: Host) -> None:
    host.system.interfaces["eth0"] = interface(sent=5000, received=5000)
    host.samples.read(5.0)
    host.system.interfaces["eth0"] = interface(sent=1, received=9000)
    assert of(await host.next(), "net.interface") == []
    assert len(of(await host.next(), "net.interface")) == 1


async def test_forgotten_there_is_no_baseline(host: Host) -> None:
    host.samples.read(5.0)
    host.samples.forget()
    samples = await host.next()
    assert of(samples, "net.interface") == []
    assert "cpu.percent" not in samples[0].values


def test_this_very_host_gives_samples() -> None:
    time = ManualTime()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # psutil's word for a kernel that hides swap counters
        samples = HostSamples("host", now=time.now).read(5.0)
    assert samples[0].values["process.count"] >= 1
    assert samples[0].context["top.memory"]
    assert any(sample.tags.get("disk.mount") == "/" for sample in samples)
