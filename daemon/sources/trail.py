"""One path through all its rotations: which file to read, in which order, and under which checkpoint.

    predecessors (oldest first) ─▶ the file at the path ─▶ …
         └─ drained ─▶ late: held a little longer, for a writer that has not noticed yet

Order is what makes a kill -9 harmless. Checkpoints have one row per path, so nothing of the new file is handed over
before the old one was handed over to its end: until then the row speaks of the old file, which is found again by
identity. Then the drained file gets a row of its own (see `late`), and the row of the path moves on to the new file.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.absence import Absence
from daemon.sources.late import LINGER, LateFiles
from daemon.sources.openings import MOST_AT_ONCE, Openings
from daemon.sources.packed import NotYetError
from daemon.sources.parking import Parking
from daemon.sources.resume import absent, resume
from daemon.sources.siblings import has_packed
from daemon.sources.tailed_file import CutShortError, Reading, TailedFile
from daemon.telemetry import Says, log

HELD = 3600.0
"""Seconds of silence after which a file that was renamed out of a glob is let go."""


class Trail:
    """Follows one path. `stored` are its checkpoints; without one, reading begins at byte 0.

    `alone` says that the path is the whole source, no member of a glob: its absence is stored, and a file renamed away
    is held until a new one comes, however long that takes. `absent_at` is when there was last known to be nothing.
    Bounded: at most 64 predecessors, the file itself and eight late files are open.
    """

    def __init__(
        self,
        openings: Openings,
        reading: Reading,
        *,
        stored: Mapping[str, Checkpoint],
        monotonic: Callable[[], float],
        alone: bool = True,
        absent_at: float | None = None,
    ) -> None:
        self.path = openings.path
        self.openings = openings
        self._name = openings.name
        self._reading = reading
        self._monotonic = monotonic
        self._alone = alone
        self._row = stored.get(self._name)
        self._old: deque[TailedFile] = deque()
        self._file: TailedFile | None = None
        self._cut: TailedFile | None = None
        self._late = LateFiles(openings, stored, monotonic)
        self._absence = Absence(monotonic, reading.now, absent_at)
        # inode and last write of the file before, where none took its place: others may come and go unseen
        self._last: tuple[int, int] | None = None
        self._moved_at = monotonic()
        self.parking = Parking(openings)
        self.more = False

    def _open(self) -> list[TailedFile]:
        return [*self._old, *([self._file] if self._file is not None else []), *self._late.files]

    @property
    def held(self) -> int:
        """How many files are open."""
        return len(self._old) + (self._file is not None) + len(self._late.files)

    @property
    def idle(self) -> bool:
        """Nothing is open: no file there, one not to be read, one read by another trail, or one that waits."""
        return not self.held

    @property
    def missing_for(self) -> float | None:
        """For how many seconds there has been no file at the path; None while there is one."""
        return self._absence.seconds

    @property
    def settled(self) -> bool:
        """Nothing is open or to be found: what was there, if anything, was read to its end and deleted."""
        return self.idle and self._row is None

    def lag(self) -> int:
        """Bytes written but not yet read, those of a file included that is not opened yet."""
        unread = sum(file.lag() for file in self._open())
        if self._file is not None:
            return unread
        return unread + self.openings.waiting(self._row)

    def close(self) -> None:
        """Let go of everything."""
        for file in (*self._old, *([self._file] if self._file is not None else [])):
            self.openings.close(file)
        self._late.close()
        self._old.clear()
        self._file = self._cut = None

    def park(self) -> bool:
        """Close the file until it is this trail's turn again (as at a restart); False amid a rotation."""
        file = self._file
        if file is None or self._row is not None or self._old or self._cut or self._late.files or self._last:
            return False
        self._row = file.checkpoint()
        self.parking.enter(file)
        self.openings.close(file)
        self._file = None
        return True

    def may_take_long(self) -> bool:
        """Whether the next `read` may have to unpack a rotated file."""
        stat = self.openings.glance()
        moved = stat is not None and (self._file is None or self._file.id != (stat.st_dev, stat.st_ino))
        pending = moved or self._row is not None or self._cut is not None
        return pending and self._absence.due and has_packed(self.path)

    def skip_to_end(self) -> Iterator[Lines]:
        """Begin behind the last whole line that is there now: at the very first start only."""
        if self._row is not None:
            return  # done before we were interrupted
        self._file = self.openings.open_present()
        if self._file is not None:
            self._file.skip_to_end()
            self._say_opened(self._file)
            yield self._file.anchor()

    def read(self) -> Iterator[Lines | Lost]:
        """One step: notice what became of the path, then hand over at most one chunk of the oldest file.

        `more` then says whether another step would find more at once. Raises Transient out of descriptors.
        """
        self.more = False
        if not self.openings.room.due:
            return
        try:
            yield from self._follow()
        except NotYetError as error:  # what is not there yet comes before all that is
            self.openings.room.note(error)
            return
        yield from self.openings.say_missed()
        if self._old:
            yield from self._drain(self._old[0])
        elif self._file is not None:
            yield from self._go_on(self._file)
        yield from self._late.read()
        self.more = self.more or self._late.more

    # what became of the path

    def _follow(self) -> Iterator[Lines | Lost]:
        stat = self.openings.look()
        self.parking.looked = True
        if stat is not None or self.openings.blocked is not None:
            self._absence.end()
        elif self._absence.begin() and self._alone and self.settled and self._last is None:
            yield absent(self._name, self._reading)
        # in a directory that was moved away no copy can be found, and none be said to be missing
        if self._cut is not None and (stat or not self._cut.stat().st_nlink or self.openings.has_directory()):
            yield from self._start_over(self._cut)
        yield from self._pursue(stat)
        if self._row is None:  # only then: it may turn out that one of them is not drained after all
            self._late.resume()

    def _pursue(self, stat: os.stat_result | None) -> Iterator[Lines | Lost]:
        if self._row is not None:
            yield from self._resume(self._row)
        elif self._file is None and stat is not None:
            yield from self._begin()
        elif self._file is not None and stat is None:
            yield from self._forget_deleted(self._file)
        elif self._file is not None and stat is not None and self._file.id != (stat.st_dev, stat.st_ino):
            yield from self._rotate(self._file)

    def _resume(self, row: Checkpoint) -> Iterator[Lines | Lost]:
        if not self._absence.due:
            return
        resumed = resume(self.openings, self._reading, row, self._late.rows)
        if resumed is None:
            self._absence.note_search()
            self.parking.leave(opened=False)
            return
        self._row, self._file = None, resumed.file
        self._old.extend(resumed.old)
        if self._file is not None and not self.parking.parked:
            self._say_opened(self._file)
        self.parking.leave(opened=True)
        if resumed.lost is not None:
            yield resumed.lost
            yield next(file for file in (*self._old, self._file) if file is not None).anchor()

    def _begin(self) -> Iterator[Lines]:
        file = self.openings.open_present()
        if file is None:
            return
        try:
            if self._last is not None:
                self._old.extend(self.openings.open_successors(*self._last))
            elif self._absence.last is not None:
                self._old.extend(self.openings.open_since(self._absence.last))
        except BaseException:
            self.openings.close(file)
            raise
        self._file, self._last, self._absence.last = file, None, None
        self._say_opened(file)
        if not self._old:
            yield file.anchor()  # so that even a file rotated before its first line is found again

    def _say_opened(self, file: TailedFile) -> None:
        log.info(Says.file_opened, source=self._reading.source, path=self._name, offset=file.offset)

    def _rotate(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """The path names another file now: the one before is read to its end before the new one."""
        log.info(Says.file_rotated, source=self._reading.source, path=self._name)
        self._file, self._absence.last = None, None
        self._old.append(file)
        # the new file is opened first: should it be rotated away this very moment, it is ours already
        yield from self._begin()
        if not self.openings.unopened and len(self._old) <= MOST_AT_ONCE:
            self._found_between(file)
        else:  # its turn comes after those that are not open either
            self.openings.close(self._old.pop())
            self.openings.unopened += 1

    def _found_between(self, file: TailedFile) -> bool:
        """Open what was at the path after this file; False when that has to wait."""
        try:
            found = self.openings.open_successors(file.inode, file.stat().st_mtime_ns)
        except NotYetError as error:
            self.openings.room.note(error)
            self.openings.unopened = max(1, self.openings.unopened)
            return False
        # where rotated files are packed, one that is gone is no sign of that
        if not file.stat().st_nlink and not all(one.offset for one in found) and not has_packed(self.path):
            self.openings.missed.append(f"{self._name}: the file being read was rotated until deleted; others may be")
        self._old.extend(found)
        return True

    def _forget_deleted(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """A deleted file keeps its disk space until we let it go; a renamed one is held until a new one comes."""
        gone = self._absence.seconds or 0.0
        # no new one needs to come where each day has a name of its own
        long_ago = not self._alone and min(gone, self._monotonic() - self._moved_at) >= HELD
        over = long_ago if file.stat().st_nlink else gone >= LINGER
        if over and not file.more:
            self._file = None
            self._last = file.inode, file.stat().st_mtime_ns
            yield from self.openings.let_go(file)

    def _take(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """The next lines; of a file that was truncated none, until it is known what became of the rest."""
        if self._cut is file:
            return
        try:
            yield from file.read()
            self.more = self.more or file.more
        except CutShortError:
            self._cut, self.more = file, True

    def _go_on(self, file: TailedFile) -> Iterator[Lines | Lost]:
        before = file.offset
        yield from self._take(file)
        if file.offset != before:
            self._moved_at = self._monotonic()

    def _start_over(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """The file was truncated. What `copytruncate` copied holds what we had not read; without it that is lost."""
        before = file.checkpoint()
        copies, found = self.openings.find(before, copy=True)
        self._cut = None
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
        yield from self._take(file)
        if self._cut is not file and file.offset == before and not file.more:
            if len(self._old) == 1 and self.openings.unopened and not self._found_between(file):
                return
            yield from self._retire(file)
        self.more = True

    def _retire(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """It is drained: it moves to a row of its own, and the row of the path to what follows."""
        self._old.popleft()
        yield from self._late.add(file)
        if self._file is None:
            self._last = file.inode, file.stat().st_mtime_ns
        elif not self._old:
            yield self._file.anchor()
