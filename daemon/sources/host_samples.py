"""All readings of this host at one moment → samples. Blocking: it runs on a thread of its own.

One sample for the whole host (no tags), one per filesystem (`disk.mount`, `disk.device`), per disk (`disk.device`), per
interface (`net.interface`), per kind of thermometer (`temperature.chip`) and per busy process (see `busy_processes`).
What cannot be read is left out and said once; what hangs does not keep the rest waiting.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from daemon.model import Sample
from daemon.sources.attempts import Attempts
from daemon.sources.growth import Growth
from daemon.sources.host_disks import Disks, disk_values, find_mounts
from daemon.sources.host_kernel import boottime
from daemon.sources.host_network import interface_counters, utilisation
from daemon.sources.host_processes import Context
from daemon.sources.host_reading import Readings, named, temperature_values
from daemon.sources.host_units import read_units
from daemon.sources.host_whole import WholeHost
from daemon.sources.openings import shown
from daemon.sources.pace import Pace
from daemon.sources.probes import Probes

CATEGORY = "host_metrics"
_WARM = 15.0
"""Seconds between two readings of thermometers: they change slowly, and some answer slowly."""

Tagged: TypeAlias = tuple[Mapping[str, str], Readings]


class HostSamples:
    """Reads one host. `system` is psutil or a double; `proc` and `sys` are where the kernel shows itself; `booted` are
    seconds since the boot; `username` names a user id; `units` asks systemd; `probes` wait for filesystems.
    """

    def __init__(
        self,
        source: str,
        *,
        now: Callable[[], float],
        booted: Callable[[], float] = boottime,
        username: Callable[[int], str] = str,
        system: Any = psutil,
        proc: Path = Path("/proc"),
        sys: Path = Path("/sys"),
        units: Callable[[], tuple[Readings, Context]] = read_units,
        statvfs: Callable[[str], os.statvfs_result] = os.statvfs,
        probes: Probes | None = None,
    ) -> None:
        self._source = source
        self._now = now
        self._booted = booted
        self._system = system
        self._sys = sys
        self._statvfs = statvfs
        self._attempts = Attempts(source)
        self._probes = probes if probes is not None else Probes()
        self._whole = WholeHost(
            attempts=self._attempts, now=now, booted=booted, username=username, system=system, proc=proc, units=units
        )
        self._disks = Disks(proc, sys)
        self._chips = Pace(_WARM)
        self._interfaces: dict[str, Growth] = {}

    def forget(self) -> None:
        """Begin anew: what was counted before a pause of unknown length is no baseline."""
        self._whole.forget()
        self._disks.forget()
        self._interfaces = {}

    @property
    def hung(self) -> list[str]:
        """Filesystems that do not answer."""
        return self._probes.hung

    @property
    def absent(self) -> frozenset[str]:
        """What could not be read here, by what it is called in our log."""
        return self._attempts.absent

    def read(self, interval: float) -> list[Sample]:
        """All samples of one moment; `interval` is the time in seconds between two readings."""
        at, booted = self._now(), self._booted()
        values, told = self._whole.read(booted, interval)
        context = self._whole.context
        of_disks, of_chips = (_only(context, name) for name in ("top.io", "top.cpu"))
        found: list[tuple[Mapping[str, str], Readings, Context]] = [({}, values, context)]
        found += [(one.tags, one.values, one.context) for one in told]
        found += [(*one, of_disks) for one in self._filesystems()]
        found += [(*one, of_disks) for one in self._read_disks(booted, interval)]
        found += [(*one, {}) for one in self._network(booted, interval)]
        found += [(*one, of_chips) for one in self._thermometers(booted)]
        return [
            Sample(self._source, CATEGORY, at, tags, {name: float(value) for name, value in gauges.items()}, words)
            for tags, gauges, words in found
            if gauges
        ]

    def _filesystems(self) -> Iterator[Tagged]:
        for mount, device in self._attempts.take("disk", lambda: list(find_mounts(self._system))) or ():
            name = shown(mount)  # it goes to the board
            ask = partial(self._probes.ask, name, partial(disk_values, mount, self._statvfs))
            yield named(disk_mount=mount, disk_device=device), self._attempts.take(f"disk {name}", ask) or {}

    def _read_disks(self, booted: float, interval: float) -> Iterator[Tagged]:
        rates = self._attempts.take("disk io", lambda: list(self._disks.read(booted, interval)))
        for device, values in rates or ():
            yield {"disk.device": device}, values

    def _network(self, booted: float, interval: float) -> Iterator[Tagged]:
        counters = self._attempts.take("net", partial(interface_counters, self._system)) or {}
        self._interfaces = {name: self._interfaces.get(name, Growth()) for name in counters}
        for name, counted in counters.items():
            rates = self._interfaces[name].per_second(counted, booted, interval)
            if len(rates) == len(counted):  # else it was made anew: its counters began again
                yield named(net_interface=name), {**rates, **utilisation(name, rates, self._sys)}

    def _thermometers(self, booted: float) -> Iterator[Tagged]:
        if not self._chips.due(booted):
            return
        read = partial(self._chips.take, booted, lambda: list(temperature_values(self._system)))
        for chip, values in self._attempts.take("temperature", read) or ():
            yield named(temperature_chip=chip), values


def _only(context: Context, name: str) -> Context:
    return {name: context[name]} if name in context else {}
