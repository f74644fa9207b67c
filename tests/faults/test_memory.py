"""The memory's process is killed: the alert comes with a gap that says so, and the memory comes back by itself."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tests.doubles.alert_bodies import alerts_in
from tests.doubles.live_daemon import LiveDaemon, until_remembered
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.model, pytest.mark.timeout(240)]


async def test_a_killed_memory_is_a_gap_and_comes_back_with_what_it_knew(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    daemon.config["memory"] = {"mode": "embedded"}
    daemon.config["alerts"] = {"critical_deadline": "3s"}  # a critical alert waits for the memory's answer too
    daemon.config["webhooks"] = [daemon.webhook("ops", receiver.port, versions="all")]
    await daemon.start()
    await daemon.until_health("memory", "ok", 120)
    daemon.append("audit", attack(1))
    await until_remembered(daemon, 1)

    assert daemon.process is not None
    (child,) = psutil.Process(daemon.process.pid).children()
    child.kill()
    await daemon.until_health("memory", "degraded")
    daemon.append("audit", attack(2))

    def second() -> list[dict[str, Any]]:
        return [alert for alert in alerts_in(receiver) if "198.51.100.2/" in alert["entity"]]

    await wait_until(lambda: any(alert["gaps"] for alert in second()), 30, daemon.last_words)
    assert {gap["part"] for alert in second() for gap in alert["gaps"]} == {"similar"}
    await daemon.until_health("memory", "ok", 120)
    daemon.append("audit", attack(3))

    def cited() -> set[str]:
        return {one["incident_id"] for alert in alerts_in(receiver) for one in alert["similar"]}

    await wait_until(lambda: alerts_in(receiver)[0]["incident"]["id"] in cited(), 60, daemon.last_words)
    assert await daemon.stop() == 0
