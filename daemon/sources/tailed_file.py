"""One open log file: bytes appended → Lines, each with the checkpoint behind it.

Synchronous and without a clock of its own. It holds no line: an unfinished one is read again from its start, so that
memory stays at one chunk (or one line of `max_line`) however long a line gets, and nothing can be joined wrongly.
Text in UTF-16 (by its byte order mark) is handed over as UTF-8; positions count the bytes of the file.
"""

import codecs
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from daemon.model import Checkpoint, Lines, Lost, Position
from daemon.sources.cutting import Part, Piece, cut
from daemon.sources.identity import HEAD, TAIL, build_identity, digest, read_tail
from daemon.sources.wide import as_utf8, find_newline, newline_of, order_of, rfind_newline, whole_lines

CHUNK = 256 * 1024
"""How many bytes one read takes."""


def _at_a_character(size: int, order: str) -> int:
    """The last place where a character may begin: from an odd one on, UTF-16 would be other text."""
    return size & ~1 if order else size


class CutShortError(Exception):
    """The file no longer holds what was read from it: it was truncated, and perhaps filled again."""


@dataclass(frozen=True)
class Reading:
    """What all files of one source share. `skipped` is told the number of NULs left out, `now` stamps losses."""

    source: str
    max_line: int
    now: Callable[[], float]
    skipped: Callable[[int], None]


