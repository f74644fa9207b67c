"""The real daemon on the log of a real auditd, fed by the kernel: nothing is missed, and every loss is told.

Root's, where nobody else uses the kernel's audit; all is put back at the end (`tests.doubles.live_audit`). The ids are
those of the scenarios: A07 rate limit, A08 backlog, A09 kill -9, A10 no log of the kernel, A11 tampering, A12 rotation.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.model import Alert
from tests.doubles.live_audit import LiveAudit, live_audit, status
from tests.doubles.live_daemon import LiveDaemon, live_daemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver, Reply

pytestmark = pytest.mark.system


@asynccontextmanager
async def watching(top: Path, *, kernel: bool = True) -> AsyncIterator[tuple[LiveAudit, LiveDaemon]]:
    """A real auditd and the daemon, both at work, and a rule of the kernel's audit on one file."""
    sources = {"audit": "auditd", "kern": "syslog"} if kernel else {"audit": "auditd"}
    with live_audit(top) as audit:
        async with (
            Receiver(Reply(204)) as receiver,
            live_daemon(top, webhook_port=receiver.port, sources=sources) as daemon,
        ):
            daemon.config["webhooks"][0]["versions"] = "all"
            await audit.start()
            audit.watch()
            await daemon.start()
            audit.hit(3)
            await until_read(audit, daemon)
            yield audit, daemon


async def until_read(audit: LiveAudit, daemon: LiveDaemon) -> None:
    """What auditd has written was read by the daemon."""

    async def read() -> bool:
        size = audit.log.stat().st_size
        rows = daemon.rows("SELECT \"offset\" FROM checkpoints WHERE source = 'audit' AND path NOT LIKE '%,%'")
        await asyncio.sleep(0.1)  # auditd may not have written all that the kernel sent
        return size == audit.log.stat().st_size and (size,) in rows

    await wait_until(read, 15, daemon.last_words)


async def until_rotated(audit: LiveAudit, files: int) -> None:
    await wait_until(lambda: audit.rotated() == files, 10, lambda: f"{audit.rotated()} rotated files, not {files}")


def lost(daemon: LiveDaemon, why: str) -> list[Any]:
    """The numbers told for this reason, by the daemon's own log."""
    return [entry["count"] for entry in daemon.said("input lost") if entry["why"] == why]


async def until_lost(daemon: LiveDaemon, why: str, enough: Callable[[list[Any]], bool]) -> None:
    await wait_until(lambda: enough(lost(daemon, why)), 20, lambda: f"{why}: {lost(daemon, why)} {daemon.last_words()}")


async def until_incident(daemon: LiveDaemon, title: str) -> Alert:
    """The newest alert of an incident of this rule."""

    def found() -> list[Alert]:
        return [alert for alert in daemon.alerts() if alert.rule.title == title]

    await wait_until(lambda: bool(found()), 20, lambda: f"{title}: {[a.rule.title for a in daemon.alerts()]}")
    return found()[-1]


async def audit_status(daemon: LiveDaemon) -> dict[str, Any]:
    code, text = await daemon.get("/api/v1/status")
    assert code == 200
    return dict(json.loads(text)["audit"])


async def test_a07_a_rate_limit_leaves_a_gap_that_is_counted(tmp_path: Path) -> None:
    async with watching(tmp_path) as (audit, daemon):
        audit.control("-r", "5")
        audit.hit(20)
        await asyncio.sleep(1.1)  # the limit counts by seconds
        audit.control("-r", "0")
        audit.hit(1)
        await until_read(audit, daemon)
        expected = audit.missing()
        assert sum(expected) >= 10  # of twenty in one second

        await until_lost(daemon, "audit_gap", lambda counts: sum(counts) == sum(expected))

        assert lost(daemon, "audit_gap") == expected
        assert (await until_incident(daemon, "Audit records lost")).severity.name == "medium"
        said = await audit_status(daemon)
        assert (said["gap_events"], said["detection"]) == (sum(expected), "full")


