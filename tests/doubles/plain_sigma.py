"""Sigma read as plainly as its specification is written: a slow second opinion on what an event matches.

It shares nothing with `daemon.detection` and nothing with pySigma: its own reading of modifiers, wildcards and
conditions, Python's `re`, `ipaddress` and `base64`. Only sound rules are given to it.
"""

import base64
import ipaddress
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Fields = Mapping[str, Any]
Placeholders = Mapping[str, Sequence[str]]
_COMPARE = {
    "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b, "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b,
}  # fmt: skip
_PARTS = ("minute", "hour", "day", "week", "month", "year")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_DASHES = "-/\u2013\u2014\u2015"
ANY, ONE = object(), object()


def matches(detection: Mapping[str, Any], fields: Fields, text: str, placeholders: Placeholders | None = None) -> bool:
    """Whether an event with these fields and this text matches a `detection` section."""
    conditions = detection["condition"] if isinstance(detection["condition"], list) else [detection["condition"]]
    searches = {name: value for name, value in detection.items() if name != "condition"}
    event = Event(fields, text, placeholders or {})
    return any(Condition(condition, searches, event).holds() for condition in conditions)


class Event:
    """An event, asked about one search or item at a time."""

    def __init__(self, fields: Fields, text: str, placeholders: Placeholders) -> None:
        self.fields, self.text, self.placeholders = fields, text, placeholders

    def search(self, definition: Any) -> bool:
        if isinstance(definition, dict):
            return all(self.item(*split(key), value) for key, value in definition.items())
        if isinstance(definition, list) and any(isinstance(one, dict | list) for one in definition):
            return any(self.search(one) for one in definition)
        return self.item(None, [], definition)

    def item(self, field: str | None, modifiers: list[str], value: Any) -> bool:
        values = value if isinstance(value, list) else [value]
        found = [self.value(field, modifiers, one) for one in values]
        held = (all if "all" in modifiers else any)(found) if values else not self.texts(field)
        return not held if "neq" in modifiers else held

    def texts(self, field: str | None) -> list[str]:
        if field is None:
            return [self.text]
        value = self.fields.get(field)
        if value is None:
            return []
        return [written(one) for one in (value if isinstance(value, tuple) else (value,))]

    def value(self, field: str | None, modifiers: list[str], value: Any) -> bool:
        if "expand" in modifiers:
            rest = [name for name in modifiers if name != "expand"]
            return any(self.value(field, rest, one) for one in filled(value, self.placeholders))
        if "exists" in modifiers:
            return (field in self.fields) is value
        if "fieldref" in modifiers:
            return any(self.refers(modifiers, one, other) for one in self.texts(field) for other in self.texts(value))
        return (
            (not self.texts(field))
            if value is None
            else any(meets(one, field, modifiers, value) for one in self.texts(field))
        )

    @staticmethod
    def refers(modifiers: list[str], one: str, other: str) -> bool:
        one, other = plain(one), plain(other)
        if "contains" in modifiers:
            return other in one
        if "startswith" in modifiers:
            return one.startswith(other)
        return one.endswith(other) if "endswith" in modifiers else one == other


def meets(text: str, field: str | None, modifiers: list[str], value: Any) -> bool:
    """Whether one text of a field is what one value asks for."""
    part = next((name for name in modifiers if name in _PARTS), "")
    compare = next((_COMPARE[name] for name in modifiers if name in _COMPARE), None)
    if compare or part:
        found = part_of(text, part) if part else number(text)
        return found is not None and (compare(found, value) if compare else found == value)
    if "cidr" in modifiers:
        return inside(text, value)
    if "re" in modifiers:
        flags = sum(_FLAGS[name] for name in modifiers if name in _FLAGS)
        return re.search(value, text, flags) is not None
    if isinstance(value, bool | int | float):
        wanted = written(value)
        return token_in(plain(text), wanted) if field is None else plain(text) == wanted
    return any(like(text, field, pattern, cased="cased" in modifiers) for pattern in patterns(value, modifiers))


def like(text: str, field: str | None, pattern: list[Any], *, cased: bool) -> bool:
    """Whether a text is a sequence of characters, ANYs and ONEs; a keyword may stand anywhere in it."""
    made = "".join(
        ".*" if one is ANY else "." if one is ONE else re.escape(one if cased else plain(one)) for one in pattern
    )
    subject = text if cased else plain(text)
    return (re.search if field is None else re.fullmatch)(made, subject, re.DOTALL) is not None


def patterns(value: str, modifiers: list[str]) -> list[list[Any]]:
    """The sequences that a text may be, after the modifiers that make other text of it."""
    found = [pieces(value)]
    for name in modifiers:
        found = [made for one in found for made in altered(one, name)]
    return found


def altered(pattern: list[Any], modifier: str) -> list[list[Any]]:
    return _ALTERED[modifier](pattern) if modifier in _ALTERED else [pattern]


def raw(pattern: list[str]) -> bytes:
    text = "".join(pattern)
    return b"\xff\xfe" + text[1:].encode() if text.startswith("\ufeff") else text.encode()