class TailedFile:
    """Reads the open file `fd` from `offset` on, and closes it in `close`.

    `path` is what lines say they come from, whatever the file is called by now; `key` is the path under which
    checkpoints are stored; `reached` is the byte behind the last one looked at, of an unfinished line too;
    `copied` says that a copy of the file is being made, as somebody just saw.
    """

    def __init__(self, fd: int, path: str, reading: Reading, *, offset: int = 0, key: str = "") -> None:
        self._fd = fd
        self.path = path
        self._reading = reading
        self.key = key or path
        stat = os.fstat(fd)
        self.device, self.inode = stat.st_dev, stat.st_ino
        self.more = True
        self.copied = False
        self._set(offset)

    def _set(self, offset: int) -> None:
        self.offset = self.reached = offset
        self._head = os.pread(self._fd, min(HEAD, offset), 0)
        self._tail = read_tail(self._fd, offset)
        self._identity = build_identity(self.device, self.inode, self._head)
        self._order = order_of(self._head)
        self._forget_scan()

    def _forget_scan(self) -> None:
        # whole chunks behind `offset` that hold no newline, how they begin, and whether they are all NUL
        self._scanned = 0
        self._stub = b""
        self._blank = False

    @property
    def id(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)

    def stat(self) -> os.stat_result:
        """The state of the open file, whatever its name is by now."""
        return os.fstat(self._fd)

    def lag(self) -> int:
        """How many bytes are there to read."""
        return max(0, self.stat().st_size - self.offset)

    @property
    def read_out(self) -> bool:
        """Whether everything was looked at."""
        return not self.more and self.reached >= self.stat().st_size

    def holds(self, start: int, data: bytes) -> bool:
        """Whether these bytes are there at byte `start`."""
        return os.pread(self._fd, len(data), start) == data

    def unfinished(self) -> bool:
        """Whether there is text after the last whole line (NULs alone are none)."""
        return bool(os.pread(self._fd, CHUNK, self.offset).strip(b"\0"))

    def restart(self) -> None:
        """Read from the first byte again: the content is new."""
        self._set(0)
        self.more = True

    def skip_to_end(self) -> None:
        """Go behind the last whole line that is there now; a line that has begun is not skipped."""
        size = self.stat().st_size
        order = order_of(os.pread(self._fd, 2, 0))
        start = max(0, size - self._reading.max_line - 2) & ~1
        newline = rfind_newline(os.pread(self._fd, size - start, start), order)
        whole = start + newline + len(newline_of(order)) if newline >= 0 else 0
        self._set(whole if newline >= 0 or not start else _at_a_character(size, order))

    def skip_rest(self) -> None:
        """Go behind everything: what is left will never be a line."""
        self._set(max(self.offset, _at_a_character(self.stat().st_size, self._order)))

    def take_rest(self) -> Lines:
        """What stands after the last whole line, as one line of at most `max_line` bytes: nobody will finish it."""
        start, order = self.offset, self._order
        raw = os.pread(self._fd, min(self._reading.max_line, CHUNK), start)
        self.skip_rest()
        return self._lines(as_utf8(raw, order).strip(b"\0").removesuffix(b"\n") + b"\n", start)

    def checkpoint(self) -> Checkpoint:
        """Where reading resumes after all that was handed over."""
        position = Position(self.key, self._identity, self.offset)
        return Checkpoint(self._reading.source, position, digest(self._tail))

    def anchor(self) -> Lines:
        """A checkpoint without lines: from here on nothing may be skipped, even before the first line comes."""
        return self._lines(b"", self.offset)

    def read(self) -> Iterator[Lines | Lost]:
        """The lines of at most one chunk; `more` then says whether another call would find more at once.

        Raises CutShortError, before anything is handed over, when the file was truncated.
        """
        self._check_scan()
        start = self.offset + self._scanned
        chunk = os.pread(self._fd, CHUNK, start)
        self.reached = start + len(chunk)
        # after the read, so that no truncation can slip in between the check and the bytes
        if read_tail(self._fd, self.offset) != self._tail:
            raise CutShortError(self.path)
        self.more = len(chunk) == CHUNK
        if not self.offset:
            self._order = order_of(chunk)
        if self._scanned:
            yield from self._go_on(chunk)
        elif self._order:
            yield from self._hand_over_wide(chunk)
        else:
            yield from self._hand_over(chunk)

    def _check_scan(self) -> None:
        """Forget what was scanned when it changed underneath: preallocated zeros were filled, or the rest was cut."""
        if not self._scanned:
            return
        shrunk = self.stat().st_size < self.offset + self._scanned
        if shrunk or os.pread(self._fd, len(self._stub), self.offset) != self._stub:
            self._forget_scan()

    def _hand_over(self, chunk: bytes) -> Iterator[Lines | Lost]:
        base = self.offset
        for piece in cut(chunk, self._reading.max_line, at_start=base == 0):
            yield from self._take(piece, chunk, base)
        if self.offset == base and len(chunk) == CHUNK:
            self._scan(chunk, blank=not chunk.strip(b"\0"))

    def _scan(self, chunk: bytes, *, blank: bool) -> None:
        self._scanned, self._stub, self._blank = len(chunk), chunk[:TAIL], blank

    def _hand_over_wide(self, chunk: bytes) -> Iterator[Lines | Lost]:
        """UTF-16, line by line: in UTF-8 a line has another length, so only its start can be told exactly."""
        base, mark = self.offset, 0 if self.offset else len(codecs.BOM_UTF16)
        if mark:
            self._advance(mark, chunk[:mark])
        for start, end in whole_lines(chunk[mark:], self._order):
            first, raw = base + mark + start, chunk[mark + start : mark + end]
            width = len(newline_of(self._order))
            if len(raw) - width > self._reading.max_line:
                yield self._loss(first, len(raw) - width)
                raw = raw[: self._reading.max_line & ~1] + newline_of(self._order)
            self._advance(base + mark + end, chunk[max(mark + start, mark + end - TAIL) : mark + end])
            yield self._lines(as_utf8(raw, self._order), first)
        if self.offset == base and len(chunk) == CHUNK:
            self._scan(chunk, blank=False)

    def _take(self, piece: Piece, chunk: bytes, base: int) -> Iterator[Lines | Lost]:
        start = base + piece.start
        ending = chunk[max(piece.start, piece.end - TAIL) : piece.end]
        if piece.part is Part.long:
            yield self._loss(start, piece.end - piece.start - 1)
            data = chunk[piece.start : piece.start + self._reading.max_line] + b"\n"
        else:
            data = chunk[piece.start : piece.end]
        self._advance(base + piece.end, ending)
        if piece.part in {Part.lines, Part.long}:
            yield self._lines(data, start)
        elif piece.part is Part.zeros:
            self._reading.skipped(piece.end - piece.start)

    def _go_on(self, chunk: bytes) -> Iterator[Lines | Lost]:
        """Behind a line (or a run of NULs) that already fills whole chunks: look for its end."""
        if self._blank:
            text = chunk.lstrip(b"\0")
            self._scanned += len(chunk) - len(text)
            if text:
                self._reading.skipped(self._scanned)
                self._advance(self.offset + self._scanned, bytes(TAIL))
                self.more = True
            return
        newline = find_newline(chunk, self._order)
        if newline >= 0:
            yield from self._finish(self._scanned + newline)
        elif len(chunk) == CHUNK:
            self._scanned += CHUNK

    def _finish(self, length: int) -> Iterator[Lines | Lost]:
        r"""Hand over the line at `offset` that is longer than a chunk; `length` does not count its `\n`."""
        newline = newline_of(self._order)
        start, end = self.offset, self.offset + length + len(newline)
        kept = min(length, self._reading.max_line if not self._order else self._reading.max_line & ~1)
        data = os.pread(self._fd, kept, start)
        ending = os.pread(self._fd, TAIL, end - TAIL)
        self.more = True
        if len(data) < kept or find_newline(data, self._order) >= 0 or not ending.endswith(newline):
            self._forget_scan()  # rewritten between two reads: begin this line again
            return
        if length > kept:
            yield self._loss(start, length)
        self._advance(end, ending)
        yield self._lines(as_utf8(data, self._order) + b"\n", start)

    def _loss(self, start: int, length: int) -> Lost:
        detail = f"{self.path}: the line at byte {start} has {length} bytes, kept {self._reading.max_line}"
        return Lost(self._reading.source, "line_too_long", 1, self._reading.now(), detail)

    def _advance(self, offset: int, ending: bytes) -> None:
        self.offset = offset
        self._tail = (self._tail + ending)[-TAIL:]
        self._forget_scan()
        if len(self._head) < HEAD:
            self._head = os.pread(self._fd, min(HEAD, offset), 0)
            self._identity = build_identity(self.device, self.inode, self._head)

    def _lines(self, data: bytes, start: int) -> Lines:
        position = Position(self.path, self._identity, start)
        return Lines(self._reading.source, data, position, self.checkpoint())
