"""The processes on a GPU as readings of their own, and in words beside the GPU's (`top.gpu`).

Tagged `gpu.index`, `process.pid`, `process.name`, `process.user`. A process that left the GPU is told of for ten more
minutes, so that what fired of it can end.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from daemon.sources.busy_processes import Told, process_tags
from daemon.sources.followed import Followed
from daemon.sources.gpu_reading import Readings
from daemon.sources.host_processes import TOP, Context, say_bytes
from daemon.sources.process_table import People, Process, read_process

MOST = 32
"""Processes of one GPU that are told of at a time: those with most memory."""


class OnGpu(Struct, frozen=True):
    """One process on one GPU. `memory` in bytes and `share` of its processors in percent, None where not told."""

    pid: int
    compute: bool
    memory: int | None
    share: float | None = None


def find_processes(nvml: Any, handle: Any) -> list[OnGpu]:
    """All processes on one GPU, those with most memory first. Of a GPU that is split (MIG) its parent knows them."""
    shares = _shares(nvml, handle)
    found: dict[int, OnGpu] = {}
    for kind in ("Graphics", "Compute"):
        for one in _running(nvml, handle, kind):
            found[one.pid] = OnGpu(one.pid, kind == "Compute", one.usedGpuMemory, shares.get(one.pid))
    return sorted(found.values(), key=lambda one: (-(one.memory or 0), one.pid))[:MOST]


def _running(nvml: Any, handle: Any, kind: str) -> list[Any]:
    for version in ("_v3", "_v2"):  # a driver older than 510 has no third one
        with suppress(nvml.NVMLError, AttributeError):
            return list(getattr(nvml, f"nvmlDeviceGet{kind}RunningProcesses{version}")(handle))
    return []


def _shares(nvml: Any, handle: Any) -> dict[int, float]:
    """Percent of the GPU's processors that each process used lately: NVML keeps samples, the newest counts."""
    try:
        samples = nvml.nvmlDeviceGetProcessUtilization(handle, 0)
    except (nvml.NVMLError, AttributeError):
        return {}
    newest = sorted((one for one in samples if one.smUtil <= 100), key=lambda one: one.timeStamp)  # noqa: PLR2004 - percent; NVML fills gaps with more
    return {one.pid: float(one.smUtil) for one in newest}


class GpuProcesses:
    """Of all GPUs of a host. Bounded: 32 processes of each GPU."""

    def __init__(self, proc: Path, username: Callable[[int], str], booted: Callable[[], float]) -> None:
        self._proc = proc
        self._people = People(proc, username)
        self._booted = booted
        self._followed: dict[str, Followed[int]] = {}
        self._who: dict[tuple[str, int], Mapping[str, str]] = {}

    def read(self, index: str, on_gpu: list[OnGpu], memory: float, pools: Mapping[int, int] | None) -> Iterator[Told]:
        """One GPU's processes. `memory` is the GPU's in bytes, 0 where unknown; `pools` as in BusyProcesses."""
        here = {one.pid: one for one in on_gpu}
        chosen = self._followed.setdefault(index, Followed(MOST)).choose(here, self._booted())
        kept = {(index, pid) for pid in chosen}
        self._who = {key: tags for key, tags in self._who.items() if key[0] != index or key in kept}
        for pid in chosen:
            if pid in here:
                yield self._told(index, here[pid], memory, pools)
            elif (index, pid) in self._who:
                gone = {"process.gpu_memory_bytes": 0.0, "process.gpu_utilization_percent": 0.0}
                yield Told(self._who[index, pid], gone, {})

    def _told(self, index: str, one: OnGpu, memory: float, pools: Mapping[int, int] | None) -> Told:
        process = read_process(self._proc, one.pid)
        who = {"process.pid": str(one.pid)} if process is None else process_tags(process, self._people.user)
        self._who[index, one.pid] = tags = {"gpu.index": index, **who}
        values: Readings = {"process.gpu_compute": float(one.compute)}
        if one.memory is not None:
            values["process.gpu_memory_bytes"] = one.memory
            values |= {"process.gpu_memory_percent": 100 * one.memory / memory} if memory else {}
        if one.share is not None:
            values["process.gpu_utilization_percent"] = one.share
        if process is None:
            return Told(tags, values, {})
        values["process.age_seconds"] = max(0.0, self._booted() - process.started)
        uid = self._people.uid(process)
        if pools is not None and uid is not None:
            values["process.connections_to_pools"] = pools.get(uid, 0)
        return Told(tags, values, {"process.command": (self._people.command(process),)})

    def words(self, on_gpu: list[OnGpu]) -> Context:
        """Who has the memory of one GPU."""
        said = tuple(self._say(one) for one in on_gpu[:TOP])
        return {"top.gpu": said} if said else {}

    def _say(self, one: OnGpu) -> str:
        amount = "memory not told" if one.memory is None else say_bytes(one.memory)
        share = "" if one.share is None else f" and {one.share:.0f} % of the GPU"
        process: Process | None = read_process(self._proc, one.pid)
        return f"{amount}{share}, pid {one.pid}" if process is None else self._people.say(f"{amount}{share}", process)
