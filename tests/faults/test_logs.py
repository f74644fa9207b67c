"""Logs that are not there, not to be read, or full of rubbish, with the whole daemon around them."""

import random  # noqa: TID251 - seeded rubbish
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles.alert_bodies import entities_in
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
LOGS = 100


async def test_a_log_that_is_not_there_yet_is_waited_for(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    (daemon.top / "audit.log").unlink()
    await daemon.start(ready=False)
    await wait_until(lambda: bool(daemon.said("ready")), 60, daemon.last_words)
    assert "waiting for it" in await daemon.until_health("source:audit", "starting")

    daemon.append("audit", attack(1))

    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)
    await daemon.until_health("source:audit", "ok")


async def test_between_rubbish_every_attack_is_found_and_what_was_cut_is_counted(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    rng = random.Random(7)  # noqa: S311 - the same rubbish each time
    rubbish = (
        rng.randbytes(50_000).replace(b"\n", b"\x0b") + b"\n",
        b"type=SYSCALL msg=audit(\n" * 50,
        b"type=EXECVE msg=audit(99999999999999999999.9:9): argc=99999999 a0=\xff\n",
        b"A" * 300_000 + b"\n",
        b"\0" * 4096 + b"\n",
        "“🚀” \u202e type=SYSCALL msg=audit(1.0:1): arch=\n".encode(),
        b"\n" * 100,
    )
    await daemon.start()
    for number, junk in enumerate(rubbish, 1):
        daemon.append("audit", junk, attack(number))

    await wait_until(lambda: len(entities_in(receiver)) == len(rubbish), 30, daemon.last_words)

    assert [(entry["why"], entry["count"]) for entry in daemon.said("input lost")].count(("line_too_long", 1)) == 1
    assert daemon.said("component restarted") == []
    assert await daemon.stop() == 0


async def test_of_more_logs_than_descriptors_each_is_read_in_its_turn(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    """F07: 64 descriptors, sockets and all."""
    daemon.before = ("sh", "-c", 'ulimit -n 64 && exec "$@"', "sh")
    logs = daemon.top / "many"
    logs.mkdir()
    daemon.config["sources"][0]["path"] = str(logs / "*.log")
    for number in range(1, LOGS + 1):
        write(logs / f"{number}.log", attack(number) if number % 5 == 0 else "")
    await daemon.start()
    await wait_until(lambda: len(entities_in(receiver)) == LOGS // 5, 60, daemon.last_words)
    detail = await daemon.until_health("turns:audit", "degraded")
    assert f"matches {LOGS - 32} files more than the 32 that may be open" in detail
    assert (await daemon.health("source:audit"))[0] == "ok"

    for number in range(1, LOGS + 1):
        if number % 5:
            write(logs / f"{number}.log", attack(number))

    await wait_until(lambda: len(entities_in(receiver)) == LOGS, 60, daemon.last_words)
    assert {incident.count for incident in daemon.incidents()} == {1}
    # the files are read in no order, so that serials seem to be missing; no file may be said to be
    assert {entry["why"] for entry in daemon.said("input lost")} <= {"audit_gap"}
    assert daemon.said("component restarted") == []
    assert await daemon.stop() == 0


def write(path: Path, text: str) -> None:
    with path.open("a") as log:
        log.write(text)
