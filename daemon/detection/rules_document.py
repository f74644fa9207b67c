"""The text of a rule file → YAML documents that know the line of each of their keys.

Documents are cut at `---` lines before YAML sees them, so that one with bad syntax does not take its neighbours along.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any, TypeAlias, Union

import yaml
from msgspec import Struct

from daemon.detection.wording import shorten, visible
from daemon.model import Problem

_CUT = re.compile(r"^(?:---|\.\.\.)(?=\s|$)", re.MULTILINE)
_NOT_EMPTY = re.compile(r"^(?!---\s*(?:#|$)|\.\.\.\s*(?:#|$)|\s*(?:#|$)|%).", re.MULTILINE)
_DEEPEST = 64
_MOST_NODES = 20_000
_TOO_LARGE = f"expected at most {_DEEPEST} levels and {_MOST_NODES} values, aliases included"
_FILE = "(file)"


class Collection(Struct, frozen=True):
    """Where a mapping or a list and its parts begin: the places of keys and of what they hold, or those of items."""

    line: int
    keys: dict[str, tuple[int, "Place"]] = {}
    items: tuple["Place", ...] = ()


Place: TypeAlias = Union[int, Collection]  # noqa: UP007 - a name that is not there yet
"""Of a value: its line in the document, from 0. YAML's own nodes know it as well, in thirty times the memory."""


class Document(Struct, frozen=True):
    """One YAML document that holds a mapping. `line` is where it starts in its file, from 1."""

    path: str
    line: int
    data: dict[str, Any]
    places: Collection
    revision: str

    def line_of(self, *keys: str | int) -> int:
        """The line on which the deepest part of this location that exists stands."""
        place: Place = self.places
        offset = self.places.line
        for key in keys:
            found = _part(place, key)
            if found is None:
                break
            offset, place = found
        return self.line + offset

    def lines(self, *sections: str) -> dict[str, int]:
        """The lines of these sections and of each of their keys (`detection.selection`), and of the document ("")."""
        found = {"": self.line_of()}
        for section in sections:
            found[section] = self.line_of(section)
            value = self.data.get(section)
            for key in value if isinstance(value, dict) else ():
                found[f"{section}.{key}"] = self.line_of(section, key)
        return found

    def problem(self, expected: str, *keys: str | int) -> Problem:
        """A problem at a location of this document."""
        said = visible(shorten(expected, 400))
        return Problem(self.path, self.line_of(*keys), ".".join(map(str, keys)) or "(rule)", said)


def read_documents(path: str, text: str) -> tuple[list[Document], list[Problem]]:
    """The documents of one file, and what is wrong with the others. Empty documents are left out."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for line, chunk in _chunks(text.removeprefix("\ufeff")):
        found = _read(path, line, chunk)
        if isinstance(found, Document):
            documents.append(found)
        else:
            problems.append(found)
    if not documents and not problems:
        problems.append(Problem(path, 1, _FILE, "expected a rule (the file is empty)"))
    return documents, problems


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    starts = [0, *(match.start() for match in _CUT.finditer(text)), len(text)]
    line = 1
    for start, end in pairwise(starts):
        chunk = text[start:end]
        if _NOT_EMPTY.search(chunk) or _inline(chunk):
            yield line, chunk.removeprefix("...")
        line += chunk.count("\n")


def _inline(chunk: str) -> bool:
    """Whether content stands on the marker's own line: `--- {title: …}`."""
    first = chunk.split("\n", 1)[0]
    return first.startswith("---") and first[3:].strip() != "" and not first[3:].strip().startswith("#")


def _read(path: str, line: int, chunk: str) -> Document | Problem:
    try:
        return _text_problem(path, line, chunk) or _compose(path, line, chunk)
    except yaml.YAMLError as error:
        return _yaml_problem(path, line, chunk, error)
    except ValueError as error:  # a lone surrogate
        return Problem(path, line, "(yaml)", f"expected valid YAML ({visible(shorten(str(error)))})")


def _compose(path: str, line: int, chunk: str) -> Document | Problem:
    loader = yaml.CSafeLoader(chunk)
    root = loader.get_single_node()
    if not isinstance(root, yaml.MappingNode):
        at = line + (root.start_mark.line if root is not None else 0)
        return Problem(path, at, "(rule)", "expected keys and values")
    problem = _shape_problem(path, line, root) or _value_problem(path, line, loader, root)
    if problem is not None:
        return problem
    body = chunk.removeprefix("---").strip()
    revision = sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    places = _places(root)
    assert isinstance(places, Collection)
    return Document(path, line, loader.construct_document(root), places, revision)


def _places(node: yaml.Node) -> Place:
    line = int(node.start_mark.line)
    if isinstance(node, yaml.MappingNode):
        return Collection(line, {name.value: (name.start_mark.line, _places(child)) for name, child in node.value})
    if isinstance(node, yaml.SequenceNode):
        return Collection(line, items=tuple(map(_places, node.value)))
    return line


