r"""UTF-16 text, as logs moved over from Windows have it: where its lines end, and the same text as UTF-8.

Recognised by its byte order mark alone; without one nothing tells it from other bytes. Every position is even, counted
from the start of the file, so `\n` is looked for at even positions only: the same two bytes across a character's
border are no line end. Pure.
"""

import codecs
from collections.abc import Iterator

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NEWLINES = {"": b"\n", "utf-16-le": b"\n\0", "utf-16-be": b"\0\n"}


def order_of(start: bytes) -> str:
    """The codec of a file that begins like this; empty for everything that is not UTF-16 with a byte order mark."""
    return _MARKS.get(start[:2], "")


def newline_of(order: str) -> bytes:
    r"""What `\n` is in this codec (empty: one byte)."""
    return _NEWLINES[order]


def find_newline(data: bytes, order: str, start: int = 0) -> int:
    r"""Where the first `\n` at or after `start` stands; -1 when there is none. `data` begins at an even position."""
    newline = _NEWLINES[order]
    at = data.find(newline, start)
    while at >= 0 and at % len(newline):
        at = data.find(newline, at + 1)
    return at


def rfind_newline(data: bytes, order: str) -> int:
    r"""Where the last `\n` stands; -1 when there is none. `data` begins at an even position."""
    newline = _NEWLINES[order]
    at = data.rfind(newline)
    while at >= 0 and at % len(newline):
        at = data.rfind(newline, 0, at + len(newline) - 1)
    return at


def whole_lines(data: bytes, order: str) -> Iterator[tuple[int, int]]:
    """Start and end (behind the newline) of each whole line."""
    start, width = 0, len(_NEWLINES[order])
    at = find_newline(data, order)
    while at >= 0:
        yield start, at + width
        start = at + width
        at = find_newline(data, order, start)


def as_utf8(raw: bytes, order: str) -> bytes:
    """The same text in UTF-8; what is no text becomes U+FFFD. Bytes of any other file stay as they are."""
    return raw.decode(order, "replace").encode("utf-8", "replace") if order else raw
