"""Event-loop lag of the live daemon while lines pour in, and how far reading keeps up.

    python bench/loop_lag.py [--rate 20000] [--seconds 20] [--rules DIR ...] [--log ordinary|attack|both]

Starts `tellwhy run` on a temporary directory (an audit log and an auth.log, memory and model off) and writes to both
logs, every 10 ms, as many lines as make up the rate: two thirds audit records, one third auth.log. `ordinary` is the
mix of `generated_logs.py`; in `attack` nothing but attacks are written, the worst that a log can be to its reader:
guessed passwords, and processes that download and run, open reverse shells or read /etc/shadow. No machine makes so
many: what is then shown is that the loop stays free while the daemon falls behind and catches up.

The lag is measured inside the daemon, as anybody can read it: `tellwhy_loop_lag_seconds` in /metrics, by how much
sleeps of 5 ms ended late. So p50, p99 and the longest are upper ends of buckets. Two controls of the same run stand
beside it: the daemon's own lag while two lines a second come in, and that of a bare asyncio loop in a process of its
own that sleeps as long while the burst is written (what the machine does to anybody). Then: how many bytes were not yet
read when the last was written, how long it took to read them, and the CPU time of the daemon over the burst. At last
the daemon is told to reload, and a tenth of the lines is written once more.
"""

import argparse
import asyncio
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.generated_logs import attacked_audit_log, attacked_auth_log, audit_log, auth_log
from daemon.cli.demo.stage import Stage, free_port
from daemon.config import load_config

