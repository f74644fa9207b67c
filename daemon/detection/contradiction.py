"""Conditions that can never hold: a part that is demanded and excluded, two values that no field has at once."""

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from daemon.detection.matchers import Leaf, passes_literal
from daemon.detection.nodes import AllOf, AnyOf, Node, Not

_MOST = 64
"""Comparisons of one field of which each is held against each other."""


def why_never(node: Node, single: Collection[str] = ()) -> str:
    """Why a condition can never hold, empty when it may. `single` are the fields that have one value at most."""
    if isinstance(node, AnyOf):
        reasons = [why_never(part, single) for part in node.parts]
        return reasons[0] if all(reasons) else ""
    if not isinstance(node, AllOf):
        return ""
    parts = list(_demanded(node))
    within = next(filter(None, (why_never(part, single) for part in node.parts)), "")
    return within or _excluded(parts) or _absent(parts) or _clashing(parts, single)


def _demanded(node: Node) -> Iterator[Node]:
    """All that must hold for it to hold."""
    if isinstance(node, AllOf):
        for part in node.parts:
            yield from _demanded(part)
    yield node


def _excluded(parts: Iterable[Node]) -> str:
    """A part that is demanded and excluded."""
    said = {str(part): part for part in parts}
    for part in list(said.values()):
        if not isinstance(part, Not):
            continue
        inner = part.part
        for one in (inner, *(inner.parts if isinstance(inner, AnyOf) else ())):
            if str(one) in said:
                return f"{_called(one)} is demanded and excluded"
    return ""


def _absent(parts: Iterable[Node]) -> str:
    """A field that must have a value and must not."""
    leaves = [part for part in parts if isinstance(part, Leaf)]
    wanted = {leaf.field for leaf in leaves if not leaf.absent and leaf.words != "exists"}
    return next((f"{leaf} and is compared" for leaf in leaves if leaf.absent and leaf.field in wanted), "")


def _clashing(parts: Iterable[Node], single: Collection[str]) -> str:
    """Two comparisons of a field with one value that no value meets."""
    by_field: dict[str, list[Leaf]] = {}
    for part in parts:
        if isinstance(part, Leaf) and part.literal is not None and part.field is not None and part.field in single:
            by_field.setdefault(part.field, []).append(part)
    for field, leaves in by_field.items():
        for one, other in combinations(leaves[:_MOST], 2):
            if _clash(one.literal, other.literal) or _clash(other.literal, one.literal):
                return f"{field} has one value, which never {one.words} and {other.words}"
    return ""


def _clash(one: tuple[str, str] | None, other: tuple[str, str] | None) -> bool:
    """Whether nothing that the first holds for passes the second. The other way round may tell more."""
    assert one is not None
    assert other is not None
    (way, text), (wanted, needle) = one, other
    if way == "is":
        return not passes_literal(wanted, needle)(text)
    return (
        way == wanted
        and way in {"starts", "ends"}
        and not (passes_literal(way, needle)(text) or passes_literal(way, text)(needle))
    )


def _called(node: Node) -> str:
    return node.search or f"({node})"
