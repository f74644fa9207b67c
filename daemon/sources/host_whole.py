"""The gauges of the host as a whole, and in words what made them so: its sample without tags."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from daemon.sources.attempts import Attempts
from daemon.sources.busy_processes import BusyProcesses, Told
from daemon.sources.growth import Growth
from daemon.sources.host_kernel import (
    ClockSteps,
    conntrack_values,
    file_values,
    fork_counters,
    oom_counters,
    paging_counters,
    task_values,
    uptime_values,
)
from daemon.sources.host_network import Connections, read_connections, tcp_counters
from daemon.sources.host_processes import Bystanders, Context
from daemon.sources.host_reading import (
    Readings,
    cpu_values,
    load_values,
    memory_values,
    pressure_values,
    swap_values,
)
from daemon.sources.pace import Pace

_COUNTED = {"forks": fork_counters, "paging": paging_counters, "tcp": tcp_counters, "oom": oom_counters}
"""What only grows, by name, and how it is read."""
_RARELY = 60.0
"""Seconds between two questions to systemd: each starts a program."""
_MANY_FILES = 50.0
"""Percent of the files that may be open from which on it is worth asking who has them."""


class WholeHost:
    """Reads what has no tags. `proc` is where the kernel shows itself, `units` asks systemd."""

    def __init__(
        self,
        *,
        attempts: Attempts,
        now: Callable[[], float],
        booted: Callable[[], float],
        username: Callable[[int], str],
        system: Any,
        proc: Path,
        units: Callable[[], tuple[Readings, Context]],
    ) -> None:
        self._attempts = attempts
        self._booted = booted
        self._system = system
        self._proc = proc
        self._units = units
        self._bystanders = Bystanders(proc, username)
        self._busy = BusyProcesses()
        self._told: list[Told] = []
        self._clock = ClockSteps(now, booted)
        self._pace = {"process": Pace(), "connections": Pace(), "files": Pace(), "units": Pace(_RARELY)}
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was counted before a pause of unknown length is no baseline."""
        self._cores: list[Any] = []
        self._growth = {what: Growth() for what in _COUNTED}
        self._context: Context = {}
        self._to_pools: Connections | None = None
        self._bystanders.forget()
        self._clock.forget()

    @property
    def context(self) -> Context:
        """The words of the last reading."""
        return self._context

    def read(self, at: float, interval: float) -> tuple[Readings, list[Told]]:
        """Gauges at `at` (seconds since the boot), and the processes that are busy when a pass over them was due."""
        values: Readings = {}
        for what, read in self._plain().items():
            values |= self._attempts.take(what, read) or {}
        for what, count in _COUNTED.items():
            values |= self._attempts.take(what, partial(self._grown, what, count, at, interval)) or {}
        values |= self._paced("connections", at, self._read_connections)
        self._told = []
        values |= self._paced("process", at, partial(self._read_processes, at))
        values |= self._paced("units", at, self._read_units)
        if values.get("files.percent", 0.0) >= _MANY_FILES:
            self._paced("files", at, self._read_files)
        return values, self._told

    def _plain(self) -> dict[str, Callable[[], Readings]]:
        return {
            "cpu": self._read_cpu,
            "load": partial(load_values, self._system),
            "memory": partial(memory_values, self._system),
            "swap": partial(swap_values, self._system),
            **{f"pressure.{name}": partial(pressure_values, self._proc, name) for name in ("cpu", "memory", "io")},
            "tasks": partial(task_values, self._proc),
            "files": partial(file_values, self._proc),
            "conntrack": partial(conntrack_values, self._proc),
            "uptime": partial(uptime_values, self._booted),
            "clock": self._clock.read,
        }

    def _grown(self, what: str, count: Callable[[Path], Readings], at: float, interval: float) -> Readings:
        growth = self._growth[what]
        try:
            counters = count(self._proc)
        except Exception:
            growth.forget()
            raise
        # kills are told one by one: a rate would be a fraction of a process
        return growth.since(counters, at, interval)[1] if what == "oom" else growth.per_second(counters, at, interval)

    def _paced(self, what: str, at: float, read: Callable[[], Readings]) -> Readings:
        pace = self._pace[what]
        return (self._attempts.take(what, partial(pace.take, at, read)) or {}) if pace.due(at) else {}

    def _read_cpu(self) -> Readings:
        before, self._cores = self._cores, []
        self._cores = list(self._system.cpu_times(percpu=True))
        return cpu_values(before, self._cores) if before else {}

    def _read_connections(self) -> Readings:
        self._to_pools = None
        self._to_pools = read_connections(self._proc)
        return dict(self._to_pools.values)

    def _read_processes(self, at: float) -> Readings:
        kept = {name: words for name, words in self._context.items() if name in {"units.failed_names", "top.files"}}
        self._context = kept
        self._bystanders.take(at)
        self._context = {**self._bystanders.context(), **kept}
        pools = self._to_pools.pools if self._to_pools is not None else None
        self._told = list(self._busy.read(self._bystanders, at, pools))
        return self._bystanders.gauges()

    def _read_units(self) -> Readings:
        self._context = {name: words for name, words in self._context.items() if name != "units.failed_names"}
        values, context = self._units()
        self._context = {**self._context, **context}
        return values

    def _read_files(self) -> Readings:
        words = self._bystanders.files()
        if words:
            self._context = {**self._context, "top.files": words}
        return {}
