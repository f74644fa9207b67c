"""Rules that are valid, and will not do what they were written for: what `tellwhy check --strict` adds to the errors.

A right rule is never accused: what is said here is certain from the rule and from what events have, or left unsaid.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations

from daemon.detection.folding import fold
from daemon.detection.matchers import Leaf
from daemon.detection.nodes import AllOf, AnyOf, Node, Not
from daemon.detection.rules import ParsedRules, Rule
from daemon.detection.rules_correlation import Correlation
from daemon.detection.rules_threshold import MEASURES, can_hold
from daemon.detection.wording import shorten, visible
from daemon.model import Problem

_PROGRAMS = frozenset({"Image", "ParentImage", "exe"})
_WINDOWS = re.compile(r"(?:[a-z]:)?\\[^\\/]+(?:\\[^\\/]*)*")
"""A path of Windows, folded: `\\bash`, `c:\\windows\\x`. On Linux a program's path begins with a slash."""
_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "process_creation": ("Image", "CommandLine", "CurrentDirectory", "ParentImage", "ParentCommandLine"),
    "file_event": ("TargetFilename", "Image", "CommandLine"),
    "network_connection": ("DestinationIp", "DestinationPort", "SourceIp", "SourcePort", "Initiated", "Image"),
    "host_metrics": (),
    "gpu_metrics": (),
    "evidence_loss": (),
}
"""The categories whose events are made here, and fields of theirs in Sigma's spelling."""
_ACTORS = ("User", "ProcessId", "ParentProcessId", "LogonId")
_DIGIT = re.compile(r"contains the number \d")
_MOST_RULES = 10


def unwise(parsed: ParsedRules, *, json_lines: bool = True) -> tuple[Problem, ...]:
    """What is unwise in rules that can be used, by path and line. Each `expected` says what would be better and why.

    `json_lines` tells that JSON lines may be read, which can be of any logsource.
    """
    by_id = {rule.ref.id: rule for rule in parsed.rules}
    found = [*parsed.doubts]
    for rule in parsed.rules:
        if rule.condition is not None:
            found += _of_condition(rule, rule.condition.node)
            found += [] if json_lines else _of_logsource(rule)
        if rule.correlation is not None:
            found += _of_correlation(rule, rule.correlation, by_id)
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: (problem.path, problem.line, problem.key)))


def _problem(rule: Rule, expected: str, key: str, search: str = "") -> Problem:
    line = rule.lines.get(search) or rule.lines.get("", 1)
    return Problem(rule.ref.path, line, f"{key}.{search}" if search else key, visible(shorten(expected, 400)))


def _of_condition(rule: Rule, node: Node) -> Iterator[Problem]:
    used = set()
    for search, leaf in _leaves(node):
        used.add(search)
        expected = _wrong_leaf(rule, leaf)
        if expected:
            yield _problem(rule, expected, "detection", search)
    for search in rule.lines:
        if search and not search.startswith("_") and search not in used:
            yield _problem(
                rule, "expected a search that the condition names: this one changes nothing", "detection", search
            )
    for leaf in _enough(node):
        if leaf.field is None and _DIGIT.fullmatch(leaf.words):
            yield _problem(rule, f"expected more than this: nearly every record {leaf.words}", "detection", "condition")
    why = _never(node)
    if why:
        yield _problem(rule, f"expected a condition that can hold: {why}", "detection", "condition")


def _of_logsource(rule: Rule) -> Iterator[Problem]:
    if rule.logsource.product not in {"", "linux"}:
        got = rule.logsource.product
        yield _problem(rule, f"expected product linux: only JSON lines can be of another (got {got})", "logsource")
    if rule.logsource.category and rule.logsource.category not in _CATEGORIES:
        expected = f"expected one of {', '.join(_CATEGORIES)}: only JSON lines can be of another"
        yield _problem(rule, f"{expected} (got {rule.logsource.category})", "logsource")


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
    if leaf.field is None:
        return ""
    known = _spelled(rule, leaf.field)
    return f"expected {known}: names of fields keep their case (got {leaf.field})" if known else ""


def _is_windows_path(leaf: Leaf) -> bool:
    way, needle = leaf.literal or ("", "")
    return leaf.field in _PROGRAMS and way in {"is", "starts", "ends"} and _WINDOWS.fullmatch(needle) is not None


def _spelled(rule: Rule, field: str) -> str:
    """How a field of the rule's events is spelled, where it is spelled otherwise."""
    known = _CATEGORIES.get(rule.logsource.category, ())
    known = (*known, *_ACTORS) if known else ()
    return next((name for name in known if name != field and fold(name) == fold(field)), "")


def _never(node: Node) -> str:
    """Why a condition can never hold, empty when it may."""
    if isinstance(node, AnyOf):
        reasons = [_never(part) for part in node.parts]
        return reasons[0] if all(reasons) else ""
    if not isinstance(node, AllOf):
        return ""
    parts = list(_demanded(node))
    within = next(filter(None, (_never(part) for part in node.parts)), "")
    return within or _excluded(parts) or _absent(parts)


def _demanded(node: Node) -> Iterator[Node]:
    """All that must hold for it to hold."""
    if isinstance(node, AllOf):
        for part in node.parts:
            yield from _demanded(part)
    yield node


def _excluded(parts: Iterable[Node]) -> str:
    """A part that is demanded and excluded."""
    said = {str(part): part for part in parts}
    for part in list(said.values()):
        if not isinstance(part, Not):
            continue
        inner = part.part
        for one in (inner, *(inner.parts if isinstance(inner, AnyOf) else ())):
            if str(one) in said:
                return f"{_called(one)} is demanded and excluded"
    return ""


def _absent(parts: Iterable[Node]) -> str:
    """A field that must have a value and must not."""
    leaves = [part for part in parts if isinstance(part, Leaf)]
    wanted = {leaf.field for leaf in leaves if not leaf.absent and leaf.words != "exists"}
    return next((f"{leaf} and is compared" for leaf in leaves if leaf.absent and leaf.field in wanted), "")


def _called(node: Node) -> str:
    return node.search or f"({node})"


def _of_correlation(rule: Rule, correlation: Correlation, by_id: Mapping[str, Rule]) -> Iterator[Problem]:
    if _never_reached(correlation):
        expected = "expected a condition that can hold: it is judged when one of its rules has fired"
        yield _problem(rule, expected, "correlation.condition")
    for name in correlation.group_by:
        for base in _bases(correlation, by_id):
            field = correlation.field_of(name, base.ref.id)
            known = _spelled(base, field)
            if known:
                expected = f"expected {known}: names of fields keep their case (got {field}); all would be one group"
                yield _problem(rule, expected, "correlation.group-by")


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
