"""The source that reads the gauges of this host: cpu, load, memory, swap, processes, disks, network.

One sample for the host (no tags), one per filesystem (`disk.mount`, `disk.device`), one per interface
(`net.interface`), every `interval` seconds. The pause lies between two readings, so that a clock that jumps or a host
that slept causes no burst. Reading happens in a thread: a hanging filesystem must not hang the loop.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from daemon.config import HostSource
from daemon.model import Sample
from daemon.sources import Emit
from daemon.sources.aside import read_aside
from daemon.sources.host_reading import (
    HIDDEN,
    Readings,
    cpu_values,
    disk_values,
    find_mounts,
    load_values,
    memory_values,
    named,
    net_values,
    pressure_values,
    process_values,
    swap_values,
)
from daemon.telemetry import Board, HealthState, Metrics, Says, log

CATEGORY = "host_metrics"
MIN_INTERVAL = 0.1
"""Seconds; a shorter interval would measure the measuring."""
MAX_ABSENT = 1000
"""Names of missing gauges that are remembered, so that each is logged once."""


class HostGauges:
    """Emits samples until cancelled. `system` is psutil, or a double of it."""

    def __init__(
        self,
        config: HostSource,
        *,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        system: Any = psutil,
        proc: Path = Path("/proc"),
    ) -> None:
        self._config = config
        self._board = board
        self._metrics = metrics
        self._now = now
        self._sleep = sleep
        self._system = system
        self._proc = proc
        self._absent: set[str] = set()
        self._cores: list[Any] = []
        self._interfaces: Mapping[str, Any] = {}
        self._interfaces_at = 0.0

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Read every interval until cancelled."""
        # what was counted before a pause of unknown length is no baseline
        self._cores, self._interfaces = [], {}
        interval = max(MIN_INTERVAL, self._config.interval)
        while True:
            for sample in await read_aside(partial(self._read, interval)):
                await emit(sample)
                self._metrics.samples.labels(source=self.name).inc()
            self._board.set(f"source:{self.name}", HealthState.ok)
            await self._sleep(interval)

    def _read(self, interval: float) -> list[Sample]:
        at = self._now()
        host = Sample(self.name, CATEGORY, at, {}, self._read_host())
        found = [host, *self._read_disks(at), *self._read_network(at, interval)]
        return [sample for sample in found if sample.values]

    def _read_host(self) -> Readings:
        values: Readings = {}
        values |= self._try("cpu", self._read_cpu)
        values |= self._try("load", partial(load_values, self._system))
        values |= self._try("memory", partial(memory_values, self._system))
        values |= self._try("swap", partial(swap_values, self._system))
        values |= self._try("process", partial(process_values, self._system))
        values |= self._try("pressure", partial(pressure_values, self._proc))
        return {name: float(value) for name, value in values.items()}

    def _read_cpu(self) -> Readings:
        before, self._cores = self._cores, []
        self._cores = list(self._system.cpu_times(percpu=True))
        return cpu_values(before, self._cores) if before else {}

    def _read_disks(self, at: float) -> Iterator[Sample]:
        try:
            mounts = list(find_mounts(self._system))
        except HIDDEN as error:
            self._note_absent("disk", error)
            return
        for mount, device in mounts:
            values = self._try(f"disk {mount}", partial(disk_values, self._system, mount))
            tags = named(disk_mount=mount, disk_device=device)
            yield Sample(self.name, CATEGORY, at, tags, {name: float(value) for name, value in values.items()})

    def _read_network(self, at: float, interval: float) -> Iterator[Sample]:
        before, passed = self._interfaces, at - self._interfaces_at
        self._interfaces, self._interfaces_at = {}, at
        try:
            self._interfaces = self._system.net_io_counters(pernic=True)
        except HIDDEN as error:
            self._note_absent("net", error)
        if not 0.5 * interval <= passed <= 3 * interval + 1:
            return  # the clock jumped or the host slept: a rate over that time would be wrong
        for name, values in net_values(before, self._interfaces, passed):
            yield Sample(self.name, CATEGORY, at, named(net_interface=name), values)

    def _try(self, what: str, read: Callable[[], Readings]) -> Readings:
        try:
            return read()
        except HIDDEN as error:
            self._note_absent(what, error)
            return {}

    def _note_absent(self, what: str, error: Exception | Warning) -> None:
        if what not in self._absent and len(self._absent) < MAX_ABSENT:
            self._absent.add(what)
            log.info(Says.gauge_absent, source=self.name, gauge=what, error=f"{type(error).__name__}: {error}")