async def test_a08_a_full_backlog_leaves_no_gap_and_is_told_by_the_kernel(tmp_path: Path) -> None:
    async with watching(tmp_path) as (audit, daemon):
        await asyncio.sleep(1.1)  # the kernel tells of losses once a second at most, of those of the test before, too
        before = status()["lost"]
        audit.control("-b", "20")
        audit.signal(signal.SIGSTOP)
        audit.hit(200)
        audit.signal(signal.SIGCONT)
        audit.control("-b", "8192")
        assert status()["lost"] > before  # how many differs from run to run
        audit.hit(1)
        await until_read(audit, daemon)
        audit.hear()
        told = audit.kernel_words()
        assert told

        await until_lost(daemon, "audit_backlog", lambda counts: sum(counts) == told[-1])

        assert lost(daemon, "audit_gap") == []
        assert (await audit_status(daemon))["kernel_lost"] == told[-1]
        await until_incident(daemon, "Audit records lost")


async def test_a09_auditd_killed_and_a10_without_the_log_of_the_kernel(tmp_path: Path) -> None:
    """What happened while auditd was dead never reaches the file; what is told of that time later says so."""
    async with watching(tmp_path, kernel=False) as (audit, daemon):
        said = await audit_status(daemon)
        assert (said["detection"], [one["signal"] for one in said["missing"]]) == ("partial", ["kernel"])
        audit.kill()
        audit.hit(3)
        await audit.start()
        audit.hit(1)
        await until_read(audit, daemon)
        expected = audit.missing()
        assert sum(expected) >= 3

        alert = await until_incident(daemon, "Audit daemon killed")

        assert alert.severity.name == "high"
        assert lost(daemon, "audit_gap") == expected
        assert len(lost(daemon, "auditd_killed")) == 1
        audit.control("-e", "0")
        tampered = await until_incident(daemon, "Auditing switched off")
        (gap,) = [gap for gap in tampered.gaps if gap.part == "evidence"]
        assert gap.why == "incomplete"
        assert "auditd was killed" in gap.detail


async def test_a11_tampering_is_told(tmp_path: Path) -> None:
    async with watching(tmp_path) as (audit, daemon):
        audit.control_as(1000, "-b", "10")
        assert (await until_incident(daemon, "Audit events limited in a session")).entity == "auid=1000"
        audit.control_as(1000, "-D")
        await until_incident(daemon, "Audit rules removed in a session")
        audit.control("-e", "0")
        assert (await until_incident(daemon, "Auditing switched off")).severity.name == "critical"
        audit.log.write_bytes(b"")
        await until_incident(daemon, "Audit log truncated, deleted or replaced")
        assert len(lost(daemon, "truncated")) == 1


async def test_a11_auditd_ended_by_somebody_is_told(tmp_path: Path) -> None:
    async with watching(tmp_path) as (audit, daemon):
        audit.signal(signal.SIGHUP)
        await until_incident(daemon, "Audit daemon told to read its settings again")
        audit.signal(signal.SIGTERM)
        await until_incident(daemon, "Audit daemon ended by another program")
        assert lost(daemon, "auditd_killed") == []


async def test_a12_rotations_under_load_lose_nothing(tmp_path: Path) -> None:
    """By signal twice, and then by size; each event is read once, in files that auditd makes read-only."""
    async with watching(tmp_path) as (audit, daemon):
        audit.control("-b", "8192")
        for number in (1, 2):
            audit.hit(50)
            audit.signal(signal.SIGUSR1)
            audit.hit(50)
            await until_rotated(audit, number)
        audit.hit(1500)  # more than a mebibyte
        await until_rotated(audit, 3)
        audit.hit(1)
        await until_read(audit, daemon)

        assert audit.missing() == []
        assert daemon.said("input lost") == []
        assert await daemon.gauge("tellwhy_lines_total") == audit.lines()
