"""The source that reads the gauges of NVIDIA GPUs through NVML.

One sample per GPU every `interval` seconds, tagged `gpu.index`, `gpu.name`, `gpu.uuid`. A gauge that a GPU does not
have is left out. A host without a driver says so once and the source then only waits: a GPU does not come by itself,
and whoever installs a driver restarts us.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from daemon.config import GpuSource
from daemon.model import Sample
from daemon.sources import Emit
from daemon.sources.aside import read_aside
from daemon.telemetry import Board, HealthState, Metrics, Says, log

CATEGORY = "gpu_metrics"
MIN_INTERVAL = 0.1


def read_gauges(nvml: Any, handle: Any) -> tuple[dict[str, float], str]:
    """All gauges that this GPU has, and the last error that was not "this GPU has no such gauge"."""
    values: dict[str, float] = {}
    trouble = ""
    for read in (_utilization, _memory, _temperature, _power, _power_limit, _fan, _clock, _ecc):
        try:
            values |= read(nvml, handle)
        except nvml.NVMLError as error:
            if not _is(nvml, error, "NOT_SUPPORTED", "FUNCTION_NOT_FOUND", "NO_PERMISSION", "INVALID_ARGUMENT"):
                trouble = str(error)
        except AttributeError:
            continue  # this version of the bindings has no such function
    return {name: float(value) for name, value in values.items()}, trouble


def _is(nvml: Any, error: Any, *names: str) -> bool:
    return getattr(error, "value", None) in {getattr(nvml, f"NVML_ERROR_{name}", object()) for name in names}


def _utilization(nvml: Any, handle: Any) -> dict[str, float]:
    rates = nvml.nvmlDeviceGetUtilizationRates(handle)
    return {"gpu.utilization_percent": rates.gpu, "gpu.memory_utilization_percent": rates.memory}


def _memory(nvml: Any, handle: Any) -> dict[str, float]:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    if not memory.total:
        return {}
    return {"gpu.memory_percent": 100 * memory.used / memory.total, "gpu.memory_used_bytes": memory.used}


def _temperature(nvml: Any, handle: Any) -> dict[str, float]:
    return {"gpu.temperature_celsius": nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)}


def _power(nvml: Any, handle: Any) -> dict[str, float]:
    return {"gpu.power_watts": nvml.nvmlDeviceGetPowerUsage(handle) / 1000}


def _power_limit(nvml: Any, handle: Any) -> dict[str, float]:
    return {"gpu.power_limit_watts": nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000}


def _fan(nvml: Any, handle: Any) -> dict[str, float]:
    return {"gpu.fan_percent": nvml.nvmlDeviceGetFanSpeed(handle)}


def _clock(nvml: Any, handle: Any) -> dict[str, float]:
    return {"gpu.sm_clock_mhz": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)}


def _ecc(nvml: Any, handle: Any) -> dict[str, float]:
    errors = nvml.nvmlDeviceGetTotalEccErrors(handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC)
    return {"gpu.ecc_uncorrected_errors": errors}


def _text(value: Any) -> str:
    """NVML's strings: bytes in older bindings."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class GpuGauges:
    """Emits samples until cancelled. `nvml` is pynvml (imported when None), or a double of it."""

    def __init__(
        self,
        config: GpuSource,
        *,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        nvml: Any = None,
    ) -> None:
        self._config = config
        self._board = board
        self._metrics = metrics
        self._now = now
        self._sleep = sleep
        self._nvml = nvml

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Read every interval until cancelled; without a driver wait for that only."""
        nvml = await read_aside(self._load)
        if nvml is None:
            await asyncio.get_running_loop().create_future()  # never set: only cancellation ends it
            return
        interval = max(MIN_INTERVAL, self._config.interval)
        try:
            while True:
                for sample in await read_aside(partial(self._read, nvml)):
                    await emit(sample)
                    self._metrics.samples.labels(source=self.name).inc()
                await self._sleep(interval)
        finally:
            nvml.nvmlShutdown()

    def _load(self) -> Any:
        """NVML, initialised; None where there is no driver."""
        try:
            nvml = self._nvml if self._nvml is not None else importlib.import_module("pynvml")
        except ImportError as error:
            self._switch_off(f"pynvml is not installed ({error})")
            return None
        try:
            nvml.nvmlInit()
        except (nvml.NVMLError, OSError) as error:
            self._switch_off(f"no NVIDIA driver: {error}")
            return None
        return nvml

    def _switch_off(self, detail: str) -> None:
        if self._board.set(f"source:{self.name}", HealthState.off, detail):
            log.info(Says.gauge_absent, source=self.name, gauge="gpu", error=detail)

    def _read(self, nvml: Any) -> list[Sample]:
        at, found, troubles = self._now(), [], []
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                tags = {
                    "gpu.index": str(index),
                    "gpu.name": _text(nvml.nvmlDeviceGetName(handle)),
                    "gpu.uuid": _text(nvml.nvmlDeviceGetUUID(handle)),
                }
            except nvml.NVMLError as error:
                troubles.append(f"GPU {index}: {error}")
                continue
            values, trouble = read_gauges(nvml, handle)
            if trouble:
                troubles.append(f"GPU {index}: {trouble}")
            if values:
                found.append(Sample(self.name, CATEGORY, at, tags, values))
        self._tell("; ".join(troubles))
        return found

    def _tell(self, trouble: str) -> None:
        state = HealthState.degraded if trouble else HealthState.ok
        if self._board.set(f"source:{self.name}", state, trouble) and trouble:
            log.warning(Says.source_unreadable, source=self.name, detail=trouble)
