"""Tailing: write → event in milliseconds and CPU of the source, and what ten idle files cost.

    python bench/tailing.py [--rates 0 1000 20000] [--seconds 10] [--idle 20] [--daemon]

A process of its own writes lines that carry the moment they were written (CLOCK_MONOTONIC, one clock for all
processes): at 1,000 lines/s one `write` for each line, at 20,000 twenty lines in one `write` each millisecond, at 0 one
line every half second, which finds the reader asleep. Another process follows that file with the real `FileTail` and
takes the time when the lines come out of it (source → emit: no parser, no rules, no store). Printed: p50, p99 and the
longest wait, and the CPU time of the reading process, start-up not counted, as a share of one core. What a wait costs
the machine itself stands beside it: a bare asyncio loop that sleeps 5 ms at a time, the same seconds, alone.

Then the same source over ten files to which nobody writes, as one glob and as ten sources, and, with `--daemon`, the
whole of `tellwhy run` on ten such files (no host gauges, no memory, no model).
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from daemon.cli.demo.stage import Stage, free_port
from daemon.config import FileSource, load_config
from daemon.model import Lines
from daemon.sources import Item
from daemon.sources.tail import FileTail
from daemon.telemetry import Board, Metrics, configure_logging

_FILES = 10
_LINE = b"%d a line as long as those of logs are, more or less: about eighty bytes\n"
_SLOW = 0.5
_SETTLE = 1.0
_TICK = 0.001
_CONFIG = """\
host: web1
state_directory: {top}/state
sources:
  - {{type: file, name: logs, path: {top}/*.log, format: syslog}}
memory: {{mode: "off"}}
model: {{mode: "off"}}
api: {{listen: "127.0.0.1:{port}"}}
"""


def wait_for_start() -> None:
    """Say that we are ready; writer and reader begin together, when both are."""
    print("ready", flush=True)
    sys.stdin.readline()


def write(path: Path, rate: int, seconds: float) -> None:
    """Append lines at this rate, each with the time of its `write`."""
    each = max(1, rate // 1000)
    pause = _SLOW if rate == 0 else max(_TICK, each / rate)
    began, beat = time.monotonic(), 0
    with path.open("ab", buffering=0) as log:
        while time.monotonic() - began < seconds:
            log.write(_LINE % time.monotonic_ns() * each)
            beat += 1
            time.sleep(max(0.0, began + beat * pause - time.monotonic()))


def build_tail(name: str, pattern: str) -> FileTail:
    """The real source, with the real clock."""
    config = FileSource(type="file", name=name, path=pattern, start="end")
    return FileTail(
        config, (), board=Board(time.time), metrics=Metrics(), now=time.time, monotonic=time.monotonic,
        sleep=asyncio.sleep,
    )  # fmt: skip


async def follow(patterns: list[str], seconds: float) -> dict[str, object]:
    """Follow for so long; waits in milliseconds (sorted) and the share of a core."""
    waits: list[int] = []

    async def emit(item: Item) -> None:
        now = time.monotonic_ns()
        if isinstance(item, Lines):
            waits.extend(now - int(line[: line.index(b" ")]) for _, line in item.split())

    tails = [build_tail(f"app{number}", pattern) for number, pattern in enumerate(patterns)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(tail.run(emit)) for tail in tails]
        await asyncio.sleep(_SETTLE)
        await asyncio.to_thread(wait_for_start)
        began, used = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        share = (time.process_time() - used) / (time.monotonic() - began)
        await asyncio.sleep(_SETTLE)
        for task in tasks:
            task.cancel()
    return {"waits": sorted(waits), "share": share}


async def bare(seconds: float) -> dict[str, object]:
    """By how much sleeps of 5 ms end late on this machine when nothing else is done."""
    lates, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        due = time.monotonic_ns() + 5_000_000
        await asyncio.sleep(0.005)
        lates.append(max(0, time.monotonic_ns() - due))
    return {"waits": sorted(lates), "share": 0.0}


def spoken(waits: list[int]) -> str:
    """p50, p99 and the longest."""
    if not waits:
        return "nothing came"
    p50, p99 = (waits[min(len(waits) - 1, int(len(waits) * part))] / 1e6 for part in (0.5, 0.99))
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {waits[-1] / 1e6:.1f} ms ({len(waits)} lines)"


def child(*arguments: str) -> "subprocess.Popen[str]":
    """This script again, as one of the processes of a measurement."""
    return subprocess.Popen(
        [sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def watched(patterns: list[str], seconds: float, rate: int | None, path: Path) -> dict[str, list[int] | float]:
    """One measurement: what the reading process says, while another writes (unless `rate` is None)."""
    writer = None
    if rate is not None:
        writer = child("--write", str(path), "--rates", str(rate), "--seconds", str(seconds))
        said(writer)
    with child("--follow", *patterns, "--seconds", str(seconds)) as reader:
        said(reader)
        for process in (writer, reader):
            if process is not None and process.stdin is not None:
                process.stdin.write("go\n")
                process.stdin.flush()
        found: dict[str, list[int] | float] = json.loads(said(reader))
    if writer is not None:
        writer.communicate()
    return found


def said(process: "subprocess.Popen[str]") -> str:
    """The next line of one of our processes."""
    assert process.stdout is not None
    return process.stdout.readline()


def measure_rates(rates: list[int], seconds: float) -> None:
    """Print the waits at each rate."""
    for rate in rates:
        with tempfile.TemporaryDirectory(prefix="tellwhy-bench-", dir="/var/tmp") as top:
            path = Path(top) / "app.log"
            path.touch()
            found = watched([str(path)], seconds, rate, path)
            assert isinstance(found["waits"], list)
            print(f"{rate:>6,} lines/s: write → event {spoken(found['waits'])}, CPU {found['share']:.1%} of a core")
    with child("--bare", "--seconds", str(seconds)) as lone:
        print(f"  bare loop sleeping 5 ms is late by {spoken(json.loads(said(lone))['waits'])}")


def measure_idle(seconds: float, *, whole: bool) -> None:
    """Print what ten silent files cost."""
    with tempfile.TemporaryDirectory(prefix="tellwhy-bench-", dir="/var/tmp") as name:
        top = Path(name)
        paths = [top / f"{number}.log" for number in range(_FILES)]
        for path in paths:
            path.write_bytes(b"a line that was there before\n")
        for what, patterns in (("one glob", [str(top / "*.log")]), ("ten sources", list(map(str, paths)))):
            share = watched(patterns, seconds, None, top)["share"]
            print(f"idle, {_FILES} files as {what}: CPU {share:.2%} of a core over {seconds:.0f} s")
        if whole:
            print(f"idle, the whole daemon on them: CPU {asyncio.run(idle_daemon(top, seconds)):.2%} of a core")


async def idle_daemon(top: Path, seconds: float) -> float:
    """The share of a core that `tellwhy run` takes while nothing happens."""
    port = free_port()
    (top / "config.yaml").write_text(_CONFIG.format(top=top, port=port))
    stage = Stage(top, "web1", "", port, load_config(top / "config.yaml"))
    await stage.start()
    try:
        if not await stage.ready(60) or stage.process is None:
            raise SystemExit(stage.last_words())
        await asyncio.sleep(5)
        process = psutil.Process(stage.process.pid)
        before, began = process.cpu_times(), time.monotonic()
        await asyncio.sleep(seconds)
        after, took = process.cpu_times(), time.monotonic() - began
        return float(after.user + after.system - before.user - before.system) / took
    finally:
        await stage.stop()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rates", type=int, nargs="*", default=[0, 1000, 20_000])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--idle", type=float, default=20.0)
    parser.add_argument("--daemon", action="store_true")
    parser.add_argument("--follow", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        wait_for_start()
        write(arguments.write, arguments.rates[0], arguments.seconds)
    elif arguments.follow or arguments.bare:
        configure_logging("error")
        running = bare(arguments.seconds) if arguments.bare else follow(arguments.follow, arguments.seconds)
        print(json.dumps(asyncio.run(running)), flush=True)
    else:
        measure_rates(arguments.rates, arguments.seconds)
        measure_idle(arguments.idle, whole=arguments.daemon)


if __name__ == "__main__":
    main()
