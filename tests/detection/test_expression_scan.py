"""Whatever ASCII text an expression is found in, each of its parts is found there, whatever stands around it."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.detection.expression_needs import least_length
from daemon.detection.expression_scan import Parts, _search_for, scan_expressions
from daemon.detection.expressions import ExpressionError, compile_search
from daemon.detection.folding import fold
from tests.doubles.our_rules import parsed_rules
from tests.doubles.re2_patterns import cases

PARTS = Parts()
AROUND = ("", 'comm="x" name="', '" nametype=CREATE\n')


def found(parts: Sequence[str], text: str) -> set[int]:
    return {number for number, part in enumerate(parts) if PARTS.hold(part, text.encode("ascii"))}


def check_parts(pattern: str, text: str, flags: str = "") -> int:
    """How many parts were found where RE2 found the expression: all."""
    parts, folded = scan_expressions(pattern), fold(text)
    try:
        matches = compile_search(pattern, flags)(text)
    except ExpressionError:
        return 0
    if not parts:
        return 0
    if not matches or not folded.isascii():
        return 0
    assert all(_search_for(part) for part in parts)
    for before in AROUND:
        for after in AROUND:
            assert found(parts, before + folded + after) == set(range(len(parts))), (pattern, text, parts)
    return len(parts)


@pytest.mark.parametrize(
    ("pattern", "text", "parts"),
    [
        (r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", "10.0.0.1", 1),
        (r"chmod\s+[0-7]{4}.*x[ab]cd", "chmod 4755 ... xbcd", 2),
        (r"\b(for|while)\s", "while ", 1),
        (r"^/usr(/local)?/[ab]in$", "/usr/local/bin", 1),
        (r"[A-Z]{4}", "ABCD", 1),
        (r"(?i)[A-C]{4}", "abCa", 1),
        (r"[a-z]{12}", "abcdefghijkl", 1),
        (r"(?:[ab]{2}){3,}c", "abababbbc", 1),
        (r"x*[ab]{4}y*", "abab", 1),
        (r"[\d_\s]{4}", "1_\t2", 1),
        ("[\u212ak]abc", "\u212aabc", 1),
        ("[\u0130\u00e9]abc", "\u0130abc", 1),
        (r"[^a]bcd[ef]ghi", "xbcdfghi", 1),
        ("[ab]{0}[cd]{4}", "cdcd", 1),
        ("curl", "curl", 0),
        ("[ab]c", "ac", 0),
        (".*", "a", 0),
        (r"\w[ab]\W", "xa.", 0),
        (r"[^ ]{20}", "a" * 20, 0),
    ],
)
def test_parts_are_found_where_the_expression_is(pattern: str, text: str, parts: int) -> None:
    assert compile_search(pattern)(text)
    assert check_parts(pattern, text) == parts


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ab{,2}cde[fg]", "ab{,2}cdef"),
        ("a{02}bc[de]f", "a{02}bcdf"),
        ("[[:alpha:]]bcd[ef]", "abcde"),
        (r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)[l-m]\12", "abcdefghijkl\n"),
        (r"\Q[ab]cdef\E", "[ab]cdef"),
    ],
)
def test_what_python_reads_in_another_way_is_not_looked_for(pattern: str, text: str) -> None:
    assert compile_search(pattern)(text)
    assert scan_expressions(pattern) == ()


def test_an_expression_tells_more_than_its_literals() -> None:
    parts = scan_expressions(r"chmod\s+[0-7]{4}")
    assert found(parts, "chmod 4755")
    assert found(parts, "CHMOD\t4755")
    assert not found(parts, "chmod u+s")


@settings(max_examples=250, deadline=None)
@given(case=cases())
@example(case=("(?i)[\u017fa]bcd$", "", "Sbcd"))
@example(case=("(?:^|x)*[ab]cde", "", "acde"))
@example(case=("(|a)(|b)[cd]efg", "m", "cefg"))
def test_whatever_an_expression_is_found_in_its_parts_are(case: tuple[str, str, str]) -> None:
    pattern, flags, text = case
    check_parts(pattern, text, flags)


@settings(max_examples=200, deadline=None)
@given(
    pattern=st.sampled_from(
        [r"(?i)\b[a-k]{2,4}[\s/]+x?\d{3,}$", r"^(a|bc|d[ef])+[\w-]{4}", r"(x|[yz]{2})[.,;]?k{3}(\s|$)"]
    ).flatmap(lambda pattern: st.tuples(st.just(pattern), st.from_regex(pattern.replace(r"\d", "[0-9]"))))
)
def test_texts_made_from_an_expression(pattern: tuple[str, str]) -> None:
    check_parts(*pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[ab]" * 3_000,
        "(?:" + "|".join(f"w{n}x[ab]" for n in range(3_000)) + ")",
        "((a|b){1,8}[cd]{1,8}){1,8}x[yz]",
        "(?:a?b?c?d?){8}[xy]zzz",
        "((([a-c]+)+)+)+[xy]zzz",
        "(?:(?:(?:[ab]{1,9}){1,9}){1,9})x[yz]abc",
        "(" * 200 + "[ab]cde" + ")" * 200,
        "[a-z0-9/+=]{40,}",
    ],
)
def test_no_part_is_more_than_re2_takes(pattern: str) -> None:
    compile_search(pattern)
    began = time.process_time()
    parts = scan_expressions(pattern)
    assert all(_search_for(part) for part in parts)
    assert time.process_time() - began < 1.0
    assert all(len(part) <= 4_000 and least_length(part) >= 4 for part in parts)


def test_no_part_of_our_rules_is_refused_or_costs_dearly() -> None:
    """5 ms per 256 KiB of text are 50 MB a second for one part; all of them together cost less than that."""
    line = (
        'type=execve msg=audit(1795260000.123:4567): argc=4 a0="sh" a1="-c" a2="run-parts --report /etc/cron.hourly" '
        'type=path name="/usr/lib/x86_64-linux-gnu/libc.so.6" inode=1184733 dev=fe:00 mode=0100755 rdev=00:00\n'
    )
    text = (line * (1 + (1 << 18) // len(line))).encode()[: 1 << 18]
    conditions = [rule.condition for rule in parsed_rules().rules if rule.condition is not None]
    parts = {part for condition in conditions for leaf in condition.node.leaves() for part in leaf.scan}
    assert len(parts) > 100
    costs = {}
    for part in parts:
        search = _search_for(part)
        assert search is not None
        taken = []
        for _ in range(3):
            began = time.process_time()
            search(text)
            taken.append(time.process_time() - began)
        costs[part] = min(taken)
    dearest = max(costs, key=lambda part: costs[part])
    assert costs[dearest] < 0.005, dearest


def test_what_is_refused_stands_everywhere() -> None:
    parts = Parts()
    assert parts.hold("[ab", b"x")
    assert parts.hold("[ab]c", b"BC")
    assert not parts.hold("[ab]c", b"c")
    assert not parts.hold("[ab]c", b"")


def test_so_many_are_kept_ready() -> None:
    parts = Parts()
    for number in range(150):
        assert parts.hold(f"[ab]{number}c", f"b{number}c".encode())
        assert not parts.hold(f"[ab]{number}c", b"c")
    assert 1 < len(parts._ready) <= 64
