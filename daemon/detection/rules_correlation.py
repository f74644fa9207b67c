"""The `correlation:` section of a rule: what is wrong with it, and what it asks for once its rules are known."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sigma.correlations import SigmaCorrelationRule, SigmaCorrelationTimespan

from daemon.detection.attributes import suggestion
from daemon.detection.rules_check import SIGMA_ERRORS, sigma_problem
from daemon.detection.rules_document import Document
from daemon.detection.rules_threshold import COUNTS, MEASURES, bounds_of, check_threshold, sequences
from daemon.detection.rules_words import Known, WordsError, holds_of, named_rules, orders_of
from daemon.model import Problem

__all__ = ["COUNTS", "KINDS", "MEASURES", "Correlation", "build_correlation", "check_correlation", "references"]

KINDS = (*COUNTS, "temporal", "temporal_ordered", *MEASURES)
_KEYS = ("type", "rules", "generate", "timespan", "group-by", "aliases", "condition")
_TIMESPAN = re.compile(r"[1-9][0-9]{0,8}[smhdwMy]")
_SECTION = "correlation"


class Correlation(Struct, frozen=True):
    """Which rules must fire how often, or in which company, within `timespan` seconds.

    `inputs` are rule ids in the order written. `fields` are those whose distinct values are counted (`value_count`), or
    the one whose numbers are measured (`MEASURES`; `percentile` from 0 to 100). What was counted or measured must meet
    `operator` and `count`, and all of `also` (a range). `holds` tells whether a set of rule ids satisfies a condition
    written in words (`temporal` only), else None; `orders` are the sequences of rule ids of which one is enough
    (`temporal_ordered` only; empty means all inputs). `aliases` maps an alias to the field that it means in each rule.
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
    also: tuple[tuple[str, float], ...] = ()
    percentile: float = 50
    orders: tuple[tuple[str, ...], ...] = ()

    @property
    def bounds(self) -> tuple[tuple[str, float], ...]:
        """All comparisons that must hold: (operator, limit)."""
        return ((self.operator, self.count), *self.also)

    @property
    def places(self) -> tuple[str, ...]:
        """The ids of the inputs, each once: the place of one in it is what entries say, so that windows of correlations
        that are alike are the same whatever their inputs are called.
        """
        return tuple(dict.fromkeys(self.inputs))

    def field_of(self, name: str, rule_id: str) -> str:
        """The field that a name in `group-by` means in events of this rule."""
        return self.aliases.get(name, {}).get(rule_id, name)


def check_correlation(document: Document, *, sound: bool = True) -> list[Problem]:
    """What is wrong with the section, its references left aside. `sound` tells that nothing else of the document is."""
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
    return problems or (_second_opinion(document) if sound else [])


def _second_opinion(document: Document) -> list[Problem]:
    """What other Sigma tools, which read with pySigma, would refuse. Ranges and ids in words aside: Sigma has them, and
    pySigma 2.0.1 has not.
    """
    section = document.data[_SECTION]
    condition = section.get("condition")
    if isinstance(condition, dict):
        known = {name: condition[name] for name in ("field", "percentile") if name in condition}
        section = {**section, "condition": {**known, **dict(bounds_of(condition)[:1])}}
    elif isinstance(condition, str):
        section = {**section, "rules": references(section), "condition": {"gte": 1}}
    try:
        parsed = SigmaCorrelationRule.from_dict({**document.data, _SECTION: section}, collect_errors=True)
        errors: Sequence[Exception] = parsed.errors
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
    return named_rules(section["condition"])


def build_correlation(section: Mapping[str, Any], known: Known) -> Correlation:
    """The section, once checked, with its references resolved: `known` maps each to (rule id, title)."""
    names = references(section)
    condition = section.get("condition")
    counted = condition if isinstance(condition, dict) else {"gte": len(names)}
    words = condition if isinstance(condition, str) else ""
    (operator, count), *also = bounds_of(counted)
    return Correlation(
        kind=section["type"],
        inputs=tuple(known[name][0] for name in names),
        titles=tuple(known[name][1] for name in names),
        timespan=float(SigmaCorrelationTimespan(section["timespan"]).seconds),
        group_by=tuple(_listed(section.get("group-by", []))),
        operator=operator,
        count=count,
        fields=tuple(_listed(counted.get("field", []))),
        generate=section.get("generate", False),
        aliases={
            alias: {known[name][0]: field for name, field in mapping.items() if name in known}
            for alias, mapping in section.get("aliases", {}).items()
        },
        holds=holds_of(words, known) if words else None,
        expression=words,
        also=tuple(also),
        percentile=counted.get("percentile", 50),
        orders=tuple(tuple(known[name][0] for name in order) for order in _orders(section, names)),
    )


def by_place(correlation: Correlation) -> Correlation:
    """The same, with the place of each input (as text) for its id."""
    places = {rule_id: str(place) for place, rule_id in enumerate(correlation.places)}
    holds, ids = correlation.holds, correlation.places
    return replace(
        correlation,
        inputs=tuple(places[rule_id] for rule_id in correlation.inputs),
        orders=tuple(tuple(places[rule_id] for rule_id in order) for order in correlation.orders),
        aliases={
            alias: {places[rule_id]: field for rule_id, field in mapping.items() if rule_id in places}
            for alias, mapping in correlation.aliases.items()
        },
        holds=None if holds is None else lambda values: holds({ids[int(value)] for value in values}),
    )


def _orders(section: Mapping[str, Any], names: list[str]) -> list[tuple[str, ...]]:
    """The sequences of which one is enough, where that is not simply all rules in order. Raises ValueError."""
    condition = section.get("condition")
    if section.get("type") != "temporal_ordered" or condition is None:
        return []
    return orders_of(condition) if isinstance(condition, str) else sequences(condition, names)


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
        if kind in (*COUNTS, *MEASURES):
            yield "expected a threshold such as {gte: 8}", "condition"
    elif isinstance(condition, str):
        yield from _in_words(condition, section)
    elif isinstance(condition, dict):
        wrong = list(check_threshold(condition, kind))
        yield from wrong or _wrong_order(section)
    else:
        yield f"expected a threshold such as {{gte: 8}} (got {condition!r})", "condition"


def _wrong_order(section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    rules = section.get("rules")
    try:
        _orders(section, [str(one) for one in _listed(rules)] if isinstance(rules, str | list) else [])
    except ValueError as error:
        yield str(error), "condition"


def _in_words(condition: str, section: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    if section.get("type") not in ("temporal", "temporal_ordered"):
        yield "expected a threshold such as {gte: 8} (a condition in words is for temporal)", "condition"
        return
    try:
        named = set(named_rules(condition))
    except WordsError as error:
        yield str(error), "condition"
        return
    listed = _listed(section.get("rules", []))
    if "rules" in section and isinstance(listed, list) and sorted(named) != sorted({str(one) for one in listed}):
        yield "expected the same rules as under rules", "condition"
    yield from _wrong_order(section)
