r"""What a text must contain for a regular expression to be found in it: clauses of literals, all folded.

The expression is taken apart by the standard library's own parser (RE2's syntax is nearly a subset of Python's; where
the parser refuses, nothing is known). Runs of characters are followed through small classes and alternatives, as
RE2's own prefilter does: `/(cat|tac)\s` needs `/cat` or `/tac`.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from re import _constants as op  # type: ignore[attr-defined] # no public module names these
from re import _parser  # type: ignore[attr-defined] # the standard library's parser has no public name
from typing import Any, TypeAlias

from msgspec import Struct

from daemon.detection.folding import fold

Clauses: TypeAlias = tuple[frozenset[str], ...]

_MOST_SPELLINGS = 96
"""How many literals one clause may hold before it is cut into shorter runs."""
_MOST_CLASS = 8
"""How many characters a class may hold to be spelled out."""
_MOST_REPEATS = 8
_SPACES = "\t\n\f\r "
r"""What `\s` is to RE2."""
_LONGEST = 256
"""Characters of a run from which on it is cut: longer literals tell no more, and hyperscan refuses very long ones."""
_DEPTH = 40
_READ_OTHERWISE = re.compile(r"\[:|\{,|\{0\d|\{\d+,0\d|\\[1-7]")
"""A class of RE2's (`[[:alpha:]]`) that is characters to Python; `{,2}` and `{02}`, which RE2 takes as they stand; and
octal numbers, which may be references to groups.
"""
_MANY_LINES = re.compile(r"\(\?[a-zA-Z-]*m")


class ExpressionNeeds(Struct, frozen=True):
    """What a text must contain for an expression to be found in it: of every set of `anywhere` one literal, of
    `starts` one at its beginning and of `ends` one at its end (empty: nothing known). `least` characters it has.
    """

    anywhere: Clauses = ()
    starts: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    least: int = 0


def needs_of(pattern: str, flags: str = "") -> ExpressionNeeds:
    """The needs of an RE2 expression with these flags, as far as they can be told."""
    tree = parse_expression(pattern)
    if tree is None:
        return ExpressionNeeds()
    items = list(tree)
    many_lines = "m" in flags or _MANY_LINES.search(pattern) is not None
    at_start = not many_lines and items[:1] in ([(op.AT, op.AT_BEGINNING)], [(op.AT, op.AT_BEGINNING_STRING)])
    at_end = not many_lines and items[-1:] in ([(op.AT, op.AT_END)], [(op.AT, op.AT_END_STRING)])
    walk = _Walk()
    walk.sequence(items, 0)
    ends = walk.run if at_end and "" not in walk.run else frozenset[str]()
    walk.cut()
    starts = walk.first if at_start and "" not in walk.first else frozenset[str]()
    anywhere = tuple(dict.fromkeys(one for one in walk.clauses if one not in (starts, ends)))
    return ExpressionNeeds(anywhere, starts, ends, least_length(pattern))


def least_length(pattern: str) -> int:
    """How many characters a text has at least in which an expression is found; 0 where that is not known."""
    tree = parse_expression(pattern)
    return 0 if tree is None else min(int(tree.getwidth()[0]), 1 << 16)


@lru_cache(8)  # the same expression is asked about several times in a row
def parse_expression(pattern: str) -> Any:
    """The standard library's parse of an RE2 expression, to be read only; None where the two may not mean the same."""
    if _READ_OTHERWISE.search(pattern):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(pattern.replace(r"\z", r"\Z"))
    except (re.error, RecursionError, OverflowError, ValueError):
        return None
    return None if tree.state.flags & re.VERBOSE else tree


class _Walk:
    """Goes through an expression from left to right. `run` are the spellings of what was read since the last cut;
    `whole` says that there was none, `first` are those before the first.
    """

    def __init__(self) -> None:
        self.clauses: list[frozenset[str]] = []
        self.run: frozenset[str] = frozenset({""})
        self.first: frozenset[str] = frozenset({""})
        self.whole = True

    def cut(self) -> None:
        """What follows need not stand right behind what was read."""
        if self.whole:
            self.first = self.run
        self.whole = False
        if "" not in self.run:
            self.clauses.append(_least(self.run))
        self.run = frozenset({""})

    def sequence(self, items: Iterable[Any], depth: int) -> None:
        """Each item in turn."""
        for code, value in items:
            self._item(code, value, depth)

    def _item(self, code: Any, value: Any, depth: int) -> None:
        if depth > _DEPTH:
            self.cut()
        elif code is op.LITERAL:
            self._extend({chr(value)})
        elif code is op.IN:
            self._extend(_class(value))
        elif code is op.SUBPATTERN:
            self.sequence(value[3], depth + 1)
        elif code is op.BRANCH:
            self._branch(value[1], depth + 1)
        elif code in (op.MAX_REPEAT, op.MIN_REPEAT):
            self._repeat(*value, depth=depth + 1)
        elif code is not op.AT:  # where it stands, not what it is
            self.cut()

    def _extend(self, spellings: "set[str] | frozenset[str] | None") -> None:
        if not spellings:
            self.cut()
            return
        self._join(frozenset(map(fold, spellings)))

    def _join(self, folded: frozenset[str]) -> None:
        if len(self.run) * len(folded) > _MOST_SPELLINGS or max(map(len, self.run)) >= _LONGEST:
            self.cut()
        self.run = frozenset(before + after for before in self.run for after in folded)

    def _walked(self, items: Any, depth: int) -> "_Walk":
        walk = _Walk()
        walk.sequence(items, depth)
        return walk

    def _branch(self, branches: Sequence[Any], depth: int) -> None:
        walks = [self._walked(branch, depth) for branch in branches]
        if all(walk.whole for walk in walks):
            self._join(frozenset[str]().union(*(walk.run for walk in walks)))
            return
        self.cut()
        for walk in walks:
            walk.cut()
        if all(walk.clauses for walk in walks):
            best = [max(walk.clauses, key=lambda clause: (min(map(len, clause)), -len(clause))) for walk in walks]
            self.clauses.append(frozenset[str]().union(*best))

    def _repeat(self, least: int, most: int, items: Any, *, depth: int) -> None:
        if least == 0 and most == 1:
            inner = self._walked(items, depth)
            if inner.whole:
                self._join(inner.run | {""})
            else:
                self.cut()
        elif least == 0:
            self.cut()
        else:
            for _ in range(min(least, _MOST_REPEATS)):
                self.sequence(items, depth)
            if least != most or least > _MOST_REPEATS:
                self.cut()


def _least(run: frozenset[str]) -> frozenset[str]:
    """Those that do not begin with another: where they are, that is."""
    return frozenset(one for one in run if not any(one[:length] in run for length in range(1, len(one))))


def _class(items: Sequence[Any]) -> set[str] | None:
    """The characters of a small class, None for any other."""
    found: set[str] = set()
    for code, value in items:
        if code is op.LITERAL:
            found.add(chr(value))
        elif code is op.RANGE and value[1] - value[0] < 2 * _MOST_CLASS:
            found.update(map(chr, range(value[0], value[1] + 1)))
        elif code is op.CATEGORY and value is op.CATEGORY_SPACE:
            found.update(_SPACES)
        else:
            return None
    return found if len({fold(one) for one in found}) <= _MOST_CLASS else None
