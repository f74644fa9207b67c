"""Placeholders and what pySigma lacks: each by hand."""

import pytest

from daemon.detection.rules import ParsedRules, parse_rules
from daemon.detection.searches import UnusableError, read_item, read_searches
from daemon.model import Value
from tests.doubles.detection import make_event, rule_text

PLACEHOLDERS = {
    "admins": ["root", "adm_*"],
    "nets": ["192.0.2.0/24", "2001:db8::/32"],
    "bad": ["300.1.1.1/8"],
    "word": ["b.d"],
}


def parsed(key: str, value: str, condition: str = "s") -> ParsedRules:
    text = rule_text(f"    s:\n        '{key}': {value}\n    condition: {condition}")
    return parse_rules({"r.yml": text}, placeholders=PLACEHOLDERS)


def matches(key: str, value: str, field: Value, condition: str = "s") -> bool:
    found = parsed(key, value, condition)
    assert found.problems == ()
    compiled = found.rules[0].condition
    assert compiled is not None
    return compiled.match(make_event({"f": field})) is not None


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("f|expand", "'%admins%'", "ROOT", True),
        ("f|expand", "'%admins%'", "adm_bob", True),
        ("f|expand", "'%admins%'", "bob", False),
        ("f|expand", "'%admins%'", None, False),
        ("f|expand", "['%admins%', bob]", "bob", True),
        ("f|expand", "no placeholder", "no placeholder", True),
        ("f|expand|contains", "'=%word%;'", "x=B.D;y", True),
        ("f|contains|expand", "'=%word%;'", "x=B.D;y", True),
        ("f|expand|contains", "'=%word%;'", "x=bad;y", False),
        ("f|expand|contains|all", "['%admins%', '%word%']", "b.d adm_x", True),
        ("f|expand|contains|all", "['%admins%', '%word%']", "adm_x", False),
        ("f|expand|cased", "'%admins%'", "root", True),
        ("f|expand|cased", "'%admins%'", "Root", False),
        ("f|expand|neq", "'%admins%'", "bob", True),
        ("f|expand|neq", "'%admins%'", "adm_bob", False),
        ("f|re|expand", "'^%word%$'", "bad", True),  # in an expression a value is one too
        ("f|re|expand", "'^%word%$'", "bd", False),
        ("f|cidr|expand", "'%nets%'", "192.0.2.9", True),
        ("f|expand|cidr", "'%nets%'", "2001:db8::9", True),
        ("f|cidr|expand", "'%nets%'", "203.0.113.9", False),
        ("f|expand|base64|contains", "'%word%'", "echo Yi5k", True),
        ("f|expand", r"'\%admins%'", "%admins%", True),
        ("f|expand", r"'\%admins%'", "root", False),
        ("f|expand", r"'\%plain%word%'", "%plainb.d", True),  # the specification's own example
        ("f|expand", r"'C:\\%word%'", r"C:\b.d", True),
        ("f|expand", "'100%'", "100%", True),
        ("f|expand", "'%%'", "%%", True),
        ("f", "'%admins%'", "%admins%", True),
        ("f", "'%admins%'", "root", False),
    ],
)
def test_placeholders(key: str, value: str, field: Value, expected: bool) -> None:
    assert matches(key, value, field) is expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("f|expand", "'%admin%'", "a placeholder that rules.placeholders fills (got %admin%) – did you mean admins?"),
        ("f|expand", "5", "text with a placeholder such as %admins% (got 5)"),
        ("f|cidr|expand", "'%bad%'", "a value that fits its modifiers (Invalid CIDR expression"),
        ("f|re|expand", "'(%word%'", "a regular expression that RE2 accepts"),
        ("f", "2025-01-31", "text (got the date 2025-01-31: put it in quotes)"),
        ("f|utf16lee", "x", "a known modifier (got utf16lee) – did you mean utf16le?"),
    ],
)
def test_what_cannot_be_used_is_said_where_it_stands(key: str, value: str, expected: str) -> None:
    (problem,) = parsed(key, value).problems
    assert str(problem).startswith(f"r.yml:6: detection.s.{key}: expected {expected}")


def test_alternatives_are_bounded() -> None:
    many = {"x": [str(n) for n in range(101)]}
    with pytest.raises(UnusableError, match="at most 10000 values"):
        read_item("f|expand", "%x%%x%", many)
    assert len(read_item("f|expand", "%x%", many).value) == 1


def test_utf16le_is_wide() -> None:
    for name in ("wide", "utf16le"):
        assert matches(f"f|{name}|base64offset|contains", "id", "x aQBkA")
    assert matches("f|utf16be|base64|contains", "id", "AGkAZA==")
    assert matches("f|utf16|base64|contains", "id", "//5pAGQA")


def test_the_revision_changes_with_the_placeholders_that_a_rule_may_use() -> None:
    def revision(key: str, **placeholders: list[str]) -> str:
        text = rule_text(f"    s:\n        {key}: '%a%'\n    condition: s")
        return parse_rules({"r.yml": text}, placeholders=placeholders).rules[0].revision

    assert revision("f|expand", a=["x"]) != revision("f|expand", a=["y"])
    assert revision("f|expand", a=["x"]) == revision("f|expand", a=["x"])
    assert revision("f", a=["x"]) == revision("f", a=["y"])


def test_keys_that_are_no_searches_are_left_out() -> None:
    section = {"s": {"a": 1}, "rules": "any", "condition": "s"}
    assert set(read_searches(section, {}, "rules").detections) == {"s"}