def _yaml_problem(path: str, line: int, chunk: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", None)
    offset = mark.line if mark else chunk[:position].count("\n") if isinstance(position, int) else 0
    offset = min(offset, chunk.rstrip().count("\n"))  # what is missing at the end is missed on the next line
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n", 1)[0]
    quote = _open_quote(chunk, error)
    if quote is not None:
        return Problem(
            path, line + quote, "(yaml)", "expected a quote that ends (the one that begins on this line does not)"
        )
    if mark is not None and _is_tab(chunk, mark):
        column = chunk.split("\n")[mark.line].index("\t") + 1
        return Problem(path, line + offset, "(yaml)", f"expected blanks to indent with (got a tab in column {column})")
    return Problem(path, line + offset, "(yaml)", f"expected valid YAML ({visible(str(said))})")


def _is_tab(chunk: str, mark: yaml.Mark) -> bool:
    """Whether the line at which YAML stumbles is indented with a tab."""
    lines = chunk.split("\n")
    text = lines[mark.line] if mark.line < len(lines) else ""
    return "\t" in text[: len(text) - len(text.lstrip())]


def _open_quote(chunk: str, error: yaml.YAMLError) -> int | None:
    """The line on which a quote begins that has no end, or ends where another was meant to begin; None if unknown."""
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return None
    if context is not None and getattr(error, "context", "") == "while scanning a quoted scalar":
        return int(context.line)
    found = None
    try:
        for token in yaml.scan(chunk, Loader=yaml.CSafeLoader):
            quoted = isinstance(token, yaml.ScalarToken) and token.style in {"'", '"'}
            if quoted and token.start_mark.line < token.end_mark.line == mark.line:
                found = int(token.start_mark.line)
    except yaml.YAMLError:
        pass  # it is the error that is being told
    return found


def _text_problem(path: str, line: int, chunk: str) -> Problem | None:
    """Bytes that were no UTF-8, and nesting without end, which would overflow the C stack when composed."""
    if "\ufffd" in chunk:
        at = line + chunk[: chunk.index("\ufffd")].count("\n")
        return Problem(path, at, _FILE, "expected UTF-8 text (got bytes that are not)")
    depth = 0
    for seen, event in enumerate(yaml.parse(chunk, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or seen > 2 * _MOST_NODES:
            return Problem(path, line + getattr(event.start_mark, "line", 0), "(yaml)", _TOO_LARGE)
    return None


def _shape_problem(path: str, line: int, root: yaml.MappingNode) -> Problem | None:
    """What would make the constructed value treacherous: odd keys, a key twice, aliases that grow without end."""
    stack: list[tuple[yaml.Node, int, str]] = [(root, 0, "")]
    seen = 0
    while stack:
        node, depth, key = stack.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST_NODES:
            return Problem(path, line + node.start_mark.line, shorten(key, 60) or "(rule)", _TOO_LARGE)
        if isinstance(node, yaml.MappingNode):
            wrong = _key_problem(node, key)
            if wrong is not None:
                return Problem(path, line + wrong[0], wrong[1], wrong[2])
            stack += [(child, depth + 1, _joined(key, name.value)) for name, child in node.value]
        elif isinstance(node, yaml.SequenceNode):
            stack += [(child, depth + 1, _joined(key, str(i))) for i, child in enumerate(node.value)]
    return None


def _value_problem(path: str, line: int, loader: yaml.CSafeLoader, root: yaml.MappingNode) -> Problem | None:
    """A value that looks like a date and is none (`2024-13-45`)."""
    for name, child in root.value:
        try:
            loader.construct_object(child, deep=True)
        except yaml.YAMLError:
            raise
        except ValueError as error:
            return Problem(path, line + name.start_mark.line, str(name.value), f"expected a valid value ({error})")
    return None


def _key_problem(node: yaml.MappingNode, key: str) -> tuple[int, str, str] | None:
    names: set[str] = set()
    for name, _ in node.value:
        if not isinstance(name, yaml.ScalarNode) or not name.tag.endswith((":str", ":merge")):
            shown = visible(shorten(str(name.value), 40)) if isinstance(name, yaml.ScalarNode) else "a collection"
            return name.start_mark.line, key or "(rule)", f"expected keys that are text (got {shown})"
        if name.value in names:
            return name.start_mark.line, _joined(key, name.value), "expected each key once"
        names.add(name.value)
    return None


def _joined(key: str, name: Any) -> str:
    return f"{key}.{name}" if key else str(name)


def _part(place: Place, key: str | int) -> tuple[int, Place] | None:
    """Where a part of a value begins (a key, not what it holds), and the place of that part."""
    if isinstance(place, int):
        return None
    if isinstance(key, int) and key < len(place.items):
        item = place.items[key]
        return (item if isinstance(item, int) else item.line), item
    return place.keys.get(str(key))
