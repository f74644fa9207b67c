"""A reading of its own for each process that keeps a processor busy, so that rules can be about a process.

Tagged `process.pid`, `process.name`, `process.user`; a process that has calmed down, or ended, is told of for ten more
minutes (see `followed`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from daemon.sources.followed import Followed
from daemon.sources.host_processes import Bystanders, Context
from daemon.sources.host_reading import Readings
from daemon.sources.openings import shown
from daemon.sources.process_table import Process

BUSY = 0.5
"""Part of one core from which on a process is told of."""

Key: TypeAlias = tuple[int, float]


class Told(Struct, frozen=True):
    """Of one process: who it is, its gauges and its command line."""

    tags: Mapping[str, str]
    values: Readings
    context: Context


class BusyProcesses:
    """Bounded: 16 processes are told of at a time."""

    def __init__(self) -> None:
        self._followed: Followed[Key] = Followed()
        self._who: dict[Key, Told] = {}

    def read(self, seen: Bystanders, at: float, to_pools: Mapping[int, int] | None) -> Iterator[Told]:
        """After a pass at `at` (seconds since the boot). `to_pools` is how many connections of each user lead to mining
        pools, None where that is not known.
        """
        busy = {process.key: process for process, _ in seen.busiest(BUSY)}
        chosen = self._followed.choose(busy, at)
        before, self._who = self._who, {}
        for key in chosen:
            process = seen.table.processes.get(key[0])
            if process is not None and process.key == key:
                self._who[key] = _told(seen, process, at, to_pools)
            elif key in before:
                self._who[key] = Told(before[key].tags, {"process.cpu_percent": 0.0, "process.memory_bytes": 0.0}, {})
            if key in self._who:
                yield self._who[key]


def _told(seen: Bystanders, process: Process, at: float, to_pools: Mapping[int, int] | None) -> Told:
    uid = seen.people.uid(process)
    values: Readings = {
        "process.cpu_percent": 100 * seen.shares.cpu.get(process.pid, 0.0),
        "process.memory_bytes": process.memory,
        "process.own_threads": process.threads,
        "process.age_seconds": max(0.0, at - process.started),
    }
    if to_pools is not None and uid is not None:
        values["process.connections_to_pools"] = to_pools.get(uid, 0)
    return Told(process_tags(process, seen.people.user), values, {"process.command": (seen.people.command(process),)})


def process_tags(process: Process, user: Callable[[Process], str]) -> dict[str, str]:
    """Who a process is; without its user where that cannot be seen."""
    tags = {"process.pid": str(process.pid), "process.name": shown(process.name)}
    name = user(process)
    return {**tags, "process.user": name} if name else tags
