from typing import Any

import pytest

from daemon.detection.rules_threshold import bounds_of, can_hold, check_threshold, sequences


def test_bounds_have_one_order() -> None:
    assert bounds_of({"field": "x", "lte": 9, "gte": 3}) == bounds_of({"gte": 3, "lte": 9}) == [("gte", 3), ("lte", 9)]


@pytest.mark.parametrize(
    ("kind", "condition", "expected"),
    [
        ("event_count", {"gte": 3}, ""),
        ("event_count", {"gt": 100, "lte": 200}, ""),
        ("event_count", {"gte": 3, "lte": 9, "neq": 5}, ""),
        ("event_count", {"eq": 0}, ""),
        ("event_count", {"gte": 3.0}, ""),
        ("event_count", {}, "expected one of gte, gt, lte, lt, eq, neq, or several for a range"),
        ("event_count", {"gt": 5, "lt": 6}, "expected a range that some number is in (got gt: 5, lt: 6)"),
        ("value_sum", {"gt": 5, "lt": 6, "field": "x"}, ""),
        (
            "value_sum",
            {"gte": 6, "lte": 5, "field": "x"},
            "expected a range that some number is in (got gte: 6, lte: 5)",
        ),
        ("event_count", {"lt": 0}, "expected a range that some number is in (got lt: 0)"),
        ("event_count", {"gte": -1}, "expected a whole number of at least 0 (got -1)"),
        ("event_count", {"gte": 1.5}, "expected a whole number of at least 0 (got 1.5)"),
        ("event_count", {"gte": True}, "expected a whole number of at least 0 (got True)"),
        ("event_count", {"gte": float("inf")}, "expected a whole number of at least 0 (got inf)"),
        ("event_count", {"gte": "many"}, "expected a whole number of at least 0 (got 'many')"),
        ("event_count", {"gte": 3, "field": "x"}, "expected no field (only correlations of values read one)"),
        (
            "event_count",
            {"gte": 3, "gteq": 3},
            "expected one of gte, gt, lte, lt, eq, neq, field, percentile – did you mean gte?",
        ),
        ("event_count", {"gte": 3, "percentile": 5}, "expected no percentile (only value_percentile has one)"),
        ("value_count", {"gte": 3, "field": ["a", "b"]}, ""),
        ("value_count", {"gte": 3}, "expected the field whose distinct values are counted"),
        ("value_count", {"gte": 3, "field": []}, "expected the field whose distinct values are counted"),
        ("value_avg", {"gte": -1.5, "field": "x"}, ""),
        ("value_avg", {"gte": -1.5}, "expected the one field whose numbers are measured"),
        ("value_avg", {"gte": -1.5, "field": ["a", "b"]}, "expected the one field whose numbers are measured"),
        ("value_median", {"gte": "x", "field": "f"}, "expected a number (got 'x')"),
        ("value_percentile", {"gte": 1, "field": "f", "percentile": 99.5}, ""),
        ("value_percentile", {"gte": 1, "field": "f"}, "expected a percentile from 0 to 100, such as 95"),
        (
            "value_percentile",
            {"gte": 1, "field": "f", "percentile": 101},
            "expected a percentile from 0 to 100, such as 95 (got 101)",
        ),
    ],
)
def test_what_is_wrong(kind: str, condition: dict[str, Any], expected: str) -> None:
    assert [said for said, *_ in check_threshold(condition, kind)] == [expected] * (expected != "")


def test_what_can_hold_within_limits() -> None:
    assert not can_hold([("gte", 3)], whole=True, least=1, most=2)
    assert can_hold([("gte", 2)], whole=True, least=1, most=2)
    assert not can_hold([("lt", 1)], whole=True, least=1)
    assert can_hold([("neq", 0)], whole=True, least=1)


def test_so_many_of_the_rules_in_their_order() -> None:
    rules = ["a", "b", "c"]
    assert (
        sequences({"gte": 3}, rules) == sequences({"gt": 2}, rules) == sequences({"eq": 3}, rules) == [("a", "b", "c")]
    )
    assert sequences({"gte": 2}, rules) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert sequences({"gte": 1}, ["a", "a"]) == [("a",)]
    for wrong in ({"gte": 4}, {"gte": 0}, {"eq": 2}, {"lte": 2}, {"gte": 1, "lte": 2}):
        with pytest.raises(ValueError, match=r"expected \{gte: N\} with N from 1 to 3"):
            sequences(wrong, rules)
    with pytest.raises(ValueError, match="at most 64"):
        sequences({"gte": 5}, list("abcdefghij"))
