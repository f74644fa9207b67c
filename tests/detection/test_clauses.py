"""What a condition is said to need stands in every text that shows an event for which it holds."""

import time

import pytest
from hypothesis import given, settings

from daemon.detection.clauses import EXPRESSION, WORD_OF_ITS_OWN, Alternatives, alternatives_of, shows_all
from daemon.detection.condition import Condition
from daemon.detection.folding import fold
from daemon.detection.matchers import Leaf
from daemon.detection.nodes import Node, join_all, join_any, negate
from daemon.detection.view import View
from daemon.model import Event
from tests.doubles.conditions import events, nodes
from tests.doubles.detection import condition_of, item


def clause(*literals: str) -> frozenset[str]:
    return frozenset(literals)


def needs(*clauses: frozenset[str]) -> frozenset[frozenset[str]]:
    return frozenset(clauses)


ANYTHING: Alternatives = (frozenset(),)


def alternatives(condition: Condition) -> Alternatives:
    return alternatives_of(condition.node, shows_all)


def holds(found: Alternatives, text: str) -> bool:
    """Whether a text has what some alternative needs; of expressions nothing is known here."""
    folded = fold(text)
    return any(
        all(any(one.startswith(EXPRESSION) or one in folded for one in clause) for clause in alternative)
        for alternative in found
    )


def leaf(number: int) -> Leaf:
    """One that needs a literal of its own."""
    return Leaf("f", "", lambda _: False, needs=(clause(f"w{number}"),))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("f|contains", "AB", (needs(clause("ab")),)),
        ("f", "a*b?C", (needs(clause("a"), clause("b"), clause("c")),)),
        ("f|cased", "AB", (needs(clause("ab")),)),
        ("f|contains|all", "[ab, c]", (needs(clause("ab"), clause("c")),)),
        ("f", "[ab, c]", (needs(clause("ab", "c")),)),
        ("f", "[ab, null]", ANYTHING),
        ("f", "5", (needs(clause("5")),)),
        ("f", "''", ANYTHING),
        ("f", "null", ANYTHING),
        ("f|exists", "true", ANYTHING),
        ("f|exists", "false", ANYTHING),
        ("f|gt", "5", ANYTHING),
        ("f|cidr", "192.0.2.0/24", ANYTHING),
        ("f|fieldref", "g", ANYTHING),
        ("f|neq", "ab", ANYTHING),
        ("f|re", "^ab.*[cd]e$", (needs(clause("ab"), clause("ce", "de")),)),
        ("f|re", ".*", ANYTHING),
    ],
)
def test_what_a_comparison_needs(key: str, value: str, expected: Alternatives) -> None:
    assert alternatives(item(f"'{key}'", value)) == expected


def test_what_conditions_need() -> None:
    text = "    a: {f: x, g: y}\n    b: {f: z}\n    c: [k]\n    n: {h: null}\n    condition: "
    assert alternatives(condition_of(text + "a and not b")) == (needs(clause("x"), clause("y")),)
    assert alternatives(condition_of(text + "not a")) == ANYTHING
    assert alternatives(condition_of(text + "b or c")) == (needs(clause("z", "k")),)
    assert alternatives(condition_of(text + "b or n")) == ANYTHING
    assert set(alternatives(condition_of(text + "a or b"))) == {needs(clause("x"), clause("y")), needs(clause("z"))}
    assert set(alternatives(condition_of(text + "(a or b) and c"))) == {
        needs(clause("x"), clause("y"), clause("k")),
        needs(clause("z"), clause("k")),
    }


