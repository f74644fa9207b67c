"""JSON in and out: values → bytes that are safe to print, bytes → checked values or an error that says what to mend."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_PRINTED = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_WHERE = re.compile(r" - at `\$\.?(.*?)`$")


class ShapeError(ValueError):
    """A value that does not fit; `name` of the parameter (empty for the whole) and what was `expected`."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: {expected}")
        self.name = name
        self.expected = expected


def encode(value: Any) -> bytes:
    """JSON in which no character can steer a terminal or a reader: C1 controls, bidirectional marks and tag characters
    are escaped too; a lone surrogate (log bytes that were no UTF-8) becomes its visible escape.
    """
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        text = msgspec.json.encode(_whole(msgspec.to_builtins(value))).decode()
    return _PRINTED.sub(_escaped, text).encode()


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(inner) for key, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list | tuple) else value


def decode_body(data: bytes, shape: type[T]) -> T:
    """A request body → its checked value. Raises ShapeError."""
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), shape) from error
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested without end
        raise ShapeError("", "a JSON object in UTF-8") from error


def decode_query(pairs: Mapping[str, str], shape: type[T]) -> T:
    """Query parameters → their checked values. Raises ShapeError; a parameter given twice is an error too."""
    names = [name for name, _ in pairs.items()]  # the keys of a multidict tell each name once
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ShapeError(_name(twice), "given once")
    try:
        return msgspec.convert(dict(pairs), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), shape) from error


def _misfit(said: str, shape: type[Any]) -> ShapeError:
    """What msgspec said, in terms of the parameter that is meant."""
    known = _properties(shape)
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`( - at `.*`)?", said, re.DOTALL)
    if unknown:
        close = difflib.get_close_matches(unknown[1], known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return ShapeError(_name(unknown[1]), f"one of {', '.join(known) or 'no parameters'}{hint}")
    missing = re.match(r"Object missing required field `(\w+)`", said)
    where = _WHERE.search(said)
    name = missing[1] if missing else where[1] if where else ""
    top = re.split(r"[.\[]", name, maxsplit=1)[0]
    if top not in known:
        return ShapeError("", "a JSON object")
    return ShapeError(name, words(known[top]))


def _name(text: str) -> str:
    """A name that a client made up, fit to be repeated."""
    return re.sub(r"[^\w.-]", "?", text, flags=re.ASCII)[:40] or "(empty)"


def _properties(shape: type[Any]) -> dict[str, dict[str, Any]]:
    (reference,), components = msgspec.json.schema_components([shape], ref_template="{name}")
    found: dict[str, dict[str, Any]] = components[reference["$ref"]]["properties"]
    return found


def words(schema: Mapping[str, Any]) -> str:
    """A JSON schema in words: what error messages and the documentation say of a parameter."""
    if "description" in schema:
        return str(schema["description"])
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"])
    return "as in /api/v1/openapi.json"
