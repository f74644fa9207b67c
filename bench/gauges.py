"""What the gauges cost: processor time of a reading and of what the rules make of it, and the memory that they take.

    python bench/gauges.py [--readings 60] [--interval 5] [--processes 1000] [--sockets 20000]

This host is read as it is; with so many more processes (`sleep`, started and ended here); and with so many connections
in its table (a file like /proc/net/tcp: real ones would need two sockets each). Each is read so often, `interval`
seconds apart by the clocks that the source is given: it does not wait, so that the figure is of reading alone; what is
read less often because it is dear is, by those clocks. A child such as `systemctl` is not in it. GPUs are those of
tests/doubles/nvml.py: NVML's own share is not in that line. Then the readings of this host go through the rules that
are shipped, with their baselines.

The figures are processor time (user and system, of all threads) per reading and as a share of one core at that
interval. Memory is what importing the sources adds to a process that has the daemon's configuration and log, and what
reading adds to this one.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pynvml

from daemon.assembly import build_flow
from daemon.config import Config, read_rule_files
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.model import Sample
from daemon.sources.gpu_samples import GpuSamples
from daemon.sources.host_samples import HostSamples
from tests.doubles.nvml import Nvml, installed

_IMPORTED = """
from pathlib import Path
import daemon.config, daemon.telemetry
before = int(Path("/proc/self/statm").read_text().split()[1])
import daemon.sources.gauges, daemon.sources.gpu, pynvml
print(int(Path("/proc/self/statm").read_text().split()[1]) - before)
"""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def spent() -> float:
    """Processor time of this process in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> float:
    """MiB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 2**20


class Clock:
    """Wall time and time since the boot, moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0
        self._wall, self._boot = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._wall + self.at

    def booted(self) -> float:
        """Seconds since the boot."""
        return self._boot + self.at


@contextmanager
def more_processes(number: int) -> Iterator[None]:
    """So many processes that sleep, inside the block."""
    started = [subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL) for _ in range(number)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


@contextmanager
def proc_with_connections(number: int) -> Iterator[Path]:
    """A directory like /proc, with so many connections in its table."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        for entry in Path("/proc").iterdir():
            if entry.name not in {"net", "self", "thread-self"}:
                (top / entry.name).symlink_to(entry)
        (top / "net").mkdir()
        for entry in (Path("/proc/net/netstat"), Path("/proc/net/snmp")):
            (top / "net" / entry.name).symlink_to(entry)
        (top / "net" / "sockstat").write_text(f"TCP: inuse {number} orphan 0 tw 0 alloc 1 mem 1\n", encoding="ascii")
        rest = "01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 20 4 30 10 -1"
        rows = (f"{row:4d}: 0A00000A:0016 0B00000A:{row % 60000:04X} {rest}".ljust(149) for row in range(number))
        with (top / "net" / "tcp").open("w", encoding="ascii") as table:
            table.write("  sl\n")
            table.writelines(f"{row}\n" for row in rows)
        yield top


def say(what: str, each: float, interval: float) -> None:
    """One line of figures; `each` in seconds."""
    print(f"{what:34} {1000 * each:7.2f} ms per reading {100 * each / interval:7.3f} % of a core", flush=True)


def measure(what: str, read: Callable[[], object], clock: Clock, readings: int, interval: float) -> None:
    """Print what a reading costs."""
    before = spent()
    for _ in range(readings):
        read()
        clock.at += interval
    say(what, (spent() - before) / readings, interval)


def judge(count: int, interval: float) -> None:
    """Print what rules and baselines cost; the first half of the readings warms them."""
    clock = Clock()
    samples = HostSamples("host", now=clock.now, booted=clock.booted)
    readings = []
    for _ in range(count):
        readings.append(samples.read(interval))
        clock.at += interval
    flow = build_flow(Config(host="bench"), parse_rules(read_rule_files(["shipped"])), {}, Redactor())
    half = len(readings) // 2
    for sample in (sample for reading in readings[:half] for sample in reading):
        flow.feed(sample)
    before = spent()
    for sample in (sample for reading in readings[half:] for sample in reading):
        flow.feed(sample)
    say("rules and baselines for this host", (spent() - before) / (len(readings) - half), interval)


def read_gpus(readings: int, interval: float) -> None:
    """Print what the GPUs of the double cost."""
    clock = Clock()
    with installed(Nvml()):
        gpus = GpuSamples("gpu", now=clock.now, booted=clock.booted)

        def read() -> list[Sample]:
            return [item for item in gpus.read(pynvml) if isinstance(item, Sample)]

        measure("two GPUs (double)", read, clock, readings, interval)
        gpus.close()


def main() -> int:
    """Measure all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=60)
    parser.add_argument("--interval", type=float, default=5.0)
    parser.add_argument("--processes", type=int, default=1000)
    parser.add_argument("--sockets", type=int, default=20_000)
    options = parser.parse_args()
    count, interval = options.readings, options.interval

    def of_host(what: str, proc: Path) -> None:
        clock = Clock()
        samples = HostSamples("host", now=clock.now, booted=clock.booted, proc=proc)
        measure(what, lambda: samples.read(interval), clock, count, interval)

    before = resident()
    of_host("this host", Path("/proc"))
    with more_processes(options.processes):
        of_host(f"with {options.processes} more processes", Path("/proc"))
    with proc_with_connections(options.sockets) as proc:
        of_host(f"with {options.sockets} connections", proc)
    grown = resident() - before
    read_gpus(count, interval)
    judge(count, interval)
    done = subprocess.run([sys.executable, "-c", _IMPORTED], capture_output=True, text=True, check=True)
    print(f"memory: {int(done.stdout) * _PAGE / 2**20:.1f} MiB for importing the sources, {grown:.1f} MiB for reading")
    return 0


if __name__ == "__main__":
    sys.exit(main())
