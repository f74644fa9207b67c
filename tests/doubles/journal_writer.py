"""A real journal, written by Debian's systemd-journal-remote from systemd's export format, as journald would write it."""

import shutil
import subprocess
from pathlib import Path
from typing import Self

import pytest

REMOTE = Path("/lib/systemd/systemd-journal-remote")
START = 1_763_740_000
"""UTC seconds of the first entry; one a second."""
BOOT = "00112233445566778899aabbccddeeff"
SSHD = {
    "_TRANSPORT": "syslog", "PRIORITY": "6", "SYSLOG_FACILITY": "10", "SYSLOG_IDENTIFIER": "sshd", "SYSLOG_PID": "812",
    "_PID": "812", "_UID": "0", "_GID": "0", "_COMM": "sshd", "_EXE": "/usr/sbin/sshd",
    "_SYSTEMD_UNIT": "ssh.service", "_HOSTNAME": "web-1",
}  # fmt: skip
"""What journald adds to a message of the real sshd of Debian 12."""


def failed(number: int, address: str = "203.0.113.47") -> str:
    """What sshd says of a wrong password."""
    return f"Failed password for root from {address} port {40000 + number} ssh2"


def exported(fields: dict[str, str | bytes], number: int, boot: str = BOOT) -> bytes:
    """One entry in systemd's export format (a value with a newline or a control character as bytes with their length)."""
    stamps = {
        "__REALTIME_TIMESTAMP": str((START + number) * 1_000_000),
        "__MONOTONIC_TIMESTAMP": str((1 + number) * 1_000_000),
        "_BOOT_ID": boot,
    }
    entry = b""
    for name, value in {**stamps, **fields}.items():
        raw = value.encode() if isinstance(value, str) else value
        if raw.isascii() and b"\n" not in raw:
            entry += name.encode() + b"=" + raw + b"\n"
        else:
            entry += name.encode() + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n"
    return entry + b"\n"


def needs_journal() -> None:
    """Skip where journals can be neither written nor read."""
    for program in (REMOTE, shutil.which("journalctl")):
        if program is None or not Path(program).exists():
            pytest.skip("needs journalctl and systemd-journal-remote (.ci/debian-packages.sh installs them)")


class JournalWriter:
    """Writes entries to one journal file while the block lasts. `write` returns once they are handed over."""

    def __init__(self, path: Path) -> None:
        needs_journal()
        self.path = path
        self.written = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [str(REMOTE), f"--output={self.path}", "-"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0

    def write(self, *entries: dict[str, str | bytes], boot: str = BOOT) -> None:
        """Append entries."""
        assert self._process is not None
        assert self._process.stdin is not None
        for entry in entries:
            self._process.stdin.write(exported(entry, self.written, boot))
            self.written += 1
        self._process.stdin.flush()


def write_journal(path: Path, *entries: dict[str, str | bytes], first: int = 0, boot: str = BOOT) -> None:
    """A journal file that is complete when this returns."""
    needs_journal()
    data = b"".join(exported(entry, first + number, boot) for number, entry in enumerate(entries))
    done = subprocess.run(
        [str(REMOTE), f"--output={path}", "-"], input=data, check=False, capture_output=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
