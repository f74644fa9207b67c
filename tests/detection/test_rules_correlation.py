from typing import Any

import yaml

from daemon.detection.rules_correlation import build_correlation, check_correlation, references
from daemon.detection.rules_document import read_documents

KNOWN = {"fail": ("id-f", "Login failed"), "good": ("id-g", "Login worked")}


def section(text: str) -> dict[str, Any]:
    """A checked section (flow style, without its braces)."""
    documents, _ = read_documents("r.yml", f"title: C\ncorrelation: {{{text}}}\n")
    assert check_correlation(documents[0]) == []
    found: dict[str, Any] = yaml.safe_load(f"{{{text}}}")
    return found


def test_a_count() -> None:
    asked = build_correlation(
        section("type: event_count, rules: fail, group-by: src_ip, timespan: 2m, condition: {gte: 8}"), KNOWN
    )
    assert (asked.kind, asked.inputs, asked.titles) == ("event_count", ("id-f",), ("Login failed",))
    assert (asked.group_by, asked.timespan, asked.operator, asked.count) == (("src_ip",), 120.0, "gte", 8)
    assert not asked.generate


def test_distinct_values() -> None:
    text = "type: value_count, rules: [fail], timespan: 1h, condition: {gt: 3, field: user}, generate: true"
    asked = build_correlation(section(text), KNOWN)
    assert (asked.fields, asked.operator, asked.count, asked.generate) == (("user",), "gt", 3, True)


def test_temporal_wants_all_rules_unless_told() -> None:
    asked = build_correlation(section("type: temporal, rules: [fail, good], timespan: 1h"), KNOWN)
    assert (asked.operator, asked.count) == ("gte", 2)
    asked = build_correlation(section("type: temporal, rules: [fail, good], timespan: 1h, condition: {gte: 1}"), KNOWN)
    assert asked.count == 1


def test_a_condition_in_words() -> None:
    given = section("type: temporal, timespan: 1h, condition: fail and not good")
    assert references(given) == ["fail", "good"]
    asked = build_correlation(given, KNOWN)
    assert asked.holds is not None
    assert [asked.holds(fired) for fired in ([], ["id-f"], ["id-f", "id-g"], ["id-g"])] == [False, True, False, False]


def test_aliases_name_a_field_per_rule() -> None:
    text = "type: temporal, rules: [fail, good], timespan: 1h, group-by: ip, aliases: {ip: {fail: src_ip, good: addr}}"
    asked = build_correlation(section(text), KNOWN)
    assert [asked.field_of("ip", rule) for rule in ("id-f", "id-g", "id-x")] == ["src_ip", "addr", "ip"]
    assert asked.field_of("user", "id-f") == "user"


def test_odd_sections_are_problems_never_errors() -> None:
    for text in (
        "correlation: 5", "correlation: []", "correlation: {}", "correlation: {type: [x], rules: [[1]], timespan: 5}",
        "correlation: {type: temporal, rules: [a], timespan: 5m, condition: 'a and and'}",
        "correlation: {type: temporal, rules: [[a]], timespan: 5m, condition: a}",
        "correlation: {type: temporal, rules: [a], timespan: 5m, condition: b}",
        "correlation: {type: temporal, rules: [a], timespan: 0m}",
        "correlation: {type: temporal_ordered, rules: [a], timespan: 1m, condition: {gte: 2}}",
        "correlation: {type: temporal_ordered, rules: [a, b], timespan: 1m, condition: {lte: 1}}",
        "correlation: {type: temporal_ordered, rules: [a, b], timespan: 1m, condition: a and not b}",
        "correlation: {type: event_count, rules: [a], timespan: 1m, condition: a}",
        "correlation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: true}}",
        "correlation: {type: event_count, rules: [a], timespan: 1m, condition: [5]}",
        "correlation: {type: temporal, rules: [a], timespan: 1m, aliases: {x: 5}}",
        "correlation: {type: temporal, rules: [a], timespan: 1m, aliases: {x: {a: 5}}}",
        "correlation: {type: temporal, rules: [a], timespan: 1m, group-by: {a: 1}}",
        "correlation: {type: temporal, rules: [a], timespan: 1m, generate: 5}",
        "correlation: {type: temporal, rules: [a], timespan: 1m}\ngenerate: true",
        "correlation: {type: temporal, rules: [a], timespan: 1m}\nrelated: 5",
    ):  # fmt: skip
        documents, _ = read_documents("r.yml", f"title: C\n{text}\n")
        problems = check_correlation(documents[0])
        assert problems, text
        assert all(problem.expected.startswith("expected ") for problem in problems), text