def offsets(data: bytes) -> Iterator[str]:
    """The characters that are the same whatever stands before and behind, for the three places in a group of three."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data).decode()
        yield whole[-(-8 * before // 6) : 8 * (before + len(data)) // 6]


def dashed(pattern: list[Any]) -> Iterator[list[Any]]:
    """A dash or slash before a word and behind none, in each of its spellings. A wildcard ends what is looked at."""

    def word(place: int) -> bool:
        one = pattern[place] if 0 <= place < len(pattern) else ""
        return isinstance(one, str) and (one == "_" or one.isalnum())

    choices = [
        _DASHES if one in ("-", "/") and not word(place - 1) and word(place + 1) else [one]
        for place, one in enumerate(pattern)
    ]
    yield from (list(one) for one in itertools.product(*choices))


def pieces(value: str) -> list[Any]:
    """A value with its wildcards; a backslash takes the meaning of a wildcard or of another backslash."""
    found: list[Any] = []
    rest = value
    while rest:
        if rest[0] == "\\" and rest[1:2] in ("*", "?", "\\"):
            found.append(rest[1])
            rest = rest[2:]
        else:
            found.append({"*": ANY, "?": ONE}.get(rest[0], rest[0]))
            rest = rest[1:]
    return found


def filled(value: str, placeholders: Placeholders) -> Iterator[str]:
    place = re.search(r"(?<!\\)%(\w+)%", value)
    if place is None:
        yield value.replace("\\%", "%")
        return
    for one in placeholders[place[1]]:
        for rest in filled(value[place.end() :], placeholders):
            yield value[: place.start()].replace("\\%", "%") + one + rest


def split(key: str) -> tuple[str | None, list[str]]:
    field, *modifiers = key.split("|")
    return field or None, modifiers


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def plain(text: str) -> str:
    """Character by character in lower case."""
    return "".join({"İ": "i", "\u03c2": "\u03c3", "\u03a3": "\u03c3"}.get(one) or one.lower() for one in text)


def number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text) else None


def part_of(text: str, part: str) -> int | None:
    try:
        seconds = number(text)
        at = datetime.fromtimestamp(seconds, UTC) if seconds is not None else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isocalendar()[1] if part == "week" else int(getattr(at, part))


def inside(text: str, network: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    wanted = ipaddress.ip_network(network)
    return address in wanted or (mapped is not None and mapped in wanted)


def token_in(text: str, wanted: str) -> bool:
    """A number or truth value in free text: not as a part of another word, number, address or time."""

    def word(one: str) -> bool:
        return one == "_" or unicodedata.category(one)[0] in "LN"

    for place in range(len(text) - len(wanted) + 1):
        before, after = text[:place][-1:], text[place + len(wanted) :]
        if text[place : place + len(wanted)] != wanted or (before and (word(before) or before in ".:-")):
            continue
        if not after or not (word(after[0]) or after[0] in ".:-"):
            return True
        if after[0] in ".:" and (len(after) == 1 or not word(after[1])):
            return True
    return False


class Condition:
    """A condition: `or` binds least, then `and`, then `not`."""

    def __init__(self, condition: str, searches: Mapping[str, Any], event: Event) -> None:
        self.words = re.findall(r"[()]|[^\s()]+", condition)
        self.searches, self.event = searches, event

    def holds(self) -> bool:
        found = self.either()
        assert not self.words, self.words
        return found

    def take(self, word: str) -> bool:
        if self.words[:1] != [word]:
            return False
        del self.words[0]
        return True

    def either(self) -> bool:
        found = self.both()
        while self.take("or"):
            found = self.both() or found
        return found

    def both(self) -> bool:
        found = self.one()
        while self.take("and"):
            found = self.one() and found
        return found

    def one(self) -> bool:
        if self.take("not"):
            return not self.one()
        if self.take("("):
            found = self.either()
            assert self.take(")")
            return found
        word = self.words.pop(0)
        if word in {"1", "any", "all"} and self.take("of"):
            held = [self.event.search(self.searches[name]) for name in self.meant(self.words.pop(0))]
            assert held
            return all(held) if word == "all" else any(held)
        return self.event.search(self.searches[word])

    def meant(self, pattern: str) -> list[str]:
        spelled = ".*" if pattern == "them" else ".*".join(map(re.escape, pattern.split("*")))
        hidden = pattern.startswith("_")
        return [n for n in self.searches if re.fullmatch(spelled, n) and (hidden or not n.startswith("_"))]


_ALTERED: dict[str, Callable[[list[Any]], list[list[Any]]]] = {
    "contains": lambda pattern: [[ANY, *pattern, ANY]],
    "startswith": lambda pattern: [[*pattern, ANY]],
    "endswith": lambda pattern: [[ANY, *pattern]],
    "windash": lambda pattern: list(dashed(pattern)),
    "wide": lambda pattern: [[half for one in pattern for half in (one, "\0")]],
    "utf16le": lambda pattern: [[half for one in pattern for half in (one, "\0")]],
    "utf16be": lambda pattern: [[half for one in pattern for half in ("\0", one)]],
    "utf16": lambda pattern: [["\ufeff", *(half for one in pattern for half in (one, "\0"))]],
    "base64": lambda pattern: [list(base64.b64encode(raw(pattern)).decode())],
    "base64offset": lambda pattern: [list(one) for one in offsets(raw(pattern))],
}
