"""All GPUs of this host at one moment → samples. Blocking: it runs on a thread of its own.

One sample per GPU (`gpu.index`, `gpu.name`, `gpu.uuid`), one per part of a GPU that is split (`gpu.mig` besides), one
per process on a GPU (see `gpu_processes`), one per fault (`gpu.xid`) and one of how many GPUs there are. A GPU that
was there and is not any more is told of as lost.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from daemon.model import Lost, Sample
from daemon.sources.attempts import Attempts
from daemon.sources.gpu_faults import Faults
from daemon.sources.gpu_processes import GpuProcesses, find_processes
from daemon.sources.gpu_reading import GONE, Readings, is_one_of, memory_values, read_gauges, read_slow_gauges, text_of
from daemon.sources.host_kernel import boottime
from daemon.sources.host_network import read_connections
from daemon.sources.host_processes import Context
from daemon.sources.pace import Pace

CATEGORY = "gpu_metrics"
MOST = 64
"""GPUs, and parts of one GPU, that are looked at."""
_SLOWLY = 30.0
"""Seconds between two measurements of PCIe."""
_AGAIN = 60.0
"""Seconds after which is tried again to wait for faults."""

Tags = Mapping[str, str]


class GpuSamples:
    """Reads the GPUs of one host. `proc` is where the kernel shows processes, `username` names a user id, `booted` are
    seconds since the boot.
    """

    def __init__(
        self,
        source: str,
        *,
        now: Callable[[], float],
        booted: Callable[[], float] = boottime,
        username: Callable[[int], str] = str,
        proc: Path = Path("/proc"),
    ) -> None:
        self._source = source
        self._now = now
        self._booted = booted
        self._proc = proc
        self._attempts = Attempts(source)
        self._processes = GpuProcesses(proc, username, booted)
        self._known: dict[str, Tags] = {}
        self._slow: dict[str, Readings] = {}
        self._faults: Faults | None = None
        self._pace = {"slow": Pace(_SLOWLY), "connections": Pace(), "faults": Pace(_AGAIN)}
        self._pools: Mapping[int, int] | None = None
        self.troubles: list[str] = []

    def close(self) -> None:
        """Wait for faults no more."""
        if self._faults is not None:
            self._faults.stop()
        self._faults = None

    def lost(self) -> list[Sample]:
        """What there is to tell while NVML itself does not answer: every GPU that was there is lost."""
        return [self._sample(tags, {"gpu.lost": 1.0}) for tags in self._known.values()]

    def read(self, nvml: Any) -> list[Sample | Lost]:
        """All samples of one moment. NVMLError where NVML itself does not answer."""
        self.troubles = []
        booted, count = self._booted(), min(MOST, nvml.nvmlDeviceGetCount())
        if self._pace["connections"].due(booted):
            self._pools = self._attempts.take(
                "connections", partial(self._pace["connections"].take, booted, self._to_pools)
            )
        slow = self._pace["slow"].due(booted)
        handles = {index: handle for index in range(count) if (handle := self._handle(nvml, index)) is not None}
        found: list[Sample | Lost] = [self._sample({}, {"gpu.count": float(count)})]
        seen = set()
        for index, handle in handles.items():
            if slow:
                self._pace["slow"].take(booted, partial(self._read_slow, nvml, index, handle))
            found += self._of_one(nvml, index, handle)
            seen.add(str(index))
        found += [self._sample(tags, {"gpu.lost": 1.0}) for index, tags in self._known.items() if index not in seen]
        found += self._fetch_faults(nvml, handles, booted)
        return found

    def _handle(self, nvml: Any, index: int) -> Any:
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            self._known[str(index)] = {"gpu.index": str(index), **_names(nvml, handle)}
        except nvml.NVMLError as error:
            self.troubles.append(f"GPU {index}: {error}")
            if is_one_of(nvml, error, *GONE):
                self._known.setdefault(str(index), {"gpu.index": str(index)})
            return None
        return handle

    def _read_slow(self, nvml: Any, index: int, handle: Any) -> None:
        self._slow[str(index)] = read_slow_gauges(nvml, handle)

    def _of_one(self, nvml: Any, index: int, handle: Any) -> Iterator[Sample]:
        tags = self._known[str(index)]
        values, trouble = read_gauges(nvml, handle)
        if trouble:
            self.troubles.append(f"GPU {index}: {trouble}")
        if values.get("gpu.lost") or not values:
            yield from [self._sample(tags, values)] if values else []
            return
        on_gpu = find_processes(nvml, handle)
        values |= {"gpu.processes": float(len(on_gpu)), **self._slow.pop(str(index), {})}
        yield self._sample(tags, values, self._processes.words(on_gpu))
        memory = values.get("gpu.memory_used_bytes", 0.0) + values.get("gpu.memory_free_bytes", 0.0)
        for told in self._processes.read(str(index), on_gpu, memory, self._pools):
            yield self._sample(told.tags, told.values, told.context)
        if values.get("gpu.mig_enabled"):
            yield from self._parts(nvml, index, handle)

    def _parts(self, nvml: Any, index: int, handle: Any) -> Iterator[Sample]:
        try:
            most = min(MOST, nvml.nvmlDeviceGetMaxMigDeviceCount(handle))
        except (nvml.NVMLError, AttributeError):
            return
        for number in range(most):
            with suppress(nvml.NVMLError, AttributeError):
                part = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
                tags = {"gpu.index": str(index), "gpu.mig": str(number), **_names(nvml, part)}
                yield self._sample(tags, memory_values(nvml.nvmlDeviceGetMemoryInfo(part)))

    def _fetch_faults(self, nvml: Any, handles: Mapping[int, Any], booted: float) -> Iterator[Sample | Lost]:
        faults = self._faults
        ended = faults is None or faults.ended  # asked before it is emptied: what ends it follows a fault mostly
        found, left_out = faults.fetch() if faults is not None else ([], 0)
        if ended and self._pace["faults"].due(booted):
            self._pace["faults"].take(booted, partial(self._await_faults, nvml, handles))
        of_uuid = {tags.get("gpu.uuid"): tags for tags in self._known.values()}
        for fault in found:
            tags = of_uuid.get(fault.uuid, {})
            yield Sample(self._source, CATEGORY, fault.at, tags, {"gpu.xid": float(fault.xid)})
        if left_out:
            yield Lost(self._source, "faults_overflow", left_out, self._now(), "more GPU faults than could be kept")

    def _await_faults(self, nvml: Any, handles: Mapping[int, Any]) -> None:
        faults = Faults(nvml, self._now)
        why = faults.start(handles.values())
        if why:
            self._attempts.note("gpu.xid", OSError(why))
        self._faults = None if why else faults

    def _to_pools(self) -> Mapping[int, int]:
        return read_connections(self._proc).pools

    def _sample(self, tags: Tags, values: Readings, context: Context | None = None) -> Sample:
        gauges = {name: float(value) for name, value in values.items()}
        return Sample(self._source, CATEGORY, self._now(), tags, gauges, context or {})


def _names(nvml: Any, handle: Any) -> dict[str, str]:
    return {"gpu.name": text_of(nvml.nvmlDeviceGetName(handle)), "gpu.uuid": text_of(nvml.nvmlDeviceGetUUID(handle))}
