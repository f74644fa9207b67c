r"""A regular expression as it may be looked for in the text around a value: found wherever it could match.

Anchors are dropped, because the text goes on around the value, and classes that folding does not keep apart are made
wider. So what it finds is a superset, for ASCII text; what it says of other text counts for nothing.

RE2 looks for it. hyperscan would do so for all of them at once, but 5.4 does not always find what is there (nothing of
`>(?:\s*/(?:a/bcd)|\s*/ef/(?:g/h))` in texts of more than some twenty characters), and takes 50 ms to make ready.
"""

from collections.abc import Callable, Iterable
from re import _constants as op  # type: ignore[attr-defined] # no public module names these
from typing import Any

import re2

from daemon.detection.expression_needs import least_length, parse_expression
from daemon.detection.folding import fold

_LAST = 0x24F
"""The last character that folds to an ASCII one lies before it."""
_DEEPEST = 40
_SHORTEST = 4
"""How many characters a part has at least: shorter ones stand in every line."""
_LONGEST = 4000
"""How many characters a part is written in at most: RE2 refuses what takes too much to run."""
_WIDEST = 8
_CATEGORIES = {
    op.CATEGORY_SPACE: r"\x09-\x0d\x20",
    op.CATEGORY_DIGIT: r"\x30-\x39",
    op.CATEGORY_WORD: r"\x30-\x39\x5f\x61-\x7a",
}


_MOST_READY = 64
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # what it refuses is not looked for
_OPTIONS.case_sensitive = False
_OPTIONS.encoding = re2.Options.Encoding.LATIN1


class _TooWideError(Exception):
    """Nothing that is worth looking for."""


class Parts:
    """Looks for parts of expressions. Bounded: so many are kept ready."""

    def __init__(self) -> None:
        self._ready: dict[str, Callable[[bytes], object] | None] = {}

    def hold(self, part: str, text: bytes) -> bool:
        """Whether a part stands in an ASCII text, in letters of either case. One that RE2 refuses stands everywhere."""
        if part not in self._ready:
            if len(self._ready) >= _MOST_READY:
                self._ready.clear()
            self._ready[part] = _search_for(part)
        search = self._ready[part]
        return search is None or search(text) is not None


def _search_for(part: str) -> Callable[[bytes], object] | None:
    try:
        search: Callable[[bytes], object] = re2.compile(part.encode(), _OPTIONS).search
    except re2.error:
        return None
    return search


def scan_expressions(pattern: str) -> tuple[str, ...]:
    """The parts of an expression between whatever may be anything: all must be found (see `Parts`).

    Of a part, what is worth it is a beginning that is not of many characters, and something that is no literal (those
    are known from `needs_of`).
    """
    tree = parse_expression(pattern)
    parts: list[list[tuple[str, bool]]] = [[]]
    for code, value in tree or ():
        try:
            parts[-1].append((_item(code, value, 0), code is not op.LITERAL and code is not op.AT))
        except _TooWideError:
            parts.append([])
    rich = ["".join(text for text, _ in part) for part in map(_trimmed, parts) if any(rich for _, rich in part)]
    return tuple(part for part in rich if len(part) <= _LONGEST and least_length(part) >= _SHORTEST)


def _trimmed(part: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Without what need not be there at its beginning and end."""
    while part and (not part[0][0] or part[0][0].endswith(("{0,}", "{0,1}"))):
        part = part[1:]
    while part and (not part[-1][0] or part[-1][0].endswith(("{0,}", "{0,1}"))):
        part = part[:-1]
    return part


def _sequence(items: Iterable[Any], depth: int) -> str:
    if depth > _DEEPEST:
        raise _TooWideError
    return "".join(_item(code, value, depth + 1) for code, value in items)


def _item(code: Any, value: Any, depth: int) -> str:
    if code is op.LITERAL:
        return _characters({chr(value)})
    if code is op.IN:
        return _class(value)
    if code is op.SUBPATTERN:
        return f"(?:{_sequence(value[3], depth)})"
    if code is op.BRANCH:
        return f"(?:{'|'.join(_sequence(branch, depth) for branch in value[1])})"
    if code in (op.MAX_REPEAT, op.MIN_REPEAT):
        return _repeat(*value, depth=depth)
    if code is op.AT:
        return ""
    raise _TooWideError


def _repeat(least: int, most: int, items: Any, *, depth: int) -> str:
    if most == 0:
        return ""
    body = f"(?:{_sequence(items, depth)})"
    if most <= _WIDEST:
        return f"{body}{{{least},{most}}}"
    return f"{body}{{{min(least, _WIDEST)},}}"


def _class(items: Iterable[Any]) -> str:
    found: set[str] = set()
    ranges = ""
    for code, value in items:
        if code is op.LITERAL:
            found.add(chr(value))
        elif code is op.RANGE and value[1] <= _LAST:
            found.update(map(chr, range(value[0], value[1] + 1)))
        elif code is op.CATEGORY and value in _CATEGORIES:
            ranges += _CATEGORIES[value]
        else:
            raise _TooWideError
    return _characters(found, ranges)


def _characters(found: set[str], ranges: str = "") -> str:
    """A class of the folded characters, as far as they are ASCII."""
    folded = set(map(fold, found))
    shown = "".join(f"\\x{ord(one):02x}" for one in sorted(folded) if one.isascii()) + ranges
    if not shown:
        raise _TooWideError  # no ASCII text can have it
    return f"[{shown}]"
