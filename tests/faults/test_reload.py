"""SIGHUP with something wrong in it: what runs goes on as it is, and what is wrong is said."""

import signal
from collections.abc import Callable

import pytest

from tests.doubles.alert_bodies import entities_in
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


async def test_an_invalid_configuration_leaves_the_old_one_at_work(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    await daemon.start()
    good = (daemon.top / "config.yaml").read_text(encoding="utf-8")
    (daemon.top / "config.yaml").write_text(good + "sauces: []\n", encoding="utf-8")
    daemon.signal(signal.SIGHUP)
    detail = await daemon.until_health("config", "degraded")
    assert "sauces" in detail
    assert "the old configuration stays" in detail
    assert await daemon.gauge("tellwhy_config_reload_success") == 0

    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)

    (daemon.top / "config.yaml").write_text(good, encoding="utf-8")
    daemon.signal(signal.SIGHUP)
    await daemon.until_health("config", "ok")
    daemon.append("audit", attack(2))
    await wait_until(lambda: len(entities_in(receiver)) == 2, 30, daemon.last_words)
    assert await daemon.stop() == 0


async def test_a_rule_that_broke_is_left_out_and_all_others_go_on(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    await daemon.start()
    broken = daemon.top / "rules" / "mine.yml"
    broken.write_text(
        "title: Mine\nid: 00000000-0000-4000-8000-00000000000a\nlogsource: {category: process_creation}\n"
        "detection: {selection: {Image|starts: /x}, condition: selection}\nlevel: high\n",
        encoding="utf-8",
    )
    daemon.signal(signal.SIGHUP)
    await wait_until(lambda: bool(daemon.said("reloaded")), 30, daemon.last_words)
    (entry,) = daemon.said("rule refused")
    assert str(broken) in entry["problem"]

    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)

    (daemon.top / "rules" / "rules.yml").write_text("title: [\n", encoding="utf-8")  # not even YAML
    daemon.signal(signal.SIGHUP)
    await wait_until(lambda: len(daemon.said("reloaded")) == 2, 30, daemon.last_words)
    assert daemon.running
    assert await daemon.stop() == 0
