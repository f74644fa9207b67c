"""Who is on a GPU: readings of each process, and words for the GPU's."""

from pathlib import Path

import pynvml
import pytest

from daemon.sources.followed import LINGER
from daemon.sources.gpu_processes import MOST, GpuProcesses, OnGpu, find_processes
from tests.doubles.host_system import ProcTree
from tests.doubles.nvml import Nvml

GIB = 2**30


class Host:
    def __init__(self, top: Path) -> None:
        self.at = 1000.0
        self.tree = ProcTree(top)
        self.tree.run(4242, "python3", started=400.0, command="python3 train.py")
        self.processes = GpuProcesses(self.tree.proc, lambda _: "alice", lambda: self.at)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def find() -> list[OnGpu]:
    return find_processes(pynvml, pynvml.nvmlDeviceGetHandleByIndex(0))


def test_those_with_most_memory_come_first_and_what_is_not_told_is_not_zero(nvml: Nvml) -> None:
    assert find() == [OnGpu(4242, compute=True, memory=15 * GIB, share=96.0), OnGpu(999999, compute=True, memory=None)]
    nvml.devices[0]["nvmlDeviceGetGraphicsRunningProcesses"] = [{"pid": 7, "usedGpuMemory": 16 * GIB}]
    assert find()[0] == OnGpu(7, compute=False, memory=16 * GIB)


def test_older_drivers_and_missing_permission(nvml: Nvml) -> None:
    nvml.absent = {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3"}
    assert [one.pid for one in find()] == [4242, 999999]
    nvml.broken = {"nvmlDeviceGetComputeRunningProcesses": 4, "nvmlDeviceGetProcessUtilization": 4}
    assert find() == []


def test_processes_are_bounded(nvml: Nvml) -> None:
    nvml.devices[0]["nvmlDeviceGetComputeRunningProcesses"] = [
        {"pid": pid, "usedGpuMemory": pid} for pid in range(1, 500)
    ]
    assert [one.pid for one in find()] == list(range(499, 499 - MOST, -1))


def test_readings_of_a_process_and_its_end(host: Host) -> None:
    on_gpu = [OnGpu(4242, compute=True, memory=15 * GIB, share=96.0)]
    [told] = host.processes.read("0", on_gpu, 60.0 * GIB, {0: 3})
    assert told.tags == {
        "gpu.index": "0", "process.pid": "4242", "process.name": "python3", "process.user": "alice"
    }  # fmt: skip
    assert told.values["process.gpu_memory_percent"] == 25.0
    assert told.values["process.gpu_utilization_percent"] == 96.0
    assert told.values["process.age_seconds"] == 600.0
    assert told.values["process.gpu_compute"] == 1.0
    assert told.context == {"process.command": ("python3 train.py",)}
    host.at += 5
    [gone] = host.processes.read("0", [], 60.0 * GIB, None)
    assert gone.tags == told.tags
    assert gone.values == {"process.gpu_memory_bytes": 0.0, "process.gpu_utilization_percent": 0.0}
    assert list(host.processes.read("1", [], 0.0, None)) == []
    host.at += LINGER + 1
    assert list(host.processes.read("0", [], 60.0 * GIB, None)) == []


def test_a_process_of_another_namespace_has_its_number_alone(host: Host) -> None:
    [told] = host.processes.read("0", [OnGpu(7, compute=True, memory=None)], 0.0, {})
    assert (told.tags, told.values, told.context) == (
        {"gpu.index": "0", "process.pid": "7"}, {"process.gpu_compute": 1.0}, {},
    )  # fmt: skip


def test_words_for_the_gpu(host: Host) -> None:
    words = host.processes.words(
        [OnGpu(4242, compute=True, memory=15 * GIB, share=96.0), OnGpu(7, compute=True, memory=None)]
    )
    assert words == {
        "top.gpu": (
            "15.0 GiB and 96 % of the GPU, pid 4242 of alice: python3 train.py", "memory not told, pid 7",
        )
    }  # fmt: skip
    assert host.processes.words([]) == {}
