"""pySigma's condition tree → a predicate on events that can also say in words why it matched.

Nodes are closures over closures: a node's `test` calls its children's `test` and nothing else. Plain comparisons of one
field that are joined by `or` become one set look-up and one `startswith`/`endswith` call.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

from msgspec import Struct
from sigma import conditions as sigma
from sigma.types import SigmaExpansion

from daemon.detection.matchers import WORDS, Leaf, Test, UnsupportedError, build_leaf
from daemon.detection.view import View
from daemon.detection.wording import unique
from daemon.model import Event

_DEPTH = 64
"""How deep a condition may nest; deeper ones are refused, long before Python's own limit."""


class Node(Protocol):
    """A part of a condition: callable on a view, and able to say itself."""

    @property
    def test(self) -> Test:
        """Whether it holds for an event."""
        ...

    def because(self, view: View) -> list[str]:
        """The phrases that made it hold; empty when only something absent did."""
        ...

    def leaves(self) -> tuple[Leaf, ...]:
        """Its comparisons."""
        ...


class AllOf(Struct, frozen=True):
    """Holds when every part does."""

    parts: tuple[Node, ...]
    test: Test

    def because(self, view: View) -> list[str]:
        """What each part says."""
        return [phrase for part in self.parts for phrase in part.because(view)]

    def leaves(self) -> tuple[Leaf, ...]:
        """The comparisons of all parts."""
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    def __str__(self) -> str:
        return " and ".join(_grouped(part) for part in self.parts)


class AnyOf(Struct, frozen=True):
    """Holds when some part does; says the first that did."""

    parts: tuple[Node, ...]
    test: Test

    def because(self, view: View) -> list[str]:
        """What the first part that holds says."""
        return next((part.because(view) for part in self.parts if part.test(view)), [])

    def leaves(self) -> tuple[Leaf, ...]:
        """The comparisons of all parts."""
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    def __str__(self) -> str:
        return " or ".join(_grouped(part) for part in self.parts)


class Not(Struct, frozen=True):
    """Holds when the part does not."""

    part: Node
    test: Test

    def because(self, view: View) -> list[str]:  # noqa: ARG002 - an absence has no words of its own
        """Nothing: what is not there explains little beside what is."""
        return []

    def leaves(self) -> tuple[Leaf, ...]:
        """The comparisons of the part."""
        return self.part.leaves()

    def __str__(self) -> str:
        return f"not {_grouped(self.part)}"


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

    def match(self, event: Event) -> Match | None:
        """The reason why the event matches, None when it does not."""
        view = View(event)
        return Match(self.because(view)) if self.test(view) else None

    def because(self, view: View) -> str:
        """Why a view that passed `test` did, in words."""
        return " and ".join(unique(self.node.because(view))) or str(self)

    def __str__(self) -> str:
        return str(self.node)


Tree: TypeAlias = Any
"""A node of pySigma's parsed condition; None where it held nothing."""


def compile_condition(trees: Sequence[Tree], filters: Sequence[Tree] = ()) -> Condition:
    """Several conditions of one rule are alternatives; every filter must hold besides.

    Raises UnsupportedError saying what was expected.
    """
    built = _any([_node(tree, 0) for tree in trees])
    if filters:
        built = _all([built, *(_node(tree, 0) for tree in filters)])
    return Condition(built)


def _node(tree: Tree, depth: int) -> Node:
    if depth > _DEPTH:
        raise UnsupportedError(f"expected a condition nested at most {_DEPTH} deep")
    if isinstance(tree, sigma.ConditionNOT):
        return _not(_children(tree, depth)[0])
    if isinstance(tree, sigma.ConditionAND):
        return _all(_children(tree, depth))
    if isinstance(tree, sigma.ConditionOR):
        return _any(_children(tree, depth))
    if isinstance(tree, sigma.ConditionFieldEqualsValueExpression):
        return _value(tree.field, tree.value)
    if isinstance(tree, sigma.ConditionValueExpression):
        return _value(None, tree.value)
    raise UnsupportedError("expected a condition that compares something")


def _children(tree: Any, depth: int) -> list[Node]:
    nodes = [_node(arg, depth + 1) for arg in tree.args if arg is not None]
    if not nodes:
        raise UnsupportedError("expected a condition that compares something")
    return nodes


def _value(field: str | None, value: Any) -> Node:
    if isinstance(value, SigmaExpansion):
        return _any([_value(field, one) for one in value.values])
    return build_leaf(field, value)


def _not(part: Node) -> Node:
    inner = part.test
    return Not(part, lambda view: not inner(view))


def _all(parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.test for part in parts)
    if len(tests) == 2:  # noqa: PLR2004 - the commonest number gets the shortest path
        first, second = tests
        return AllOf(tuple(parts), lambda view: first(view) and second(view))

    def test(view: View) -> bool:
        for one in tests:  # noqa: SIM110 - a loop takes half the time of all() here
            if not one(view):
                return False
        return True

    return AllOf(tuple(parts), test)


def _any(parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    tests = tuple(_grouped_tests(parts))
    if len(tests) == 1:
        return AnyOf(tuple(parts), tests[0])

    def test(view: View) -> bool:
        for one in tests:  # noqa: SIM110 - a loop takes half the time of any() here
            if one(view):
                return True
        return False

    return AnyOf(tuple(parts), test)


def _grouped_tests(parts: Iterable[Node]) -> list[Test]:
    """The tests of alternatives, those with literals of one field and one way as a single test."""
    groups: dict[tuple[str | None, str], list[str]] = {}
    others: list[Test] = []
    for part in parts:
        if isinstance(part, Leaf) and part.literal is not None:
            way, needle = part.literal
            groups.setdefault((part.field, way), []).append(needle)
        else:
            others.append(part.test)
    return [_LITERALS[way](field, tuple(needles)) for (field, way), needles in groups.items()] + others


def _is_any(field: str | None, needles: tuple[str, ...]) -> Test:
    wanted = frozenset(needles)
    return lambda view: not wanted.isdisjoint(view.lowered[field])


def _contains_any(field: str | None, needles: tuple[str, ...]) -> Test:
    def test(view: View) -> bool:
        for text in view.lowered[field]:
            for needle in needles:
                if needle in text:
                    return True
        return False

    return test


def _starts_any(field: str | None, needles: tuple[str, ...]) -> Test:
    def test(view: View) -> bool:
        for text in view.lowered[field]:  # noqa: SIM110 - a loop takes half the time of any() here
            if text.startswith(needles):
                return True
        return False

    return test


def _ends_any(field: str | None, needles: tuple[str, ...]) -> Test:
    def test(view: View) -> bool:
        for text in view.lowered[field]:  # noqa: SIM110 - a loop takes half the time of any() here
            if text.endswith(needles):
                return True
        return False

    return test


_LITERALS: dict[str, Callable[[str | None, tuple[str, ...]], Test]] = {
    "is": _is_any,
    "contains": _contains_any,
    "starts": _starts_any,
    "ends": _ends_any,
}
assert _LITERALS.keys() == WORDS.keys()


def _grouped(part: Node) -> str:
    return f"({part})" if isinstance(part, AllOf | AnyOf) else str(part)
