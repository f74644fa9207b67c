import pytest

from daemon.detection.clauses import EXPRESSION, WORD_OF_ITS_OWN
from daemon.detection.literal_choice import UNCOUNTED, count_shares, ordinary_shares, telling


def clause(*literals: str) -> frozenset[str]:
    return frozenset(literals)


def test_what_every_line_has_is_common_and_what_none_has_is_rare() -> None:
    shares = ordinary_shares(["root", "type=syscall", "xmrig", "qq", WORD_OF_ITS_OWN + "root", EXPRESSION + "[ab]{4}"])
    assert shares["root"] == shares[WORD_OF_ITS_OWN + "root"] > 0.5
    assert shares["type=syscall"] == pytest.approx(0.1)
    assert shares["xmrig"] < 0.0001
    assert shares["qq"] > shares["xmrig"]
    assert shares[EXPRESSION + "[ab]{4}"] == UNCOUNTED


def test_a_rare_clause_tells_enough() -> None:
    shares = {"common": 0.4, "rare": 0.0001, "some": 0.1}
    assert telling(frozenset({clause("common"), clause("rare"), clause("some")}), shares) == [clause("rare")]


def test_more_are_looked_for_while_many_texts_have_all() -> None:
    shares = {"a": 0.3, "b": 0.2, "c": 0.1}
    assert telling(frozenset(map(clause, shares)), shares)[:2] == [clause("c"), clause("b")]


def test_what_every_text_has_is_not_looked_for_beside_what_few_have() -> None:
    shares = {"a": 1.0, "b": 0.004}
    assert telling(frozenset({clause("a"), clause("b")}), shares) == [clause("b")]
    assert telling(frozenset({clause("a")}), shares) == [clause("a")]
    assert telling(frozenset({clause("a"), clause("c")}), {"a": 1.0, "c": 1.0}) != []


def test_literals_of_a_clause_add_up() -> None:
    shares = {"a": 0.05, "b": 0.05, "c": 0.08, "d": 0.6, "e": 0.6}
    assert telling(frozenset({clause("a", "b"), clause("c")}), shares)[0] == clause("c")
    assert telling(frozenset({clause("d", "e")}), shares) == [clause("d", "e")]


def test_of_two_alike_literals_come_before_expressions_and_long_ones_first() -> None:
    expression = EXPRESSION + "[ab]{4}"
    shares = {"ab": UNCOUNTED, "abcd": UNCOUNTED, expression: UNCOUNTED}
    assert telling(frozenset(map(clause, shares)), shares)[:2] == [clause("abcd"), clause("ab")]


def test_the_choice_does_not_depend_on_the_order_of_a_set() -> None:
    literals = [f"literal{n}" for n in range(40)]
    shares = dict.fromkeys(literals, 0.1)
    alternative = frozenset(clause(*literals[n : n + 3]) for n in range(0, 39, 3))
    assert telling(alternative, shares) == telling(frozenset(reversed(list(alternative))), shares) != []


def test_nothing_tells_where_nothing_is_needed() -> None:
    assert telling(frozenset(), {}) == []


def test_a_word_of_its_own_is_not_counted_as_a_part_of_others() -> None:
    """The worst bug: `bin` is taken for as common as `/usr/bin/`, so it is not looked for, and all sudo lines are read."""
    sample = b"sudo: root : command=/usr/bin/id\n" * 99 + b"sudo: bin : command=/usr/bin/id\n"
    alone, absent = WORD_OF_ITS_OWN + "bin", WORD_OF_ITS_OWN + "nginx"
    shares = count_shares(["bin", alone, absent, "command"], sample, 100)
    assert shares == pytest.approx({"bin": 1.011, alone: 0.011, absent: 0.001, "command": 1.001})
