"""What the kernel counts for the whole host, read from /proc: tasks, paging, open files, connections tracked.

Each function reads one file and raises one of HIDDEN where it is not there, may not be read or says something else.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from daemon.sources.host_reading import Readings

boottime: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
"""Seconds since the host was started, the time that it slept included. Slewed like the wall clock, never stepped."""

_NOISE = 0.005
"""Seconds between the two clocks that the time of reading them may make."""
_HONEST = 3
"""How often the clocks are read when we were interrupted between them."""


def task_values(proc: Path) -> Readings:
    """Threads of the whole host, and how many processes wait for a disk (proc_loadavg(5), proc_stat(5))."""
    tasks = (proc / "loadavg").read_text(encoding="ascii").split()[3]
    counted = _stat(proc)
    return {
        "process.threads": float(tasks.split("/")[1]),
        "process.running": counted["procs_running"],
        "process.blocked": counted["procs_blocked"],
    }


def fork_counters(proc: Path) -> Readings:
    """Processes and threads started since the boot."""
    return {"process.forks_per_second": _stat(proc)["processes"]}


def _stat(proc: Path) -> Readings:
    rows = [row.split(" ", 1) for row in (proc / "stat").read_text(encoding="ascii").splitlines()]
    return {name: float(rest) for name, rest in rows if name in {"processes", "procs_running", "procs_blocked"}}


_PAGING = {
    "pswpin": "swap.in_pages_per_second",
    "pswpout": "swap.out_pages_per_second",
    "pgmajfault": "memory.major_faults_per_second",
}


def paging_counters(proc: Path) -> Readings:
    """Pages swapped in and out, and faults that had to wait for a disk, since the boot."""
    counted = _vmstat(proc)
    return {gauge: counted[name] for name, gauge in _PAGING.items() if name in counted}


def oom_counters(proc: Path) -> Readings:
    """Processes that the kernel killed for memory since the boot (Linux 4.13 and later)."""
    return {"memory.oom_kills": _vmstat(proc)["oom_kill"]}


def _vmstat(proc: Path) -> Readings:
    rows = (row.split() for row in (proc / "vmstat").read_text(encoding="ascii").splitlines())
    return {name: float(value) for name, value in rows if name in _PAGING or name == "oom_kill"}


def file_values(proc: Path) -> Readings:
    """Files open on the whole host, and how much of what is allowed that is."""
    used, _, most = map(float, (proc / "sys" / "fs" / "file-nr").read_text(encoding="ascii").split())
    return {"files.open": used, "files.percent": 100 * used / most}


def conntrack_values(proc: Path) -> Readings:
    """Connections that the firewall tracks: when the table is full, new ones are dropped."""
    directory = proc / "sys" / "net" / "netfilter"
    used, most = (float((directory / f"nf_conntrack_{name}").read_text(encoding="ascii")) for name in ("count", "max"))
    return {"net.conntrack_connections": used, "net.conntrack_percent": 100 * used / most}


def uptime_values(booted: Callable[[], float]) -> Readings:
    """Seconds since the host was started."""
    return {"uptime.seconds": booted()}


class ClockSteps:
    """By how much the wall clock was set since the last reading. Slewing (ntpd, chronyd, adjtime) moves both clocks and
    is no step; nor is a time in which the host slept.
    """

    def __init__(self, now: Callable[[], float], booted: Callable[[], float]) -> None:
        self._now = now
        self._booted = booted
        self._offset: float | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._offset = None

    def read(self) -> Readings:
        """Seconds, positive when it was set forwards; 0 within what reading takes."""
        before, self._offset = self._offset, self._apart()
        if before is None:
            return {}
        step = self._offset - before
        return {"clock.jump_seconds": step if abs(step) >= _NOISE else 0.0}

    def _apart(self) -> float:
        """Wall time minus time since the boot, of the closest of a few readings."""
        readings = []
        for _ in range(_HONEST):
            start = self._booted()
            wall = self._now()
            end = self._booted()
            readings.append((end - start, wall - (start + end) / 2))
        return min(readings)[1]
