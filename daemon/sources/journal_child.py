"""journalctl as a child process: how it is asked, what it prints in whole lines, what it says when it ends.

A child, and not libsystemd in our own process: that can crash or hang where a journal is rotated or vacuumed under its
reader (systemd issues 36247, 35229). A crash then costs a restart behind the last entry. It runs in a session of
its own, so that a Ctrl-C meant for us does not end it before what it printed is stored; when we are killed, it sees
that nobody holds the other end of its output (journalctl looks for that since version 240) and ends too.
"""

import asyncio
import contextlib
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from daemon.config import JournalSource
from daemon.model import Transient

FIELDS = (
    *("MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY", "SYSLOG_PID", "MESSAGE_ID", "N_DROPPED"),
    *("_TRANSPORT", "_PID", "_UID", "_GID", "_COMM", "_EXE", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "_HOSTNAME"),
    *("_AUDIT_ID", "_AUDIT_TYPE_NAME", "_AUDIT_LOGINUID", "_SOURCE_REALTIME_TIMESTAMP", "UNIT", "USER_UNIT"),
    *("CONTAINER_NAME", "CONTAINER_ID", "_SYSTEMD_CGROUP", "_SELINUX_CONTEXT"),
)
"""What is asked for. Not `_CMDLINE`: it may be two megabytes long, and whoever runs a program chooses them."""
_CHUNK = 65_536
_GRACE = 2.0
_SAID = 2048  # bytes of stderr that are kept
_CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"([^"\\]{1,300})"')  # inside of a value its quotes would have backslashes
_MACHINE = re.compile(r"[0-9a-f]{32}")
_OVERLAP = 512  # bytes that hold any cursor with its name


class Entries(Struct, frozen=True):
    """Whole entries, and the cursor of the last one. `too_long` counts those before and among them that were left out,
    `left_out` is the cursor of one that would stand before all others.
    """

    data: bytes
    cursor: str
    too_long: int = 0
    left_out: str = ""


def own_machine(path: Path = Path("/etc/machine-id")) -> str:
    """This host's id, as journald writes it beside each entry; "" where it has none."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return text if _MACHINE.fullmatch(text) else ""


def arguments(config: JournalSource, *, begin: str | None, machine: str = "") -> list[str]:
    """The command line. `begin` is a cursor (its entry included), "" for the oldest, None for the newest entry alone.

    Journals are merged, because otherwise journalctl 252 and others follow the last boot only, and take for that what
    /proc says, which in a container is the host's. Of the host's own journal, entries of other hosts that lie beside it
    are left out by `machine`.
    """
    fields = ("_COMM",) if begin is None else tuple(dict.fromkeys((*FIELDS, *config.fields)))  # of one entry only who
    command = ["journalctl", "--output=json", "--all", "--no-pager", f"--output-fields={','.join(fields)}", "--merge"]
    if config.directory is not None:
        command.append(f"--directory={config.directory}")
    command += [f"--file={pattern}" for pattern in config.files]
    command += [f"--unit={unit}" for unit in config.units]
    if begin is None:
        command.append("--lines=1")
    else:
        command += ["--follow", "--no-tail", *([f"--cursor={begin}"] if begin else [])]
    return [*command, *_matches(config, machine)]


def _matches(config: JournalSource, machine: str) -> Iterator[str]:
    """Those of the configuration, and in each of their alternatives (`+`) the host."""
    elsewhere = config.directory is not None or config.files
    named = any(one.startswith("_MACHINE_ID=") for one in config.matches)
    ours = [] if elsewhere or named or not machine else [f"_MACHINE_ID={machine}"]
    yield from ours
    for one in config.matches:
        yield one
        yield from ours if one == "+" else ()


def find_cursor(data: bytes) -> str:
    """The cursor of the last entry in a piece of output; "" where there is none."""
    found = _CURSOR.findall(data)
    return found[-1].decode("ascii", "replace") if found else ""


class Cutter:
    """Bytes → whole entries. An entry of more than `longest` bytes is left out, but its cursor is kept."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._skipping = False
        self._cursor = ""  # of the entry that is being left out
        self._too_long = 0

    def feed(self, data: bytes) -> Iterator[Entries]:
        """The entries that these bytes complete."""
        if self._skipping:
            data, ended = self._skip(data)
            if ended:
                yield self._entries(b"", self._cursor)
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        lines = whole + newline
        if lines:
            yield from self._cut(lines)
        if len(self._rest) > self._longest:
            self._skipping, self._cursor = True, find_cursor(self._rest)
            self._rest = self._rest[-_OVERLAP:]

    def _skip(self, data: bytes) -> tuple[bytes, bool]:
        """Look for the end of the entry that is left out, and for its cursor: what stands behind it, if it ended."""
        end, newline, after = data.partition(b"\n")
        seen = self._rest + end
        self._cursor = find_cursor(seen) or self._cursor
        if not newline:
            self._rest = seen[-_OVERLAP:]
            return b"", False
        self._rest, self._skipping = b"", False
        self._too_long += 1
        return after, True

    def _cut(self, lines: bytes) -> Iterator[Entries]:
        """What was read whole may be too long all the same."""
        kept, left_out = lines, ""
        if len(lines) > self._longest:
            long = [line for line in lines.split(b"\n") if len(line) > self._longest]
            self._too_long += len(long)
            left_out = find_cursor(long[0]) if long and lines.startswith(long[0]) else ""
            kept = b"".join(line + b"\n" for line in lines.split(b"\n")[:-1] if len(line) <= self._longest)
        last = lines[lines.rfind(b"\n", 0, -1) + 1 :]
        yield self._entries(kept, find_cursor(last) or find_cursor(lines), left_out)

    def _entries(self, data: bytes, cursor: str, left_out: str = "") -> Entries:
        too_long, self._too_long = self._too_long, 0
        return Entries(data, cursor, too_long, left_out)


class JournalChild:
    """One journalctl. `said` is the end of what it wrote to stderr; `heard` is called when that becomes more."""

    def __init__(self, process: Process, heard: Callable[[str], None], *, follows: bool) -> None:
        self._process = process
        self._follows = follows
        self._heard = heard
        self._stderr = asyncio.get_running_loop().create_task(self._listen(), name="what journalctl says")
        self.said = ""

    @classmethod
    async def start(cls, command: Sequence[str], heard: Callable[[str], None]) -> "JournalChild":
        """Start it. Raises OSError where there is no journalctl."""
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, limit=_CHUNK, start_new_session=True, env=environment
        )
        return cls(process, heard, follows="--follow" in command)

    async def read(self) -> bytes:
        """The next piece of its output; nothing is read ahead of whoever asks. b"" at its end."""
        assert self._process.stdout is not None
        return await self._process.stdout.read(_CHUNK)

    async def ended(self) -> Transient | None:
        """Wait for its end; how it ended, in its own words. None where it printed what it was asked for."""
        code = await self._process.wait()
        await asyncio.wait({self._stderr}, timeout=_GRACE)
        if code == 0 and not self._follows:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return Transient(f"journalctl {how}" + (f": {self.said}" if self.said else ""))

    async def close(self) -> None:
        """End it, with whatever it started, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()  # it only reads: there is nothing to tidy up, and without a pager it starts nothing
        await self._process.wait()
        self._stderr.cancel()
        await asyncio.wait({self._stderr})

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        kept = b""
        while data := await self._process.stderr.read(_CHUNK):
            kept = (kept + data)[-_SAID:]
            self.said = " ".join(kept.decode("utf-8", "replace").split())
            self._heard(self.said)
