"""A disk that is really full: reading pauses, nothing is dropped, and it goes on when there is room again."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.doubles.alert_bodies import alerts_in, entities_in
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver
from tests.doubles.tool_records import FALCO

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
ATTACKS = 40


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB, of which the ballast takes a half."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root to mount a small file system")
    disk = tmp_path / "state"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Take all the room that is left."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1 << 9, 1):
            try:
                while filler.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


async def test_a_full_disk_pauses_reading_and_loses_nothing(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str], small_disk: Path
) -> None:
    await daemon.start()
    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)

    fill(small_disk)
    for number in range(2, ATTACKS + 1):
        daemon.append("audit", attack(number))

    def paused() -> bool:
        fill(small_disk)  # also what the ballast gave back
        return bool(daemon.said("commit failed, reading paused"))

    await wait_until(paused, 60, daemon.last_words)
    assert daemon.said("disk full, ballast released")
    detail = await daemon.until_health("store", "degraded")
    assert "reading is paused, free some disk space" in detail
    assert daemon.running

    (small_disk / "filler").unlink()
    await daemon.until_health("store", "ok", 60)
    await wait_until(lambda: len(entities_in(receiver)) == ATTACKS, 60, daemon.last_words)
    assert len(daemon.incidents()) == ATTACKS
    assert {incident.count for incident in daemon.incidents()} == {1}
    assert len({alert["id"] for alert in alerts_in(receiver)}) == ATTACKS
    assert daemon.said("input lost") == []
    assert await daemon.stop() == 0


async def test_a_first_start_on_a_full_disk_says_what_is_missing(daemon: LiveDaemon, small_disk: Path) -> None:
    fill(small_disk)

    await daemon.start(ready=False)

    assert await daemon.ended() == 1
    (entry,) = daemon.said("store refused")
    assert "free some disk space" in entry["error"]
    assert "move it away" not in entry["error"]


async def test_a_later_start_on_a_full_disk_gives_up_the_ballast(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str], small_disk: Path
) -> None:
    await daemon.start()
    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)
    assert await daemon.stop() == 0
    fill(small_disk)
    daemon.append("audit", attack(2))

    await daemon.start()

    (small_disk / "filler").unlink()
    await wait_until(lambda: len(entities_in(receiver)) == 2, 60, daemon.last_words)
    assert {incident.count for incident in daemon.incidents()} == {1}
    assert await daemon.stop() == 0


async def test_what_is_posted_to_a_full_disk_is_not_acknowledged_until_there_is_room(
    daemon: LiveDaemon, tmp_path: Path, small_disk: Path
) -> None:
    """The sender keeps it: 503, and when to come again. Sent again under its name it is one incident, whatever of it
    waited here.
    """
    (tmp_path / "token").write_text("t" * 40, encoding="ascii")
    daemon.config["sources"] = [{"type": "intake", "name": "tools", "token_file": str(tmp_path / "token")}]
    del daemon.config["rules"]
    await daemon.start()
    number, said = 0, []

    async def post(number: int) -> int:
        alert = {**FALCO, "priority": "Critical", "rule": f"rule {number}", "uuid": f"u{number}"}
        url, headers = f"http://127.0.0.1:{daemon.port}/api/v1/events", {"Authorization": f"Bearer {'t' * 40}"}
        async with aiohttp.ClientSession() as session, session.post(url, json=alert, headers=headers) as answer:
            said.append((answer.status, answer.headers.get("Retry-After"), await answer.json()))
            return answer.status

    while await post(number) == 200:
        fill(small_disk)
        number += 1
        assert number < ATTACKS, "it never ran full"
    for _ in range(3):
        assert await post(number) == 503
    refused = [(after, answer["error"]["message"]) for status, after, answer in said if status == 503]
    assert (
        refused
        == [("5", "It is not known to be stored.")] + [("5", "The store cannot write now; nothing was taken.")] * 3
    )
    assert (await daemon.get("/healthz"))[0] == 200
    (small_disk / "filler").unlink()
    await daemon.until_health("store", "ok", 60)
    assert await post(number) == 200
    accepted, repeated = said[-1][2]["accepted"], said[-1][2]["repeated"]
    assert (accepted, repeated) == (1, 1), "what waited when its sender gave up was stored as soon as there was room"
    assert len({one.entity for one in daemon.incidents()}) == len(daemon.incidents()) == number + 1
    assert {one.count for one in daemon.incidents()} == {1}
    assert await daemon.stop() == 0
