"""GPU gauges: units, what a GPU does not have, a GPU that falls off the bus, a host without any."""

import asyncio
from collections.abc import Callable

import pynvml
import pytest
import structlog

from daemon.config import GpuSource
from daemon.sources.gpu import MIN_INTERVAL, GpuGauges, read_gauges
from daemon.telemetry import Board, Health, HealthState, Metrics
from tests.doubles.clock import ManualTime, settle
from tests.doubles.nvml import Nvml
from tests.doubles.source_sink import SourceSink, running


class Host:
    """A host with GPUs, and the source under test."""

    def __init__(self, nvml: object, interval: float = 5.0) -> None:
        self.time = ManualTime()
        self.board = Board(self.time.now)
        self.metrics = Metrics()
        self.gauges = GpuGauges(
            GpuSource(type="gpu", interval=interval), board=self.board, metrics=self.metrics,
            now=self.time.now, sleep=self.time.sleep, nvml=nvml,
        )  # fmt: skip

    async def next(self) -> None:
        await self.time.advance(5)
        await self.time.asleep()

    def health(self) -> Health:
        found = self.board.get("source:gpu")
        assert found is not None
        return found


@pytest.fixture
async def sink() -> SourceSink:
    return SourceSink()


def test_all_gauges_in_their_units() -> None:
    assert read_gauges(Nvml(), 0) == (
        {
            "gpu.utilization_percent": 97.0,
            "gpu.memory_utilization_percent": 40.0,
            "gpu.memory_percent": 25.0,
            "gpu.memory_used_bytes": 250.0,
            "gpu.temperature_celsius": 71.0,
            "gpu.power_watts": 345.6,
            "gpu.power_limit_watts": 700.0,
            "gpu.fan_percent": 30.0,
            "gpu.sm_clock_mhz": 1980.0,
            "gpu.ecc_uncorrected_errors": 2.0,
        },
        "",
    )


def test_a_gauge_that_the_gpu_does_not_have_is_left_out_without_complaint() -> None:
    nvml = Nvml()
    nvml.broken = {
        "nvmlDeviceGetFanSpeed": nvml.NVML_ERROR_NOT_SUPPORTED,
        "nvmlDeviceGetTotalEccErrors": nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
        "nvmlDeviceGetPowerUsage": nvml.NVML_ERROR_NO_PERMISSION,
    }
    values, trouble = read_gauges(nvml, 0)
    assert not {"gpu.fan_percent", "gpu.ecc_uncorrected_errors", "gpu.power_watts"} & values.keys()
    assert len(values) == 7
    assert trouble == ""


def test_bindings_without_a_function_and_a_gpu_without_memory_of_its_own() -> None:
    class Old(Nvml):
        @property
        def nvmlDeviceGetEnforcedPowerLimit(self) -> None:  # type: ignore[override] # noqa: N802 - absent, as in bindings before it
            raise AttributeError

    nvml = Old()
    nvml.memory.total = 0
    values, trouble = read_gauges(nvml, 0)
    assert not {"gpu.power_limit_watts", "gpu.memory_percent"} & values.keys()
    assert trouble == ""


def test_the_double_has_the_names_and_numbers_of_the_real_module() -> None:
    for name in (name for name in dir(Nvml) if name.startswith(("NVML_", "nvml"))):
        assert hasattr(pynvml, name), name
        if isinstance(getattr(Nvml, name), int):
            assert getattr(pynvml, name) == getattr(Nvml, name), name


async def test_one_sample_for_each_gpu(sink: SourceSink) -> None:
    nvml = Nvml(gpus=2)
    nvml.names = ["NVIDIA H100", b"Tesla K80"]
    host = Host(nvml)
    async with running(host.gauges, sink):
        await host.time.asleep()
        await host.next()
    first, second = sink.samples[:2]
    assert (first.source, first.category, first.at) == ("gpu", "gpu_metrics", 1_700_000_000.0)
    assert first.tags == {"gpu.index": "0", "gpu.name": "NVIDIA H100", "gpu.uuid": "GPU-0"}
    assert second.tags == {"gpu.index": "1", "gpu.name": "Tesla K80", "gpu.uuid": "GPU-1"}
    assert len(sink.samples) == 4
    assert host.metrics.registry.get_sample_value("tellwhy_samples_total", {"source": "gpu"}) == 4
    assert host.health().state is HealthState.ok
    assert nvml.open == 0


async def test_a_lost_gpu_degrades_the_source_and_the_others_go_on(sink: SourceSink) -> None:
    nvml = Nvml(gpus=2)
    host = Host(nvml)
    with structlog.testing.capture_logs() as logs:
        async with running(host.gauges, sink):
            await host.time.asleep()
            nvml.broken = {"nvmlDeviceGetHandleByIndex 0": nvml.NVML_ERROR_GPU_IS_LOST}
            for _ in range(3):
                await host.next()
            assert host.health().state is HealthState.degraded
            assert "GPU 0: NVML error 15" in host.health().detail
            assert [sample.tags["gpu.index"] for sample in sink.samples] == ["0", "1", "1", "1", "1"]
            nvml.broken = {"nvmlDeviceGetTemperature 1": nvml.NVML_ERROR_GPU_IS_LOST}
            await host.next()
            assert "GPU 1" in host.health().detail
            nvml.broken = {}
            await host.next()
            assert host.health().state is HealthState.ok
    assert len([entry for entry in logs if entry["log_level"] == "warning"]) == 1


async def test_a_failure_of_all_of_nvml_is_raised_and_nvml_closed(sink: SourceSink) -> None:
    nvml = Nvml()
    nvml.broken = {"nvmlDeviceGetCount": nvml.NVML_ERROR_DRIVER_NOT_LOADED}
    with pytest.raises(Nvml.NVMLError):
        await Host(nvml).gauges.run(sink.emit)
    assert nvml.open == 0


def no_driver() -> object:
    nvml = Nvml()
    nvml.broken = {"nvmlInit": nvml.NVML_ERROR_LIBRARY_NOT_FOUND}
    return nvml


@pytest.mark.parametrize("build", [no_driver])
async def test_a_host_without_a_driver_says_so_once_and_waits(build: Callable[[], object], sink: SourceSink) -> None:
    host = Host(build())
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


async def test_an_interval_of_zero_does_not_spin(sink: SourceSink) -> None:
    host = Host(Nvml(), interval=0.0)
    async with running(host.gauges, sink):
        await host.time.asleep()
    assert host.time.slept == [MIN_INTERVAL]


@pytest.mark.gpu
async def test_a_real_gpu(sink: SourceSink) -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.skip(f"needs an NVIDIA GPU and its driver: {error}")
    host = Host(None)
    async with running(host.gauges, sink):
        await sink.until(lambda: sink.samples)
    [first, *_] = sink.samples
    assert first.tags["gpu.uuid"].startswith("GPU-")
    assert 0 <= first.values["gpu.memory_percent"] <= 100
    assert first.values["gpu.temperature_celsius"] > 0