_BEAT = 0.01
_TRICKLE = 8.0
_BUCKET = re.compile(r'^tellwhy_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)
_LAG = re.compile(r"^tellwhy_source_lag_bytes\{.*\} (\S+)$", re.MULTILINE)
_LINES = re.compile(r"^tellwhy_lines_total\{.*\} (\S+)$", re.MULTILINE)
_CONFIG = """\
host: web1
state_directory: {top}/state
sources:
  - {{type: file, name: audit, path: {top}/audit.log, format: auditd}}
  - {{type: file, name: auth, path: {top}/auth.log, format: syslog}}
memory: {{mode: "off"}}
model: {{mode: "off"}}
api: {{listen: "127.0.0.1:{port}"}}
log: {{format: json}}
{rules}
"""
_BARE = """
import asyncio, sys, time

async def main():
    until, lags = time.monotonic() + float(sys.argv[1]), []
    while time.monotonic() < until:
        due = time.monotonic() + 0.005
        await asyncio.sleep(0.005)
        lags.append(time.monotonic() - due)
    lags.sort()
    print(lags[len(lags) // 2], lags[int(len(lags) * 0.99)], lags[-1])

asyncio.run(main())
"""


def lines_of(log: str, count: int) -> dict[str, list[bytes]]:
    """Lines of an audit log and of an auth.log, two to one, by the name of the file."""
    audit, auth = (audit_log, auth_log) if log == "ordinary" else (attacked_audit_log, attacked_auth_log)
    wanted = {"audit.log": (audit, count * 2 // 3), "auth.log": (auth, count // 3)}
    return {name: "".join(made(lines)).encode().splitlines(keepends=True) for name, (made, lines) in wanted.items()}


async def pour(stage: Stage, logs: dict[str, list[bytes]], seconds: float) -> float:
    """Write all lines in equal parts; how long that took in truth."""
    began, beats = time.monotonic(), int(seconds / _BEAT)
    for beat in range(beats):
        for name, lines in logs.items():
            stage.append(name, b"".join(lines[len(lines) * beat // beats : len(lines) * (beat + 1) // beats]))
        await asyncio.sleep(max(0.0, began + (beat + 1) * _BEAT - time.monotonic()))
    return time.monotonic() - began


async def scrape(stage: Stage) -> tuple[dict[float, float], float, float]:
    """The lag's buckets (upper end → count up to it), unread bytes, lines read."""
    _, text = await stage.get("/metrics")
    buckets = {float(end): float(count) for end, count in _BUCKET.findall(text)}
    return buckets, sum(map(float, _LAG.findall(text))), sum(map(float, _LINES.findall(text)))


def spoken(before: dict[float, float], after: dict[float, float]) -> str:
    """p50, p99 and the longest of what came between."""
    between = {end: after[end] - before.get(end, 0.0) for end in sorted(after)}
    total = max(between.values(), default=0.0)
    if not total:
        return "no samples"
    p50, p99, longest = (next(end for end, n in between.items() if n >= total * part) for part in (0.5, 0.99, 1.0))
    return f"p50 ≤ {p50 * 1000:g} ms, p99 ≤ {p99 * 1000:g} ms, longest ≤ {longest * 1000:g} ms ({total:.0f} samples)"


async def drained(stage: Stage, lines: float) -> float:
    """Seconds until so many lines are read."""
    began = time.monotonic()
    for _ in range(1200):
        if (await scrape(stage))[2] >= lines:
            break
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def measure(log: str, arguments: argparse.Namespace) -> None:
    """One start, one trickle, one burst."""
    count = int(arguments.rate * arguments.seconds)
    logs = lines_of(log, count)
    with tempfile.TemporaryDirectory(prefix="tellwhy-bench-") as name:
        top, port = Path(name), free_port()
        for path in (top / "audit.log", top / "auth.log"):
            path.touch()
        rules = f"rules: {{directories: [{', '.join(arguments.rules)}]}}" if arguments.rules else ""
        (top / "config.yaml").write_text(_CONFIG.format(top=top, port=port, rules=rules))
        stage = Stage(top, "web1", "", port, load_config(top / "config.yaml"))
        await stage.start()
        try:
            await observe(stage, log, logs, arguments.seconds)
        finally:
            await stage.stop()


async def observe(stage: Stage, log: str, logs: dict[str, list[bytes]], seconds: float) -> None:
    """Print the figures of one daemon."""
    if not await stage.ready(60) or stage.process is None:
        raise SystemExit(stage.last_words())
    process = psutil.Process(stage.process.pid)
    start = (await scrape(stage))[0]
    await asyncio.sleep(2)
    idle = (await scrape(stage))[0]
    beats = int(_TRICKLE * 2)
    for beat in range(beats):
        stage.append("auth.log", logs["auth.log"][beat])
        await asyncio.sleep(_TRICKLE / beats)
    quiet, _, already = await scrape(stage)
    bare = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BARE, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    used = process.cpu_times()
    took = await pour(stage, logs, seconds)
    after, unread, _ = await scrape(stage)
    spent = process.cpu_times()
    lines = sum(map(len, logs.values()))
    late = await drained(stage, already + lines)
    end = (await scrape(stage))[0]
    control, _ = await bare.communicate()
    stage.process.send_signal(signal.SIGHUP)
    again = {name: found[: len(found) // 10] for name, found in logs.items()}
    await pour(stage, again, seconds / 10)
    await drained(stage, already + lines + sum(map(len, again.values())))
    reloaded = (await scrape(stage))[0]
    cpu = spent.user + spent.system - used.user - used.system
    p50, p99, longest = (float(one) * 1000 for one in control.split())
    written = sum(len(line) for log_lines in logs.values() for line in log_lines)
    print(f"{log}: {lines / took:,.0f} lines/s over {took:.1f} s, {written / took / 1e6:.1f} MB/s")
    print(f"  lag at start-up: {spoken({}, start)}")
    print(f"  lag of two lines/s: {spoken(idle, quiet)}")
    print(f"  lag of the burst: {spoken(quiet, after)}")
    print(f"  lag until all was read: {spoken(quiet, end)}")
    print(f"  lag of a reload in a burst: {spoken(end, reloaded)}")
    print(f"  bare loop beside it: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.1f} ms")
    print(
        f"  unread at the end {unread / 1e6:.2f} MB, read {late:.1f} s later; CPU {cpu / took:.0%} of a core, "
        f"resident {process.memory_info().rss >> 20} MiB"
    )


async def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=20_000.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rules", action="append", default=[])
    parser.add_argument("--log", choices=("ordinary", "attack", "both"), default="both")
    arguments = parser.parse_args()
    for log in ("ordinary", "attack") if arguments.log == "both" else (arguments.log,):
        await measure(log, arguments)


if __name__ == "__main__":
    asyncio.run(main())
