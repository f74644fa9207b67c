"""Opening what a trail reads: the file at its path, its predecessors, a copy of it. Never one file twice."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.identity import is_same_file, parse_identity
from daemon.sources.ledger import Ledger
from daemon.sources.siblings import find_copy, find_same, list_siblings, list_successors, open_regular, open_sibling
from daemon.sources.tailed_file import Reading, TailedFile


def shown(path: str) -> str:
    r"""A path as text that any encoder takes: undecodable bytes become `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Openings:
    """Opens files for one path.

    `blocked` is why its present file cannot be opened, None while nothing hinders. `missed` lists the rotated files
    that came after what was read and could not be opened; whoever reports them empties it.
    """

    def __init__(self, path: str, reading: Reading, ledger: Ledger) -> None:
        self.path = path
        self.name = shown(path)
        self.blocked: OSError | None = None
        self.missed: list[str] = []
        self._reading = reading
        self._ledger = ledger

    def look(self) -> os.stat_result | None:
        """The state of the file at the path; None when there is none, or when it may not even be looked at."""
        try:
            stat = Path(self.path).stat()
        except (FileNotFoundError, NotADirectoryError):
            self.blocked = None
        except OSError as error:
            self.blocked = error
        else:
            return stat
        return None

    def open_present(self, stored: Checkpoint | None = None) -> TailedFile | None:
        """The file at the path: where `stored` left it, else where any trail left it, else from byte 0.

        None when it is not there, may not be read, or is read by another trail (it is a link, or was renamed).
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
        return self._adopt(fd)

    def find(self, stored: Checkpoint, *, copy: bool) -> tuple[list[TailedFile], bool]:
        """The file that the checkpoint speaks of (or a copy of it) under another name, and what followed it.

        Also whether it was found at all: one that another trail reads is found, but not opened here.
        """
        found = find_copy(self.path, stored) if copy else find_same(self.path, stored)
        if found is None:
            return [], False
        fd, sibling = found
        file = self._adopt(fd, stored.position.offset)
        first = [file] if file is not None else []
        return [*first, *self.open_successors(sibling.inode, sibling.written_at)], True

    def find_rewritten(self, stored: Checkpoint) -> list[TailedFile]:
        """The rotated file that has the inode but not the content (truncated and refilled), and what followed it."""
        identity = parse_identity(stored.position.identity)
        for sibling in list_siblings(self.path) if identity is not None else ():
            if identity is None or sibling.inode != identity.inode or not sibling.rotated or sibling.packed:
                continue
            with contextlib.suppress(OSError):
                file = self._adopt(open_regular(sibling.path))
                first = [file] if file is not None else []
                return [*first, *self.open_successors(sibling.inode, sibling.written_at)]
        return []

    def find_after(self, drained: Iterable[Checkpoint]) -> list[TailedFile]:
        """What followed the latest of these drained files that is still about."""
        found = []
        for stored in drained:
            hit = (find_same(self.path, stored) or find_copy(self.path, stored)) if stored.position.offset else None
            if hit is not None:
                os.close(hit[0])
                found.append(hit[1])
        if not found:
            return []
        last = max(found, key=lambda sibling: sibling.written_at)
        return self.open_successors(last.inode, last.written_at)

    def open_late(self, stored: Checkpoint) -> TailedFile | None:
        """The drained predecessor, if it is still about and nobody reads it."""
        found = find_same(self.path, stored)
        return None if found is None else self._adopt(found[0], stored.position.offset, key=stored.position.path)

    def open_successors(self, inode: int, written_at: int) -> list[TailedFile]:
        """What was at the path after the file with this inode and before the present one, oldest first."""
        opened: list[TailedFile] = []
        for sibling in list_successors(self.path, inode, written_at):
            try:
                fd = open_sibling(sibling)
            except OSError as error:
                self.missed.append(f"{shown(sibling.path)}: {error.strerror or error}")
                continue
            if sibling.packed and self._ledger.is_packed(fd, sibling.written_at):
                os.close(fd)
                continue
            file = self._adopt(fd)
            if file is not None:
                opened.append(file)
        return opened

    def _adopt(self, fd: int, offset: int = 0, *, key: str = "") -> TailedFile | None:
        if self._ledger.is_claimed(os.fstat(fd)):
            os.close(fd)
            return None
        # of a file of which a row knows the inode only, another row may know how far it was read
        begin = max(offset, self._ledger.recall(fd))
        file = TailedFile(fd, self.name, self._reading, offset=begin, key=key)
        self._ledger.claim(file)
        return file

    def let_go(self, file: TailedFile, why: str, count: int | None) -> Iterator[Lines | Lost]:
        """Close a file for good. What it still holds is lost; that is said, and its row moves behind it."""
        if file.unfinished():
            detail = f"{self.name}: a file that was there before still held text after byte {file.offset}"
            yield Lost(self._reading.source, why, count, self._reading.now(), detail)
            file.skip_rest()
            yield file.anchor()
        self.close(file)

    def close(self, file: TailedFile) -> None:
        """Let a file go; the ledger remembers how far it was read."""
        self._ledger.release(file)
        file.close()
