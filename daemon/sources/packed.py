"""A rotated log that was compressed → an open file with its text.

`logrotate` compresses at once or at the next rotation, so the rest of a log that was rotated while we were down may
only be there packed. The text goes to a temporary file without a name, to be read as any other, where there is most
room for it ($TMPDIR or /tmp, or /var/tmp). Bounded: 256 MiB of text. Takes long: whoever calls from the event loop does
so aside.
"""

import bz2
import errno
import gzip
import lzma
import os
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from itertools import chain
from pathlib import PurePath
from typing import IO, NamedTuple

LIMIT = 256 * 1024 * 1024
_BLOCK = 1 << 20
_HEAD = 4096  # bytes of text by which to know a file

_FULL = {errno.ENOSPC, errno.EDQUOT}
_MORE_ROOM = "/var/tmp"  # noqa: S108 - only a file without a name is made there, and by tempfile
_OPENERS: dict[str, type[gzip.GzipFile] | type[bz2.BZ2File] | type[lzma.LZMAFile]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
READABLE = tuple(_OPENERS)
"""Endings of compressed files that we can read."""
PACKED = (*READABLE, ".zst", ".lz4", ".Z")
"""Endings of compressed files: never tailed, whatever a glob says."""


def unpacked_name(name: str) -> str:
    """The name without the ending of a compressed file that we can read."""
    for ending in READABLE:
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


class NotYetError(Exception):
    """A compressed file that is needed cannot be had yet: look again later."""


class NoRoomError(NotYetError):
    """There is no room for the text of a compressed file. `reason` says what is in the way, and how to mend it."""

    def __init__(self, path: str, error: OSError) -> None:
        where = " or ".join(_directories())
        said = (
            f"{error.strerror}: no room to unpack {PurePath(path).name}; reading goes on when there is some in {where}"
        )
        self.reason = OSError(error.errno, said)
        super().__init__(said)


class Unpacked(NamedTuple):
    """The open text of a compressed file, and why it is not all of it (empty: it is)."""

    fd: int
    damage: str


def unpack(path: str, wanted: Callable[[bytes], bool] = lambda _: True, *, limit: int = LIMIT) -> Unpacked:
    """The text of a compressed file, of a damaged one what comes before the damage, of a long one `limit` bytes.

    `wanted` is asked about the first 4 KiB (to unpack no large file in vain). Raises OSError when it says no, and for
    a file of which nothing can be read or for whose text there is no directory; NoRoomError where that is full: it says
    nothing of the file.
    """
    blocks = _Blocks(path, limit)
    with closing(blocks.read()) as rest:
        start = b""
        for block in rest:
            start += block
            if len(start) >= _HEAD:
                break
        if blocks.damage and not start:
            raise OSError(0, blocks.damage, path)
        if not wanted(start[:_HEAD]):
            raise OSError(0, "expected another file")
        fd = _write_aside(path, chain((start,), rest))
    return Unpacked(fd, blocks.damage)


class _Blocks:
    """The text of a compressed file, block by block; once it ends, `damage` says why it is not all of it."""

    def __init__(self, path: str, limit: int) -> None:
        self.damage = ""
        self._path = path
        self._limit = limit

    def read(self) -> Generator[bytes, None, None]:
        """The blocks, once."""
        opener = _OPENERS[PurePath(self._path).suffix]
        left = self._limit
        try:
            with opener(self._path) as stream:
                # read1 and not read: that would take the bytes before a damage with it
                while block := stream.read1(_BLOCK):
                    yield block[:left]
                    left -= len(block)
                    if left < 0 or (not left and stream.read1(1)):
                        self._note("more")
                        return
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            self._note(error)
        except OSError as error:  # bz2 has no error of its own for bytes that are none of it
            if error.errno is not None:
                raise
            self._note(error)

    def _note(self, damage: object) -> None:
        self.damage = f"expected a whole compressed file of at most {self._limit} bytes of text (got: {damage})"


def _write_aside(path: str, blocks: Iterable[bytes]) -> int:
    """An open file without a name that holds these blocks."""
    with _open_aside(path) as text:
        for block in blocks:
            left = memoryview(block)
            while left:
                try:
                    left = left[text.write(left) :]
                except OSError as error:
                    raise NoRoomError(path, error) from error
        return os.dup(text.fileno())


def _open_aside(path: str) -> IO[bytes]:
    error: OSError = FileNotFoundError(errno.ENOENT, "expected a directory for temporary files", path)
    for directory in _directories():
        try:
            return tempfile.TemporaryFile(buffering=0, dir=directory)
        except OSError as refused:
            error = refused
    if error.errno in _FULL:
        raise NoRoomError(path, error)
    raise error


def _directories() -> list[str]:
    """Where temporary files may be, most room first."""
    found: dict[str, int] = {}
    with suppress(OSError):
        found[tempfile.gettempdir()] = 0
    found[_MORE_ROOM] = 0
    for directory in found:
        with suppress(OSError):
            room = os.statvfs(directory)
            found[directory] = room.f_bavail * room.f_frsize
    return sorted(found, key=lambda one: -found[one])
