"""The parts of a compiled condition: each callable on a view, and able to say itself and why it held.

Nodes are closures over closures: a node's `test` calls its children's `test` and nothing else. Plain comparisons of one
field that are joined by `or` become one set look-up and one `startswith`/`endswith` call.
"""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from daemon.detection.matchers import WORDS, Leaf, Test
from daemon.detection.view import View
from daemon.detection.wording import Phrase

Needs: TypeAlias = tuple[frozenset[str], ...]
"""Of every set at least one literal must occur somewhere; none are known when it is empty."""


class Node(Protocol):
    """A part of a condition."""

    @property
    def test(self) -> Test:
        """Whether it holds for an event."""
        ...

    @property
    def search(self) -> str:
        """The name in the rule of the search that it is the whole of, else empty."""
        ...

    @property
    def needs(self) -> Needs:
        """What the folded text of the event's values must contain for it to hold; see Leaf."""
        ...

    def because(self, view: View, shown: View) -> list[Phrase]:
        """What made it hold, with values as they are in `shown`; empty when only something absent did."""
        ...

    def leaves(self) -> tuple[Leaf, ...]:
        """Its comparisons."""
        ...


class AllOf(Struct, frozen=True):
    """Holds when every part does."""

    parts: tuple[Node, ...]
    test: Test
    search: str = ""

    def because(self, view: View, shown: View) -> list[Phrase]:
        """What each part says."""
        return _of_search(self.search, [phrase for part in self.parts for phrase in part.because(view, shown)])

    def leaves(self) -> tuple[Leaf, ...]:
        """The comparisons of all parts."""
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    @property
    def needs(self) -> Needs:
        """What each part needs."""
        return tuple(dict.fromkeys(needed for part in self.parts for needed in part.needs))

    def __str__(self) -> str:
        return " and ".join(_grouped(part) for part in self.parts)


class AnyOf(Struct, frozen=True):
    """Holds when some part does. Says the first that did; of several searches, all that did."""

    parts: tuple[Node, ...]
    test: Test
    search: str = ""

    def because(self, view: View, shown: View) -> list[Phrase]:
        """What the parts that hold say."""
        held = [part for part in self.parts if part.test(view)]
        told = [part for part in held if part.search] or held[:1]
        return _of_search(self.search, [phrase for part in told for phrase in part.because(view, shown)])

    def leaves(self) -> tuple[Leaf, ...]:
        """The comparisons of all parts."""
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    @property
    def needs(self) -> Needs:
        """Of each part the longest literals that it needs, as one set; nothing when some part needs nothing."""
        if not all(part.needs for part in self.parts):
            return ()
        longest = (max(part.needs, key=lambda needed: min(map(len, needed))) for part in self.parts)
        return (frozenset().union(*longest),)

    def __str__(self) -> str:
        return " or ".join(_grouped(part) for part in self.parts)


class Not(Struct, frozen=True):
    """Holds when the part does not."""

    part: Node
    test: Test
    search: str = ""

    def because(self, view: View, shown: View) -> list[Phrase]:  # noqa: ARG002 - an absence has no words of its own
        """Nothing: what is not there explains little beside what is."""
        return []

    def leaves(self) -> tuple[Leaf, ...]:
        """The comparisons of the part."""
        return self.part.leaves()

    @property
    def needs(self) -> Needs:
        """Nothing: what lacks the part altogether satisfies it."""
        return ()

    def __str__(self) -> str:
        return f"not {_grouped(self.part)}"


def name_search(node: Node, search: str) -> Node:
    """The node as the whole of a search of this name."""
    assert isinstance(node, AllOf | AnyOf | Not | Leaf)
    return replace(node, search=search)


def _of_search(search: str, phrases: list[Phrase]) -> list[Phrase]:
    return [replace(phrase, search=phrase.search or search) for phrase in phrases] if search else phrases


def negate(part: Node) -> Node:
    """Holds when the part does not."""
    inner = part.test
    return Not(part, lambda view: not inner(view))


def join_all(parts: list[Node]) -> Node:
    """Holds when every part does."""
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.test for part in sorted(parts, key=_is_dear))
    if len(tests) == 2:  # noqa: PLR2004 - the commonest number gets the shortest path
        first, second = tests
        return AllOf(tuple(parts), lambda view: first(view) and second(view))

    def test(view: View) -> bool:
        for one in tests:  # noqa: SIM110 - a loop takes half the time of all() here
            if not one(view):
                return False
        return True

    return AllOf(tuple(parts), test)


def _is_dear(part: Node) -> bool:
    """Whether a test takes more than looking for literals (an expression takes ten times as long): it comes last."""
    return any(leaf.literal is None for leaf in part.leaves())


def join_any(parts: list[Node]) -> Node:
    """Holds when some part does."""
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
