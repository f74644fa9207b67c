"""Rules that are valid, and will not do what they were written for: what `tellwhy check --strict` adds to the errors.

A right rule is never accused: what is said here is certain from the rule and from what events have, or left unsaid.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, combinations

from daemon.detection.contradiction import why_never
from daemon.detection.known_fields import KNOWN_CATEGORIES, KNOWN_SERVICES, doubt, meant, single_in, value_meant
from daemon.detection.matchers import Leaf
from daemon.detection.mentions import Reads
from daemon.detection.nodes import AllOf, AnyOf, Node, Not
from daemon.detection.rules import ParsedRules, Rule
from daemon.detection.rules_correlation import Correlation
from daemon.detection.rules_doubts import crowded_files, in_file
from daemon.detection.rules_threshold import MEASURES, can_hold
from daemon.detection.wording import shorten, visible
from daemon.model import Logsource, Problem

_PROGRAMS = frozenset({"Image", "ParentImage", "exe"})
_WINDOWS = re.compile(r"(?:[a-z]:)?\\[^\\/]+(?:\\[^\\/]*)*")
"""A path of Windows, folded: `\\bash`, `c:\\windows\\x`. On Linux a program's path begins with a slash."""
_TOOLS = frozenset({"falco", "suricata", "kubernetes", "alertmanager"})
"""Products of tools whose records are known here: their rules wait for whoever connects one."""
_ANY_EVENT = frozenset({"host", "source"})
"""What group-by and entity may name of every event, whatever its fields."""
_DIGIT = re.compile(r"contains the number \d")
_MOST_RULES = 10


def unwise(parsed: ParsedRules, *, json_lines: bool = True, journal: bool = True) -> tuple[Problem, ...]:
    """What is unwise in rules that can be used, by path and line. Each `expected` says what would be better and why.

    `json_lines` tells that JSON lines may be read, which can be of any logsource and have any field; `journal` that
    systemd's journal is, whose records have fields of their own.
    """
    refs = {ref.id: ref for ref in (*(rule.ref for rule in parsed.rules), *(one.ref for one in parsed.reads))}
    crowded = crowded_files(refs.values())
    judge = _Judge(parsed, json_lines=json_lines, journal=journal)
    found = [*parsed.doubts]
    for rule in parsed.rules:
        found += [in_file(problem, rule.ref, crowded) for problem in judge.rule(rule)]
    for reads in parsed.reads:
        found += [in_file(problem, reads.ref, crowded) for problem in judge.fields(reads)]
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: (problem.path, problem.line, problem.key)))


class _Judge:
    """What is unwise in one rule after the other, among all of them."""

    def __init__(self, parsed: ParsedRules, *, json_lines: bool, journal: bool) -> None:
        self._by_id = {rule.ref.id: rule for rule in parsed.rules}
        self._json_lines = json_lines
        self._journal = journal

    def rule(self, rule: Rule) -> Iterator[Problem]:
        if rule.condition is not None:
            yield from _of_condition(rule, rule.condition.node, () if self._json_lines else single_in(rule.logsource))
            yield from () if self._json_lines else _of_our_own(rule, rule.condition.node)
        if rule.correlation is not None:
            yield from _of_correlation(rule, rule.correlation)
            yield from self._grouping(rule, rule.correlation)

    def fields(self, reads: Reads) -> Iterator[Problem]:
        """The fields that are none of the logsource's."""
        for one in reads.mentions:
            named = one.key == "tellwhy.entity" and one.field in _ANY_EVENT
            expected = "" if named else self._doubt(one.field, reads.logsource)
            if expected:
                yield Problem(reads.ref.path, one.line, visible(one.key), visible(shorten(expected, 400)))

    def _doubt(self, field: str, logsource: Logsource) -> str:
        return doubt(field, logsource, json_lines=self._json_lines, journal=self._journal)

    def _grouping(self, rule: Rule, correlation: Correlation) -> Iterator[Problem]:
        bases = list(_bases(correlation, self._by_id))
        for name in correlation.group_by:
            for base in bases:
                field = correlation.field_of(name, base.ref.id)
                expected = "" if field in _ANY_EVENT else self._doubt(field, base.logsource)
                if expected:
                    told = expected.replace(f"(got {field})", f"(got {field}: all would be one group)")
                    yield _problem(rule, told, "correlation.group-by")
        for key, fields in (("correlation.condition", correlation.fields), ("tellwhy.entity", rule.entity)):
            for field in fields:
                doubts = [self._doubt(correlation.field_of(field, base.ref.id), base.logsource) for base in bases]
                if bases and all(doubts) and not (key == "tellwhy.entity" and field in _ANY_EVENT):
                    yield _problem(rule, doubts[0], key)


