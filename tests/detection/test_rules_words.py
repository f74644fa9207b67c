import pytest

from daemon.detection.rules_words import WordsError, holds_of, named_rules, orders_of

KNOWN = {name: (name.upper(), f"Title {name}") for name in "abc"}


def test_the_rules_that_are_named() -> None:
    assert named_rules("b and (a or not c) and b") == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("a", "A AB AC ABC"), ("a and b", "AB ABC"), ("a or b", "A B AB AC BC ABC"), ("a and not b", "A AC"),
        ("not a", "B C BC"), ("a or b and c", "A AB AC BC ABC"), ("(a or b) and c", "AC BC ABC"),
        ("not (a or b) and c", "C"), ("not not a", "A AB AC ABC"),
    ],
)  # fmt: skip
def test_what_holds(words: str, hits: str) -> None:
    holds = holds_of(words, KNOWN)
    assert [world for world in ("A", "B", "C", "AB", "AC", "BC", "ABC") if holds(set(world))] == hits.split()


@pytest.mark.parametrize(
    ("words", "orders"),
    [
        ("a", ["a"]), ("a and b", ["ab"]), ("b and a", ["ba"]), ("a and b and c", ["abc"]), ("a or b", ["a", "b"]),
        ("a and (b or c)", ["ab", "ac"]), ("(a or b) and c", ["ac", "bc"]), ("a and a", ["aa"]), ("a or a", ["a"]),
    ],
)  # fmt: skip
def test_sequences(words: str, orders: list[str]) -> None:
    assert orders_of(words) == [tuple(order) for order in orders]


UUID = "5638f7c0-ac70-491d-8465-2a65075e0d86"


def test_rules_may_be_named_by_id_and_with_hyphens() -> None:
    assert named_rules(f"ssh-fail and({UUID} or  1st)") == ["ssh-fail", UUID, "1st"]
    assert named_rules(f"(ssh-fail)and ({UUID})") == ["ssh-fail", UUID]
    assert named_rules("android and nothing or order") == ["android", "nothing", "order"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "the name of a rule (got nothing)"), ("a and", "the name of a rule (got nothing)"),
        ("and a", "the name of a rule (got and)"), ("a and and b", "the name of a rule (got and)"),
        ("()", "the name of a rule (got ))"), ("(a", "a closing parenthesis"), ("a)", "rule names joined by and, or, not (got ))"),
        ("a b", "rule names joined by and, or, not (got b)"), ("not", "the name of a rule (got nothing)"),
        ("(" * 70 + "a" + ")" * 70, "a condition nested at most 64 deep"), ("a or " * 200 + "a", "at most 256 words"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(words: str, expected: str) -> None:
    with pytest.raises(WordsError) as raised:
        named_rules(words)
    assert str(raised.value) == f"expected {expected}"


def test_nots_without_end_are_no_trouble() -> None:
    assert holds_of("not " * 255 + "a", KNOWN)([])
    with pytest.raises(WordsError):
        named_rules("not " * 5000 + "a")


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(WordsError, match="expected no `not`"):
        orders_of("a and not b")
    with pytest.raises(WordsError, match="at most 64"):
        orders_of(" and ".join(["(a or b)"] * 7))


@pytest.mark.parametrize(("text", "loud"), [("a AND b", "AND"), ("NOT a", "NOT"), ("a or (b OR c)", "OR")])
def test_joiners_are_in_small_letters(text: str, loud: str) -> None:
    with pytest.raises(WordsError, match=rf"got {loud}\) – did you mean {loud.lower()}\?"):
        named_rules(text)
