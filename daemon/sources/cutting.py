r"""A chunk of a file → what to do with each part of it. Pure, and the only place that knows what a line is.

A line ends at `\n` and nowhere else. Carriage returns, form feeds, NULs inside a line and invalid UTF-8 are content.
Three things are not: a byte order mark at the start of the file, a run of NULs where a line should begin (a writer that
kept its offset after a truncation, or blocks that never reached the disk before a crash), and what a line has beyond
`max_line` bytes.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"
_ZEROS = re.compile(rb"\0+")


class Part(Enum):
    """What a piece of a chunk is."""

    lines = "lines"  # whole lines, to be handed over as they are
    long = "long"  # one line of more than max_line bytes
    zeros = "zeros"  # NULs in place of a line
    mark = "mark"  # the byte order mark


class Piece(NamedTuple):
    """`chunk[start:end]` and what it is."""

    part: Part
    start: int
    end: int


def cut(chunk: bytes, max_line: int, *, at_start: bool = False) -> Iterator[Piece]:
    r"""The pieces of a chunk that begins where a line begins: in order, without gaps, up to the last `\n`.

    What follows the last `\n` is left alone, except for NULs with something behind them.
    """
    position = 0
    if at_start and chunk.startswith(BOM):
        position = len(BOM)
        yield Piece(Part.mark, 0, position)
    end = chunk.rfind(b"\n") + 1
    while position < end:
        for piece in _next(chunk, position, end, max_line):
            yield piece
            position = piece.end
    zeros = _ZEROS.match(chunk, max(position, end))
    if zeros and zeros.end() < len(chunk):
        yield Piece(Part.zeros, zeros.start(), zeros.end())


def _next(chunk: bytes, start: int, end: int, max_line: int) -> Iterator[Piece]:
    zeros = _ZEROS.match(chunk, start)
    if zeros:
        yield Piece(Part.zeros, start, zeros.end())
        return
    first = chunk.find(b"\0", start, end)  # one byte is looked for ten times as fast as two, and hardly ever there
    before_zeros = -1 if first < 0 else chunk.find(b"\n\0", max(start, first - 1), end)
    limit = end if before_zeros < 0 else before_zeros + 1
    stop = start
    while stop < limit:
        # a window of max_line + 1 bytes without any \n means that the line that begins there is too long
        newline = chunk.rfind(b"\n", stop, min(limit, stop + max_line + 1))
        if newline < 0:
            break
        stop = newline + 1
    if stop > start:
        yield Piece(Part.lines, start, stop)
    if stop < limit:
        yield Piece(Part.long, stop, chunk.index(b"\n", stop) + 1)
