"""Sigma filters: conditions that are added to rules of others, so that nobody edits their files.

A filter adds its condition to the plain rules that it names (by id or `name`, or `any`) and whose logsource its own
contains. Correlations have no events of their own to filter: they see what the rules that they are built upon let
through (as in pySigma).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sigma.conditions import SigmaCondition
from sigma.filters import SigmaFilter

from daemon.detection.attributes import suggestion
from daemon.detection.rules_check import SIGMA_ERRORS
from daemon.detection.rules_draft import Draft, canonical
from daemon.detection.searches import Placeholders, read_searches
from daemon.model import Logsource, Problem

_HARMLESS = {"s": {"a": 1}, "condition": "s"}


class Exclusion(Struct, frozen=True):
    """A filter: the condition that it adds to the rules it is for (`names` None: all of its logsource)."""

    draft: Draft
    logsource: Logsource
    names: frozenset[str] | None
    condition: SigmaCondition

    def is_for(self, draft: Draft) -> bool:
        """Whether it adds its condition to this plain rule."""
        named = self.names is None or not self.names.isdisjoint(draft.names)
        return named and _contains(self.logsource, logsource_of(draft))


def logsource_of(draft: Draft) -> Logsource:
    """The logsource that a document asks for, in lower case; empty parts mean anything."""
    said = draft.document.data["logsource"]
    return Logsource(*(str(said.get(key) or "").lower() for key in ("product", "category", "service")))


def _contains(outer: Logsource, inner: Logsource) -> bool:
    return (
        outer.product in {"", inner.product}
        and outer.category in {"", inner.category}
        and outer.service in {"", inner.service}
    )


def read_exclusion(
    draft: Draft, drafts: Sequence[Draft], placeholders: Placeholders, problems: list[Problem]
) -> Exclusion | None:
    """A filter, or None and what is wrong with it. One that names no existing rule would filter nothing, silently."""
    section = draft.document.data["filter"]
    names, lost = _names(section.get("rules"), drafts)
    known = [name for one in drafts if one.kind != "filter" for name in one.names]
    problems += [
        draft.document.problem(
            f"expected a rule or `any` (got {'nothing' if name is None else name}){_meant(name, drafts, known)}",
            *("filter", "rules"),
        )
        for name in lost
    ]
    if lost:
        return None
    try:
        SigmaFilter.from_dict({**draft.document.data, "filter": {**_HARMLESS, "rules": "any"}})
        condition = read_searches(section, placeholders, "rules").parsed_condition[0]
    except SIGMA_ERRORS as error:
        problems.append(draft.document.problem(f"expected valid Sigma ({error})", "filter"))
        return None
    return Exclusion(draft, logsource_of(draft), names, condition)


def _meant(name: Any, drafts: Sequence[Draft], known: Sequence[str]) -> str:
    """The id of the rule whose title was given, else the name that is nearly it."""
    titled = [one.ref.id for one in drafts if one.kind != "filter" and one.ref.title.casefold() == str(name).casefold()]
    return (
        f" – did you mean {titled[0]}, the id of the rule with this title?" if titled else suggestion(str(name), known)
    )


def _names(wanted: Any, drafts: Sequence[Draft]) -> tuple[frozenset[str] | None, list[Any]]:
    """The names of rules that a filter is for, None for any, and those that are of no rule."""
    if wanted == [] or (isinstance(wanted, str) and wanted.lower() == "any"):
        return None, []
    known = {name for one in drafts if one.kind != "filter" for name in one.names}
    listed = wanted if isinstance(wanted, list) else [wanted]
    lost = [name for name in listed if not isinstance(name, str) or canonical(name) not in known]
    return frozenset(canonical(name) for name in listed if isinstance(name, str)), lost


def idle_filters(exclusions: Iterable[Exclusion], plain: Sequence[Draft]) -> list[Problem]:
    """Filters that are valid and filter nothing."""
    return [
        one.draft.document.problem(_why_idle(one), "filter", "rules")
        for one in exclusions
        if not any(one.is_for(draft) for draft in plain)
    ]


def _why_idle(exclusion: Exclusion) -> str:
    if exclusion.names is None:
        return "expected a logsource of some rule: this filters nothing"
    return (
        "expected a plain rule of this logsource: this filters nothing (to filter a correlation, name what it counts)"
    )
