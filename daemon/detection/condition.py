"""The conditions of a rule → a predicate on events that can also say in words which of its searches matched, and why.

pySigma parses the condition; its searches are resolved here, so that each node keeps the name of the search it is of.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from msgspec import Struct
from sigma import conditions as sigma
from sigma.exceptions import SigmaConditionError
from sigma.types import SigmaExpansion

from daemon.detection.matchers import Leaf, UnsupportedError, build_leaf
from daemon.detection.nodes import AllOf, AnyOf, Needs, Node, Not, join_all, join_any, name_search, negate
from daemon.detection.view import View
from daemon.detection.wording import say_phrases
from daemon.model import Event

__all__ = ["AllOf", "AnyOf", "Condition", "Leaf", "Match", "Node", "Not", "compile_condition"]

_DEPTH = 64
"""How deep a condition may nest; deeper ones are refused, long before Python's own limit."""

_PATTERN = re.compile(r"\bof\s+[\w*]*-[\w*-]*")
_HYPHEN = "0hyphen0"

Tree: TypeAlias = Any
"""A node of pySigma's parsed condition; None where it held nothing."""


class Match(Struct, frozen=True):
    """A condition held, and why."""

    because: str


class Condition:
    """A compiled condition. `fields` are the fields that it reads, `gauges` those that it compares as numbers."""

    __slots__ = ("fields", "gauges", "node", "test")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.test = node.test
        leaves = node.leaves()
        self.fields = frozenset(leaf.field for leaf in leaves if leaf.field is not None)
        self.gauges = frozenset(leaf.field for leaf in leaves if leaf.field is not None and leaf.gauge)

    @property
    def needs(self) -> Needs:
        """What the folded text of an event must contain for it to match: of every set at least one literal."""
        return self.node.needs

    def match(self, event: Event) -> Match | None:
        """The reason why the event matches, None when it does not."""
        view = View(event)
        return Match(self.because(view)) if self.test(view) else None

    def because(self, view: View, shown: View | None = None) -> str:
        """Why a view that passed `test` did, in words: which searches of the rule, and which values, as they are in
        `shown` (the same event without its secrets).
        """
        return say_phrases(self.node.because(view, view if shown is None else shown)) or str(self)

    def __str__(self) -> str:
        return str(self.node)


def compile_condition(
    conditions: Sequence[sigma.SigmaCondition], filters: Sequence[sigma.SigmaCondition] = ()
) -> Condition:
    """Several conditions of one rule are alternatives; every filter must hold besides.

    Raises UnsupportedError saying what was expected, and what pySigma raises for a condition that it cannot parse.
    """
    built = join_any([_compile(condition) for condition in conditions])
    if filters:
        built = join_all([built, *map(_compile, filters)])
    return Condition(built)


def _compile(condition: sigma.SigmaCondition) -> Node:
    """Parsed by pySigma, whose grammar has hyphens in the names of searches, but not in patterns of them."""
    spelled = _PATTERN.sub(lambda match: match[0].replace("-", _HYPHEN), condition.condition)
    parsed = sigma.SigmaCondition(spelled, condition.detections).parse(postprocess=False)
    return _node(parsed, condition.detections, 0)


def _node(tree: Tree, searches: Any, depth: int) -> Node:
    """A node of a parsed condition; `searches` are pySigma's detections."""
    if depth > _DEPTH:
        raise UnsupportedError(f"expected a condition nested at most {_DEPTH} deep")
    if isinstance(tree, sigma.ConditionIdentifier):
        return _search(tree.identifier, searches)
    if isinstance(tree, sigma.ConditionSelector):
        return _selected(tree, searches)
    return _joined(tree, [_node(arg, searches, depth + 1) for arg in tree.args])


def _selected(tree: sigma.ConditionSelector, searches: Any) -> Node:
    """`1 of x*`, `all of them`; names that begin with `_` are not among `them` (Sigma 2.1, Condition)."""
    pattern = tree.pattern.replace(_HYPHEN, "-")
    hidden = pattern.startswith("_")
    names = [name for name in searches.detections if fnmatchcase(name, "*" if pattern == "them" else pattern)]
    found = [_search(name, searches) for name in names if hidden or not name.startswith("_")]
    if not found:
        raise SigmaConditionError(f"Selector '{tree.args[0]} of {pattern}' doesn't match any detection")
    return join_all(found) if tree.cond_class is sigma.ConditionAND else join_any(found)


def _search(name: str, searches: Any) -> Node:
    if name not in searches.detections:
        raise SigmaConditionError(f"Detection '{name}' not defined in detections")
    return name_search(_value_node(searches.detections[name].postprocess(searches), 0), name)


def _value_node(tree: Tree, depth: int) -> Node:
    """A node of a resolved search."""
    if depth > _DEPTH:
        raise UnsupportedError(f"expected a search nested at most {_DEPTH} deep")
    if isinstance(tree, sigma.ConditionFieldEqualsValueExpression):
        return _value(tree.field, tree.value)
    if isinstance(tree, sigma.ConditionValueExpression):
        return _value(None, tree.value)
    if tree is None:
        raise UnsupportedError("expected a search that compares something")
    return _joined(tree, [_value_node(arg, depth + 1) for arg in tree.args if arg is not None])


def _joined(tree: Tree, parts: list[Node]) -> Node:
    if not parts:
        raise UnsupportedError("expected a condition that compares something")
    if isinstance(tree, sigma.ConditionNOT):
        return negate(parts[0])
    return join_all(parts) if isinstance(tree, sigma.ConditionAND) else join_any(parts)


def _value(field: str | None, value: Any) -> Node:
    if isinstance(value, SigmaExpansion):
        return join_any([_value(field, one) for one in value.values])
    return build_leaf(field, value)
