"""Which fields a document names, and where: for whoever tells people that a field is mistyped."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from msgspec import Struct

from daemon.detection.rules_document import Document
from daemon.model import Logsource, RuleRef

_NOT_SEARCHES = frozenset({"condition", "timeframe", "rules"})
_OF_ATTRIBUTE = ("entity", "title_from", "techniques_from")
_Place: TypeAlias = tuple[str | int, ...]


class Mention(Struct, frozen=True, gc=False):
    """A field that is named at a key of a document. `key` is as people write it: `detection.selection.Image`."""

    field: str
    key: str
    line: int


class Reads(Struct, frozen=True):
    """A rule or a filter, and the fields that it names."""

    ref: RuleRef
    logsource: Logsource
    mentions: tuple[Mention, ...]


def mentions_in(document: Document, kind: str) -> tuple[Mention, ...]:
    """The fields of the searches of a `detection` or `filter`, those that `fieldref` refers to, and those of
    `tellwhy` (`entity`, `title_from`, `techniques_from`); of a `correlation` the last alone. The document is sound.
    """
    found: dict[tuple[str, str], Mention] = {}
    for field, key, place in (*_of_section(document, kind), *_of_attribute(document)):
        found.setdefault((field, key), Mention(field, key, document.line_of(*place)))
    return tuple(found.values())


def _of_section(document: Document, kind: str) -> Iterator[tuple[str, str, _Place]]:
    if kind == "correlation":
        return
    for name, search in document.data[kind].items():
        if name not in _NOT_SEARCHES:
            for field, place in _of_search(search, (kind, name)):
                item = str(place[-1])
                named = item.partition("|")[0]
                yield field, f"{kind}.{name}.{named if named == field else item}", place


def _of_search(search: Any, at: _Place) -> Iterator[tuple[str, _Place]]:
    if isinstance(search, list):
        for number, one in enumerate(search):
            yield from _of_search(one, (*at, number))
    elif isinstance(search, dict):
        for item, value in search.items():
            field, *modifiers = item.split("|")
            if field:
                yield field, (*at, item)
            if "fieldref" in modifiers:
                yield from ((str(one), (*at, item)) for one in (value if isinstance(value, list) else [value]))


def _of_attribute(document: Document) -> Iterator[tuple[str, str, _Place]]:
    attribute = document.data.get("tellwhy")
    known: dict[str, Any] = attribute if isinstance(attribute, dict) else {}
    for key in _OF_ATTRIBUTE:
        given, place = known.get(key, []), ("tellwhy", key)
        if isinstance(given, str):
            yield given, ".".join(place), place
        for number, field in enumerate(given if isinstance(given, list) else []):
            yield field, ".".join(place), (*place, number)
