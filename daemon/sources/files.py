r"""A log file from its beginning to its end, for replay: plain or gzip, UTF-8 or UTF-16 → Lines.

What is a line is decided by the same code as for a followed file, with two differences: the last line counts even
without its `\n`, because nothing will follow, and it may be a pipe. Text in UTF-16 (recognised by its byte order mark)
becomes UTF-8 here too.
Bounded: one chunk, or one line of at most 16 MiB.
"""

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from daemon.model import Checkpoint, Lines, Position
from daemon.sources.cutting import Part, cut
from daemon.sources.identity import HEAD, TAIL, build_identity, digest
from daemon.sources.openings import shown

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one line that are kept; the longest that a followed file may be configured for."""

_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class DamagedFileError(ValueError):
    """The file could not be read to its end; everything readable was handed over before."""


def read_lines(path: Path, source: str, *, chunk: int = 1 << 20) -> Iterator[Lines]:
    """All lines of a file or a pipe once, in pieces of about `chunk` bytes.

    Offsets count bytes of the text: of the decompressed stream for gzip, of the UTF-8 form for UTF-16.
    Raises OSError when the file cannot be opened, and DamagedFileError, after the last readable whole line, when the
    gzip stream is cut or corrupt or a line was longer than 16 MiB.
    """
    with ExitStack() as stack:
        plain = stack.enter_context(path.open("rb"))
        stream: IO[bytes] | gzip.GzipFile
        if plain.seekable():
            start = os.pread(plain.fileno(), 2, 0)  # not through the buffer: what that holds would be the first piece
            stream = plain
        else:
            start = plain.read(2)
            stream = io.BufferedReader(_Pipe(start, plain))
        if start == _GZIP:
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
        run = _Run(path, source, os.fstat(plain.fileno()))
        yield from run.read(_decoded(stream, max(1, chunk)))


class _Pipe(io.RawIOBase):
    """A pipe of which the first bytes were looked at."""

    def __init__(self, start: bytes, rest: io.BufferedReader) -> None:
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # what BufferedReader hands over
        """What there is, at least a byte unless the writer has closed it."""
        data = self._start[: len(buffer)]
        self._start = self._start[len(data) :]
        data = data or self._rest.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _decoded(stream: IO[bytes] | gzip.GzipFile, chunk: int) -> Iterator[bytes]:
    """Pieces of UTF-8 (or of whatever bytes there are); raises what the stream raises, after what it could give."""
    # read1 and not read: a damaged gzip stream would take the bytes before the damage with it
    take: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    start = take(chunk)
    while len(start) == 1:
        more = take(chunk)
        if not more:
            break
        start += more
    decoder = codecs.getincrementaldecoder("utf-16")("replace") if start.startswith(_UTF16) else None
    piece = start
    while piece:
        yield piece if decoder is None else decoder.decode(piece).encode("utf-8", "replace")
        piece = take(chunk)
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")


class _Run:
    """One reading of one file."""

    def __init__(self, path: Path, source: str, stat: os.stat_result) -> None:
        self._path = shown(str(path))
        self._source = source
        self._stat = stat
        self._head = b""
        self._tail = b""
        self._rest = b""
        self._offset = 0
        self._dropped = 0
        self._cut = 0

    def read(self, pieces: Iterator[bytes]) -> Iterator[Lines]:
        """Whole lines of the pieces. Raises DamagedFileError at the end if anything could not be read."""
        problem = ""
        try:
            for piece in pieces:
                self._rest += piece
                yield from self._hand_over()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            problem = f"expected a whole gzip stream (got: {error}; {self._offset} bytes of whole lines were read)"
        if not problem and self._rest.strip(b"\0"):
            self._rest += b"\n"
            yield from self._hand_over()
        if self._cut:
            problem = f"{problem}{'; ' if problem else ''}expected lines of at most {MAX_LINE} bytes ({self._cut} cut)"
        if problem:
            raise DamagedFileError(f"{self._path}: {problem}")

    def _hand_over(self) -> Iterator[Lines]:
        text, base = self._rest, self._offset
        done = 0
        for piece in cut(text, MAX_LINE, at_start=base == 0 and not self._dropped):
            raw = text[piece.start : piece.end]
            start = self._offset
            self._advance(raw)
            done = piece.end
            if piece.part is Part.long:
                self._cut += 1
                yield self._lines(raw[:MAX_LINE] + b"\n", start)
            elif piece.part is Part.lines:
                yield self._lines(raw, start)
        self._rest = text[done:]
        excess = len(self._rest) - MAX_LINE - 1
        if excess > 0:  # one byte more than allowed is enough to know it for too long
            self._rest = self._rest[:-excess]
            self._dropped += excess

    def _advance(self, raw: bytes) -> None:
        self._offset += len(raw) + self._dropped
        self._dropped = 0
        self._head += raw[: HEAD - len(self._head)]
        self._tail = (self._tail + raw[-TAIL:])[-TAIL:]

    def _lines(self, data: bytes, start: int) -> Lines:
        identity = build_identity(self._stat.st_dev, self._stat.st_ino, self._head)
        behind = Position(self._path, identity, self._offset)
        return Lines(
            self._source,
            data,
            Position(self._path, identity, start),
            Checkpoint(self._source, behind, digest(self._tail)),
        )
