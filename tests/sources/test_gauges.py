"""The host's gauges as a source: at its interval, no burst after a jump, and a reading that hangs is reported."""

import asyncio
import threading
from pathlib import Path

import pytest
import structlog

from daemon.config import HostSource
from daemon.model import Sample
from daemon.sources.gauges import MIN_INTERVAL, HostGauges
from daemon.sources.host_samples import HostSamples
from daemon.telemetry import Board, Health, HealthState, Metrics
from tests.doubles.clock import ManualTime, settle
from tests.doubles.host_system import HostSystem, ProcTree, core
from tests.doubles.source_sink import SourceSink, running


class Host:
    """A host, its clock, and the source under test."""

    def __init__(self, top: Path, interval: float = 5.0) -> None:
        self.time = ManualTime()
        self.board = Board(self.time.now)
        self.metrics = Metrics()
        self.system = HostSystem()
        self.go = threading.Event()
        self.go.set()
        self.reading = threading.Event()
        tree = ProcTree(top)
        samples = HostSamples(
            "host", now=self.time.now, booted=self.time.monotonic, system=self.system, proc=tree.proc, sys=tree.sys,
            units=self.units, statvfs=self.system.statvfs,
        )  # fmt: skip
        self.gauges = HostGauges(
            HostSource(type="host", interval=interval), samples, board=self.board, metrics=self.metrics,
            sleep=self.time.sleep, patience=0.05,
        )  # fmt: skip

    def units(self) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
        self.reading.set()
        self.go.wait()
        return {"units.failed": 0.0}, {}

    async def next(self, seconds: float = 5.0) -> None:
        """Let one interval pass, and the reading after it end."""
        await self.time.advance(seconds)
        await self.time.asleep()

    def health(self) -> Health:
        found = self.board.get("source:host")
        assert found is not None
        return found


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
async def sink() -> SourceSink:
    return SourceSink()


def of_host(samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if not sample.tags]


async def test_the_first_reading_has_no_shares_and_the_second_has(host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
        host.system.cores = [core(user=4, idle=1), core(user=0, idle=5)]
        await host.next()
    first, second = of_host(sink.samples)
    assert not any(name.startswith("cpu.") for name in first.values)
    assert second.at == 1_700_000_005.0
    assert second.values["cpu.percent"] == pytest.approx(40.0)
    counted = host.metrics.registry.get_sample_value("tellwhy_samples_total", {"source": "host"})
    assert counted == len(sink.samples)
    assert host.health().state is HealthState.ok


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
async def test_a_clock_that_jumps_makes_no_burst(host: Host, sink: SourceSink, jump: float) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
        host.time.jump(jump)
        await host.next()
        await host.next()
    assert len(of_host(sink.samples)) == 3


async def test_an_interval_of_zero_does_not_spin(tmp_path: Path, sink: SourceSink) -> None:
    host = Host(tmp_path, interval=0.0)
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


async def test_a_reading_that_hangs_is_reported_and_no_other_begins(host: Host, sink: SourceSink) -> None:
    host.go.clear()
    with structlog.testing.capture_logs() as logs:
        async with running(host.gauges, sink):
            async with asyncio.timeout(5):
                while host.board.get("source:host") is None:
                    await settle(1)
            assert host.health().state is HealthState.degraded
            assert "more than 0.05 s" in host.health().detail
            assert sum(thread.name == "reading" for thread in threading.enumerate()) == 1
            host.go.set()
            await host.time.asleep()
            assert host.health().state is HealthState.ok
    assert [entry["log_level"] for entry in logs if entry["event"] == "source unreadable"] == ["warning"]
    assert len(of_host(sink.samples)) == 1
