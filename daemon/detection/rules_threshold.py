"""Correlation conditions in numbers: a threshold, a range, and what is counted or measured."""

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from math import isfinite
from typing import Any, TypeAlias

from daemon.detection.attributes import suggestion

Bounds: TypeAlias = list[tuple[str, float]]

COUNTS = ("event_count", "value_count")
MEASURES = ("value_sum", "value_avg", "value_percentile", "value_median")
OPERATORS = ("gte", "gt", "lte", "lt", "eq", "neq")
_KEYS = (*OPERATORS, "field", "percentile")
_HOLDS = {
    "gte": float.__ge__,
    "gt": float.__gt__,
    "lte": float.__le__,
    "lt": float.__lt__,
    "eq": float.__eq__,
    "neq": float.__ne__,
}
_MOST_ORDERS = 64
_MOST = 10**15


def bounds_of(condition: Mapping[str, Any]) -> Bounds:
    """The comparisons of a condition, in a fixed order."""
    return [(name, condition[name]) for name in OPERATORS if name in condition]


def check_threshold(condition: Mapping[str, Any], kind: Any) -> Iterator[tuple[str, ...]]:
    """What is wrong with a condition that is a mapping: what was expected, and where under `correlation`."""
    bounds = bounds_of(condition)
    if not bounds:
        yield f"expected one of {', '.join(OPERATORS)}, or several for a range", "condition"
    wrong = list(_wrong_limits(bounds, kind))
    yield from wrong
    if bounds and not wrong and not can_hold(bounds, whole=kind not in MEASURES):
        got = ", ".join(f"{name}: {limit}" for name, limit in bounds)
        yield f"expected a range that some number is in (got {got})", "condition"
    for key in condition:
        if key not in _KEYS:
            yield f"expected one of {', '.join(_KEYS)}{suggestion(key, _KEYS)}", "condition", key
    yield from _check_field(condition, kind)
    yield from _check_percentile(condition, kind)


def _wrong_limits(bounds: Bounds, kind: Any) -> Iterator[tuple[str, ...]]:
    for name, limit in bounds:
        if kind in MEASURES:
            if not _is_number(limit) or abs(limit) > _MOST:
                yield f"expected a number (got {limit!r})", "condition", name
        elif not _is_number(limit) or not 0 <= limit <= _MOST or int(limit) != limit:
            yield f"expected a whole number of at least 0 (got {limit!r})", "condition", name


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def can_hold(bounds: Bounds, *, whole: bool, least: float = 0, most: float | None = None) -> bool:
    """Whether some number meets all bounds; of events, a whole one from `least` to `most`."""
    limits = sorted(float(limit) for _, limit in bounds)
    between = [least] if whole else [(one + two) / 2 for one, two in pairwise(limits)]
    tried = [number for limit in limits for number in (limit - 1, limit, limit + 1)] + between
    possible = [number for number in tried if not whole or least <= number <= (number if most is None else most)]
    return any(all(_HOLDS[name](float(number), float(limit)) for name, limit in bounds) for number in possible)


def _check_field(condition: Mapping[str, Any], kind: Any) -> Iterator[tuple[str, ...]]:
    given = condition.get("field", [])
    fields = [given] if isinstance(given, str) else given
    good = isinstance(fields, list) and all(isinstance(one, str) and one for one in fields)
    if kind == "value_count" and not (good and fields):
        yield "expected the field whose distinct values are counted", "condition", "field"
    elif kind in MEASURES and not (good and len(fields) == 1):
        yield "expected the one field whose numbers are measured", "condition", "field"
    elif kind in ("event_count", "temporal", "temporal_ordered") and "field" in condition:
        yield "expected no field (only correlations of values read one)", "condition", "field"


def _check_percentile(condition: Mapping[str, Any], kind: Any) -> Iterator[tuple[str, ...]]:
    if kind != "value_percentile":
        if "percentile" in condition:
            yield "expected no percentile (only value_percentile has one)", "condition", "percentile"
        return
    value: Any = condition.get("percentile")
    if not _is_number(value) or not 0 <= value <= 100:  # noqa: PLR2004 - percent
        got = f" (got {value!r})" if value is not None else ""
        yield f"expected a percentile from 0 to 100, such as 95{got}", "condition", "percentile"


def sequences(condition: Mapping[str, Any], rules: list[str]) -> list[tuple[str, ...]]:
    """The sequences of rules of which one must be met, for `temporal_ordered` with so many of its rules: those rules of
    the order written. Raises ValueError saying what was expected.
    """
    bounds = bounds_of(condition)
    name, limit = bounds[0] if len(bounds) == 1 else ("", 0)
    wanted = int(limit) + (name == "gt")
    if name not in {"gte", "gt", "eq"} or not 1 <= wanted <= len(rules) or (name == "eq" and wanted != len(rules)):
        raise ValueError(
            f"expected {{gte: N}} with N from 1 to {len(rules)} (so many of the rules, in the order written)"
        )
    found = list(dict.fromkeys(combinations(rules, wanted)))
    if len(found) > _MOST_ORDERS:
        raise ValueError(f"expected at most {_MOST_ORDERS} sequences of rules (got {len(found)})")
    return found
