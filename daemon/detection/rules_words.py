"""Correlation conditions in words: rules by id or name, joined by `and`, `or`, `not` and parentheses.

`not` binds closest, `or` least. Read here and not by pySigma, whose grammar has no ids and no names with a hyphen.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import product
from typing import TypeAlias

from msgspec import Struct

Known: TypeAlias = Mapping[str, tuple[str, str]]
"""How a rule is referred to → its id and title."""

_MOST_ORDERS = 64
_MOST_WORDS = 256
_DEPTH = 64
_WORD = re.compile(r"[()]|[^\s()]+")
_RESERVED = frozenset({"and", "or", "not", "(", ")"})


class WordsError(ValueError):
    """A condition that cannot be used; the text says what was expected."""


class Words(Struct, frozen=True):
    """A part of a condition: `way` is `and`, `or`, `not` (of `parts`) or `rule` (called `name`)."""

    way: str
    parts: tuple["Words", ...] = ()
    name: str = ""

    def names(self) -> Iterator[str]:
        """The rules that it names, in order."""
        if self.way == "rule":
            yield self.name
        for part in self.parts:
            yield from part.names()


class _Reader:
    """The words of a condition, taken one after the other."""

    def __init__(self, text: str) -> None:
        self._words = _WORD.findall(text)
        if len(self._words) > _MOST_WORDS:
            raise WordsError(f"expected at most {_MOST_WORDS} words")

    def read(self) -> Words:
        loud = next((word for word in self._words if word in {"AND", "OR", "NOT"}), None)
        if loud is not None:
            raise WordsError(f"expected rule names joined by and, or, not (got {loud}) – did you mean {loud.lower()}?")
        found = self._joined("or", 0)
        if self._words:
            raise WordsError(f"expected rule names joined by and, or, not (got {self._words[0]})")
        return found

    def _joined(self, way: str, depth: int) -> Words:
        """Parts joined by `or`, each of parts joined by `and`."""
        if depth > _DEPTH:
            raise WordsError(f"expected a condition nested at most {_DEPTH} deep")
        parts: list[Words] = []
        while not parts or self._next() == way:
            if parts:
                self._words.pop(0)
            parts.append(self._joined("and", depth) if way == "or" else self._single(depth))
        return parts[0] if len(parts) == 1 else Words(way, tuple(parts))

    def _single(self, depth: int) -> Words:
        word = self._words.pop(0) if self._words else ""
        if word == "not":
            return Words("not", (self._single(depth + 1),))
        if word == "(":
            found = self._joined("or", depth + 1)
            if self._next() != ")":
                raise WordsError("expected a closing parenthesis")
            self._words.pop(0)
            return found
        if not word or word in _RESERVED:
            raise WordsError(f"expected the name of a rule (got {word or 'nothing'})")
        return Words("rule", name=word)

    def _next(self) -> str:
        return self._words[0] if self._words else ""


def read_words(text: str) -> Words:
    """A condition, read. Raises WordsError."""
    return _Reader(text).read()


def named_rules(text: str) -> list[str]:
    """The rules that a condition names, in order, each once. Raises WordsError."""
    return list(dict.fromkeys(read_words(text).names()))


def holds_of(text: str, known: Known) -> Callable[[Collection[str]], bool]:
    """Whether a set of rule ids satisfies a condition."""
    return _holds(read_words(text), known)


def _holds(words: Words, known: Known) -> Callable[[Collection[str]], bool]:
    if words.way == "rule":
        rule_id = known[words.name][0]
        return lambda fired: rule_id in fired
    parts = [_holds(part, known) for part in words.parts]
    if words.way == "not":
        return lambda fired: not parts[0](fired)
    join = all if words.way == "and" else any
    return lambda fired: join(part(fired) for part in parts)


def orders_of(text: str) -> list[tuple[str, ...]]:
    """The sequences of rules of which one must be met for a condition to hold in the order in which it names them.

    Raises WordsError, also for `not` (what does not come has no place) and for too many sequences.
    """
    return list(dict.fromkeys(_orders(read_words(text))))


def _orders(words: Words) -> list[tuple[str, ...]]:
    if words.way == "rule":
        return [(words.name,)]
    if words.way == "not":
        raise WordsError("expected no `not` (what does not happen has no place in an order)")
    parts = [_orders(part) for part in words.parts]
    found: list[tuple[str, ...]] = []
    for order in (one for part in parts for one in part) if words.way == "or" else map(_chained, product(*parts)):
        found.append(order)
        if len(found) > _MOST_ORDERS:
            raise WordsError(f"expected at most {_MOST_ORDERS} sequences of rules")
    return found


def _chained(orders: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(name for order in orders for name in order)