def test_where_a_value_has_it_is_told_to_who_knows_the_text() -> None:
    asked: list[tuple[str | None, str, str]] = []

    def implied(field: str | None, literal: str, way: str) -> frozenset[str] | None:
        asked.append((field, literal, way))
        return {"u": None, "v": clause(), "": None}.get(field or "", clause(f"<{literal}>"))

    text = "    s: {f|startswith: A, g|endswith: b, h: c, i|re: '^d.*e$', j: 'x*y', u: z}\n    k: [w]\n    condition: s or k"
    found = alternatives_of(condition_of(text).node, implied)
    assert set(asked) >= {
        ("f", "a", "starts"), ("g", "b", "ends"), ("h", "c", "is"), ("i", "d", "starts"), ("i", "e", "ends"),
        ("j", "x", "contains"), ("u", "z", "is"), (None, "w", "contains"),
    }  # fmt: skip
    assert found == ANYTHING  # nothing is known of the text that keywords search
    short = condition_of("    s: {i|re: '^.{30}$', u: z}\n    condition: s")
    alternatives_of(short.node, implied)
    assert ("i", "30", "long") in asked


def test_the_text_of_keywords_ends_nowhere() -> None:
    asked: list[str] = []

    def implied(field: str | None, literal: str, way: str) -> frozenset[str] | None:
        asked.append(way)
        return shows_all(field, literal, way)

    alternatives_of(condition_of("    s:\n        '|re': '^ab.*cd$'\n    condition: s").node, implied)
    assert set(asked) == {"contains"}


def test_a_literal_that_looks_like_one_of_our_marks_is_none() -> None:
    for literal in (EXPRESSION + "^x", WORD_OF_ITS_OWN + "x", "\0long"):
        one = Leaf("f", "", lambda _: True, needs=(clause(literal),))
        assert alternatives_of(one, shows_all) == ANYTHING


def test_literals_are_cut_before_an_engine_refuses_them() -> None:
    (found,) = alternatives(item("f|contains", "x" * 20_000))
    assert found == needs(clause("x" * 256))
    one = Leaf("f", "", lambda _: True, needs=(clause("y" * 300),))
    (found,) = alternatives_of(one, lambda _field, literal, _way: clause(WORD_OF_ITS_OWN + literal))
    assert found == needs(clause("y" * 256))


def test_every_alternative_has_a_clause_of_literals_alone() -> None:
    """An engine may refuse the expressions, and texts that are not ASCII are not searched for them."""
    many = [item("f|re", f"'w{number}[ab]{{2}}c[0-9]{{4}}'").node for number in range(60)]
    for node in (many[0], join_any(many[:5]), join_any(many), join_all([join_any(many), join_any(many[:30])])):
        found = alternatives_of(node, shows_all)
        assert all(any(not any(EXPRESSION in one for one in clause) for clause in one) for one in found)


@settings(max_examples=700, deadline=None)
@given(node=nodes(), event=events())
def test_a_condition_that_holds_has_what_it_needs(node: Node, event: Event) -> None:
    view = View(event)
    if node.test(view):
        assert holds(alternatives_of(node, shows_all), view.everything)
    if negate(node).test(view):
        assert holds(alternatives_of(negate(node), shows_all), view.everything)


def _pairs(first: int) -> Node:
    return join_all([leaf(first), leaf(first + 1)])


@pytest.mark.parametrize(
    "node",
    [
        join_all([join_any([_pairs(1000 * n + 2 * m) for m in range(200)]) for n in range(100)]),
        join_any([join_all([leaf(1000 * n + m) for m in range(200)]) for n in range(200)]),
        join_all([join_any([leaf(2 * n), leaf(2 * n + 1)]) for n in range(500)]),
        join_all([join_any([_pairs(4 * n), _pairs(4 * n + 2)]) for n in range(300)]),
    ],
)
def test_no_condition_however_large_has_many_alternatives(node: Node) -> None:
    began = time.process_time()
    found = alternatives_of(node, shows_all)
    assert time.process_time() - began < 2.0
    assert 1 <= len(found) <= 24
    literals = len(node.leaves())
    assert sum(len(clause) for one in found for clause in one) <= 24 * literals
    everything = " ".join(sorted({one for leaf in node.leaves() for needed in leaf.needs for one in needed}))
    assert holds(found, everything)
    assert not holds(found, "")
