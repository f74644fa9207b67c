"""Opening what a trail reads: the file at its path, its predecessors, a copy of it. Never one file twice."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.identity import is_same_file, parse_identity
from daemon.sources.ledger import ENOUGH, Ledger
from daemon.sources.packed import NotYetError
from daemon.sources.room import Room
from daemon.sources.siblings import (
    Opened,
    Sibling,
    find_copy,
    find_same,
    list_siblings,
    list_since,
    list_successors,
    open_regular,
    open_sibling,
)
from daemon.sources.tailed_file import Reading, TailedFile

MOST_AT_ONCE = 64
"""Rotated files of one path that are opened at once."""
GROWS_FOR = 5.0
"""Seconds after its last write for which a compressed file that ends too early may still be on its way."""


COARSE = 0.01
"""Seconds by which the time of a write may be behind the clock: the kernel notes it in ticks."""


class StillWrittenError(NotYetError):
    """A compressed file that is needed is still being written: look again later."""


def shown(path: str) -> str:
    r"""A path as text that any encoder takes: undecodable bytes become `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Openings:
    """Opens files for one path.

    `blocked` is why its present file cannot be opened, None while nothing hinders. `missed` lists the rotated files
    that came after what was read and could not be opened, `damaged` those of which only a part could be unpacked;
    `say_missed` reports them. `unopened` is how many rotated files wait for room: they are found again, once
    those before them are read, by asking for what came after the last of these. `room` is that for unpacking.
    `appeared` says that the path was not there when the source was read for the first time, `copied` that its file is a
    copy of one that is being read.

    Whatever may unpack a rotated file raises NotYetError where that is still written, or where there is no room.
    """

    def __init__(self, path: str, reading: Reading, ledger: Ledger) -> None:
        self.path = path
        self.name = shown(path)
        self.blocked: OSError | None = None
        self.missed: list[str] = []
        self.damaged: list[str] = []
        self.unopened = 0
        self.appeared = False
        self.copied = False
        self.room = Room(reading.now)
        self._reading = reading
        self._ledger = ledger

    @property
    def hindrance(self) -> OSError | None:
        """Why nothing more is read here."""
        return self.blocked or self.room.lacks

    def look(self) -> os.stat_result | None:
        """The state of the file at the path; None when there is none, or when it may not even be looked at."""
        self.room.begin()
        try:
            stat = Path(self.path).stat()
        except (FileNotFoundError, NotADirectoryError):
            self.blocked = None
        except OSError as error:
            self.blocked = error
        else:
            return stat
        return None

    def glance(self) -> os.stat_result | None:
        """The state of the file at the path, if it can be told, with nothing noted."""
        try:
            return os.stat(self.path)  # noqa: PTH116 - Path costs four times as much, and every file is asked each second
        except OSError:
            return None

    def has_directory(self) -> bool:
        """Whether its directory is there: else nothing beside it can be found, and nothing be said to be gone."""
        return Path(self.path).parent.is_dir()

    def waiting(self, row: Checkpoint | None) -> int:
        """How many bytes the present file holds behind this row, unless some trail of the source reads it already."""
        stat = self.glance()
        if stat is None or self.copied or self._ledger.is_claimed(stat):
            return 0
        return max(0, stat.st_size - (row.position.offset if row is not None else 0))

    def say_missed(self) -> Iterator[Lost]:
        """The losses in `missed` and `damaged`, which are empty then."""
        for why, details in (("rotated_away", self.missed), ("damaged_file", self.damaged)):
            while details:
                yield Lost(self._reading.source, why, None, self._reading.now(), details.pop(0))

    def open_present(self, stored: Checkpoint | None = None) -> TailedFile | None:
        """The file at the path: where `stored` left it, else where any trail left it, else from byte 0.

        None when it is not there, may not be read, or is read by another trail: it is a link, was renamed, or is a copy
        of what that reads.
        """
        try:
            fd = open_regular(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.blocked = error
            return None
        self.blocked = None
        if stored is not None and is_same_file(fd, stored):
            return self._adopt(fd, stored.position.offset)
        return self._adopt_copy(fd) if self.appeared else self._adopt(fd)

    def _adopt_copy(self, fd: int) -> TailedFile | None:
        """A file that just appeared, unless it is a copy of one that is read: its lines are those of the original, or
        will be taken for them once that is truncated. Behind them it begins when the original was deleted. A few bytes
        that are no longer being written prove nothing.
        """
        original = None if self._ledger.recall(fd) else self._ledger.find_original(fd, self.path)
        stat = os.fstat(fd)
        chance = 0 < stat.st_size < ENOUGH and abs(self._reading.now() - stat.st_mtime) >= GROWS_FOR
        if original is None or chance:
            self.copied = False
            return self._adopt(fd)
        named = original.stat().st_nlink > 0
        over = not named and original.read_out and stat.st_size >= original.offset
        self.copied, original.copied = not over, named
        if over:
            return self._adopt(fd, original.offset)
        os.close(fd)
        return None

    def find(self, stored: Checkpoint, *, copy: bool) -> tuple[list[TailedFile], bool]:
        """The file that the checkpoint speaks of (or a copy of it) under another name, and what followed it.

        Also whether it was found at all: one that another trail reads is found, but not opened here.
        """
        found = find_copy(self.path, stored) if copy else find_same(self.path, stored)
        if found is None:
            return [], False
        return self._with_successors(found, stored.position.offset), True

    def _with_successors(self, found: Opened, offset: int) -> list[TailedFile]:
        with ExitStack() as unless_adopted:
            unless_adopted.callback(os.close, found.fd)
            self._check(found)
            after = self._open_all(list_successors(self.path, found.sibling.inode, found.sibling.written_at))
            unless_adopted.pop_all()
        file = self._adopt(found.fd, offset)
        if file is not None and found.damage:
            self.damaged.append(f"{shown(found.sibling.path)}: {found.damage}")
        return [*([file] if file is not None else []), *self._adopt_all(after)]

    def find_rewritten(self, stored: Checkpoint) -> list[TailedFile]:
        """The rotated file that has the inode but not the content (truncated and refilled), and what followed it."""
        identity = parse_identity(stored.position.identity)
        for sibling in list_siblings(self.path, 0) if identity is not None else ():
            if identity is None or sibling.inode != identity.inode or not sibling.rotated or sibling.packed:
                continue
            with suppress(OSError):
                return self._with_successors(open_sibling(sibling), 0)
        return []

    def find_after(self, drained: Iterable[Checkpoint]) -> list[TailedFile]:
        """What followed the latest of these drained files that is still about."""
        found = []
        for stored in drained:
            hit = (find_same(self.path, stored) or find_copy(self.path, stored)) if stored.position.offset else None
            if hit is not None:
                os.close(hit.fd)
                found.append(hit.sibling)
        if not found:
            return []
        last = max(found, key=lambda sibling: sibling.written_at)
        return self.open_successors(last.inode, last.written_at)

    def open_late(self, stored: Checkpoint) -> TailedFile | None:
        """The drained predecessor, if it is still about and nobody reads it."""
        found = find_same(self.path, stored)
        return None if found is None else self._adopt(found.fd, stored.position.offset, key=stored.position.path)

    def open_successors(self, inode: int, written_at: int) -> list[TailedFile]:
        """What was at the path after the file with this inode and before the present one, oldest first."""
        return self._adopt_all(self._open_all(list_successors(self.path, inode, written_at)))

    def open_since(self, moment: float) -> list[TailedFile]:
        """What was at the path since there was nothing there, and is rotated away by now: oldest first."""
        return self._adopt_all(self._open_all(list_since(self.path, int((moment - COARSE) * 1e9))))

    def _open_all(self, siblings: list[Sibling]) -> list[Opened]:
        """Open them, oldest first, but no more than there is room for: `unopened` then tells how many are left."""
        if len(siblings) < self.unopened:
            self.missed.append(
                f"{self.name}: {self.unopened - len(siblings)} rotated files were deleted before their turn"
            )
        room = max(1, min(MOST_AT_ONCE, self._ledger.room))
        opened: list[Opened] = []
        with ExitStack() as unless_all:
            for sibling in siblings[:room]:
                try:
                    opened.append(open_sibling(sibling))
                except OSError as error:
                    self.missed.append(f"{shown(sibling.path)}: {error.strerror or error}")
                    continue
                unless_all.callback(os.close, opened[-1].fd)
                self._check(opened[-1])
            unless_all.pop_all()
        self.unopened = len(siblings[room:])
        return opened

    def _check(self, opened: Opened) -> None:
        """A compressed file that ends too early is waited for while it grows; later it is said to be damaged."""
        if opened.damage and abs(self._reading.now() - opened.sibling.written_at / 1e9) < GROWS_FOR:
            raise StillWrittenError(opened.sibling.path)

    def _adopt_all(self, opened: list[Opened]) -> list[TailedFile]:
        files = []
        for fd, sibling, damage in opened:
            if self._ledger.is_copy(fd, sibling.written_at, packed=sibling.packed):
                os.close(fd)
                continue
            file = self._adopt(fd)
            if file is not None:
                files.append(file)
                self.damaged += [f"{shown(sibling.path)}: {damage}"] if damage else []
        if not files and opened and self.unopened:
            last = opened[-1].sibling
            return self.open_successors(last.inode, last.written_at)
        return files

    def _adopt(self, fd: int, offset: int = 0, *, key: str = "") -> TailedFile | None:
        if self._ledger.is_claimed(os.fstat(fd)):
            os.close(fd)
            return None
        # of a file of which a row knows the inode only, another row may know how far it was read
        begin = max(offset, self._ledger.recall(fd))
        file = TailedFile(fd, self.name, self._reading, offset=begin, key=key)
        self._ledger.claim(file)
        return file

    def let_go(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """Close a file for good. A last line that nobody finished is handed over as far as it goes, and said to be."""
        if file.unfinished():
            detail = f"{self.name}: a file that was there before ends within the line at byte {file.offset}"
            yield Lost(self._reading.source, "unfinished_line", 1, self._reading.now(), detail)
            yield file.take_rest()
        self.close(file)

    def close(self, file: TailedFile) -> None:
        """Let a file go; the ledger remembers how far it was read."""
        self._ledger.release(file)
        file.close()
