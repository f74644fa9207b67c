"""The rule language as a whole, against a second reading of it that is as plain as can be (tests/doubles/plain_sigma)."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from daemon.detection.condition import Condition
from daemon.detection.folding import fold
from daemon.detection.rules import parse_rules
from daemon.detection.view import View
from daemon.model import Value
from tests.doubles import plain_sigma
from tests.doubles.detection import make_event

PLACEHOLDERS = {"ab": ["a", "b*"], "one": ["aB"], "net": ["192.0.2.0/24", "2001:db8::/32"]}


def compiled(detection: Mapping[str, Any]) -> Condition:
    rule = {"title": "T", "logsource": {"product": "linux", "category": "process_creation"}, "detection": detection}
    parsed = parse_rules({"r.yml": yaml.safe_dump(rule, allow_unicode=True)}, placeholders=PLACEHOLDERS)
    assert parsed.problems == ()
    condition = parsed.rules[0].condition
    assert condition is not None
    return condition


LETTERS = "abAB"
ODD = "abA *?\\-/.%\u00c9\u00e9\u0130\u03a3\u03c2\u03c3\u00df"
NAMES = st.sampled_from(["f", "g", "F"])
PLAIN = st.one_of(st.text(LETTERS, max_size=4), st.text(ODD, max_size=5))
ASCII = st.text("abA /-", min_size=1, max_size=4)
REGEX = st.sampled_from(["a", "^a", "b$", "a.b", "^a.*b$", "[ab]+A", "a|B", "(ab)+", "^$", "A{2}", "^b", "a.?b"])
CIDR = st.sampled_from(["192.0.2.0/24", "192.0.2.7/32", "2001:db8::/32", "0.0.0.0/0", "::/0", "::ffff:0:0/96"])
NUMBER = st.one_of(st.integers(-3, 12), st.sampled_from([0.5, 1.5, -0.25, 97.5, 1e20, 2**53]))
MATCHING = ["", "|contains", "|startswith", "|endswith"]


def items(modifiers: list[str], values: st.SearchStrategy[Any], *, keyword: bool = False) -> st.SearchStrategy[Any]:
    """`field|modifiers: value or values`."""
    names = st.just("") if keyword else NAMES
    listed = st.one_of(values, st.lists(values, min_size=1, max_size=3))
    return st.tuples(names, st.sampled_from(modifiers), listed).map(lambda one: (one[0] + one[1], one[2]))


def every(ways: list[str], *ends: str) -> list[str]:
    return [way + end for way in ways for end in ends]


ITEMS = st.one_of(
    items(every(MATCHING, "", "|all", "|cased", "|neq", "|cased|all", "|all|neq"), PLAIN),
    items(every(["|windash"], *MATCHING, "|contains|all", "|contains|neq"), st.text("ab-/ *", max_size=5).filter(lambda v: sum(map(v.count, "-/")) < 4)),
    items(every(["|base64", "|base64offset", "|wide", "|utf16le|base64", "|utf16be|base64offset", "|utf16|base64",
                 "|utf16le|base64offset", "|utf16be", "|wide|base64offset"], "|contains", "|contains|all", ""), ASCII),
    items(["|re", "|re|i", "|re|m", "|re|s", "|re|i|m|s", "|re|all", "|re|neq"], REGEX),
    items(["|cidr", "|cidr|neq"], CIDR),
    items(["|fieldref", "|fieldref|contains", "|fieldref|startswith", "|fieldref|endswith", "|fieldref|neq"], NAMES),
    items(["|lt", "|lte", "|gt", "|gte", "|gt|neq"], NUMBER),
    items(["|minute", "|hour", "|day", "|week", "|month", "|year", "|hour|gte", "|day|lt", "|hour|neq"], st.integers(0, 12)),
    items(["|exists", "|exists|neq"], st.booleans()),
    items(["", "|neq", "|all"], st.one_of(st.none(), st.booleans(), NUMBER, PLAIN)),
    items(every(["|expand"], *MATCHING, "|contains|all", "|cased"), st.sampled_from(["%ab%", "x%one%", "%ab%%one%", "\\%ab%", "a", "%ab"])),
    items(["|cidr|expand", "|expand|cidr"], st.just("%net%")),
    st.tuples(NAMES, st.just([])),
)  # fmt: skip
WORDS = st.one_of(st.text(LETTERS, min_size=1, max_size=3), st.text(ODD, min_size=1, max_size=4), NUMBER, st.booleans())
KEYWORDS = st.one_of(
    items(["|all"], WORDS, keyword=True), items(["|cased", "|contains"], st.text(LETTERS, min_size=1), keyword=True),
    items(["|re", "|re|i"], REGEX, keyword=True),
)  # fmt: skip
MAPS = st.lists(ITEMS | KEYWORDS, min_size=1, max_size=3).map(dict)
SEARCHES = st.one_of(
    MAPS, WORDS, st.lists(WORDS, min_size=1, max_size=3), st.lists(MAPS | WORDS, min_size=1, max_size=3)
)
CONDITIONS = st.recursive(
    st.sampled_from(["sel_a", "sel_b", "x", "_y", "1 of sel_*", "all of sel_*", "any of sel_*", "1 of them", "all of them",
                     "1 of *_a", "1 of _*"]),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not {one}"), inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
    ),
    max_leaves=4,
)  # fmt: skip
TEXTS = st.one_of(
    PLAIN, st.sampled_from(["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "2025-03-04T05:06:07Z", "1741064767", "3", "-2",
                            "1.5", "true", "YQ==", "YWI=", "a\0", "\0a", "a\nb", "b\na", "0", "1e20", "100000000000000000000"]),
)  # fmt: skip
VALUES: st.SearchStrategy[Value] = st.one_of(
    TEXTS, TEXTS, st.none(), st.booleans(), NUMBER, st.lists(TEXTS, max_size=3).map(tuple)
)
EVENTS = st.tuples(
    st.dictionaries(st.sampled_from(["f", "g", "F"]), VALUES, max_size=3),
    st.one_of(PLAIN, st.lists(TEXTS | st.sampled_from(["0", "7", "5.", "true", "x5"]), max_size=4).map(" ".join)),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({"sel_a": SEARCHES, "sel_b": SEARCHES, "x": SEARCHES, "_y": SEARCHES}), CONDITIONS, EVENTS)
def test_a_rule_matches_what_a_plain_reading_of_it_does(
    searches: dict[str, Any], condition: str, given_event: tuple[dict[str, Value], str]
) -> None:
    detection = {**searches, "condition": condition}
    fields, text = given_event
    found = compiled(detection)
    expected = plain_sigma.matches(detection, fields, text, PLACEHOLDERS)
    view = View(make_event(fields, text=text))
    event(f"matches: {expected}")
    assert found.test(view) is expected
    if expected:
        assert found.because(view)
    needs_hold(found, view)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(ITEMS | KEYWORDS, EVENTS)
def test_an_item_matches_what_a_plain_reading_of_it_does(
    item: tuple[str, Any], given_event: tuple[dict[str, Value], str]
) -> None:
    detection = {"s": dict([item]), "condition": "s"}
    fields, text = given_event
    view = View(make_event(fields, text=text))
    assert compiled(detection).test(view) is plain_sigma.matches(detection, fields, text, PLACEHOLDERS)
    needs_hold(compiled(detection), view)


def needs_hold(condition: Condition, view: View) -> None:
    """What a comparison or a condition that holds says it needs is there, and it says when it may do without a field."""
    for leaf in condition.node.leaves():
        if not leaf.test(view):
            continue
        folded = [fold(text) for text in view.texts[leaf.field]]
        assert all(any(literal in text for text in folded for literal in needed) for needed in leaf.needs), str(leaf)
        assert leaf.absent or leaf.field is None or leaf.field in view.fields, str(leaf)
    if condition.test(view):
        everything = [fold(text) for name in (*view.fields, None) for text in view.texts[name]]
        assert all(any(literal in text for text in everything for literal in needed) for needed in condition.needs)


@pytest.mark.parametrize(
    ("key", "value", "needs"),
    [
        ("f|contains|all", ["aB", "c"], [{"ab"}, {"c"}]),
        ("f|endswith", ["/x", "/y", "/z"], [{"/x", "/y", "/z"}]),
        ("f", "*/TMP/*.sh", [{"/tmp/"}, {".sh"}]),
        ("f", ["curl", "*wget*"], [{"curl", "wget"}]),
        ("f|cased", "Curl", [{"curl"}]),
        ("f", 26, [{"26"}]),
        ("f", True, [{"true"}]),
        ("f", "*", []),
        ("f", "", []),
        ("f", None, []),
        ("f", ["a", None], []),
        ("f|neq", "a", []),
        ("f|cidr", "192.0.2.0/24", []),
        ("f|gt", 5, []),
        ("f|exists", True, []),
        ("f|fieldref", "g", []),
        ("f|base64offset|contains", "/bin/sh", [{"l2jpbi9za", "9iaw4vc2", "vymlul3no"}]),
        ("|all", ["Aa", 7], [{"aa"}, {"7"}]),
    ],
)
def test_what_a_text_must_contain(key: str, value: Any, needs: list[set[str]]) -> None:
    assert list(compiled({"s": {key: value}, "condition": "s"}).needs) == needs


def test_of_alternatives_the_most_telling_literals_are_needed() -> None:
    both = {"s": {"f|contains|all": ["ab", "abcdef"]}, "t": {"g|startswith": "xyz"}}
    assert list(compiled({**both, "condition": "1 of them"}).needs) == [{"abcdef", "xyz"}]
    assert list(compiled({**both, "condition": "all of them"}).needs) == [{"ab"}, {"abcdef"}, {"xyz"}]
    assert list(compiled({**both, "condition": "s or not t"}).needs) == []


def absent(item: dict[str, Any]) -> list[bool]:
    return [leaf.absent for leaf in compiled({"s": item, "condition": "s"}).node.leaves()]


def test_which_comparisons_hold_without_the_field() -> None:
    assert absent({"f": None}) == absent({"f|exists": False}) == absent({"f": []}) == [True]
    assert absent({"f": "x"}) == absent({"f|exists": True}) == absent({"f|neq": "x"}) == absent({"f|gt": 1}) == [False]
