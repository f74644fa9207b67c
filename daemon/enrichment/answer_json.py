"""A model's text → the JSON object in it, or None. Hostile text costs linear time and never recurses deeply."""

import json
import math
import re
from typing import Any

MAX_BYTES = 65_536
MAX_DEPTH = 20
_FENCE = re.compile(r"```[A-Za-z]{0,10}[ \t]*\r?\n(.*?)```", re.DOTALL)
_THOUGHTS = "</think>"


class _RejectedError(ValueError):
    """It is JSON, but of a kind that two readers would understand differently."""


def read_object(text: str) -> dict[str, Any] | None:
    """The object that is the whole text, or stands in a code fence, or is the first balanced one in prose.

    Duplicate keys, NaN, infinities, more than 20 levels or more than 64 KiB are refused, not searched around.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return None
    text = text.rpartition(_THOUGHTS)[2].strip().removeprefix("\ufeff")
    try:
        for candidate in _candidates(text):
            found = _loads(candidate)
            if isinstance(found, dict):
                return found
            if found is not None:
                return None
    except _RejectedError:
        return None
    return None


def _candidates(text: str) -> list[str]:
    fenced = _FENCE.search(text) if "```" in text else None
    return [text, *([fenced[1].strip()] if fenced else []), *_balanced(text)]


def _loads(text: str) -> Any:
    """The value, or None if this is not JSON."""
    if _depth(text) > MAX_DEPTH:
        raise _RejectedError
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refused,
            parse_float=_finite,
            parse_int=lambda digits: int(digits[:18]),
        )
    except _RejectedError:
        raise
    except ValueError:
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RejectedError
    return found


def _refused(_: str) -> float:
    raise _RejectedError


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _RejectedError
    return number


def _depth(text: str) -> int:
    depth = deepest = 0
    for char, _ in _structure(text):
        depth = depth + 1 if char in "{[" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _balanced(text: str) -> list[str]:
    """The balanced objects at the top level of the text, at most eight."""
    found: list[str] = []
    start, depth = -1, 0
    for char, at in _structure(text):
        if char == "{":
            start = at if depth == 0 else start
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                found.append(text[start : at + 1])
    return found[:8]


def _structure(text: str) -> list[tuple[str, int]]:
    """Brackets and braces outside of strings. A string only begins inside of a bracket: prose has quotes too."""
    marks: list[tuple[str, int]] = []
    depth, quoted, escaped = 0, False, False
    for at, char in enumerate(text):
        if quoted:
            quoted = escaped or char != '"'
            escaped = not escaped and char == "\\"
        elif char == '"':
            quoted = depth > 0
        elif char in "{[":
            depth += 1
            marks.append((char, at))
        elif char in "}]":
            depth = max(depth - 1, 0)
            marks.append((char, at))
    return marks
