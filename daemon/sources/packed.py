"""A rotated log that was compressed → an open file with its text.

`logrotate` compresses at once or at the next rotation, so the rest of a log that was rotated while we were down may
only be there packed. The text goes to a temporary file without a name, to be read as any other. Bounded: 256 MiB of
text. Takes long: whoever calls from the event loop does so aside.
"""

import bz2
import gzip
import lzma
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import IO, NamedTuple, TypeAlias

LIMIT = 256 * 1024 * 1024
_BLOCK = 1 << 20
_HEAD = 4096  # bytes of text by which to know a file

_Packed: TypeAlias = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
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


class Unpacked(NamedTuple):
    """The open text of a compressed file, and why it is not all of it (empty: it is)."""

    fd: int
    damage: str


def unpack(path: str, wanted: Callable[[bytes], bool] = lambda _: True, *, limit: int = LIMIT) -> Unpacked:
    """The text of a compressed file, of a damaged one what comes before the damage, of a long one `limit` bytes.

    `wanted` is asked about the first 4 KiB (to unpack no large file in vain). Raises OSError when it says no, and for
    a file of which nothing can be read.
    """
    opener = _OPENERS[PurePath(path).suffix]
    with tempfile.TemporaryFile() as text:
        damage, asked = "", False
        try:
            with opener(path) as stream:
                for size in _copy(stream, text, limit):
                    asked = asked or (size >= _HEAD and _is_wanted(text, wanted))
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, _TooLongError) as error:
            damage = f"expected a whole compressed file of at most {limit} bytes of text (got: {error})"
        text.flush()
        if damage and not text.tell():
            raise OSError(0, damage, path)
        if not asked:
            _is_wanted(text, wanted)
        return Unpacked(os.dup(text.fileno()), damage)


class _TooLongError(Exception):
    """There is more text than we take."""


def _copy(stream: _Packed, text: IO[bytes], limit: int) -> Iterator[int]:
    """Copy block by block; how much text there is by then."""
    # read1 and not read: that would take the bytes before a damage with it
    while block := stream.read1(_BLOCK):
        text.write(block[: limit - text.tell()])
        yield text.tell()
        if text.tell() >= limit and stream.read1(1):
            raise _TooLongError("more")


def _is_wanted(text: IO[bytes], wanted: Callable[[bytes], bool]) -> bool:
    """True, or OSError."""
    end = text.tell()
    text.seek(0)
    if not wanted(text.read(_HEAD)):
        raise OSError(0, "expected another file")
    text.seek(end)
    return True
