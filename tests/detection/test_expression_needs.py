"""Whatever text RE2 finds an expression in, holds what the expression is said to need. RE2 is the judge."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.detection.expression_needs import ExpressionNeeds, least_length, needs_of, parse_expression
from daemon.detection.expressions import ExpressionError, compile_search
from daemon.detection.folding import fold
from tests.doubles.re2_patterns import PLAIN, cases


def check_needs(pattern: str, text: str, flags: str = "") -> bool:
    """Whether RE2 finds the expression in the text, which then must hold what it needs."""
    try:
        found = compile_search(pattern, flags)(text)
    except ExpressionError:
        return False
    if not found:
        return False
    needs, folded = needs_of(pattern, flags), fold(text)
    for clause in needs.anywhere:
        assert any(one in folded for one in clause), (pattern, text, clause)
    assert not needs.starts or folded.startswith(tuple(needs.starts)), (pattern, text, needs)
    assert not needs.ends or folded.endswith(tuple(needs.ends)), (pattern, text, needs)
    assert len(text) >= needs.least, (pattern, text, needs)
    return True


def some(*literals: str) -> frozenset[str]:
    return frozenset(literals)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Curl", ExpressionNeeds((some("curl"),), least=4)),
        (
            "/(cat|tac)\\s",
            ExpressionNeeds((some(*(f"/{name}{blank}" for name in ("cat", "tac") for blank in "\t\n\f\r ")),), least=5),
        ),
        (
            "-[rw]\\s?[\"'\\s][a-z]",
            ExpressionNeeds((some(*(f"-{one}{end}" for one in "rw" for end in "\t\n\f\r \"'")),), least=4),
        ),
        ("^/tmp/.*\\.sh$", ExpressionNeeds((), some("/tmp/"), some(".sh"), 8)),
        ("^a?b$", ExpressionNeeds((), some("b", "ab"), some("b", "ab"), 1)),
        ("colou?r", ExpressionNeeds((some("color", "colour"),), least=5)),
        ("(?m)^ab$", ExpressionNeeds((some("ab"),), least=2)),
        ("a[0-9]{3}b+c", ExpressionNeeds((some("a"), some("b"), some("c")), least=6)),
        ("(ab|c.*de)x", ExpressionNeeds((some("ab", "de"), some("x")), least=3)),
        ("ab|", ExpressionNeeds()),
        ("(ab){2}", ExpressionNeeds((some("abab"),), least=4)),
        ("\u212a\u0130", ExpressionNeeds((some("ki"),), least=2)),
        (".*", ExpressionNeeds()),
    ],
)
def test_what_an_expression_needs(pattern: str, expected: ExpressionNeeds) -> None:
    assert needs_of(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a{,1}b", "a{,1}b"),
        ("a{,2}b$", "a{,2}b"),
        ("x{,}y", "x{,}y"),
        ("a{02}", "a{02}"),
        ("a{0,02}b", "a{0,02}b"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(lll)\\12", "abcdefghijklll\n"),
        ("^[^a]b", "\udcffb"),
        (r"\\z", "\\z"),
        (r"a\\\z", "a\\"),
        ("[[:alpha:]]b", "cb"),
        ("[a[:digit:]]{2}", "1a"),
        (r"\x{41}b", "Ab"),
        (r"\Qa|b\E", "a|b"),
        (r"\pLb", "ab"),
        (r"\101b", "Ab"),
        ("(?i)k", "\u212a"),
        ("(?i)\u212a", "k"),
        ("(?i)[j-l]", "\u212a"),
        ("(?i)\u017f", "S"),
        ("\u0130", "\u0130"),
        ("a$", "a"),
        ("a|^b", "xa"),
        ("(?:^a|b)c", "xbc"),
        ("(a$|b)c?", "bc"),
        ("^(a|^)b", "b"),
        ("^(?:a|b*)c", "bbc"),
        ("(?:(?:a|b){2}|c)d", "cd"),
    ],
)
def test_where_the_two_grammars_differ_nothing_wrong_is_said(pattern: str, text: str) -> None:
    assert check_needs(pattern, text)


def test_what_was_no_character_is_none_that_an_expression_names() -> None:
    assert not compile_search(r"a\?b")("a\udcffb")


@pytest.mark.parametrize(
    "pattern", ["a{,2}", "a{,}", "a{00}", "a{1,01}", "[[:alpha:]]", "(", "(?x) a", "(" * 5_000, r"\pL", r"(a)b\1"]
)
def test_of_what_python_reads_in_another_way_nothing_is_known(pattern: str) -> None:
    assert parse_expression(pattern) is None
    assert needs_of(pattern) == ExpressionNeeds()
    assert least_length(pattern) == 0


def test_letters_that_re2_takes_for_one_another_fold_alike() -> None:
    """What RE2 means by `(?i)`, read off RE2 itself for every letter that has a case."""
    cased = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and chr(code).swapcase() != chr(code)]
    everything = "".join(dict.fromkeys([*cased, *(other for one in cased for other in (one.upper() + one.lower()))]))
    groups: dict[str, str] = {}
    for one in everything:
        groups[fold(one)] = groups.get(fold(one), "") + one
    for folded, members in groups.items():
        elsewhere = everything.translate(dict.fromkeys(map(ord, members)))
        for one in members[:1]:
            assert not compile_search(one, "i")(elsewhere), (folded, one)


@settings(max_examples=500, deadline=None)
@given(case=cases())
@example(case=("^a{,1}b", "", "a{,1}b"))
@example(case=("(?i)[\u017fa]$", "", "S"))
def test_whatever_re2_finds_holds_what_is_needed(case: tuple[str, str, str]) -> None:
    pattern, flags, text = case
    check_needs(pattern, text, flags)


@settings(max_examples=300, deadline=None)
@given(
    pattern=st.text("ab{},01?*+()|[]^$\\zQE.k\u212a:", max_size=12), text=st.text("ab{},01k\\z" + PLAIN, max_size=12)
)
def test_hardly_an_expression(pattern: str, text: str) -> None:
    check_needs(pattern, text)
    check_needs(pattern, pattern + text)


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * 20_000,
        "[ab]" * 5_000,
        "(?:a|b|c)" * 3_000,
        "(?:((?:(?:a{9}){9}){9}b?)*)" * 20,
        "a?" * 500 + "b",
        "|".join(f"word{n}" for n in range(5_000)),
        "(?:a|(?:b|(?:c|d+)e)f)" * 500,
    ],
)
def test_no_expression_however_hostile_takes_long_or_needs_much(pattern: str) -> None:
    compile_search(pattern)
    began = time.process_time()
    needs = needs_of(pattern)
    assert time.process_time() - began < 1.0
    clauses = (*needs.anywhere, needs.starts, needs.ends)
    assert max(sum(map(len, clause)) for clause in clauses) < 100_000
    assert sum(sum(map(len, clause)) for clause in clauses) <= 64 * len(pattern) + 64
