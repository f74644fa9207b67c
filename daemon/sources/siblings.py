"""Where a rotated log went: the names beside it, which of them it is, and which came after it.

Names are only candidates. A file is taken for the one read before if inode and content agree; a copy (`copytruncate`)
if it holds all that was read, byte for byte as far as identity and marker can tell. The order of rotated files comes
from their numbers (`.1` is newer than `.2`), or, with dates in their names, from the time of their last write.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from daemon.model import Checkpoint, Transient
from daemon.sources.identity import Identity, digest, is_same_file, parse_identity, same_content
from daemon.sources.packed import PACKED, READABLE, unpack, unpacked_name

_NONE_LEFT = {errno.EMFILE, errno.ENFILE}
_ATTEMPTS = 5
"""How often a directory is listed anew that changed meanwhile: a listing may miss a file that is just renamed."""
_NUMBER = re.compile(r"[._-](\d{1,4})")
_DATE = re.compile(r"[._-]?\d{4}-?\d{2}-?\d{2}([._T-]?\d[\d:-]*)?(\.\d{1,4})?")


class Sibling(NamedTuple):
    """A regular file beside the log. `number` is that of its rotated name; None for a dated or any other name."""

    path: str
    device: int
    inode: int
    size: int
    written_at: int  # nanoseconds
    number: int | None
    dated: bool
    packed: bool

    @property
    def rotated(self) -> bool:
        """Whether the name is that of a rotated log."""
        return self.dated or self.number is not None


def open_regular(path: str) -> int:
    """Open a file for reading. Raises OSError, also for what is no regular file (a FIFO would block)."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(0, "expected a regular file", path)


def list_siblings(path: str, inode: int | None = None) -> list[Sibling]:
    """All other regular files in the directory of the log, and in that of its target when it is a symbolic link.

    With `inode` only rotated files, and the one that has it: where thousands lie side by side, to look at each of them
    for each of them takes minutes.
    """
    real = os.path.realpath(path)
    found: dict[tuple[int, int], Sibling] = {}
    for sibling in (*_list(path, inode), *(_list(real, inode) if real != path else ())):
        known = found.get((sibling.device, sibling.inode))
        if known is None or not known.rotated:
            found[sibling.device, sibling.inode] = sibling
    return list(found.values())


def _list(path: str, inode: int | None) -> list[Sibling]:
    """Empty when the directory cannot be listed: then nothing is found, and what is missing is reported as lost.

    Raises Transient where we have too many files open: that says nothing of the directory.
    """
    directory, name = os.path.split(path)
    found: list[Sibling] = []
    for _ in range(_ATTEMPTS):
        try:
            before = Path(directory).stat().st_mtime_ns
            found = list(_scan(directory, name, inode))
            if Path(directory).stat().st_mtime_ns == before:
                break
        except OSError as error:
            _raise_if_none_left(error, directory)
            return []
    return found


def _raise_if_none_left(error: OSError, path: str) -> None:
    if error.errno in _NONE_LEFT:
        raise Transient(f"{path}: {error.strerror}", why="descriptors") from error


def _scan(directory: str, name: str, inode: int | None) -> Iterator[Sibling]:
    stem, _ = os.path.splitext(name)  # noqa: PTH122 - Path costs ten times as much, and there may be thousands
    with os.scandir(directory) as entries:
        for entry in entries:
            if inode is not None and not entry.name.startswith(stem) and entry.inode() != inode:
                continue
            sibling = _look(entry, name, inode)
            if sibling is not None and not (sibling.packed and os.path.lexists(unpacked_name(entry.path))):
                yield sibling


def _look(entry: "os.DirEntry[str]", name: str, inode: int | None) -> Sibling | None:
    packed = entry.name.endswith(READABLE)
    if entry.name == name or (entry.name.endswith(PACKED) and not packed):
        return None
    number, dated = _suffix(unpacked_name(entry.name), name)
    if number is None and not dated and inode is not None and entry.inode() != inode:
        return None
    try:
        seen = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # gone since
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Sibling(entry.path, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, number, dated, packed)


