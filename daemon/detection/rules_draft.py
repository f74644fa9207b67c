"""Rule documents that are right in themselves: what people need to know of each, before they meet one another."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import Struct

from daemon.detection.attributes import Attributes, read_attributes
from daemon.detection.rules_check import check_rule
from daemon.detection.rules_correlation import check_correlation
from daemon.detection.rules_document import Document, read_documents
from daemon.detection.searches import NOTHING, Placeholders
from daemon.model import Problem, RuleRef, Severity

_TECHNIQUE = re.compile(r"t\d{4}(\.\d{3})?")
_NO_TACTIC = re.compile(r"(?:ta?|g|s|c|m|ds|det)\d{3,}.*")  # ATT&CK ids: techniques, groups, software, campaigns …


class Draft(Struct, frozen=True):
    """One document, its `tellwhy:` attribute read. `kind` is `detection`, `correlation` or `filter`."""

    document: Document
    kind: str
    ref: RuleRef
    attributes: Attributes

    @property
    def where(self) -> str:
        """`path:line`, to name it in a problem of another."""
        return f"{self.document.path}:{self.document.line}"

    @property
    def names(self) -> tuple[str, ...]:
        """How another rule may refer to it: by id, or by `name`."""
        name = self.document.data.get("name")
        return (self.ref.id, name) if name else (self.ref.id,)

    @property
    def revision(self) -> str:
        """A hash of its text."""
        return self.document.revision


def canonical(name: str) -> str:
    """A reference to a rule as `names` has it: an id may be written in any case."""
    try:
        return str(UUID(name))
    except ValueError:
        return name


def read_drafts(files: Mapping[str, str], placeholders: Placeholders = NOTHING) -> tuple[list[Draft], list[Problem]]:
    """The sound documents of all files, in order, and what is wrong with the others."""
    drafts: list[Draft] = []
    problems: list[Problem] = []
    taken: dict[str, Draft] = {}
    for path, text in files.items():
        documents, unreadable = read_documents(path, text)
        problems += unreadable
        for document in documents:
            draft, wrong = _draft(document, placeholders)
            wrong = wrong or _clashes(draft, taken)
            problems += wrong
            if not wrong:
                drafts.append(draft)
                taken.update(dict.fromkeys(draft.names, draft))
    return drafts, problems


def _draft(document: Document, placeholders: Placeholders) -> tuple[Draft, list[Problem]]:
    problems = check_rule(document, placeholders)
    kind = next((kind for kind in ("correlation", "filter") if kind in document.data), "detection")
    if kind == "correlation":
        problems += check_correlation(document, sound=not problems)
    attributes, wrong = read_attributes(document)
    problems += wrong
    ref = RuleRef("", "", Severity.medium) if problems else _reference(document, attributes)
    return Draft(document, kind, ref, attributes), problems


def _clashes(draft: Draft, taken: Mapping[str, Draft]) -> list[Problem]:
    keys = ("id" if "id" in draft.document.data else "title", "name")
    return [
        draft.document.problem(f"expected a value of its own (got {name}, as in {taken[name].where})", key)
        for key, name in zip(keys, draft.names, strict=False)
        if name in taken
    ]


def _reference(document: Document, attributes: Attributes) -> RuleRef:
    """A rule without an id gets one from its path and title, the same on every start."""
    data = document.data
    tags = [str(tag).lower() for tag in _listed(data, "tags")]
    attack = [tag.removeprefix("attack.") for tag in tags if tag.startswith("attack.")]
    severity = Severity[str(data.get("level") or "medium").lower()]
    given = data.get("id")
    return RuleRef(
        id=str(UUID(given)) if given else str(uuid5(NAMESPACE_URL, f"{document.path}#{data['title']}")),
        title=data["title"].strip(),
        severity=max(severity, attributes.severity_floor),
        description=" ".join(_text(data, "description").split()),
        author=_text(data, "author"),
        license=_text(data, "license"),
        techniques=tuple(tag.upper() for tag in attack if _TECHNIQUE.fullmatch(tag)),
        tactics=tuple(tag for tag in attack if not _NO_TACTIC.fullmatch(tag)),
        references=tuple(str(one) for one in _listed(data, "references")),
        falsepositives=tuple(str(one) for one in _listed(data, "falsepositives")),
        runbook=attributes.runbook,
        path=document.path,
    )


def _text(data: Mapping[str, Any], key: str) -> str:
    return str(data.get(key) or "").strip()


def _listed(data: Mapping[str, Any], key: str) -> Sequence[Any]:
    return data.get(key) or ()
