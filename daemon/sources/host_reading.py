"""What psutil and /proc say → gauges by name. A gauge that cannot be read is left out, never zero.

Percentages of cpu time need two readings: the first one gives none. Names here: `cpu.*`, `load.*`, `memory.*`,
`swap.*`, `pressure.*`, `temperature.*`; docs/gauges.md lists all.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from daemon.sources.openings import shown

HIDDEN = (OSError, AttributeError, KeyError, IndexError, ValueError, ZeroDivisionError, psutil.Error, RuntimeWarning)
"""What a kernel, a container or a platform raises for what it does not show."""

Readings = dict[str, float]

_MELTING = 150
"""Degrees Celsius beyond which, as at 0 and below, no chip works."""


def cpu_values(before: Sequence[Any], after: Sequence[Any]) -> Readings:
    """Shares of the time between two readings of all cores (`psutil.cpu_times(percpu=True)`), in percent.

    Empty when the cores changed in number or no time passed.
    """
    if len(before) != len(after):
        return {}
    spent = [_spent(old, new) for old, new in zip(before, after, strict=True)]
    total = sum(core["total"] for core in spent)
    if total <= 0:
        return {}
    busy = [100 * core["busy"] / core["total"] for core in spent if core["total"] > 0]
    values = {
        "cpu.percent": 100 * sum(core["busy"] for core in spent) / total,
        "cpu.max_core_percent": max(busy),
    }
    for name in ("system", "iowait", "steal"):
        if hasattr(after[0], name):
            values[f"cpu.{name}_percent"] = 100 * sum(core[name] for core in spent) / total
    return values


def _spent(before: Any, after: Any) -> Readings:
    # counters of idle and iowait may step back (proc(5)); guest time is contained in user time already
    spent = {name: max(0.0, getattr(after, name) - getattr(before, name)) for name in after._fields}
    total = sum(value for name, value in spent.items() if not name.startswith("guest"))
    idle = spent["idle"] + spent.get("iowait", 0.0)
    return {**spent, "total": total, "busy": max(0.0, total - idle)}


def load_values(system: Any) -> Readings:
    """Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes."""
    one, five, fifteen = system.getloadavg()
    values = {"load.1": one, "load.5": five, "load.15": fifteen}
    cores = system.cpu_count()
    return {**values, "load.1_per_core": one / cores} if cores else values


def memory_values(system: Any) -> Readings:
    """Memory that programs could not get without swapping, and what they could."""
    memory = system.virtual_memory()
    return {"memory.percent": memory.percent, "memory.available_bytes": memory.available}


def swap_values(system: Any) -> Readings:
    """Swap in use; nothing on a host without swap."""
    swap = system.swap_memory()
    if not swap.total:
        return {}
    return {"swap.percent": swap.percent, "swap.used_bytes": swap.used, "swap.free_bytes": swap.total - swap.used}


def pressure_values(proc: Path, name: str) -> Readings:
    """Pressure stall information of `cpu`, `memory` or `io` (Linux 4.20 and later, unless switched off): the share of
    the last 10 s in which something waited, and in which everything did.
    """
    values: Readings = {}
    for row in (proc / "pressure" / name).read_text(encoding="ascii").splitlines():
        kind, *pairs = row.split()
        parts = dict(part.split("=", 1) for part in pairs)
        values[f"pressure.{name}_{'full_' if kind == 'full' else ''}percent"] = float(parts["avg10"])
    return values


def temperature_values(system: Any) -> Iterator[tuple[str, Readings]]:
    """(chip, gauges) of each kind of chip with thermometers: the hottest of them, and what is left until the first
    calls it critical. What no chip survives is no temperature but a sensor that is not connected.
    """
    for chip, sensors in sorted(system.sensors_temperatures().items()):
        real = [sensor for sensor in sensors if sensor.current is not None and 0 < sensor.current < _MELTING]
        if not real:
            continue
        values = {"temperature.celsius": max(sensor.current for sensor in real)}
        left = [one.critical - one.current for one in real if one.critical and 0 < one.critical < _MELTING]
        yield chip, {**values, "temperature.headroom_celsius": min(left)} if left else values


def named(**tags: str) -> dict[str, str]:
    """Tags that any encoder takes (`disk_mount` becomes `disk.mount`)."""
    return {name.replace("_", ".", 1): shown(value) for name, value in tags.items()}
