"""Logs that are not there, not to be read, or full of rubbish, with the whole daemon around them."""

import random  # noqa: TID251 - seeded rubbish
from collections.abc import Callable

import pytest

from tests.doubles.alert_bodies import entities_in
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


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
