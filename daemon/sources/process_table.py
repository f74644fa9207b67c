"""One pass over /proc: what every process has used, as the kernel counts it (proc_pid_stat(5)).

Raw reads relative to one directory: psutil would take ten times as long for a thousand processes. Processes end while
they are looked at; what is gone is left out.
"""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from daemon.sources.openings import shown

MOST = 32_768
"""Processes that are looked at; of more, the others are counted and not named."""
_STAT = 1024
_COMMAND = 4096
_SHOWN = 110
"""Characters of a command line that are told: as many as evidence keeps of one item, beside the figures."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_HERTZ = os.sysconf("SC_CLK_TCK")


class Process(Struct, frozen=True, gc=False):
    """One process at one moment. `cpu` and `started` in seconds (the latter since boot), `memory` resident bytes."""

    pid: int
    name: str
    state: str
    parent: int
    faults: int
    cpu: float
    threads: int
    started: float
    memory: int

    @property
    def key(self) -> tuple[int, float]:
        """Tells it from a later process of the same number."""
        return self.pid, self.started


class Table(Struct, frozen=True):
    """All processes at one moment, by number. `more` is how many were only counted."""

    processes: Mapping[int, Process]
    more: int = 0

    @property
    def whole(self) -> bool:
        """Whether the first process is there: a /proc mounted with hidepid shows only our own."""
        return 1 in self.processes


def read_table(proc: Path) -> Table:
    """Every process that may be looked at. OSError where /proc cannot be listed."""
    directory = os.open(proc, os.O_RDONLY | os.O_DIRECTORY)
    try:
        pids = [name for name in os.listdir(directory) if name[0] in "123456789" and name.isdigit()]  # noqa: PTH208 - of an open directory
        found = (parse_stat(text) for name in pids[:MOST] if (text := _read(f"{name}/stat", directory, _STAT)))
        return Table({one.pid: one for one in found if one is not None}, max(0, len(pids) - MOST))
    finally:
        os.close(directory)


def read_process(proc: Path, pid: int) -> Process | None:
    """One process, None when it has ended or is not of our namespace."""
    return parse_stat(_read(os.fspath(proc / str(pid) / "stat"), None, _STAT))


def parse_stat(text: bytes) -> Process | None:
    """One line of /proc/PID/stat; None for what is none. A name may hold brackets, too: the last one closes it."""
    opened, closed = text.find(b"("), text.rfind(b")")
    part = text[closed + 2 :].split(b" ", 22)
    try:
        return Process(
            pid=int(text[:opened]),
            name=text[opened + 1 : closed].decode("utf-8", "backslashreplace"),
            state=chr(part[0][0]),
            parent=int(part[1]),
            faults=int(part[9]),
            cpu=(int(part[11]) + int(part[12])) / _HERTZ,
            threads=int(part[17]),
            started=int(part[19]) / _HERTZ,
            memory=int(part[21]) * _PAGE,
        )
    except (ValueError, IndexError):
        return None


def _read(path: str, directory: int | None, most: int) -> bytes:
    """The beginning of a file; empty where it cannot be read, which for a process mostly means that it ended."""
    try:
        opened = os.open(path, os.O_RDONLY, dir_fd=directory)
    except OSError:
        return b""
    try:
        return os.read(opened, most)
    except OSError:
        return b""
    finally:
        os.close(opened)


class People:
    """Who runs a process and with which command, read for the few that are told of. `username` names a user id.

    Nothing is remembered: a process may change its user and its title.
    """

    def __init__(self, proc: Path, username: Callable[[int], str] = str) -> None:
        self._proc = proc
        self._username = username

    def command(self, process: Process) -> str:
        """Its command line, a kernel thread's name in brackets."""
        text = _read(os.fspath(self._proc / str(process.pid) / "cmdline"), None, _COMMAND)
        return say_command(text) or f"[{shown(process.name)}]"

    def uid(self, process: Process) -> int | None:
        """The id of its user, None where that cannot be seen."""
        try:
            return (self._proc / str(process.pid) / "stat").stat().st_uid
        except OSError:
            return None

    def user(self, process: Process) -> str:
        """The name of its user; empty where that cannot be seen."""
        uid = self.uid(process)
        return "" if uid is None else shown(self._username(uid))

    def say(self, amount: str, process: Process) -> str:
        """`97 % of a core, pid 4242 of alice: python3 train.py`."""
        user = self.user(process)
        return f"{amount}, pid {process.pid}{f' of {user}' if user else ''}: {self.command(process)}"


def say_command(text: bytes) -> str:
    """/proc/PID/cmdline as one line of whole words, so many as fit: a secret that were cut in two would not be
    recognised as one, and leave with the alert. One word that is too long is left out.
    """
    whole = len(text) < _COMMAND or text.endswith(b"\0")
    words = list(_words(text.rstrip(b"\0") if whole else text[: text.rfind(b"\0") + 1].rstrip(b"\0")))
    said: list[str] = []
    room = _SHOWN
    for word in words:
        room -= len(word) + 1
        if room < 0:
            return " ".join([*said, "…"])
        said.append(word)
    return " ".join(said if whole else [*said, "…"])


def _words(text: bytes) -> Iterator[str]:
    for part in text.split(b"\0") if text else ():
        word = part.decode("utf-8", "backslashreplace")
        if len(word) > _SHOWN:
            yield from word.split()  # a title that its program made of all its arguments
        elif word:
            yield shlex.quote(word) if any(char.isspace() for char in word) else word
