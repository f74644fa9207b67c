"""Which process is which: pid → image, command line, parent, user. What no audit record of a child says of its parent.

Learnt from program starts, forks and sightings in the log, seeded from the processes running at start, forgotten at
exit and reboot. Bounded: the least recently used of more than `limit` go first, and are counted.
Command lines are redacted before they are seen or stored, so that what a rule sees of a parent is the same before and
after a restart.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec
from msgspec import Struct

from daemon.model import Snapshot
from daemon.model.stored_rows import read_rows

Key: TypeAlias = tuple[str, int]


class Process(Struct, frozen=True, gc=False):
    """One process. `image` holds several paths where the program was started by another name than its own."""

    pid: int
    image: str | tuple[str, ...]
    command_line: str = ""
    ppid: int = 0
    user: str = ""
    node: str = ""

    @property
    def images(self) -> tuple[str, ...]:
        """The image as a tuple."""
        return self.image if isinstance(self.image, tuple) else (self.image,)


class Processes:
    """The bounded table. `node` is "" for this host and a name for others in an aggregated log."""

    def __init__(self, source: str, *, redact: Callable[[str], str], limit: int = 32_768) -> None:
        self.evictions = 0
        self._step = f"processes:{source}"
        self._redact = redact
        self._limit = limit
        self._rows: OrderedDict[Key, Process] = OrderedDict()
        self._clean: set[Key] = set()
        self._seeded: set[Key] = set()
        self._dirty: set[Key] = set()
        self._stored: set[Key] = set()
        self._gone: set[Key] = set()

    def __len__(self) -> int:
        """How many processes are known."""
        return len(self._rows)

    def find(self, node: str, pid: int) -> Process | None:
        """The process of this pid, if known; it becomes the most recently used."""
        key = (node, pid)
        row = self._rows.get(key)
        if row is None:
            return None
        self._rows.move_to_end(key)
        return row if key in self._clean else self._cleaned(key)

    def started(self, process: Process) -> None:
        """A program was started, or seen at work: whatever the pid was before, it is this now."""
        self._put(process, raw=True)

    def is_running(self, node: str, pid: int, image: str) -> bool:
        """Whether this pid is known to be this program (it may be used again); it becomes the most recently used."""
        known = self._rows.get((node, pid))
        if known is None:
            return False
        self._rows.move_to_end((node, pid))
        return known.image == image or image in known.images

    def forked(self, node: str, parent: int, child: int) -> None:
        """The child is a copy of its parent until it starts a program of its own."""
        known = self.find(node, parent)
        if known is not None:
            self._put(msgspec.structs.replace(known, pid=child, ppid=parent))

    def exited(self, node: str, pid: int) -> None:
        """The process is gone."""
        self._drop((node, pid))

    def rebooted(self, node: str) -> None:
        """All earlier processes of the node are gone. Seeded ones ran when we started, so after it: they stay."""
        for key in [key for key in self._rows if key[0] == node and key not in self._seeded]:
            self._drop(key)

    def seed(self, processes: Iterable[Process]) -> None:
        """Fill in what is running now. What the log taught stays: it may be of lines not yet read."""
        for process in processes:
            key = (process.node, process.pid)
            if key not in self._rows:
                self.started(process)
                self._seeded.add(key)

    def changes(self) -> list[Snapshot]:
        """One row per process that changed since the last call."""
        for key in self._dirty - self._clean:
            self._cleaned(key)
        rows = [Snapshot(self._step, _name(key), None) for key in sorted(self._gone)]
        rows.extend(
            Snapshot(self._step, _name(key), msgspec.json.encode(self._rows[key])) for key in sorted(self._dirty)
        )
        self._stored = (self._stored - self._gone) | self._dirty
        self._dirty = set()
        self._gone = set()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        for _, process in read_rows(snapshots, self._step, Process):
            key = (process.node, process.pid)
            self._put(process)
            self._stored.add(key)
            self._dirty.discard(key)

    def _cleaned(self, key: Key) -> Process:
        """Redact the command line of a row, which is put off until somebody asks for it: most are never asked for."""
        self._clean.add(key)
        process = self._rows[key]
        said = self._redact(process.command_line)
        if said != process.command_line:
            process = self._rows[key] = msgspec.structs.replace(process, command_line=said)
        return process

    def _put(self, process: Process, *, raw: bool = False) -> None:
        key, rows = (process.node, process.pid), self._rows
        rows[key] = process
        rows.move_to_end(key)
        (self._clean.discard if raw else self._clean.add)(key)
        self._dirty.add(key)
        if self._gone:
            self._gone.discard(key)
        if self._seeded:
            self._seeded.discard(key)
        if len(rows) > self._limit:
            self.evictions += 1
            self._drop(next(iter(rows)))

    def _drop(self, key: Key) -> None:
        if self._rows.pop(key, None) is None:
            return
        self._dirty.discard(key)
        self._clean.discard(key)
        self._seeded.discard(key)
        if key in self._stored:
            self._gone.add(key)


def _name(key: Key) -> str:
    node, pid = key
    return f"{pid}@{node}" if node else str(pid)
