"""What a text must contain for a rule to match: clauses, each a set of literals of which at least one must occur.

A condition knows this of the values of fields (`Node.needs`). A text that is to be judged before anything is made of it
shows some fields as they are, some in other words, and some not at all; `Implied` says which.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

from daemon.detection.expression_needs import ExpressionNeeds
from daemon.detection.matchers import Leaf
from daemon.detection.nodes import AllOf, AnyOf, Node

Clause: TypeAlias = frozenset[str]
Alternative: TypeAlias = frozenset[Clause]
Alternatives: TypeAlias = tuple[Alternative, ...]

Implied: TypeAlias = Callable[[str | None, str, str], frozenset[str] | None]
"""(field, folded literal, way) → what stands in the text when a value of the field `is`, `contains`, `starts` or `ends`
(the way) with the literal: one of these, each folded. None where nothing is known. Field None is the text itself.

With the way `long`, the literal is a number: what stands in the text when a value has that many characters.
"""

EXPRESSION = "\0expression:"
"""Begins an element of a clause that is no literal but a part of an expression (see `expression_scan`), for ASCII text.
Where there is one there are literals, too.
"""
WORD_OF_ITS_OWN = "\0alone:"
"""Begins a literal that counts where no letter, digit, `_`, `-` or `/` touches it, nor a point before it."""
_LONGEST = 256
"""Characters of a literal that are looked for: more tell no more, and hyperscan refuses very long ones."""
_MOST = 24
"""How many alternatives a condition may have; more are made one clause."""


def is_expression(name: str) -> bool:
    """Whether an element of a clause is an expression."""
    return name.startswith(EXPRESSION)


def shows_all(field: str | None, literal: str, way: str) -> frozenset[str] | None:  # noqa: ARG001 - an `Implied`
    """A text that shows every field as it is."""
    return None if way == "long" else frozenset({literal})


def alternatives_of(node: Node, implied: Implied) -> Alternatives:
    """What a text must contain for a condition to hold: all clauses of one alternative. An alternative without clauses
    may hold for a text of which nothing is known.
    """
    if isinstance(node, AllOf):
        found: Alternatives = (frozenset(),)
        for part in node.parts:
            found = _both(found, alternatives_of(part, implied))
        return found
    if isinstance(node, AnyOf):
        return _either(alternative for part in node.parts for alternative in alternatives_of(part, implied))
    if isinstance(node, Leaf) and not node.absent:
        return (_leaf_clauses(node, implied),)
    return (frozenset(),)


def _leaf_clauses(leaf: Leaf, implied: Implied) -> Alternative:
    way = leaf.literal[0] if leaf.literal is not None else "contains"
    if leaf.expression is None:
        return _known(_shown(implied, leaf.field, needed, way) for needed in leaf.needs)
    clauses = _known(_expression_clauses(leaf.expression, leaf.field, implied))
    if not clauses or implied(leaf.field, "", "contains") is None:
        return clauses
    return clauses | {frozenset({EXPRESSION + part}) for part in leaf.scan}


def _known(clauses: Iterable[Clause]) -> Alternative:
    return frozenset(clause for clause in clauses if clause and "" not in clause)


def _expression_clauses(found: ExpressionNeeds, field: str | None, implied: Implied) -> list[Clause]:
    clauses = [_shown(implied, field, needed, "contains") for needed in found.anywhere]
    # a keyword is a part of the text, whose end is not the text's
    anchored = field is not None
    clauses.append(_shown(implied, field, found.starts, "starts" if anchored else "contains"))
    clauses.append(_shown(implied, field, found.ends, "ends" if anchored else "contains"))
    return clauses if any(clauses) or not found.least else [_shown(implied, field, {str(found.least)}, "long")]


def _shown(implied: Implied, field: str | None, literals: Collection[str], way: str) -> Clause:
    found = [implied(field, literal, way) for literal in literals]
    if None in found or any(literal.startswith("\0") for literal in literals):
        return frozenset()
    return frozenset(_bounded(text) for one in found for text in one or ())


def _bounded(literal: str) -> str:
    if len(literal) <= _LONGEST:
        return literal
    return literal.removeprefix(WORD_OF_ITS_OWN)[:_LONGEST]  # the beginning of a word is no word of its own


def _both(first: Alternatives, second: Alternatives) -> Alternatives:
    if len(first) * len(second) > _MOST:
        first, second = (_merged(first), second) if len(first) > len(second) else (first, _merged(second))
    if len(first) * len(second) > _MOST:
        first, second = _merged(first), _merged(second)
    return tuple(dict.fromkeys(one | other for one in first for other in second))


def _either(alternatives: Iterable[Alternative]) -> Alternatives:
    """Alternatives of a single clause become one; there is no alternative to one that needs nothing."""
    found = tuple(dict.fromkeys(alternatives))
    if frozenset() in found:
        return (frozenset(),)
    single = frozenset[str]().union(*(clause for one in found if len(one) == 1 for clause in one))
    several = tuple(one for one in found if len(one) > 1)
    joined = (*several, frozenset({single})) if single else several
    return joined if len(joined) <= _MOST else _merged(joined)


def _merged(alternatives: Alternatives) -> Alternatives:
    """One clause: of each alternative that with the longest literals."""
    if not all(alternatives):
        return (frozenset(),)
    best = [max(one, key=_worth) for one in alternatives]
    return (frozenset({frozenset[str]().union(*best)}),)


def _worth(clause: Clause) -> tuple[bool, int, int]:
    """Literals before expressions, which not every engine takes and not every text can be searched for."""
    return not any(map(is_expression, clause)), min(map(len, clause)), -len(clause)