def _suffix(candidate: str, name: str) -> tuple[int | None, bool]:
    """How a rotated name differs from the log's: `app.log.1`, `app.log-20250102`, `app-20250102.log`, `app.1.log`."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - as above
    if not candidate.startswith(stem):
        return None, False
    for head, tail in ((name, ""), (stem, ending)):
        if candidate.startswith(head) and candidate.endswith(tail):
            middle = candidate[len(head) : len(candidate) - len(tail)]
            number = _NUMBER.fullmatch(middle)
            if number:
                return int(number[1]), False
            if _DATE.fullmatch(middle):
                return None, True
    return None, False


def is_rotated_name(candidate: str, name: str) -> bool:
    """Whether a file name is what a log of this name would be called once it was rotated."""
    number, dated = _suffix(candidate, name)
    return dated or number is not None


class Opened(NamedTuple):
    """A file beside the log, open. `damage` is why it is not the whole text of it (a compressed file cut short)."""

    fd: int
    sibling: Sibling
    damage: str


def find_same(path: str, checkpoint: Checkpoint) -> Opened | None:
    """The file that the checkpoint speaks of, under any name beside `path`. Raises Transient out of descriptors."""
    identity = parse_identity(checkpoint.position.identity)
    if identity is None:
        return None
    for sibling in list_siblings(path, identity.inode):
        # of a file of which nothing was read there is only the inode, which any file may have by now
        if sibling.inode == identity.inode and not sibling.packed and (identity.length or sibling.rotated):
            opened = _open_if(sibling, checkpoint, identity, copy=False)
            if opened is not None:
                return opened
    return None


def find_copy(path: str, checkpoint: Checkpoint) -> Opened | None:
    """The newest rotated file that begins with all that was read of `path`: what `copytruncate` or a packer leaves.

    Raises Transient out of descriptors.
    """
    identity, offset = parse_identity(checkpoint.position.identity), checkpoint.position.offset
    if identity is None or not offset:
        return None
    copies = [s for s in list_siblings(path, 0) if s.rotated and (s.packed or s.size >= offset)]
    for sibling in sorted(copies, key=lambda s: s.written_at, reverse=True):
        opened = _open_if(sibling, checkpoint, identity, copy=True)
        if opened is not None:
            return opened
    return None


def open_sibling(sibling: Sibling, wanted: Callable[[bytes], bool] = lambda _: True) -> Opened:
    """Its text, open. `wanted` is asked before a compressed file is unpacked.

    Raises OSError where it cannot be read or is not wanted, Transient where we have too many files open: that says
    nothing of the file, so nobody may go on as if it were not there.
    """
    try:
        if not sibling.packed:
            return Opened(open_regular(sibling.path), sibling, "")
        fd, damage = unpack(sibling.path, wanted)
    except OSError as error:
        _raise_if_none_left(error, sibling.path)
        raise
    return Opened(fd, sibling, damage)


def _open_if(sibling: Sibling, checkpoint: Checkpoint, identity: Identity, *, copy: bool) -> Opened | None:
    try:
        opened = open_sibling(sibling, lambda start: digest(start[: identity.length]) == identity.hash)
    except OSError:
        return None
    fits = same_content(opened.fd, checkpoint) and identity.length > 0 if copy else is_same_file(opened.fd, checkpoint)
    if fits:
        return opened
    os.close(opened.fd)
    return None


def has_packed(path: str) -> bool:
    """Whether there is a compressed rotated file beside `path`: then looking for what became of it may take long."""
    return any(_has_packed(*os.path.split(one)) for one in {path, os.path.realpath(path)})


def _has_packed(directory: str, name: str) -> bool:
    try:
        names = _packed_names(directory, Path(directory).stat().st_mtime_ns)
    except OSError:
        return False
    return any(is_rotated_name(one, name) for one in names)


@lru_cache(maxsize=16)
def _packed_names(directory: str, changed_at: int) -> tuple[str, ...]:
    """What compressed files of a directory would be called without that, as long as the directory does not change: the
    files of a glob all ask for the same one, and together would list it for minutes.
    """
    del changed_at
    with os.scandir(directory) as entries:
        return tuple(
            unpacked_name(entry.name)
            for entry in entries
            if entry.name.endswith(READABLE) and not os.path.lexists(unpacked_name(entry.path))
        )


def list_since(path: str, written_after: int) -> list[Sibling]:
    """The rotated files beside `path` that were written after this moment (in nanoseconds), oldest first."""
    later = [s for s in list_siblings(path, 0) if s.rotated and s.written_at > written_after]
    return sorted(later, key=lambda s: (s.written_at, -(s.number or 0), s.path))


def list_successors(path: str, inode: int, written_at: int | None) -> list[Sibling]:
    """The files that were `path` after the one with this inode and before the present one: oldest first.

    `written_at` is the last write to that file in nanoseconds, None when it is not known. Without the file among the
    siblings (it was deleted) only what was written after it counts; without either, nothing can be said.
    """
    siblings = list_siblings(path, inode)
    own = next((s for s in siblings if s.inode == inode), None)
    rotated = [s for s in siblings if s.rotated and s.inode != inode]
    if own is not None and own.number is not None:
        newer = [(s.number, s) for s in rotated if s.number is not None and s.number < own.number]
        return [s for _, s in sorted(newer, key=lambda pair: -pair[0])]
    if own is not None:
        written_at = own.written_at if own.dated else None
    return [] if written_at is None else [s for s in list_since(path, written_at) if s.inode != inode]
