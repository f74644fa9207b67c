"""The processes of this host as gauges, and in words: how many, the busiest, the largest, who waits for disks.

What is told beside a gauge (`top.cpu`, `top.memory`, `top.io`, `top.files`, `top.processes`, `top.zombies`) is of the
same pass as the gauge. A pass is taken as often as it is cheap (see `pace`); between two passes their words stand.
"""

import heapq
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from daemon.sources.openings import shown
from daemon.sources.process_table import People, Process, Table, read_table

Context = dict[str, tuple[str, ...]]

TOP = 5
"""Processes that are named for each gauge."""
_CANDIDATES = 64
"""Processes whose I/O is looked at: those that did most."""


class Shares:
    """Two passes, the second at `at` (seconds since the boot) → what each process used in between, per second: CPU
    seconds by process. Of one that is not in the first pass, but was there by then (it could not be read), only the
    average over its life is known.
    """

    def __init__(self, before: Table | None, after: Table, seconds: float, at: float = 0.0) -> None:
        self.cpu: dict[int, float] = {}
        self.faults: dict[int, float] = {}
        known = before.processes if before is not None and seconds > 0 else {}
        for pid, now in after.processes.items():
            old = known.get(pid)
            if old is not None and old.started == now.started:
                self.cpu[pid] = max(0.0, now.cpu - old.cpu) / seconds
                self.faults[pid] = max(0, now.faults - old.faults) / seconds
            elif known:
                lived = max(seconds, at - now.started)
                self.cpu[pid] = now.cpu / lived
                self.faults[pid] = now.faults / lived


class Bystanders:
    """What processes do at the moment of a reading. `own` processes are few: those that are named are looked at."""

    def __init__(self, proc: Path, username: Callable[[int], str] = str) -> None:
        self._proc = proc
        self.people = People(proc, username)
        self.table = Table({})
        self.shares = Shares(None, self.table, 0.0)
        self._at: float | None = None
        self._passed = 0.0
        self._io: Mapping[tuple[int, float], float] = {}

    def forget(self) -> None:
        """What was counted before a pause is no baseline."""
        self._at, self._io = None, {}

    def take(self, at: float) -> None:
        """One pass at `at` (seconds since the boot). OSError where /proc cannot be listed."""
        before, self._passed = (None, 0.0) if self._at is None else (self.table, at - self._at)
        self.table = read_table(self._proc)
        self.shares = Shares(before, self.table, self._passed, at)
        self._at = at

    def gauges(self) -> dict[str, float]:
        """Counts. Nothing where other users' processes are hidden: a count of our own would be a wrong one."""
        if not self.table.whole:
            return {}
        states = Counter(one.state for one in self.table.processes.values())
        values = {"process.count": float(len(self.table.processes) + self.table.more)}
        if not self.table.more:
            values["process.zombies"] = float(states["Z"])
        return values

    def context(self) -> Context:
        """The words for each kind of gauge, except those that cost more (`files`)."""
        found: Context = {
            "top.cpu": self._top_cpu(),
            "top.memory": self._top_memory(),
            "top.io": self._top_io(),
            "top.processes": self._many(),
            "top.zombies": self._parents_of_zombies(),
        }
        return {name: words for name, words in found.items() if words}

    def busiest(self, least: float) -> list[tuple[Process, float]]:
        """Processes that use at least `least` of a core, busiest first, with how much."""
        busy = [(pid, share) for pid, share in self.shares.cpu.items() if share >= least]
        busy.sort(key=lambda one: (-one[1], one[0]))
        return [(self.table.processes[pid], share) for pid, share in busy]

    def _top_cpu(self) -> tuple[str, ...]:
        top = heapq.nlargest(TOP, self.shares.cpu.items(), key=lambda one: one[1])
        return self._said((pid, f"{100 * share:.0f} % of a core") for pid, share in top if share >= 0.01)  # noqa: PLR2004 - less is nobody

    def _top_memory(self) -> tuple[str, ...]:
        top = heapq.nlargest(TOP, self.table.processes.values(), key=lambda one: one.memory)
        return self._said((one.pid, say_bytes(one.memory)) for one in top if one.memory)

    def _top_io(self) -> tuple[str, ...]:
        """Who reads and writes most, where that may be seen; and who waits for a disk, which anybody may see."""
        waiting = [pid for pid, one in self.table.processes.items() if one.state == "D"]
        busy = heapq.nlargest(_CANDIDATES, self.shares.cpu, key=lambda pid: self.shares.cpu[pid])
        faulty = heapq.nlargest(_CANDIDATES, self.shares.faults, key=lambda pid: self.shares.faults[pid])
        moved = self._moved({*waiting[:_CANDIDATES], *busy, *faulty})
        top = heapq.nlargest(TOP, moved.items(), key=lambda one: one[1])
        said = [(pid, f"{say_bytes(rate)} per second") for pid, rate in top if rate >= 1]
        named = {pid for pid, _ in said}
        said += [(pid, "waits for a disk") for pid in waiting if pid not in named]
        return self._said(said[:TOP])

    def _moved(self, pids: Iterable[int]) -> dict[int, float]:
        """Bytes per second that each read from and wrote to disks since the pass before."""
        before, self._io = self._io, {}
        moved: dict[int, float] = {}
        now: dict[tuple[int, float], float] = {}
        for pid in pids:
            total = self._io_of(pid)
            if total is None:
                continue
            process = self.table.processes[pid]
            now[process.key] = total
            if process.key in before and self._passed > 0:
                moved[pid] = max(0.0, total - before[process.key]) / self._passed
        self._io = now
        return moved

    def _io_of(self, pid: int) -> float | None:
        try:
            rows = (self._proc / str(pid) / "io").read_text(encoding="ascii").splitlines()
            counted = dict(row.split(": ", 1) for row in rows)
            return float(counted["read_bytes"]) + float(counted["write_bytes"])
        except (OSError, ValueError, KeyError):
            return None  # another user's, and we are not root

    def _many(self) -> tuple[str, ...]:
        """The names that occur most, and the processes that began last."""
        names = Counter(one.name for one in self.table.processes.values())
        often = [f"{number} × {shown(name)}" for name, number in names.most_common(3) if number > 1]
        newest = heapq.nlargest(3, self.table.processes.values(), key=lambda one: (one.started, one.pid))
        return (*often, *self._said((one.pid, "newest") for one in newest))

    def _parents_of_zombies(self) -> tuple[str, ...]:
        parents = Counter(one.parent for one in self.table.processes.values() if one.state == "Z")
        return self._said((pid, f"{number} zombies") for pid, number in parents.most_common(3))

    def files(self) -> tuple[str, ...]:
        """Who has most files open, of those that may be looked at. Dear: every process is asked."""
        numbers = dict(self._open_files())
        top = heapq.nlargest(TOP, numbers.items(), key=lambda one: one[1])
        return self._said((pid, f"{number} open files") for pid, number in top)

    def _open_files(self) -> Iterator[tuple[int, int]]:
        for pid in self.table.processes:
            path = f"{self._proc}/{pid}/fd"
            with suppress(OSError):
                # its size is their number from Linux 6.2 on
                yield pid, os.stat(path).st_size or len(os.listdir(path))  # noqa: PTH116, PTH208 - a thousand paths for as many numbers

    def _said(self, top: Iterable[tuple[int, str]]) -> tuple[str, ...]:
        processes = self.table.processes
        return tuple(self.people.say(amount, processes[pid]) for pid, amount in top if pid in processes)


def say_bytes(number: float) -> str:
    """`12.3 MiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:  # noqa: PLR2004 - the step of these units
            return f"{number:.0f} bytes" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
