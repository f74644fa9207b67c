"""Rule files → rules, and every problem with its line. A bad rule never stops the others.

pySigma parses; what it does not know (lines, the `tellwhy:` attribute, references between files) is added here.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sigma.conditions import SigmaCondition
from sigma.rule import SigmaDetections, SigmaRule

from daemon.detection.attributes import Quotes, Sustain, suggestion
from daemon.detection.condition import Condition, compile_condition
from daemon.detection.matchers import UnsupportedError
from daemon.detection.mentions import Reads, mentions_in
from daemon.detection.rules_check import SIGMA_ERRORS, sigma_problem
from daemon.detection.rules_correlation import Correlation, build_correlation, references
from daemon.detection.rules_doubts import crowded_files, doubts_about, in_file
from daemon.detection.rules_draft import Draft, canonical, read_drafts
from daemon.detection.rules_filter import Exclusion, idle_filters, logsource_of, read_exclusion
from daemon.detection.searches import NOTHING, Placeholders, read_searches
from daemon.model import Logsource, Problem, RuleRef

Alike: TypeAlias = dict[tuple[str, ...], Condition]
"""Words of a detection, and the filters that hold for it → what was compiled of them."""

_HARMLESS = {"s": {"a": 1}, "condition": "s"}
_LOUD = re.compile(r"\b(?:AND|OR|NOT|OF|ALL|ANY|THEM|And|Or|Not)\b")
_UNDEFINED = re.compile(r"Detection '(.*)' not defined")


class Rule(Struct, frozen=True):
    """One rule, compiled: either `condition` or `correlation` is set.

    `logsource` holds what the rule demands (empty means anything). `fires` is false for a building block: a rule that
    only feeds correlations, or a disabled one that a correlation still needs. `revision` changes with anything that
    would make remembered windows mean something else. `lines` tells where in its file each of its keys stands
    (`detection.selection`, `logsource.category`), and the rule itself under "".
    """

    ref: RuleRef
    revision: str
    logsource: Logsource = Logsource("")
    condition: Condition | None = None
    correlation: Correlation | None = None
    entity: tuple[str, ...] = ()
    sustain: Sustain | None = None
    quotes: Quotes = Quotes()
    fires: bool = True
    lines: Mapping[str, int] = {}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The rules that this one is built upon."""
        return self.correlation.inputs if self.correlation is not None else ()


class ParsedRules(Struct, frozen=True):
    """What rule files came to. `rules` stand in an order in which each comes after those it is built upon;
    `disabled` are those that the configuration turned off. `doubts` are about what is valid and does nothing (see
    `wise.unwise`); `reads` are the fields that plain rules and filters name.
    """

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...] = ()
    disabled: tuple[RuleRef, ...] = ()
    doubts: tuple[Problem, ...] = ()
    reads: tuple[Reads, ...] = ()


def parse_rules(
    files: Mapping[str, str], disabled: Collection[str] = (), placeholders: Placeholders = NOTHING
) -> ParsedRules:
    """Path → text of rule files → rules. `disabled` names rules by id, `name`, title or path; `placeholders` are what
    `expand` fills in.

    A disabled rule that another is built upon stays, without a voice of its own. Nothing is raised for bad rules.
    """
    drafts, problems = read_drafts(files, placeholders)
    unwanted = {canonical(name) for name in disabled}
    off = {draft.ref.id for draft in drafts if not _called(draft).isdisjoint(unwanted)}
    problems += _unknown_disabled(unwanted, drafts)
    on = [draft for draft in drafts if draft.kind == "filter" and draft.ref.id not in off]
    read = [read_exclusion(draft, drafts, placeholders, problems) for draft in on]
    filters = [one for one in read if one is not None and _condition(one.draft, [one.condition], [], problems)]
    plain = [draft for draft in drafts if draft.kind == "detection"]
    alike: Alike = {}
    compiled = [_compile(draft, filters, placeholders, problems, alike) for draft in plain]
    rules = {rule.ref.id: rule for rule in compiled if rule is not None}
    _link([draft for draft in drafts if draft.kind == "correlation"], drafts, rules, problems)
    crowded = crowded_files(draft.ref for draft in drafts)
    standing = [draft for draft in drafts if draft.ref.id not in off]
    return ParsedRules(
        rules=_voices(rules, off),
        problems=tuple(sorted(problems, key=lambda problem: (problem.path, problem.line))),
        disabled=tuple(draft.ref for draft in drafts if draft.ref.id in off),
        doubts=(*_idle(filters, plain, crowded), *doubts_about(standing, crowded, placeholders)),
        reads=tuple(_reads(standing)),
    )


