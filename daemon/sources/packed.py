"""A rotated log that was compressed → an open file with its text.

`logrotate` compresses at once or at the next rotation, so the rest of a log that was rotated while we were down may
only be there packed. The text goes to a temporary file without a name, to be read as any other. Bounded: 256 MiB of
text.
"""

import bz2
import gzip
import lzma
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import IO, TypeAlias

LIMIT = 256 * 1024 * 1024
_BLOCK = 1 << 20

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


def unpack(path: str, wanted: Callable[[bytes], bool] = lambda _: True, *, limit: int = LIMIT) -> int:
    """The text of a compressed file as an open file descriptor.

    `wanted` is asked about the first block (to unpack no large file in vain). Raises OSError when it says no, and for
    a file that is damaged, still being written, or longer than `limit` bytes unpacked.
    """
    opener = _OPENERS[PurePath(path).suffix]
    with tempfile.TemporaryFile() as text:
        try:
            with opener(path) as stream:
                _copy(stream, text, wanted, limit)
        except (EOFError, zlib.error, lzma.LZMAError) as error:
            raise OSError(0, f"expected a whole compressed file (got: {error})", path) from error
        text.flush()
        return os.dup(text.fileno())


def _copy(stream: _Packed, text: IO[bytes], wanted: Callable[[bytes], bool], limit: int) -> None:
    block = stream.read(_BLOCK)
    if not wanted(block):
        raise OSError(0, "expected another file")
    while block:
        text.write(block)
        if text.tell() > limit:
            raise OSError(0, f"expected at most {limit} bytes")
        block = stream.read(_BLOCK)
