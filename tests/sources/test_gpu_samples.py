"""All GPUs of a host: one sample each, and those that were there and are gone are told of as lost."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest
import structlog

from daemon.model import Lost, Sample
from daemon.sources.gpu_samples import GpuSamples
from tests.doubles.clock import settle
from tests.doubles.host_system import ProcTree
from tests.doubles.nvml import DRIVER_NOT_LOADED, GPU_IS_LOST, Nvml


class Host:
    def __init__(self, top: Path) -> None:
        self.at = 1000.0
        tree = ProcTree(top)
        tree.run(4242, "python3", command="python3 train.py")
        self.samples = GpuSamples(
            "gpu", now=lambda: 5.0, booted=lambda: self.at, username=lambda _: "alice", proc=tree.proc
        )

    def read(self) -> list[Sample]:
        self.at += 5
        items = self.samples.read(pynvml)
        assert not any(isinstance(item, Lost) for item in items)
        return [item for item in items if isinstance(item, Sample)]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.samples.close()


def of(samples: list[Sample], gauge: str) -> list[Sample]:
    return [sample for sample in samples if gauge in sample.values]


def test_one_sample_for_each_gpu_part_and_process(nvml: Nvml, host: Host) -> None:
    samples = host.read()
    assert (samples[0].source, samples[0].category, samples[0].values) == ("gpu", "gpu_metrics", {"gpu.count": 2.0})
    first, second = of(samples, "gpu.temperature_celsius")
    assert first.tags == {
        "gpu.index": "0", "gpu.name": "NVIDIA H100 80GB HBM3", "gpu.uuid": "GPU-6c6f0e5a-0000-4000-8000-000000000000"
    }  # fmt: skip
    assert first.context["top.gpu"][0].endswith("pid 4242 of alice: python3 train.py")
    assert (first.values["gpu.processes"], second.tags["gpu.index"]) == (2.0, "1")
    parts = [sample for sample in samples if "gpu.mig" in sample.tags]
    assert [part.tags["gpu.uuid"][-2:] for part in parts] == ["10", "11"]
    assert parts[0].values["gpu.memory_percent"] > 98
    process = next(sample for sample in samples if sample.tags.get("process.pid") == "4242")
    assert process.values["process.connections_to_pools"] == 0.0
    assert all(type(value) is float for sample in samples for value in sample.values.values())


def test_what_takes_long_is_measured_seldom(nvml: Nvml, host: Host) -> None:
    had = [bool(of(host.read(), "gpu.pcie_sent_bytes_per_second")) for _ in range(8)]
    assert had == [True, False, False, False, False, False, True, False]


def test_a_gpu_that_fell_off_the_bus_is_lost_and_the_others_go_on(nvml: Nvml, host: Host) -> None:
    before = host.read()
    nvml.devices[0]["nvmlDeviceGetHandleByIndex"] = {"error": GPU_IS_LOST}
    samples = host.read()
    [lost] = [sample for sample in samples if sample.values.get("gpu.lost")]
    assert lost.tags == of(before, "gpu.temperature_celsius")[0].tags
    assert of(samples, "gpu.temperature_celsius")[0].tags["gpu.index"] == "1"
    assert host.samples.troubles == ["GPU 0: GPU is lost"]


def test_a_gpu_that_is_not_counted_any_more_is_lost(nvml: Nvml, host: Host) -> None:
    host.read()
    del nvml.devices[1]
    samples = host.read()
    assert samples[0].values == {"gpu.count": 1.0}
    assert [sample.tags["gpu.index"] for sample in samples if sample.values.get("gpu.lost")] == ["1"]
    assert [sample.tags["gpu.index"] for sample in host.samples.lost()] == ["0", "1"]


def test_a_gpu_that_was_never_seen_is_lost_only_if_nvml_says_so(nvml: Nvml, host: Host) -> None:
    nvml.devices[0]["nvmlDeviceGetHandleByIndex"] = {"error": 4}
    assert [sample for sample in host.read() if sample.values.get("gpu.lost")] == []
    nvml.devices[0]["nvmlDeviceGetHandleByIndex"] = {"error": GPU_IS_LOST}
    assert [sample.tags for sample in host.read() if sample.values.get("gpu.lost")] == [{"gpu.index": "0"}]


def test_nvml_that_does_not_answer_is_an_error(nvml: Nvml, host: Host) -> None:
    nvml.broken = {"nvmlDeviceGetCount": DRIVER_NOT_LOADED}
    with pytest.raises(pynvml.NVMLError):
        host.read()


async def test_faults_come_with_the_tags_of_their_gpu(nvml: Nvml, host: Host) -> None:
    host.read()
    nvml.fault(1, 48)
    found: list[Sample] = []
    async with asyncio.timeout(5):
        while not found:
            await settle(1)
            found = of(host.read(), "gpu.xid")
    assert (found[0].values, found[0].tags["gpu.index"], found[0].at) == ({"gpu.xid": 48.0}, "1", 5.0)


def test_where_faults_cannot_be_waited_for_it_is_said_once(nvml: Nvml, host: Host) -> None:
    nvml.broken = {"nvmlDeviceRegisterEvents": 3}
    with structlog.testing.capture_logs() as logs:
        for _ in range(30):
            host.read()
    assert [entry["gauge"] for entry in logs] == ["gpu.xid"]


async def test_a_fault_that_ends_the_wait_for_faults_is_told(nvml: Nvml, host: Host) -> None:
    """The worst bug: of a GPU that falls off the bus the driver tells (Xid 79), and then nothing any more."""
    host.read()
    nvml.fault(1, 79)
    async with asyncio.timeout(5):
        while nvml._faults:
            await settle(1)
        nvml.broken = {"nvmlEventSetWait": GPU_IS_LOST}
        while nvml.open:  # the thread has ended
            await settle(1)
    nvml.broken = {}
    host.at += 60
    assert [one.values for one in of(host.read(), "gpu.xid")] == [{"gpu.xid": 79.0}]
    nvml.fault(0, 13)
    async with asyncio.timeout(5):
        while not (found := of(host.read(), "gpu.xid")):
            await settle(1)
    assert [one.values for one in found] == [{"gpu.xid": 13.0}]
