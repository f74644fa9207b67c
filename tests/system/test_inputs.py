"""The real daemon on a real journal, and with tools that post to it, killed at any moment."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from daemon.cli.demo.stage import free_port
from tests.doubles.journal_writer import SSHD, JournalWriter, failed
from tests.doubles.live_daemon import LiveDaemon, live_daemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver
from tests.doubles.tool_records import FALCO, alertmanager, an_alertmanager_alert

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
TOKEN = "t" * 40
ROUNDS = 3


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[LiveDaemon]:
    async with Receiver() as receiver, live_daemon(tmp_path, webhook_port=receiver.port, sources={}) as daemon:
        yield daemon


def entry(number: int, address: int) -> dict[str, str | bytes]:
    return {**SSHD, "MESSAGE": failed(number, f"203.0.113.{address}")}


def readers_of(journal: Path) -> list[str]:
    """The journalctl processes that read there."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return [one for one in commands if one.startswith("journalctl ") and str(journal) in one]


async def test_a_journal_is_read_once_whatever_kills_us(daemon: LiveDaemon, tmp_path: Path) -> None:
    """Each round brings the failures of one address, in two halves with a kill between them."""
    journal = tmp_path / "journal"
    journal.mkdir()
    daemon.config["sources"] = [{"type": "journal", "directory": str(journal), "start": "beginning"}]
    with JournalWriter(journal / "system.journal") as writer:
        for address in range(1, ROUNDS + 1):
            writer.write(*(entry(number, address) for number in range(6)))
            await daemon.start()
            if address % 2:  # while it reads, or after what it read is stored
                await wait_until(lambda: "journal" in daemon.known_logs(), 30, daemon.last_words)
            await daemon.kill()
            await wait_until(lambda: not readers_of(journal), 20, lambda: f"{readers_of(journal)} outlived us")
            writer.write(*(entry(number, address) for number in range(6, 12)))
        await daemon.start()
        addresses = {f"src_ip=203.0.113.{address}" for address in range(1, ROUNDS + 1)}

        def titles() -> list[str]:
            return [one.rule.title for one in daemon.incidents()]

        def found() -> dict[str, int]:
            brute = [one for one in daemon.incidents() if one.rule.title == "SSH brute force from one address"]
            return {one.entity: one.count for one in brute}

        await wait_until(lambda: found().keys() == addresses, 60, lambda: f"{found()}: {daemon.last_words()}")
        writer.write(
            {
                **SSHD,
                "_EXE": "/usr/bin/logger",
                "_COMM": "logger",
                "MESSAGE": "Accepted password for root from 192.0.2.9 port 4 ssh2",
            }
        )
        await wait_until(lambda: "Log line forged in the name of a system service" in titles(), 30, daemon.last_words)
    assert await daemon.stop() == 0
    assert sorted(titles()).count("SSH brute force from one address") == ROUNDS
    assert set(found().values()) == {1}, found()  # the eighth of twelve failures; what is read twice would be a second
    assert "Root login over SSH with a password" not in titles()
    assert daemon.said("input lost") == []
    assert daemon.rows('SELECT path, "offset" FROM checkpoints') == [(f"journal:{journal}", 12 * ROUNDS + 1)]


def an_intake(daemon: LiveDaemon, tmp_path: Path) -> str:
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    daemon.config["sources"] = [{"type": "intake", "name": "tools", "token_file": str(tmp_path / "token")}]
    return f"http://127.0.0.1:{daemon.port}/api/v1/events"


