"""A reload with something wrong in it: what runs goes on as it is, and what is wrong is said. One without: what changed is
said, and what did not change goes on.
"""

import signal
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.doubles.alert_bodies import alerts_in, entities_in
from tests.doubles.audit_lines import execve
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import now, wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
COUNTING = """\
title: A probe
id: 00000000-0000-4000-8000-0000000000a1
name: probe
logsource: {category: process_creation}
detection: {selection: {CommandLine|contains: probe-of-ours}, condition: selection}
---
title: Probes
id: 00000000-0000-4000-8000-0000000000a2
correlation: {type: event_count, rules: [probe], group-by: [User], timespan: 1h, condition: {gte: 4}}
level: high
tellwhy: {entity: [User]}
"""
OTHER = """\
title: Other
id: 00000000-0000-4000-8000-0000000000a3
logsource: {category: process_creation}
detection: {selection: {CommandLine|contains: never-seen}, condition: selection}
"""


def probes(first: int, count: int) -> list[str]:
    """The audit records of processes that count together."""
    at = now()
    lines = [
        line
        for number in range(first, first + count)
        for line in execve(500 + number, "sh", "-c", "probe-of-ours", at=f"{at:.3f}")
    ]
    return [f"{line}\n" for line in lines]


def change(daemon: LiveDaemon, name: str, text: str) -> None:
    (daemon.top / "rules" / name).write_text(text, encoding="utf-8")


async def reload(daemon: LiveDaemon) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{daemon.port}/api/v1/reload", json={}) as response,
    ):
        return response.status, await response.json()


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


async def test_a_broken_rule_is_left_out_at_a_start_and_stops_a_reload(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    change(daemon, "mine.yml", OTHER.replace("contains", "contain"))
    await daemon.start()
    (entry,) = daemon.said("rule refused")
    mine = daemon.top / "rules" / "mine.yml"
    assert entry["problem"].startswith(f"{mine}:4: detection.selection.CommandLine|contain: expected a known modifier")
    assert str(mine) in await daemon.until_health("rules", "degraded")
    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)

    change(daemon, "mine.yml", OTHER)
    status, body = await reload(daemon)
    assert (status, body["changed"]) == (200, ["rules added: Other"])
    assert await daemon.until_health("rules", "ok") == ""

    change(daemon, "mine.yml", "title: [\n")  # not even YAML
    change(daemon, "rules.yml", COUNTING)  # and all other rules would be gone
    status, body = await reload(daemon)
    assert status == 422
    (problem,) = body["error"]["problems"]
    assert problem.startswith(f"{mine}:")
    assert "(yaml): expected valid YAML" in problem
    assert "the old rules stay" in await daemon.until_health("rules", "degraded")
    daemon.append("audit", attack(2))
    await wait_until(lambda: len(entities_in(receiver)) == 2, 30, daemon.last_words)
    assert await daemon.stop() == 0


async def test_windows_of_rules_that_did_not_change_go_on_and_what_changed_is_said(
    daemon: LiveDaemon, receiver: Receiver
) -> None:
    change(daemon, "rules.yml", COUNTING)
    change(daemon, "other.yml", OTHER)
    await daemon.start()
    three = probes(1, 3)
    daemon.append("audit", *three)

    async def read() -> bool:
        return await daemon.gauge("tellwhy_lines_total") == len(three)

    await wait_until(read, 30, daemon.last_words)

    change(daemon, "other.yml", OTHER.replace("title: Other", "title: Another"))
    daemon.config["model"] = {"mode": "off", "name": "tiny"}
    daemon.config["rules"]["disabled"] = ["Another"]
    daemon.write_config()
    status, body = await reload(daemon)
    assert status == 200
    assert body["rules"] == {
        "added": [],
        "removed": [],
        "changed": [{"id": "00000000-0000-4000-8000-0000000000a3", "title": "Another"}],
        "disabled": [{"id": "00000000-0000-4000-8000-0000000000a3", "title": "Another"}],
        "enabled": [],
    }
    assert body["config"] == [
        {"key": "rules.disabled", "change": "changed"},
        {"key": "model.name", "change": "changed"},
    ]
    (entry,) = daemon.said("reloaded")
    assert entry["changed"] == body["changed"]
    assert entry["changed"][:2] == ["rules changed: Another", "rules now disabled: Another"]

    daemon.append("audit", *probes(4, 1))
    await wait_until(lambda: bool(alerts_in(receiver)), 30, daemon.last_words)
    assert alerts_in(receiver)[0]["because"].startswith('4 × "A probe" within 1h')
    assert await daemon.stop() == 0


async def test_a_changed_file_is_taken_and_a_broken_one_never_while_files_are_watched(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    daemon.config["rules"]["watch"] = True
    change(daemon, "other.yml", OTHER)
    await daemon.start()
    rules = (daemon.top / "rules" / "rules.yml").read_text(encoding="utf-8")

    change(daemon, "rules.yml", rules[: len(rules) // 2])  # half written, and its writer stopped there
    assert "the old rules stay" in await daemon.until_health("rules", "degraded", 15)
    assert await daemon.gauge("tellwhy_config_reload_success") == 0
    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)
    assert len(daemon.said("changed rules refused, the old rules stay")) == 1
    assert daemon.said("reloaded") == []

    change(daemon, "rules.yml", rules)
    await daemon.until_health("rules", "ok", 15)
    assert await daemon.gauge("tellwhy_config_reload_success") == 1

    change(daemon, "mine.yml", COUNTING)
    await wait_until(lambda: daemon.said("reloaded")[-1]["changed"] != [], 15, daemon.last_words)
    assert daemon.said("reloaded")[-1]["changed"] == ["rules added: A probe, Probes"]
    await daemon.until_ready()
    daemon.append("audit", *probes(1, 4))
    await wait_until(lambda: len(entities_in(receiver)) == 2, 30, daemon.last_words)
    assert len(daemon.said("changed rules refused, the old rules stay")) == 1
    assert await daemon.stop() == 0