def _idle(filters: Sequence[Exclusion], plain: Sequence[Draft], crowded: Collection[str]) -> Iterator[Problem]:
    for one in filters:
        yield from (in_file(problem, one.draft.ref, crowded) for problem in idle_filters([one], plain))


def _reads(drafts: Sequence[Draft]) -> Iterator[Reads]:
    for draft in drafts:
        if draft.kind != "correlation":
            yield Reads(draft.ref, logsource_of(draft), mentions_in(draft.document, draft.kind))


def _called(draft: Draft) -> set[str]:
    return {*draft.names, draft.ref.title, draft.ref.path}


def _unknown_disabled(disabled: Collection[str], drafts: Sequence[Draft]) -> list[Problem]:
    known = {name for draft in drafts for name in _called(draft)}
    return [
        Problem("(configuration)", 1, "rules.disabled", f"expected a rule (got {name}){suggestion(name, known)}")
        for name in disabled
        if name not in known
    ]


def _voices(rules: Mapping[str, Rule], off: Collection[str]) -> tuple[Rule, ...]:
    """The rules that are needed, and which of them speak for themselves."""
    needed: set[str] = set()
    loud: set[str] = set()
    for rule in reversed(list(rules.values())):  # a rule stands behind those it is built upon
        if rule.ref.id not in off or rule.ref.id in needed:
            needed.update(rule.inputs)
            loud.update(rule.inputs if rule.correlation is not None and rule.correlation.generate else ())
    return tuple(
        replace(rule, fires=rule_id not in off and (rule_id not in needed or rule_id in loud))
        for rule_id, rule in rules.items()
        if rule_id not in off or rule_id in needed
    )


def _compile(
    draft: Draft, filters: Sequence[Exclusion], placeholders: Placeholders, problems: list[Problem], alike: Alike
) -> Rule | None:
    """A plain rule with its filters, or None and the problems that prevented it. Rules that look for the same in the
    same words share one condition (`alike`), so that it is asked once about an event.
    """
    searches = _searches(draft, placeholders, problems)
    if searches is None:
        return None
    meant = [one for one in filters if one.is_for(draft)]
    words = (repr(draft.document.data["detection"]), *(one.draft.ref.id for one in meant))
    condition = alike.get(words) or _condition(
        draft, searches.parsed_condition, [one.condition for one in meant], problems
    )
    if condition is None:
        return None
    alike[words] = condition
    filled = [repr(sorted(placeholders.items()))] if _expands(draft.document.data, meant) else []
    return Rule(
        ref=draft.ref,
        revision=_revision(draft.revision, *(one.draft.revision for one in meant), *filled),
        logsource=logsource_of(draft),
        condition=condition,
        entity=draft.attributes.entity,
        sustain=draft.attributes.sustain,
        quotes=draft.attributes.quotes,
        lines=draft.document.lines("logsource", "detection"),
    )


def _expands(data: Mapping[str, Any], filters: Sequence[Exclusion]) -> bool:
    """Whether what the configuration says of placeholders may change what the rule means."""
    return any(
        "|expand" in str(one) for one in (data["detection"], *(f.draft.document.data["filter"] for f in filters))
    )


