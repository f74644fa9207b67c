"""A state that cannot be used is refused with a sentence and exit code 1; a port that is taken stops nothing."""

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from daemon.state.migrations import MIGRATIONS
from tests.doubles.alert_bodies import entities_in
from tests.doubles.live_daemon import LiveDaemon
from tests.doubles.real_time import wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


async def used(daemon: LiveDaemon, attack: Callable[[int], str], receiver: Receiver) -> None:
    """A store with something in it."""
    await daemon.start()
    daemon.append("audit", *(attack(number) for number in range(1, 6)))
    await wait_until(lambda: len(entities_in(receiver)) == 5, 30, daemon.last_words)
    assert await daemon.stop() == 0


def garbage(daemon: LiveDaemon) -> None:
    daemon.database.write_bytes(b"this was a database once " * 400)


def torn_pages(daemon: LiveDaemon) -> None:
    """The header is whole, what follows is not."""
    content = daemon.database.read_bytes()
    daemon.database.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def newer(daemon: LiveDaemon) -> None:
    with closing(sqlite3.connect(daemon.database)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (garbage, "move it away"),
        (torn_pages, "move it away"),
        (newer, "written by a newer tellwhy"),
    ],
)
async def test_a_store_that_cannot_be_used_is_refused_and_left_as_it_is(
    daemon: LiveDaemon,
    receiver: Receiver,
    attack: Callable[[int], str],
    spoil: Callable[[LiveDaemon], None],
    said: str,
) -> None:
    await used(daemon, attack, receiver)
    spoil(daemon)
    before = daemon.database.read_bytes()

    await daemon.start(ready=False)

    assert await daemon.ended() == 1
    (entry,) = daemon.said("store refused")
    assert said in entry["error"]
    assert str(daemon.database) in entry["error"]
    assert "Traceback" not in daemon.last_words()
    assert daemon.database.read_bytes() == before


async def test_a_second_daemon_on_one_state_is_refused_and_the_first_goes_on(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    await daemon.start()
    first = daemon.process
    await daemon.start(ready=False)
    assert await daemon.ended() == 1
    (entry,) = daemon.said("store refused")
    assert "another tellwhy is using it" in entry["error"]

    daemon.process = first
    daemon.append("audit", attack(1))
    await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)


async def test_a_port_that_is_taken_costs_the_endpoint_and_nothing_else(
    daemon: LiveDaemon, receiver: Receiver, attack: Callable[[int], str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", daemon.port))
        other.listen()
        await daemon.start(ready=False)
        await wait_until(lambda: bool(daemon.said("ready")), 60, daemon.last_words)
        daemon.append("audit", attack(1))
        await wait_until(lambda: len(entities_in(receiver)) == 1, 30, daemon.last_words)
    (entry,) = daemon.said("endpoint cannot listen")
    assert str(daemon.port) in entry["error"]
    assert await daemon.stop() == 0
