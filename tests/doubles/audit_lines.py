"""Audit and syslog lines for tests, and what feeds them to a reader."""

import math

from daemon.events import Output, Reader
from daemon.events.readers import build_reader
from daemon.model import Checkpoint, Event, Lines, Lost, Position

NOW = 1795260000.0  # 2026-11-21T11:20:00Z
USERS = {0: "root", 1000: "alice"}


def lines_of(*lines: bytes | str, offset: int = 0, identity: str = "1:2:abc", path: str = "/var/log/x") -> Lines:
    """A run of lines as a source hands it over."""
    raw = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    position = Position(path, identity, offset)
    return Lines("src", raw, position, Checkpoint("src", Position(path, identity, offset + len(raw))))


def reader_of(fmt: str, *, host: str = "vm", now: float = NOW) -> Reader:
    """A reader with a fixed clock, two users and no redaction."""
    return build_reader(
        "src", fmt, host=host, now=lambda: now, usernames=lambda uid: USERS.get(uid, ""), redact=lambda text: text
    )


def read_all(fmt: str, *lines: bytes | str, host: str = "vm", now: float = NOW) -> list[Output]:
    """Everything that comes of these lines, to the end."""
    reader = reader_of(fmt, host=host, now=now)
    return [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]


def events_of(outputs: list[Output], *, category: str = "", service: str = "") -> list[Event]:
    """The events of one logsource."""
    return [
        output
        for output in outputs
        if isinstance(output, Event) and (output.logsource.category, output.logsource.service) == (category, service)
    ]


def lost_of(outputs: list[Output]) -> list[Lost]:
    """The losses."""
    return [output for output in outputs if isinstance(output, Lost)]


def execve(serial: int, *arguments: str, at: str = "1795252500.100", pid: int = 300, ppid: int = 200) -> list[str]:
    """The records of one successful execve of /usr/bin/ARGUMENT0 by alice, ENRICHED."""
    head = f"msg=audit({at}:{serial}):"
    said = " ".join(f"a{index}={_kernel_string(value)}" for index, value in enumerate(arguments))
    title = "\0".join(arguments).encode().hex().upper()
    call = (
        f"type=SYSCALL {head} arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=8 items=2 ppid={ppid} "
        f"pid={pid} auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 "
        f'tty=pts0 ses=7 comm="{arguments[0][:15]}" exe="/usr/bin/{arguments[0]}" key="exec"\x1dARCH=x86_64 '
        'SYSCALL=execve AUID="alice" UID="alice" EUID="alice"'
    )
    return [
        call,
        f"type=EXECVE {head} argc={len(arguments)} {said}",
        f'type=CWD {head} cwd="/home/alice"',
        f'type=PATH {head} item=0 name="/usr/bin/{arguments[0]}" inode=1 mode=0100755 nametype=NORMAL',
        f'type=PATH {head} item=1 name="/lib64/ld-linux-x86-64.so.2" inode=2 mode=0100755 nametype=NORMAL',
        f"type=PROCTITLE {head} proctitle={title}",
    ]


def _kernel_string(value: str) -> str:
    """Quoted where it is clean, else upper-case hex: as the kernel writes untrusted strings."""
    clean = all(" " < character < "\x7f" and character != '"' for character in value)
    return f'"{value}"' if clean else value.encode("utf-8", "surrogateescape").hex().upper()
