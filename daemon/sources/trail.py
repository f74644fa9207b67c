"""One path through all its rotations: which file to read, in which order, and under which checkpoint.

    predecessors (oldest first) ─▶ the file at the path ─▶ …
         └─ drained ─▶ late: held a little longer for a writer that has not noticed yet

Order is what makes a kill -9 harmless. Checkpoints have one row per path, so nothing of the new file is handed over
before the old one was handed over to its end: until then the row speaks of the old file, which is found again by
identity. Then the drained file gets a row of its own (`PATH#rotated`) for what may still be written to it, and the row of
the path moves on to the new file.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.identity import is_same_file, parse_identity
from daemon.sources.ledger import Ledger
from daemon.sources.siblings import find_copy, find_same, list_successors, open_regular
from daemon.sources.tailed_file import CutShortError, Reading, TailedFile
from daemon.telemetry import Says, log

LINGER = 5.0
"""Seconds that a drained file is held for late writers, counted from the last line it brought."""
MAX_PREDECESSORS = 64
"""Rotated files held open at once for a reader that is behind."""
ROTATED = "#rotated"
"""Suffix of the checkpoint row of a drained predecessor."""


def shown(path: str) -> str:
    """A path as text that any encoder takes: undecodable bytes become `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Trail:
    """Follows `path`. `stored` are the checkpoints of this path; without one, reading begins at byte 0."""

    def __init__(
        self,
        path: str,
        reading: Reading,
        ledger: Ledger,
        *,
        stored: Sequence[Checkpoint] = (),
        monotonic: Callable[[], float],
    ) -> None:
        self.path = path
        self._name = shown(path)
        self._reading = reading
        self._ledger = ledger
        self._monotonic = monotonic
        self._stored = {c.position.path: c for c in stored}
        self._old: deque[TailedFile] = deque()
        self._file: TailedFile | None = None
        self._late: TailedFile | None = None
        self._late_until = 0.0
        self._missing_since: float | None = None
        self.more = False
        self.blocked: OSError | None = None

    @property
    def idle(self) -> bool:
        """Nothing is open: the file is not there, or may not be read."""
        return self._file is None and not self._old and self._late is None

    def lag(self) -> int:
        """Bytes written but not yet read."""
        return sum(file.lag() for file in self._open())

    def close(self) -> None:
        """Let go of everything."""
        for file in self._open():
            self._ledger.release(file)
            file.close()
        self._old.clear()
        self._file = self._late = None

    def _open(self) -> list[TailedFile]:
        return [file for file in (*self._old, self._file, self._late) if file is not None]

    def skip_to_end(self) -> Iterator[Lines]:
        """Begin behind the last whole line that is already there; used at the very first start only."""
        stat = self._look()
        if stat is None or self._ledger.is_claimed(stat):
            return
        file = self._open_path()
        if file is not None:
            file.skip_to_end()
            self._file = file
            yield file.anchor()

    def read(self) -> Iterator[Lines | Lost]:
        """One step: notice what became of the path, then hand over at most one chunk of the oldest file.

        `more` then says whether another step would find more at once; `blocked` what hinders the opening.
        """
        self.more = False
        yield from self._follow()
        if self._old:
            yield from self._drain(self._old[0])
        elif self._file is not None:
            yield from self._advance(self._file)
        yield from self._listen()

    # what became of the path

    def _follow(self) -> Iterator[Lines | Lost]:
        stat = self._look()
        if self._stored:
            yield from self._resume(stat)
        elif stat is None:
            yield from self._let_deleted_go()
        elif self._file is None:
            yield from self._begin(stat)
        elif (stat.st_dev, stat.st_ino) != self._file.id:
            yield from self._rotate(self._file, stat)

    def _look(self) -> os.stat_result | None:
        try:
            stat = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            self.blocked = None
            if self._missing_since is None:
                self._missing_since = self._monotonic()
            return None
        except OSError as error:
            self.blocked = error
            return None
        self._missing_since = None
        return stat

    def _open_path(self) -> TailedFile | None:
        try:
            fd = open_regular(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.blocked = error
            return None
        self.blocked = None
        return self._adopt(fd)

    def _adopt(self, fd: int, *, offset: int = 0, key: str = "") -> TailedFile:
        file = TailedFile(fd, self._name, self._reading, offset=offset, key=key)
        self._ledger.claim(file)
        return file

    def _begin(self, stat: os.stat_result) -> Iterator[Lines]:
        """A file where none was open before."""
        if self._ledger.is_claimed(stat):
            return  # another trail reads it: it was rotated to this name, or this is a link to it
        try:
            fd = open_regular(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            self.blocked = error
            return
        self.blocked = None
        offset = self._ledger.recall(fd)
        self._file = self._adopt(fd, offset=offset)
        log.info(Says.file_opened, source=self._reading.source, path=self._name, offset=offset)
        if offset:
            yield self._file.anchor()

    def _rotate(self, file: TailedFile, stat: os.stat_result) -> Iterator[Lines | Lost]:
        """The path has another file now: the one before it is read to its end first."""
        log.info(Says.file_rotated, source=self._reading.source, path=self._name)
        self._file = None
        self._old.append(file)
        self._add_successors(file.inode, file.stat().st_mtime_ns, skip=stat)
        yield from self._begin(stat)
        while len(self._old) > MAX_PREDECESSORS:
            yield from self._let_go(self._old.popleft(), why="rotated_away")

    def _add_successors(self, inode: int, written_at: int | None, *, skip: os.stat_result | None) -> None:
        """Files that came and went between two looks at the path."""
        for sibling in list_successors(self.path, inode, written_at):
            if skip is not None and sibling.inode == skip.st_ino:
                continue
            try:
                fd = open_regular(sibling.path)
            except OSError:
                continue
            if self._ledger.is_claimed(os.fstat(fd)):
                os.close(fd)
                continue
            self._old.append(self._adopt(fd, offset=self._ledger.recall(fd)))
