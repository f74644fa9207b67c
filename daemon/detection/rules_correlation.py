"""The `correlation:` section of a rule: what is wrong with it, and what it asks for once its rules are known."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationRule,
    SigmaCorrelationTimespan,
    SigmaExtendedCorrelationCondition,
)

from daemon.detection.attributes import suggestion
from daemon.detection.rules_check import SIGMA_ERRORS, sigma_problem
from daemon.detection.rules_document import Document
from daemon.model import Problem

KINDS = ("event_count", "value_count", "temporal", "temporal_ordered")
_KEYS = ("type", "rules", "generate", "timespan", "group-by", "aliases", "condition")
_OPERATORS = ("gte", "gt", "lte", "lt", "eq", "neq")
_TIMESPAN = re.compile(r"[1-9][0-9]{0,8}[smhdwMy]")
_SECTION = "correlation"


class Correlation(Struct, frozen=True):
    """Which rules must fire how often, or in which company, within `timespan` seconds.

    `inputs` are rule ids in the order written. `fields` are those whose distinct values are counted (`value_count`).
    `holds` tells whether a set of rule ids satisfies a condition written in words (`temporal` only), else None.
    `aliases` maps an alias to the field that it means in each rule.
    """

    kind: str
    inputs: tuple[str, ...]
    titles: tuple[str, ...]
    timespan: float
    group_by: tuple[str, ...] = ()
    operator: str = "gte"
    count: float = 1
    fields: tuple[str, ...] = ()
    generate: bool = False
    aliases: Mapping[str, Mapping[str, str]] = {}
    holds: Callable[[Collection[str]], bool] | None = None
    expression: str = ""

    def field_of(self, name: str, rule_id: str) -> str:
        """The field that a name in `group-by` means in events of this rule."""
        return self.aliases.get(name, {}).get(rule_id, name)


def check_correlation(document: Document) -> list[Problem]:
    """What is wrong with the section, its references left aside."""
    section = document.data[_SECTION]
    if not isinstance(section, dict):
        return [document.problem("expected keys and values", _SECTION)]
    problems = [
        document.problem(expected, _SECTION, *at)
        for check in (_keys, _kind, _rules, _timespan, _grouping, _condition)
        for expected, *at in check(section)
    ]
    if "generate" in document.data:
        problems.append(document.problem("expected generate under correlation", "generate"))
    return problems or _second_opinion(document)


def _second_opinion(document: Document) -> list[Problem]:
    """What other Sigma tools, which read with pySigma, would refuse."""
    try:
        errors: Sequence[Exception] = SigmaCorrelationRule.from_dict(document.data, collect_errors=True).errors
    except SIGMA_ERRORS as error:
        errors = [error]
    return [sigma_problem(document, error) for error in errors]


def references(section: Mapping[str, Any]) -> list[str]:
    """The rules that the section names, by id or name, in order."""
    rules = section.get("rules")
    if isinstance(rules, str):
        return [rules]
    if rules:
        return list(rules)
    return _expression(section["condition"]).get_referenced_rules()


def build_correlation(section: Mapping[str, Any], known: Mapping[str, tuple[str, str]]) -> Correlation:
    """The section, once checked, with its references resolved: `known` maps each to (rule id, title)."""
    names = references(section)
    condition = section.get("condition")
    counted = condition if isinstance(condition, dict) else {}
    operator = next((name for name in _OPERATORS if name in counted), "gte")
    fields = counted.get("field", [])
    words = condition if isinstance(condition, str) else ""
    return Correlation(
        kind=section["type"],
        inputs=tuple(known[name][0] for name in names),
        titles=tuple(known[name][1] for name in names),
        timespan=float(SigmaCorrelationTimespan(section["timespan"]).seconds),
        group_by=tuple(_listed(section.get("group-by", []))),
        operator=operator,
        count=counted.get(operator, len(names)),
        fields=tuple(_listed(fields)),
        generate=section.get("generate", False),
        aliases={
            alias: {known[name][0]: field for name, field in mapping.items() if name in known}
            for alias, mapping in section.get("aliases", {}).items()
        },
        holds=_holds(_expression(words).parsed, known) if words else None,
        expression=words,
    )


def _listed(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else value


def _keys(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for key in section:
        if key not in _KEYS:
            yield f"expected one of {', '.join(_KEYS)}{suggestion(key, _KEYS)}", key
    if not isinstance(section.get("generate", False), bool):
        yield f"expected true or false (got {section['generate']!r})", "generate"


def _kind(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    kind = section.get("type")
    if kind not in KINDS:
        got = f" (got {kind!r}){suggestion(str(kind), KINDS)}" if kind is not None else ""
        yield f"expected one of {', '.join(KINDS)}{got}", "type"


def _rules(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    rules = section.get("rules")
    if rules is None and isinstance(section.get("condition"), str):
        return
    listed = _listed(rules)
    good = isinstance(listed, list) and bool(listed) and all(isinstance(one, str) and one for one in listed)
    if not good:
        yield "expected the id or name of a rule, or a list of them", "rules"


def _timespan(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    timespan = section.get("timespan")
    if not isinstance(timespan, str) or not _TIMESPAN.fullmatch(timespan):
        got = f" (got {timespan!r})" if timespan is not None else ""
        yield f"expected a time span such as 30s, 5m, 1h or 7d{got}", "timespan"


def _grouping(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    listed = _listed(section.get("group-by", []))
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        yield "expected a field name or a list of them", "group-by"
    aliases = section.get("aliases", {})
    shaped = isinstance(aliases, dict) and all(
        isinstance(mapping, dict) and all(isinstance(field, str) and field for field in mapping.values())
        for mapping in aliases.values()
    )
    if not shaped:
        yield "expected alias: {rule: field}", "aliases"
        return
    rules = section.get("rules", [])
    named = [str(one) for one in _listed(rules)] if isinstance(rules, str | list) else []
    for alias, mapping in aliases.items():
        for name in mapping:
            if named and name not in named:
                yield f"expected a rule that is listed under rules{suggestion(name, named)}", "aliases", alias, name


def _condition(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    condition, kind = section.get("condition"), section.get("type")
    if condition is None:
        if kind in KINDS[:2]:
            yield "expected a threshold such as {gte: 8}", "condition"
    elif isinstance(condition, str):
        yield from _in_words(condition, section)
    elif kind == "temporal_ordered":
        yield "expected none (all rules, in the order written, is what temporal_ordered means)", "condition"
    elif isinstance(condition, dict):
        yield from _threshold(condition, kind)
    else:
        yield f"expected a threshold such as {{gte: 8}} (got {condition!r})", "condition"


def _in_words(condition: str, section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    if section.get("type") != "temporal":
        yield "expected a threshold such as {gte: 8} (a condition in words is for temporal)", "condition"
        return
    try:
        named = set(_expression(condition).get_referenced_rules())
    except SIGMA_ERRORS as error:
        yield f"expected rule names joined by and, or, not ({error})", "condition"
        return
    rules = section.get("rules")
    if rules is not None and sorted(named) != sorted({str(one) for one in _listed(rules)}):
        yield "expected the same rules as under rules", "condition"


def _threshold(condition: dict[str, Any], kind: Any) -> Iterator[tuple[str, ...]]:
    operators = [key for key in condition if key in _OPERATORS]
    if len(operators) != 1:
        yield f"expected exactly one of {', '.join(_OPERATORS)}", "condition"
    for key, value in condition.items():
        if key in _OPERATORS and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            yield f"expected a whole number of at least 0 (got {value!r})", "condition", key
        elif key not in _OPERATORS and key != "field":
            yield f"expected one of {', '.join(_OPERATORS)}, field{suggestion(key, _OPERATORS)}", "condition", key
    field = _listed(condition.get("field", []))
    good = isinstance(field, list) and all(isinstance(one, str) and one for one in field)
    if kind == "value_count" and not (good and field):
        yield "expected the field whose distinct values are counted", "condition", "field"
    elif kind in KINDS and kind != "value_count" and "field" in condition:
        yield "expected no field (only value_count counts values)", "condition", "field"


def _expression(condition: str) -> SigmaExtendedCorrelationCondition:
    return SigmaExtendedCorrelationCondition(condition)


def _holds(tree: Any, known: Mapping[str, tuple[str, str]]) -> Callable[[Collection[str]], bool]:
    if isinstance(tree, CorrelationConditionNOT):
        inner = _holds(tree.args[0], known)
        return lambda fired: not inner(fired)
    if isinstance(tree, CorrelationConditionAND | CorrelationConditionOR):
        parts = [_holds(arg, known) for arg in tree.args]
        join = all if isinstance(tree, CorrelationConditionAND) else any
        return lambda fired: join(part(fired) for part in parts)
    rule_id = known[tree.reference][0]
    return lambda fired: rule_id in fired
