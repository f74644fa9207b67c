"""What is valid in a document and surely not meant: keys that are nearly Sigma's, modifiers that do nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from msgspec.structs import replace

from daemon.detection.rules_document import Document
from daemon.detection.rules_draft import Draft
from daemon.detection.searches import NOTHING, Placeholders, has_placeholder
from daemon.detection.wording import shorten, visible
from daemon.model import Problem, RuleRef

_KEYS = (
    *("title", "id", "name", "status", "description", "references", "author", "date", "modified", "license", "level"),
    *("tags", "fields", "falsepositives", "logsource", "detection", "correlation", "filter", "related", "taxonomy"),
    *("scope", "tellwhy"),
)
_NEARLY = 0.8
_NOT_SEARCHES = frozenset({"condition", "timeframe", "rules"})
_TITLE = 80


def doubts_about(
    drafts: Iterable[Draft], crowded: Collection[str], placeholders: Placeholders = NOTHING
) -> Iterator[Problem]:
    """What is doubtful in these documents; `crowded` are the files that hold several, `placeholders` what `expand` may
    name.
    """
    for draft in drafts:
        for problem in doubts_of(draft, placeholders):
            yield in_file(problem, draft.ref, crowded)


def crowded_files(refs: Iterable[RuleRef]) -> frozenset[str]:
    """The files that hold several rules, where a line alone does not tell a reader which is meant."""
    return frozenset(path for path, number in Counter(ref.path for ref in refs).items() if number > 1)


def in_file(problem: Problem, ref: RuleRef, crowded: Collection[str]) -> Problem:
    """A problem of a rule, which is named where its file holds others."""
    if ref.path not in crowded:
        return problem
    return replace(problem, expected=f"{problem.expected} [{visible(shorten(ref.title, _TITLE))}]")


def doubts_of(draft: Draft, placeholders: Placeholders = NOTHING) -> Iterator[Problem]:
    """What is doubtful in one document."""
    document = draft.document
    if "id" not in document.data and draft.kind != "filter":
        said = "expected an id, a UUID: without one a new title or path makes it another rule, which forgets the past"
        yield document.problem(said, "id")
    for key in document.data:
        near = [] if key in _KEYS else get_close_matches(key, _KEYS, n=1, cutoff=_NEARLY)
        if near:
            yield document.problem(f"expected a key of Sigma: this one does nothing – did you mean {near[0]}?", key)
    if draft.kind != "correlation":
        for name, search in document.data[draft.kind].items():
            if name not in _NOT_SEARCHES:
                yield from _of_search(document, search, (draft.kind, name), placeholders)


def _of_search(
    document: Document, search: Any, at: tuple[str | int, ...], placeholders: Placeholders
) -> Iterator[Problem]:
    if isinstance(search, list):
        for number, one in enumerate(search):
            yield from _of_search(document, one, (*at, number), placeholders)
    elif isinstance(search, dict):
        for item, value in search.items():
            yield from (document.problem(expected, *at, item) for expected in _of_item(item, value, placeholders))


def _of_item(item: str, value: Any, placeholders: Placeholders) -> Iterator[str]:
    modifiers = item.split("|")[1:]
    values = value if isinstance(value, list) else [value]
    if "expand" in modifiers and not any(has_placeholder(str(one)) for one in values):
        yield "expected a placeholder such as %admins%: expand does nothing here"
    plain = "" if "expand" in modifiers else " ".join(map(str, values))
    unfilled = next((name for name in placeholders if f"%{name}%" in plain), "")
    if unfilled:
        yield f"expected expand: without it %{unfilled}% is taken as it stands"
    if (
        "windash" in modifiers
        and "expand" not in modifiers
        and not any("-" in str(one) or "/" in str(one) for one in values)
    ):
        yield "expected a dash such as in -f: windash does nothing here"
    if "base64offset" in modifiers and "contains" not in modifiers:
        yield "expected base64offset with contains: a value is never all of what it looks for"
