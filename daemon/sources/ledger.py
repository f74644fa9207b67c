"""Which files a source reads at this moment, and how far it read those that it let go.

A glob may match a log under its old and its new name, or through a link: each file is read by one trail only, and
one that comes back under another name goes on where it was left. Bounded: at most 4096 files that were let go are
remembered, the oldest forgotten first (a forgotten one that still matches would be read again: never lost).
"""

import os
from collections import OrderedDict
from pathlib import PurePath

from daemon.model import Checkpoint
from daemon.sources.identity import HEAD, TAIL, is_same_file, parse_identity, same_content
from daemon.sources.siblings import is_rotated_name
from daemon.sources.tailed_file import TailedFile

BOUND = 4096
_BLOCK = 1 << 16
_SECOND = 10**9
ENOUGH = 64
"""Bytes that do not come again by chance."""


class Ledger:
    """Shared by the trails of one source, which may have `most_open` files open among them."""

    def __init__(self, most_open: int = 1 << 16) -> None:
        self._most_open = most_open
        self._claimed: dict[tuple[int, int], TailedFile] = {}
        self._left: OrderedDict[int, tuple[Checkpoint, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    @property
    def room(self) -> int:
        """How many more files may be opened; below 0 when the last one was needed all the same."""
        return self._most_open - len(self._claimed)

    def close(self) -> None:
        """Close whatever is still open."""
        for file in self._claimed.values():
            file.close()
        self._claimed.clear()

    def is_claimed(self, stat: os.stat_result) -> bool:
        """Whether some trail reads this file."""
        return (stat.st_dev, stat.st_ino) in self._claimed

    def is_copy(self, fd: int, written_at: int, *, packed: bool) -> bool:
        """Whether this text is that of a file being read, which was deleted when it had been packed or copied.

        The times must agree too, as two rotations may well hold the same few bytes. Packers give what they write the
        time of the last write to the text (some in whole seconds); a copy (logrotate's `renamecopy`) is written just
        before the file is deleted. `written_at` is in nanoseconds.
        """
        size = os.fstat(fd).st_size
        for file in self._claimed.values():
            stat = file.stat()
            if stat.st_nlink or stat.st_size != size or not _may_be_of(stat, written_at, packed=packed):
                continue
            if all(file.holds(start, os.pread(fd, _BLOCK, start)) for start in range(0, size, _BLOCK)):
                return True
        return False

    def find_original(self, fd: int, path: str) -> TailedFile | None:
        """The file being read of which the open file at `path`, a rotated name of it, is a copy, perhaps in the making.

        Before the original is truncated or deleted (`copytruncate`, `renamecopy`) the copy is how that begins; once it
        is truncated, as long as nobody noticed, the copy holds all that was read of it.
        """
        stat, name = os.fstat(fd), PurePath(path).name
        if self.is_claimed(stat):
            return None
        for file in self._claimed.values():
            if not is_rotated_name(name, PurePath(file.path).name):
                continue
            if file.stat().st_size < file.offset:
                copied = same_content(fd, file.checkpoint())
            else:
                end = max(0, stat.st_size - TAIL)
                copied = all(file.holds(start, os.pread(fd, HEAD, start)) for start in (0, end))
            if copied:
                return file
        return None

    def claim(self, file: TailedFile) -> None:
        """This file is being read."""
        self._claimed[file.id] = file
        self._left.pop(file.inode, None)

    def release(self, file: TailedFile) -> None:
        """This file is let go; how far it was read is remembered."""
        self._claimed.pop(file.id, None)
        self._left.pop(file.inode, None)  # whoever had this inode before is gone
        self.remember(file.checkpoint())

    def remember(self, checkpoint: Checkpoint) -> None:
        """Note how far a file was read. Stored rows may hold several notes on one inode, which had several owners."""
        identity = parse_identity(checkpoint.position.identity)
        if identity is None:
            return
        self._left[identity.inode] = (*self._left.pop(identity.inode, ()), checkpoint)
        while len(self._left) > BOUND:
            self._left.popitem(last=False)

    def recall(self, fd: int) -> int:
        """Where reading of an open file goes on: behind the furthest note that fits it; 0 for one never seen."""
        notes = self._left.get(os.fstat(fd).st_ino, ())
        return max((note.position.offset for note in notes if is_same_file(fd, note)), default=0)


def _may_be_of(stat: os.stat_result, written_at: int, *, packed: bool) -> bool:
    if packed:
        return stat.st_mtime_ns // _SECOND == written_at // _SECOND
    return stat.st_size >= ENOUGH and 0 <= stat.st_ctime_ns - written_at < _SECOND and stat.st_mtime_ns <= written_at
