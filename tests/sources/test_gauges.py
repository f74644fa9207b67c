"""The host's gauges as a source: nothing invented, nothing logged twice, no burst after a jump."""

import warnings
from pathlib import Path

import pytest
import structlog

from daemon.config import HostSource
from daemon.model import Sample
from daemon.sources.gauges import MIN_INTERVAL, HostGauges
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.clock import ManualTime
from tests.doubles.host_system import DENIED, HostSystem, core, interface
from tests.doubles.source_sink import SourceSink, running


class Host:
    """A host, its clock, and the source under test."""

    def __init__(self, interval: float = 5.0) -> None:
        self.time = ManualTime()
        self.board = Board(self.time.now)
        self.metrics = Metrics()
        self.system = HostSystem()
        self.gauges = HostGauges(
            HostSource(type="host", interval=interval), board=self.board, metrics=self.metrics,
            now=self.time.now, sleep=self.time.sleep, system=self.system, proc=Path("/nowhere"),
        )  # fmt: skip

    async def next(self, seconds: float = 5.0) -> None:
        """Let one interval pass, and the reading after it end."""
        await self.time.advance(seconds)
        await self.time.asleep()


@pytest.fixture
async def host() -> Host:
    return Host()


@pytest.fixture
async def sink() -> SourceSink:
    return SourceSink()


def of_host(samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if not sample.tags]


async def test_the_first_reading_has_no_shares_and_no_rates(host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
        first = list(sink.samples)
        host.system.cores = [core(user=4, idle=1), core(user=0, idle=5)]
        host.system.interfaces["eth0"] = interface(sent=500, received=1000)
        await host.next()
    whole, disk = first
    assert (whole.source, whole.category, whole.at, whole.tags) == ("host", "host_metrics", 1_700_000_000.0, {})
    assert whole.values["memory.percent"] == 50.0
    assert not any(name.startswith(("cpu.", "net.", "pressure.")) for name in whole.values)
    assert disk.tags == {"disk.mount": "/", "disk.device": "/dev/sda1"}
    assert disk.values["disk.percent"] == 91.5
    second = sink.samples[2:]
    assert second[0].at == 1_700_000_005.0
    assert second[0].values["cpu.percent"] == pytest.approx(40.0)
    assert second[-1].tags == {"net.interface": "eth0"}
    assert second[-1].values["net.received_bytes_per_second"] == pytest.approx(200.0)


async def test_every_value_is_a_float_and_every_sample_is_counted(host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
    assert all(type(value) is float for sample in sink.samples for value in sample.values.values())
    counted = host.metrics.registry.get_sample_value("tellwhy_samples_total", {"source": "host"})
    assert counted == len(sink.samples) == 2


async def test_what_a_container_hides_is_absent_and_said_once(host: Host, sink: SourceSink) -> None:
    host.system.hidden = {
        "cpu_times": FileNotFoundError("/proc/stat"), "swap_memory": RuntimeWarning("sin and sout"), "pids": DENIED,
        "disk_usage /": PermissionError("/"), "net_io_counters": OSError("no such thing"), "getloadavg": OSError("hidden"),
    }  # fmt: skip
    with structlog.testing.capture_logs() as logs:
        async with running(host.gauges, sink):
            await host.time.asleep()
            for _ in range(3):
                await host.next()
    assert all(sample.values.keys() == {"memory.percent", "memory.available_bytes"} for sample in sink.samples)
    assert len(sink.samples) == 4
    absent = [entry["gauge"] for entry in logs if entry["event"] == "gauge absent on this host"]
    assert sorted(absent) == ["cpu", "disk /", "load", "net", "pressure", "process", "swap"]
    health = host.board.get("source:host")
    assert health is not None
    assert health.state is HealthState.ok


async def test_a_gauge_that_comes_back_begins_with_a_new_baseline(host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
        host.system.hidden = {"cpu_times": OSError("gone")}
        await host.next()
        host.system.hidden = {}
        host.system.cores = [core(user=1000), core(user=1000)]
        await host.next()
        assert "cpu.percent" not in of_host(sink.samples)[-1].values
        host.system.cores = [core(user=1000, idle=10), core(user=1000, idle=10)]
        await host.next()
    assert of_host(sink.samples)[-1].values["cpu.percent"] == 0.0


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0, 60.0])
async def test_a_clock_that_jumps_makes_no_burst_and_no_wrong_rate(host: Host, sink: SourceSink, jump: float) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
        host.time.jump(jump)
        host.system.interfaces["eth0"] = interface(received=1000)
        await host.next()
        assert len(of_host(sink.samples)) == 2
        assert not [sample for sample in sink.samples if "net.interface" in sample.tags]
        host.system.interfaces["eth0"] = interface(received=2000)
        await host.next()
    assert len(of_host(sink.samples)) == 3
    assert sink.samples[-1].values["net.received_bytes_per_second"] == pytest.approx(200.0)


async def test_an_interval_of_zero_does_not_spin(sink: SourceSink) -> None:
    host = Host(interval=0.0)
    async with running(host.gauges, sink):
        await host.time.asleep()
    assert host.time.slept == [MIN_INTERVAL]


async def test_running_again_takes_no_baseline_from_before(host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
    host.system.cores = [core(user=9), core(user=9)]
    async with running(host.gauges, sink):
        await host.time.asleep()
    assert "cpu.percent" not in of_host(sink.samples)[-1].values


async def test_this_very_host_gives_samples(sink: SourceSink) -> None:
    time = ManualTime()
    gauges = HostGauges(
        HostSource(type="host"), board=Board(time.now), metrics=Metrics(), now=time.now, sleep=time.sleep
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # psutil's word for a kernel that hides swap counters
        async with running(gauges, sink):
            await time.asleep()
    [whole] = of_host(sink.samples)
    assert whole.values["process.count"] >= 1
    assert any(sample.tags.get("disk.mount") == "/" for sample in sink.samples)
