"""GPUs as a source: a host without any, a driver that goes, a GPU that is lost, and a real one where there is one."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest
import structlog

from daemon.config import GpuSource
from daemon.sources.gpu import MIN_INTERVAL, RETRY, GpuGauges
from daemon.sources.gpu_samples import GpuSamples
from daemon.telemetry import Board, Health, HealthState, Metrics
from tests.doubles.clock import ManualTime, settle
from tests.doubles.host_system import ProcTree
from tests.doubles.nvml import DRIVER_NOT_LOADED, GPU_IS_LOST, LIBRARY_NOT_FOUND, Nvml
from tests.doubles.source_sink import SourceSink, running


class Host:
    """A host with GPUs, and the source under test."""

    def __init__(self, proc: Path, interval: float = 5.0, nvml: object = pynvml) -> None:
        self.time = ManualTime()
        self.board = Board(self.time.now)
        self.metrics = Metrics()
        samples = GpuSamples("gpu", now=self.time.now, booted=self.time.monotonic, proc=proc)
        self.gauges = GpuGauges(
            GpuSource(type="gpu", interval=interval), samples, board=self.board, metrics=self.metrics,
            sleep=self.time.sleep, nvml=nvml,
        )  # fmt: skip

    async def next(self, seconds: float = 5) -> None:
        await self.time.advance(seconds)
        await self.time.asleep()

    def health(self) -> Health:
        found = self.board.get("source:gpu")
        assert found is not None
        return found


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    return Host(ProcTree(tmp_path).proc)


@pytest.fixture
async def sink() -> SourceSink:
    return SourceSink()


async def closed(nvml: Nvml) -> None:
    async with asyncio.timeout(5):
        while nvml.open:
            await settle(1)


async def test_samples_at_each_interval_and_nvml_closed_at_the_end(nvml: Nvml, host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
        first = len(sink.samples)
        await host.next()
    assert len(sink.samples) == 2 * first
    assert host.metrics.registry.get_sample_value("tellwhy_samples_total", {"source": "gpu"}) == 2 * first
    assert host.health().state is HealthState.ok
    await closed(nvml)


async def test_a_lost_gpu_degrades_the_source_and_is_said_once(nvml: Nvml, host: Host, sink: SourceSink) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(host.gauges, sink):
            await host.time.asleep()
            nvml.devices[0]["nvmlDeviceGetHandleByIndex"] = {"error": GPU_IS_LOST}
            for _ in range(3):
                await host.next()
            assert host.health().state is HealthState.degraded
            assert host.health().detail == "GPU 0: GPU is lost"
            del nvml.devices[0]["nvmlDeviceGetHandleByIndex"]
            await host.next()
            assert host.health().state is HealthState.ok
    assert len([entry for entry in logs if entry["log_level"] == "warning"]) == 1


async def test_a_driver_that_goes_is_a_loss_and_is_tried_again(nvml: Nvml, host: Host, sink: SourceSink) -> None:
    async with running(host.gauges, sink):
        await host.time.asleep()
    sink.items.clear()
    nvml.broken = {"nvmlDeviceGetCount": DRIVER_NOT_LOADED}
    with pytest.raises(pynvml.NVMLError):
        await host.gauges.run(sink.emit)
    nvml.broken = {"nvmlInitWithFlags": DRIVER_NOT_LOADED}
    async with running(host.gauges, sink):
        await host.time.asleep()
        assert [(sample.tags["gpu.index"], sample.values) for sample in sink.samples] == [
            ("0", {"gpu.lost": 1.0}), ("1", {"gpu.lost": 1.0}),
        ]  # fmt: skip
        assert host.health().state is HealthState.degraded
        nvml.broken = {}
        await host.next(RETRY)
        assert host.health().state is HealthState.ok
    await closed(nvml)


async def test_a_host_without_a_driver_says_so_once_and_waits(nvml: Nvml, host: Host, sink: SourceSink) -> None:
    nvml.broken = {"nvmlInitWithFlags": LIBRARY_NOT_FOUND}
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            async with running(host.gauges, sink) as task:
                async with asyncio.timeout(5):
                    while host.board.get("source:gpu") is None:
                        await settle()
                await host.time.advance(600)
                assert not task.done()
    assert (host.health().state, sink.items) == (HealthState.off, [])
    assert "no NVIDIA driver" in host.health().detail
    assert [entry["event"] for entry in logs] == ["gauge absent on this host"]


async def test_an_interval_of_zero_does_not_spin(nvml: Nvml, tmp_path: Path, sink: SourceSink) -> None:
    host = Host(ProcTree(tmp_path).proc, interval=0.0)
    async with running(host.gauges, sink):
        await host.time.asleep()
    assert host.time.slept == [MIN_INTERVAL]
    await closed(nvml)


def keep(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


@pytest.mark.gpu
async def test_a_real_gpu(sink: SourceSink, record_property: Callable[[str, object], None]) -> None:
    """Also writes what was seen to the file that TELLWHY_GPU_SEEN names, for the record."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.skip(f"needs an NVIDIA GPU and its driver: {error}")
    host = Host(Path("/proc"), nvml=None)
    async with running(host.gauges, sink):
        await host.time.asleep()
        await host.next()
    seen = [{"tags": dict(one.tags), "values": dict(one.values), "context": dict(one.context)} for one in sink.samples]
    record_property("seen", json.dumps(seen))
    if "TELLWHY_GPU_SEEN" in os.environ:
        keep(Path(os.environ["TELLWHY_GPU_SEEN"]), json.dumps(seen, indent=1))
    first = next(sample for sample in sink.samples if "gpu.temperature_celsius" in sample.values)
    assert first.tags["gpu.uuid"].startswith("GPU-")
    assert 0 <= first.values["gpu.memory_percent"] <= 100
    assert 0 < first.values["gpu.temperature_celsius"] < 120
    assert 0 < first.values["gpu.power_percent"] <= 150
    assert first.values["gpu.lost"] == 0.0
