"""One path through all its rotations: which file to read, in which order, and under which checkpoint.

    predecessors (oldest first) ─▶ the file at the path ─▶ …
         └─ drained ─▶ late: held a little longer, for a writer that has not noticed yet

Order is what makes a kill -9 harmless. Checkpoints have one row per path, so nothing of the new file is handed over
before the old one was handed over to its end: until then the row speaks of the old file, which is found again by
identity. Then the drained file gets a row of its own (see `late`), and the row of the path moves on to the new file.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.late import LINGER, LateFiles
from daemon.sources.openings import Openings
from daemon.sources.resume import resume
from daemon.sources.tailed_file import CutShortError, Reading, TailedFile
from daemon.telemetry import Says, log

MAX_PREDECESSORS = 64
"""Rotated files held open at once for a reader that is behind."""


class Trail:
    """Follows one path. `stored` are the checkpoints of that path; without one, reading begins at byte 0.

    Bounded: at most 64 predecessors, the file itself and eight late files are open.
    """

    def __init__(
        self,
        openings: Openings,
        reading: Reading,
        *,
        stored: Mapping[str, Checkpoint],
        monotonic: Callable[[], float],
    ) -> None:
        self.path = openings.path
        self.openings = openings
        self._name = openings.name
        self._reading = reading
        self._monotonic = monotonic
        self._row = stored.get(self._name)
        self._old: deque[TailedFile] = deque()
        self._file: TailedFile | None = None
        self._late = LateFiles(openings, stored, monotonic)
        self._missing_since: float | None = None
        # inode and last write of the file before, where none took its place at once: others may come and go unseen
        self._last: tuple[int, int] | None = None
        self.more = False

    def _open(self) -> list[TailedFile]:
        return [*self._old, *([self._file] if self._file is not None else []), *self._late.files]

    @property
    def idle(self) -> bool:
        """Nothing is open: the file is not there, may not be read, or is read by another trail."""
        return not self._open()

    @property
    def missing(self) -> bool:
        """There is no file at the path."""
        return self._missing_since is not None

    def lag(self) -> int:
        """Bytes written but not yet read."""
        return sum(file.lag() for file in self._open())

    def close(self) -> None:
        """Let go of everything."""
        for file in (*self._old, *([self._file] if self._file is not None else [])):
            self.openings.close(file)
        self._late.close()
        self._old.clear()
        self._file = None

    def skip_to_end(self) -> Iterator[Lines]:
        """Begin behind the last whole line that is there now: at the very first start only."""
        self._file = self.openings.open_present()
        if self._file is not None:
            self._file.skip_to_end()
            self._say_opened(self._file)
            yield self._file.anchor()

    def read(self) -> Iterator[Lines | Lost]:
        """One step: notice what became of the path, then hand over at most one chunk of the oldest file.

        `more` then says whether another step would find more at once.
        """
        self.more = False
        yield from self._follow()
        while self.openings.missed:
            detail = self.openings.missed.pop(0)
            yield Lost(self._reading.source, "rotated_away", None, self._reading.now(), detail)
        if self._old:
            yield from self._drain(self._old[0])
        elif self._file is not None:
            yield from self._go_on(self._file)
        yield from self._late.read()
        self.more = self.more or self._late.more

    # what became of the path

    def _follow(self) -> Iterator[Lines | Lost]:
        stat = self.openings.look()
        if stat is not None or self.openings.blocked is not None:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = self._monotonic()
        if self._row is not None:
            yield from self._resume(self._row)
        elif self._file is None and stat is not None:
            yield from self._begin()
        elif self._file is not None and stat is None:
            yield from self._forget_deleted(self._file)
        elif self._file is not None and stat is not None and self._file.id != (stat.st_dev, stat.st_ino):
            yield from self._rotate(self._file)
        self._late.resume()  # after the above, which may find that one of them is not drained after all

    def _resume(self, row: Checkpoint) -> Iterator[Lines | Lost]:
        resumed = resume(self.openings, self._reading, row, self._late.rows)
        if resumed is None:
            return
        self._row = None
        self._file = resumed.file
        self._old.extend(resumed.old)
        if self._file is not None:
            self._say_opened(self._file)
        if resumed.lost is not None:
            yield resumed.lost
            yield next(file for file in (*self._old, self._file) if file is not None).anchor()

    def _begin(self) -> Iterator[Lines]:
        self._file = self.openings.open_present()
        if self._file is None:
            return
        self._say_opened(self._file)
        last, self._last = self._last, None
        if last is not None:
            self._old.extend(self.openings.open_successors(*last))
        if not self._old:
            yield self._file.anchor()  # so that even a file rotated before its first line is found again

    def _say_opened(self, file: TailedFile) -> None:
        log.info(Says.file_opened, source=self._reading.source, path=self._name, offset=file.offset)

    def _rotate(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """The path names another file now: the one before is read to its end before the new one."""
        log.info(Says.file_rotated, source=self._reading.source, path=self._name)
        self._old.append(file)
        # the new file is opened first: should it be rotated away this very moment, it is ours already
        yield from self._begin()
        self._old.extend(self.openings.open_successors(file.inode, file.stat().st_mtime_ns))
        while len(self._old) > MAX_PREDECESSORS:
            yield from self.openings.let_go(self._old.popleft(), "rotated_away", None)

    def _forget_deleted(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """A deleted file keeps its disk space until we let it go; a renamed one is held until a new one comes."""
        gone = self._monotonic() - self._missing_since if self._missing_since is not None else 0.0
        if gone >= LINGER and not file.more and file.stat().st_nlink == 0:
            self._file = None
            self._last = file.inode, file.stat().st_mtime_ns
            yield from self.openings.let_go(file, "unfinished_line", 1)

    # reading

    def _go_on(self, file: TailedFile) -> Iterator[Lines | Lost]:
        try:
            yield from file.read()
        except CutShortError:
            yield from self._start_over(file)
        self.more = self.more or file.more

    def _start_over(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """The file was truncated. What `copytruncate` copied holds what we had not read; without it that is lost."""
        before = file.checkpoint()
        copies, found = self.openings.find(before, copy=True)
        log.warning(Says.file_truncated, source=self._reading.source, path=self._name, copy_found=found)
        file.restart()
        self._old.extendleft(reversed(copies))  # also before the file itself, if that was rotated since
        self.more = True
        if not found:
            detail = f"{self._name} was truncated behind byte {before.position.offset}; what followed cannot be known"
            yield Lost(self._reading.source, "truncated", None, self._reading.now(), detail)
            yield file.anchor()

    def _drain(self, file: TailedFile) -> Iterator[Lines | Lost]:
        before = file.offset
        try:
            yield from file.read()
        except CutShortError:
            yield from self._start_over(file)
        else:
            if file.offset == before and not file.more:
                self._old.popleft()
                yield from self._retire(file)
        self.more = True

    def _retire(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """A predecessor is drained: it moves to its own row, and the row of the path to what follows."""
        yield from self._late.add(file)
        if self._file is None:
            self._last = file.inode, file.stat().st_mtime_ns
        elif not self._old:
            yield self._file.anchor()