async def ask(url: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer; 0 where nobody answered."""
    sent = {"Authorization": f"Bearer {TOKEN}", **headers}
    try:
        async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=sent) as said:
            text = await said.text()
            return said.status, json.loads(text) if said.content_type == "application/json" and text else {}
    except aiohttp.ClientError:
        return 0, {}


async def post(url: str, body: Any, **headers: str) -> int:
    """The status; 0 where nobody answered."""
    return (await ask(url, body, **headers))[0]


def an_alert(number: int) -> dict[str, Any]:
    return {**FALCO, "priority": "Critical", "rule": f"rule {number}", "uuid": f"u{number}"}


async def test_what_was_acknowledged_is_stored_whatever_kills_us_and_once(daemon: LiveDaemon, tmp_path: Path) -> None:
    """Every alert is sent until it is acknowledged, as falcosidekick does, while the daemon is killed again and again."""
    url, acknowledged, number = an_intake(daemon, tmp_path), set[int](), 0
    for _ in range(ROUNDS):
        await daemon.start()
        loop = asyncio.get_running_loop()
        posts = [loop.create_task(post(url, an_alert(number + n))) for n in range(20)]
        await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        await daemon.kill()
        said = await asyncio.gather(*posts)
        assert set(said) <= {200, 0}
        stored = {one.entity for one in daemon.incidents()}
        for n, status in enumerate(said):
            if status == 200:
                acknowledged.add(number + n)
                assert any(f"rule={f'rule {number + n}'}" in entity for entity in stored), (status, number + n)
        number += 20
    await daemon.start()
    for again in range(number):
        status, answer = await ask(url, an_alert(again))
        assert (status, answer["accepted"]) == (200, 1)
        assert answer["repeated"] == 1 or again not in acknowledged
    found = [one for one in daemon.incidents() if one.rule.title.startswith("Falco alert: rule ")]
    assert acknowledged
    assert len(found) == number
    assert {one.count for one in found} == {1}
    assert await daemon.stop() == 0


async def test_a_token_is_changed_by_a_reload_and_nobody_is_cut_off(daemon: LiveDaemon, tmp_path: Path) -> None:
    """Whose token leaked must be shut out without a restart."""
    url, old, new = (
        an_intake(daemon, tmp_path),
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"Bearer {'n' * 40}"},
    )
    await daemon.start()
    assert [await post(url, an_alert(1), **old), await post(url, an_alert(1), **new)] == [200, 401]
    (tmp_path / "token").write_text("n" * 40, encoding="ascii")
    assert await post(url, an_alert(1), **old) == 200, "until it is reloaded"
    loop = asyncio.get_running_loop()
    reload = loop.create_task(post(url.replace("events", "reload"), {}))
    said = set[int]()
    while not reload.done():  # 503 (come again) while one runtime takes over from the other
        said.add(await post(url, an_alert(2), **new))
    assert await reload == 200
    assert said <= {200, 401, 503}
    assert [await post(url, an_alert(3), **old), await post(url, an_alert(3), **new)] == [401, 200]
    (tmp_path / "token").write_text("short", encoding="ascii")
    assert await post(url.replace("events", "reload"), {}) == 422
    assert await post(url, an_alert(3), **new) == 200, "what is refused changes nothing"
    assert await daemon.stop() == 0


async def test_an_alert_of_alertmanager_is_resolved_when_it_says_so(daemon: LiveDaemon, tmp_path: Path) -> None:
    url = an_intake(daemon, tmp_path)
    await daemon.start()
    assert await post(url, alertmanager()) == 200
    assert await post(url, alertmanager()) == 200
    (incident,) = daemon.incidents()
    assert (incident.rule.title, incident.status.value, incident.count) == (
        "Alertmanager alert that is critical: DiskWillFill",
        "open",
        1,
    )
    assert await post(url, alertmanager(an_alertmanager_alert("resolved"))) == 200
    (incident,) = daemon.incidents()
    assert incident.status.value == "closed"
    assert [alert.decision.value for alert in daemon.alerts()] == ["first", "resolved"]
    assert await daemon.stop() == 0


async def test_the_real_alertmanager_posts_to_it(daemon: LiveDaemon, tmp_path: Path) -> None:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("needs prometheus-alertmanager (.ci/debian-packages.sh installs it where it starts no service)")
    url = an_intake(daemon, tmp_path)
    await daemon.start()
    port = free_port()
    receiver = {
        "url": url, "send_resolved": True,
        "http_config": {"authorization": {"credentials_file": str(tmp_path / "token")}},
    }  # fmt: skip
    config = {
        "route": {"receiver": "tellwhy", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"},
        "receivers": [{"name": "tellwhy", "webhook_configs": [receiver]}],
    }
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [program, f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/am",
               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # fmt: skip
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: ASYNC220 - starting is brief
    try:
        labels = {"alertname": "DiskWillFill", "instance": "192.0.2.10:9100", "severity": "critical"}
        own = f"http://127.0.0.1:{port}/api/v2/alerts"

        async def taken() -> bool:
            return await post(own, [{"labels": labels, "annotations": {"summary": "full"}}]) == 200

        await wait_until(taken, 30, lambda: (tmp_path / "alertmanager.log").read_text()[-500:])
        await wait_until(lambda: len(daemon.incidents()) == 1, 30, daemon.last_words)
        (incident,) = daemon.incidents()
        assert (incident.rule.title, incident.host) == (
            "Alertmanager alert that is critical: DiskWillFill",
            "192.0.2.10",
        )
        ended = [{"labels": labels, "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-02T00:00:00Z"}]
        assert await post(own, ended) == 200
        await wait_until(lambda: daemon.incidents()[0].status.value == "closed", 30, daemon.last_words)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(10)
    assert await daemon.stop() == 0
