"""A real process that computes, and real connections, as the real /proc shows them."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from daemon.model import Sample
from daemon.sources.host_samples import HostSamples
from daemon.usernames import username
from tests.doubles.real_time import now, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


@pytest.fixture
def spinning() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass", "--token", "hunter2"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_it_is_told_of_with_its_user_and_command(spinning: "subprocess.Popen[bytes]") -> None:
    source = HostSamples("host", now=now, username=username)
    seen: list[Sample] = []

    def told() -> bool:
        seen[:] = source.read(1.0)
        return any(f"pid {spinning.pid} of " in words for words in seen[0].context.get("top.cpu", ()))

    await wait_until(told, 30, lambda: str(seen[:1]), every=0.5)
    user = pwd.getpwuid(os.getuid()).pw_name
    [words] = [words for words in seen[0].context["top.cpu"] if f"pid {spinning.pid} of {user}: " in words]
    assert "while True: pass" in words
    assert 1 <= int(words.split(" % of a core")[0]) <= 110
    for process in seen:  # told of by itself only where it gets half a core: not on a host that is as busy as itself
        if process.tags.get("process.pid") == str(spinning.pid):
            assert process.tags["process.user"] == user
            assert process.values["process.age_seconds"] < 60


def test_connections_are_counted_as_the_kernel_shows_them() -> None:
    source = HostSamples("host", now=now)
    before = source.read(1.0)[0].values["net.connections_established"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        ends = [socket.create_connection(server.getsockname()) for _ in range(20)]
        after = HostSamples("host", now=now).read(1.0)[0].values["net.connections_established"]
        for end in ends:
            end.close()
    assert after >= before + 20
