"""Hostile text → text that is inert and fits: what cannot be seen becomes visible, what is too long is visibly cut.

An alert quotes what an attacker wrote. Every string of a body goes through `fit`, which looks only at as much
of a text as can survive the cut, so that a 5 MB argument costs as little as a short one.
"""

import math
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

ELLIPSIS = "…"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols in Unicode's books that draw nothing."""
_MARKS = {"Mn", "Me"}
_MAX_MARKS = 3
"""Combining marks that may follow one letter; a pile of them paints over the lines around it."""
_LAST_SECOND = 253_402_300_799
_MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""


def json_bytes(piece: str) -> int:
    """How many bytes a piece takes inside a JSON string in UTF-8."""
    return len(piece.encode()) + piece.count('"') + piece.count("\\")


def json_units(piece: str) -> int:
    """How many UTF-16 units a piece takes inside a JSON string: at least what any receiver counts as characters."""
    return len(piece.encode("utf-16-le")) // 2 + piece.count('"') + piece.count("\\")


def same(char: str) -> str:
    """No escape."""
    return char


def fit(text: str, limit: int, cost: Callable[[str], int], escape: Callable[[str], str] = same) -> str:
    """The text made visible and escaped, at a cost of at most `limit`.

    A cut falls between characters, never inside one or inside an escape, and is marked by an ellipsis
    that counts. Control characters, ANSI escapes, bidi and tag characters and lone surrogates become backslash escapes;
    other kinds of blank become a space.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        whole_text = text if escape is same else "".join(map(escape, text))
        if cost(whole_text) <= limit:
            return whole_text
    kept: list[str] = []
    used = 0
    for piece in _visible(text):
        kept.append(escape(piece) if len(piece) == 1 else piece)
        used += cost(kept[-1])
        if used > limit:
            break
    else:
        return "".join(kept)
    while kept and used + cost(ELLIPSIS) > limit:
        used -= cost(kept.pop())
    return "".join(kept) + ELLIPSIS if used + cost(ELLIPSIS) <= limit else ""


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of raw text, for a part of a line that goes through `fit` as a whole."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def rfc3339(at: float) -> str:
    """UTC seconds → `2026-11-21T09:30:00.250Z`; an instant outside the calendar becomes the nearest one inside."""
    inside = min(max(at, 0.0), _LAST_SECOND) if not math.isnan(at) else 0.0
    return datetime.fromtimestamp(inside, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole(number: int) -> int:
    """A count that every JSON reader keeps exact."""
    return min(max(number, 0), _MAX_INTEGER)


def _visible(text: str) -> Iterator[str]:
    """Each character as one that can be seen, or as a backslash escape."""
    marks = 0
    for char in text:
        if " " <= char <= "~":
            marks = 0
            yield char
            continue
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        if category == "Zs":
            yield " "
        elif char.isprintable() and char not in _UNSEEN and not _selects(char) and marks <= _MAX_MARKS:
            yield char
        else:
            yield _escaped(char)


def _selects(char: str) -> bool:
    """Variation selectors: unseen, and enough of them to smuggle text (U+FE0F, the emoji selector, is let through)."""
    code = ord(char)
    return 0x180B <= code <= 0x180F or 0xFE00 <= code <= 0xFE0E or 0xE0100 <= code <= 0xE01EF  # noqa: PLR2004 - Unicode blocks


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code <= 0xFF:  # noqa: PLR2004 - the widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - same
