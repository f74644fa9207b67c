"""Hostile text → text that is safe to show: what cannot be seen is made visible, what is too long is visibly cut."""

import unicodedata
from datetime import UTC, datetime

ELLIPSIS = "…"
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that Unicode calls letters, marks or symbols and that draw nothing."""
_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0000, 0xE1000))
_MAX_MARKS = 3
"""Combining marks on one letter; more of them paint over the neighbouring lines."""
_LAST_SECOND = 253_402_300_799


def plain(text: str) -> str:
    """One printable line: control characters, ANSI escapes, bidi controls, tag characters, invisible letters and lone
    surrogates become backslash escapes; other kinds of blank become a space. Ordinary text comes back unchanged.
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category == "Zs":
            out.append(" ")
        elif not char.isprintable() or marks > _MAX_MARKS or _draws_nothing(char):
            out.append(_escape(char))
        else:
            out.append(char)
    return "".join(out)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what is missing is marked by an ellipsis inside the limit."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


def shown(text: str, limit: int) -> str:
    """`plain`, then `cut`. Only what can survive the cut is looked at: a 5 MB text costs as little as a line."""
    return cut(plain(text[: limit + 1]), limit)


def iso(at: float) -> str:
    """UTC seconds → `2026-11-21T09:30:00Z`; an instant outside the calendar is said, never raised."""
    if not 0 <= at <= _LAST_SECOND:
        return "an unknown time"
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _draws_nothing(char: str) -> bool:
    return char in _BLANK_LETTERS or any(ord(char) in selectors for selectors in _SELECTORS)


def _escape(char: str) -> str:
    code = ord(char)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named is not None:
        return named
    if code < 0x100:  # noqa: PLR2004 - the widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - same
