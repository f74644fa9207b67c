"""The source that reads the gauges of NVIDIA GPUs through NVML every `interval` seconds: docs/gauges.md lists them.

A host without a driver says so once and the source then only waits: a GPU does not come by itself, and whoever installs
a driver restarts us. A driver that was there and is gone is another matter: its GPUs are lost, and it is tried again.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from daemon.config import GpuSource
from daemon.model import Sample
from daemon.sources import Emit
from daemon.sources.aside import read_aside, read_patiently
from daemon.sources.gpu_samples import GpuSamples
from daemon.telemetry import Board, HealthState, Metrics, Says, log

MIN_INTERVAL = 0.1
PATIENCE = 30.0
"""Seconds after which a reading that has not ended is reported."""
RETRY = 60.0
"""Seconds after which a driver that went is tried again."""


class GpuGauges:
    """Emits samples until cancelled. `nvml` is pynvml (imported when None), or a double of it."""

    def __init__(
        self,
        config: GpuSource,
        samples: GpuSamples,
        *,
        board: Board,
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[None]],
        nvml: Any = None,
        patience: float = PATIENCE,
    ) -> None:
        self._config = config
        self._samples = samples
        self._board = board
        self._metrics = metrics
        self._sleep = sleep
        self._nvml = nvml
        self._patience = patience

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Read every interval until cancelled; without a driver wait for that only."""
        nvml = await read_aside(self._load)
        while nvml is None:
            lost = self._samples.lost()
            if not lost:
                await asyncio.get_running_loop().create_future()  # never set: only cancellation ends it
            for sample in lost:
                await emit(sample)
            await self._sleep(RETRY)
            nvml = await read_aside(self._load)
        try:
            await self._go_on(nvml, emit)
        finally:
            self._samples.close()
            read_aside(partial(_shut, nvml))  # not waited for: a driver that hangs would keep the loop

    async def _go_on(self, nvml: Any, emit: Emit) -> None:
        interval = max(MIN_INTERVAL, self._config.interval)
        while True:
            for item in await read_patiently(partial(self._samples.read, nvml), self._patience, self._slow):
                await emit(item)
                if isinstance(item, Sample):
                    self._metrics.samples.labels(source=self.name).inc()
            self._tell("; ".join(self._samples.troubles))
            await self._sleep(interval)

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
        if self._samples.lost():
            self._tell(f"the NVIDIA driver that was here is gone: {detail}")
        elif self._board.set(f"source:{self.name}", HealthState.off, detail):
            log.info(Says.gauge_absent, source=self.name, gauge="gpu", error=detail)

    def _slow(self) -> None:
        self._tell(f"a reading has taken more than {self._patience:g} s and goes on")

    def _tell(self, trouble: str) -> None:
        state = HealthState.degraded if trouble else HealthState.ok
        if self._board.set(f"source:{self.name}", state, trouble) and trouble:
            log.warning(Says.source_unreadable, source=self.name, detail=trouble)


def _shut(nvml: Any) -> None:
    with suppress(nvml.NVMLError):
        nvml.nvmlShutdown()
