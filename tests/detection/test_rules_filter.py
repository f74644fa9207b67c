"""Filters: which rules they reach, and what they add."""

import pytest

from daemon.detection.rules import ParsedRules, parse_rules
from tests.doubles.detection import make_event, rule_text

ID = "11111111-1111-4111-8111-111111111111"
RULE = rule_text("    s: {a: 1}\n    condition: s", more="name: base\n")
COUNT = "title: C\nname: count\ncorrelation: {type: event_count, rules: base, timespan: 1m, condition: {gte: 3}}\n"
FILTER = "title: F\nlogsource: {%s}\nfilter:\n    rules: %s\n    known: {User: backup}\n    %s\n"


def filtered(logsource: str = "product: linux", rules: str = "any", condition: str = "condition: not known") -> bool:
    """Whether the filter lets go what it was meant to."""
    parsed = parse_rules({"a.yml": RULE, "f.yml": FILTER % (logsource, rules, condition), "c.yml": COUNT})
    assert parsed.problems == ()
    found = parsed.rules[0].condition
    assert found is not None
    assert found.match(make_event({"a": "1", "User": "root"})) is not None
    return found.match(make_event({"a": "1", "User": "backup"})) is None


@pytest.mark.parametrize(
    ("logsource", "expected"),
    [
        ("product: linux", True), ("category: process_creation", True), ("product: LINUX", True),
        ("product: linux, category: process_creation", True), ("product: linux, category: file_event", False),
        ("product: windows", False), ("product: linux, service: sshd", False),
    ],
)  # fmt: skip
def test_a_filter_reaches_the_rules_whose_logsource_its_own_contains(logsource: str, expected: bool) -> None:
    assert filtered(logsource) is expected


@pytest.mark.parametrize(
    "rules", ["any", "Any", "[]", "base", "[base]", f"[{ID}]", f"['{ID.upper()}']", "[base, count]"]
)
def test_rules_are_named_by_id_or_name(rules: str) -> None:
    assert filtered(rules=rules)


def test_a_correlation_is_filtered_by_what_it_counts() -> None:
    parsed = parse_rules(
        {"a.yml": RULE, "c.yml": COUNT, "f.yml": FILTER % ("product: linux", "[count]", "condition: not known")}
    )
    assert parsed.problems == ()
    assert parsed.rules[0].condition is not None
    assert parsed.rules[0].condition.match(make_event({"a": "1", "User": "backup"})) is not None
    (doubt,) = [one for one in parsed.doubts if one.key != "id"]
    assert str(doubt) == (
        "f.yml:4: filter.rules: expected a plain rule of this logsource: this filters nothing "
        "(to filter a correlation, name what it counts)"
    )


@pytest.mark.parametrize(
    "condition",
    [
        "condition: not 1 of them",
        "condition: not 1 of kno*",
        "condition: not (known)",
        "more: {b: 2}\n    condition: not known or more",
    ],
)
def test_a_filter_has_searches_and_a_condition_like_a_rule(condition: str) -> None:
    assert filtered(condition=condition)


def test_searches_of_rule_and_filter_do_not_mix() -> None:
    """Both may have one of the same name, and `them` means one's own."""
    rule = rule_text("    known: {a: 1}\n    other: {b: 1}\n    condition: 1 of them")
    parsed = parse_rules({"a.yml": rule, "f.yml": FILTER % ("product: linux", "any", "condition: not 1 of them")})
    condition = parsed.rules[0].condition
    assert condition is not None
    for fields, expected in (({"b": "1"}, True), ({"a": "1", "User": "backup"}, False), ({"User": "x"}, False)):
        assert (condition.match(make_event(fields)) is not None) is expected


def test_several_filters_all_hold() -> None:
    other = (
        (FILTER % ("product: linux", "any", "condition: not known"))
        .replace("backup", "cron")
        .replace("title: F", "title: G")
    )
    parsed = parse_rules(
        {"a.yml": RULE, "f.yml": FILTER % ("product: linux", "any", "condition: not known"), "g.yml": other}
    )
    condition = parsed.rules[0].condition
    assert condition is not None
    found = [condition.match(make_event({"a": "1", "User": user})) is not None for user in ("root", "backup", "cron")]
    assert found == [True, False, False]


def problems(text: str) -> list[str]:
    parsed: ParsedRules = parse_rules({"a.yml": RULE, "f.yml": text})
    assert len(parsed.rules) == 1
    return [str(problem) for problem in parsed.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            FILTER % ("product: linux", "bsae", "condition: not known"),
            "f.yml:4: filter.rules: expected a rule or `any` (got bsae) – did you mean base?",
        ),
        (
            FILTER % ("product: linux", "[base, 5]", "condition: not known"),
            "f.yml:4: filter.rules: expected a rule or `any` (got 5)",
        ),
        (
            FILTER % ("product: linux", "F", "condition: not known"),
            "f.yml:4: filter.rules: expected a rule or `any` (got F)",
        ),
        (
            FILTER % ("product: linux", "any", "condition: not knwon"),
            "f.yml:6: filter.condition: expected the name of a search (got knwon) – did you mean known?",
        ),
        (
            FILTER % ("product: linux", "any", "condition: [known]"),
            "f.yml:6: filter.condition: expected a condition such as `selection and not filter` (got ['known'])",
        ),
        (
            "title: F\nlogsource: {product: linux}\nfilter: {s: {a: 1}, condition: s}\n",
            "f.yml:3: filter.rules: expected a rule or `any` (got nothing)",
        ),
    ],
)
def test_what_is_wrong_with_a_filter(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_the_id_is_told_of_a_rule_that_is_named_by_its_title() -> None:
    parsed = parse_rules({"a.yml": RULE, "f.yml": FILTER % ("product: linux", "[t]", "condition: not known")})
    assert f"did you mean {parsed.rules[0].ref.id}, the id of the rule with this title?" in str(parsed.problems[0])
