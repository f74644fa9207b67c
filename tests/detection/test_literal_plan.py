"""In which order clauses are looked for, and what is asked of a text in which everything else was found."""

from collections.abc import Sequence

from daemon.detection.clauses import EXPRESSION, Clause
from daemon.detection.expression_scan import Parts
from daemon.detection.literal_plan import ALL, FIRST, SECOND, Plan


def clause(*names: str) -> Clause:
    return frozenset(names)


LETTERS = clause(EXPRESSION + "[a-z]{4}")
DIGITS = clause(EXPRESSION + "[0-9]{4}")
EITHER = clause(EXPRESSION + "[xy]z{3}", EXPRESSION + "[0-9]{6}")


def plan_of(*chosen: Sequence[Clause], kept: Sequence[Clause] = ()) -> Plan:
    """A plan for a rule for each, all of whose clauses are chosen, and those in `kept` not."""
    return Plan({frozenset([*one, *kept]): [number] for number, one in enumerate(chosen)}, chosen, Parts())


def names(plan: Plan, look: str) -> set[str]:
    return {plan.names[number] for number in plan.numbers(look)}


def mask(plan: Plan, *found: str) -> int:
    said = 0
    for name in found:
        said |= plan.masks[plan.names.index(name)]
    return said


def test_the_rarest_clauses_are_looked_for_first_and_expressions_not_at_all() -> None:
    plan = plan_of([clause("a", "b"), clause("c"), LETTERS], [clause("c"), clause("d")])
    assert names(plan, FIRST) == {"a", "b", "c"}
    assert names(plan, SECOND) == {"d"}
    assert names(plan, ALL) == {"a", "b", "c", "d"}


def test_in_whatever_order_literals_are_looked_for_first() -> None:
    plan = plan_of([LETTERS, clause("a"), clause("b")])
    assert (names(plan, FIRST), names(plan, ALL)) == ({"a"}, {"a", "b"})
    plan = Plan({frozenset({LETTERS, clause("b"), clause("a")}): [0]}, [[LETTERS]], Parts())
    assert (names(plan, FIRST), names(plan, ALL)) == ({"a"}, {"a"})
    assert plan.settled(mask(plan, "a"), b"a 1") == ()
    assert plan.settled(mask(plan, "a"), b"a bcde") == (0,)


def test_a_rule_holds_only_where_all_its_clauses_are() -> None:
    plan = plan_of([clause("a", "b"), clause("c")], [clause("c")])
    assert plan.told(mask(plan, "a")) == ((), ())
    assert plan.told(mask(plan, "c")) == ((1,), ())
    assert plan.told(mask(plan, "b", "c")) == ((0, 1), ())


def test_a_clause_that_was_not_chosen_is_used_where_its_literals_are_looked_for_anyway() -> None:
    plan = plan_of([clause("a")], [clause("b")], kept=[clause("a", "b")])
    assert plan.told(mask(plan, "a")) == ((0,), ())
    only = Plan({frozenset({clause("a"), clause("b")}): [0], frozenset({clause("b")}): [1]}, [[clause("a")], [clause("b")]], Parts())  # fmt: skip
    assert only.told(mask(only, "a")) == ((), ())


def test_expressions_are_asked_for_where_they_alone_are_missing() -> None:
    plan = plan_of([clause("a"), clause("b"), LETTERS, DIGITS], [clause("b")])
    assert plan.told(mask(plan, "a")) == ((), ())
    rules, asked = plan.told(mask(plan, "a", "b"))
    assert (rules, len(asked)) == ((1,), 2)
    assert plan.settled(mask(plan, "a", "b"), b"a b 1234 wxyz") == (0, 1)
    assert plan.settled(mask(plan, "a", "b"), b"a b 1234 wxy") == (1,)
    assert plan.settled(mask(plan, "a", "b"), b"") == (1,)


def test_one_of_several_expressions_is_enough() -> None:
    plan = plan_of([clause("a"), EITHER])
    assert [plan.settled(mask(plan, "a"), text) for text in (b"a yzzz", b"a 123456", b"a zzz")] == [(0,), (0,), ()]


def test_an_expression_is_not_asked_for_a_rule_that_may_hold_without_it() -> None:
    either = {frozenset({clause("a")}): [0], frozenset({clause("b"), LETTERS}): [0]}
    plan = Plan(either, [[clause("a")], [clause("b"), LETTERS]], Parts())
    assert plan.told(mask(plan, "a", "b")) == ((0,), ())
    assert len(plan.told(mask(plan, "b"))[1]) == 1


def test_what_expressions_cannot_be_asked_of_has_them_all() -> None:
    plan = plan_of([clause("a"), LETTERS], [clause("b"), DIGITS], [clause("b")])
    assert plan.told(plan.unsaid) == ((), ())
    assert plan.told(plan.unsaid | mask(plan, "a")) == ((0,), ())
    assert plan.told(plan.unsaid | mask(plan, "b")) == ((1, 2), ())


def test_what_is_remembered_is_bounded() -> None:
    plan = plan_of(*([clause(letter)] for letter in "abcdefghijklm"))
    for number in range(1 << 13):
        assert plan.told(number)[0] == tuple(place for place in range(13) if number >> place & 1)
    assert 1 < len(plan._known) <= 4096