def _problem(rule: Rule, expected: str, key: str) -> Problem:
    line = rule.lines.get(key) or rule.lines.get(key.rpartition(".")[0]) or rule.lines.get("", 1)
    return Problem(rule.ref.path, line, visible(key), visible(shorten(expected, 400)))


def _of_condition(rule: Rule, node: Node, single: Collection[str]) -> Iterator[Problem]:
    used = set()
    for search, leaf in _leaves(node):
        used.add(search)
        expected = _wrong_leaf(rule, leaf)
        if expected:
            yield _problem(rule, expected, f"detection.{search}")
    for key in rule.lines:
        section, _, search = key.partition(".")
        if section == "detection" and search not in {"", "condition", *used} and not search.startswith("_"):
            yield _problem(rule, "expected a search that the condition names: this one changes nothing", key)
    for leaf in _enough(node):
        if leaf.field is None and _DIGIT.fullmatch(leaf.words):
            yield _problem(rule, f"expected more than this: nearly every record {leaf.words}", "detection.condition")
    why = why_never(node, single)
    if why:
        yield _problem(rule, f"expected a condition that can hold: {why}", "detection.condition")


def _of_our_own(rule: Rule, node: Node) -> Iterator[Problem]:
    """What is unwise where only events are read that are made here."""
    yield from _of_logsource(rule)
    for search, leaf in _leaves(node):
        way, value = leaf.literal or ("", "")
        near = value_meant(leaf.field or "", value, rule.logsource) if way == "is" else ""
        if near:
            expected = f"expected a value that {leaf.field} has (got {value}) – did you mean {near}?"
            yield _problem(rule, expected, f"detection.{search}")


def _of_logsource(rule: Rule) -> Iterator[Problem]:
    source = rule.logsource
    if source.product in _TOOLS:
        return
    if source.product not in {"", "linux"}:
        expected = f"expected product linux: only JSON lines can be of another (got {source.product})"
        yield _problem(rule, expected, "logsource.product")
    if source.category and source.service:
        expected = f"expected category or service: only JSON lines can be of both (got {source.service} beside it)"
        yield _problem(rule, expected, "logsource.service")
        return
    for what, got, known in (
        ("category", source.category, KNOWN_CATEGORIES),
        ("service", source.service, KNOWN_SERVICES),
    ):
        if got and got not in known:
            expected = f"expected one of {', '.join(known)}: only JSON lines can be of another (got {got})"
            yield _problem(rule, expected + meant(got, known), f"logsource.{what}")


def _leaves(node: Node, search: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every comparison, with the name of the search that it is part of."""
    search = node.search or search
    if isinstance(node, Leaf):
        yield search, node
    elif isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from _leaves(part, search)
    elif isinstance(node, Not):
        yield from _leaves(node.part, search)


def _enough(node: Node) -> Iterator[Leaf]:
    """The comparisons of which each alone makes it hold."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, AnyOf):
        for part in node.parts:
            yield from _enough(part)


def _wrong_leaf(rule: Rule, leaf: Leaf) -> str:
    """What was expected of a comparison, empty when nothing is wrong with it."""
    if rule.logsource.product == "linux" and _is_windows_path(leaf):
        return f"expected a path with slashes: never matches on Linux ({leaf})"
    return ""


def _is_windows_path(leaf: Leaf) -> bool:
    way, needle = leaf.literal or ("", "")
    return leaf.field in _PROGRAMS and way in {"is", "starts", "ends"} and _WINDOWS.fullmatch(needle) is not None


def _of_correlation(rule: Rule, correlation: Correlation) -> Iterator[Problem]:
    if _never_reached(correlation):
        expected = "expected a condition that can hold: it is judged when one of its rules has fired"
        yield _problem(rule, expected, "correlation.condition")


def _bases(correlation: Correlation, by_id: Mapping[str, Rule]) -> Iterator[Rule]:
    """The plain rules that a correlation is directly built upon."""
    for rule_id in dict.fromkeys(correlation.inputs):
        rule = by_id.get(rule_id)
        if rule is not None and rule.condition is not None:
            yield rule


def _never_reached(correlation: Correlation) -> bool:
    rules = tuple(dict.fromkeys(correlation.inputs))
    if correlation.holds is not None:
        some = chain.from_iterable(combinations(rules, many) for many in range(1, len(rules) + 1))
        return len(rules) <= _MOST_RULES and not any(correlation.holds(fired) for fired in some)
    if correlation.kind in MEASURES or correlation.kind == "temporal_ordered":
        return False
    most = len(rules) if correlation.kind == "temporal" else None
    return not can_hold(list(correlation.bounds), whole=True, least=1, most=most)
