import socket
from pathlib import Path

import pytest

from daemon.sd_notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, *, abstract: bool) -> None:
    address = f"@tellwhy-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address[1:] if abstract else address)

        assert Notifier(address, "").send(READY=1, STATUS="watching audit")

        assert systemd.recv(1024) == b"READY=1\nSTATUS=watching audit"


def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    assert not Notifier("", "").send(READY=1)
    assert not Notifier(str(tmp_path / "nobody"), "").send(READY=1)


@pytest.mark.parametrize(("usec", "seconds"), [("60000000", 60.0), ("", None), ("0", None), ("soon", None)])
def test_the_watchdog_period_is_in_seconds(usec: str, seconds: float | None) -> None:
    assert Notifier("", usec).watchdog_seconds == seconds