def _searches(draft: Draft, placeholders: Placeholders, problems: list[Problem]) -> SigmaDetections | None:
    """The rule's searches, once pySigma has found nothing wrong with the rest of it either."""
    data = draft.document.data
    try:
        errors: Sequence[Exception] = SigmaRule.from_dict({**data, "detection": _HARMLESS}, collect_errors=True).errors
        searches = read_searches(data["detection"], placeholders)
    except SIGMA_ERRORS as error:
        errors, searches = [error], None
    problems += [sigma_problem(draft.document, error) for error in errors]
    return searches if not errors else None


def _condition(
    draft: Draft, conditions: Sequence[SigmaCondition], filters: Sequence[SigmaCondition], problems: list[Problem]
) -> Condition | None:
    try:
        return compile_condition(conditions, filters)
    except UnsupportedError as error:
        search = next((name for name in conditions[0].detections.detections if _is_unusable(name, conditions[0])), "")
        problems.append(draft.document.problem(str(error), draft.kind, *([search] if search else [])))
    except SIGMA_ERRORS as error:
        problems.append(draft.document.problem(_wrong_condition(error, draft), draft.kind, "condition"))
    return None


def _is_unusable(search: str, condition: SigmaCondition) -> bool:
    try:
        compile_condition([SigmaCondition(search, condition.detections)], [])
    except UnsupportedError:
        return True
    return False


def _revision(own: str, *others: str) -> str:
    return own if not others else sha256(":".join((own, *others)).encode()).hexdigest()[:16]


def _wrong_condition(error: Exception, draft: Draft) -> str:
    undefined = _UNDEFINED.match(str(error))
    if undefined is not None:
        names = [name for name in draft.document.data[draft.kind] if name != "condition"]
        return f"expected the name of a search (got {undefined[1]}){suggestion(undefined[1], names)}"
    loud = _LOUD.search(" ".join(map(str, _conditions(draft))))
    if loud is not None:
        return f"expected and, or, not, of, all in small letters (got {loud[0]}) – did you mean {loud[0].lower()}?"
    if isinstance(error, RecursionError):
        return "expected a condition that is less deeply nested"
    return f"expected a condition such as `selection and not filter` ({error})"


def _conditions(draft: Draft) -> Sequence[str]:
    condition = draft.document.data[draft.kind]["condition"]
    return condition if isinstance(condition, list) else [condition]


def _link(waiting: list[Draft], drafts: Sequence[Draft], rules: dict[str, Rule], problems: list[Problem]) -> None:
    """Add correlations to the rules, each after those it is built upon."""
    ids = {name: draft.ref.id for draft in drafts for name in draft.names}
    while waiting:
        ready = [draft for draft in waiting if all(_of(name, ids) in rules for name in _inputs(draft))]
        for draft in ready:
            rules[draft.ref.id] = _correlate(draft, ids, rules)
        if not ready:
            problems += [_unlinked(draft, ids, rules) for draft in waiting]
            return
        waiting = [draft for draft in waiting if draft.ref.id not in rules]


def _of(name: str, ids: Mapping[str, str]) -> str:
    return ids.get(canonical(name), "")


def _inputs(draft: Draft) -> list[str]:
    return references(draft.document.data["correlation"])


def _correlate(draft: Draft, ids: Mapping[str, str], rules: Mapping[str, Rule]) -> Rule:
    known = {name: (_of(name, ids), rules[_of(name, ids)].ref.title) for name in _inputs(draft)}
    correlation = build_correlation(draft.document.data["correlation"], known)
    revision = _revision(draft.revision, *(rules[rule_id].revision for rule_id in correlation.inputs))
    lines = draft.document.lines("correlation", "tellwhy")
    return Rule(draft.ref, revision, correlation=correlation, entity=draft.attributes.entity, lines=lines)


def _unlinked(draft: Draft, ids: Mapping[str, str], rules: Mapping[str, Rule]) -> Problem:
    missing = next(name for name in _inputs(draft) if _of(name, ids) not in rules)
    if canonical(missing) in ids:
        expected = f"expected a sound rule that is not built upon this one (got {missing})"
    else:
        expected = f"expected the id or name of a rule (got {missing}){suggestion(missing, ids)}"
    return draft.document.problem(expected, "correlation", "rules")
