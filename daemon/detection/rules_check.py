"""What is wrong with a rule document, key by key: every problem at once, each with its line.

pySigma stops at the first error of a section and knows no lines, so sections are shown to it in pieces.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from sigma.exceptions import SigmaError

from daemon.detection.attributes import suggestion
from daemon.detection.expressions import ExpressionError
from daemon.detection.rules_document import Document
from daemon.detection.searches import MODIFIERS, Placeholders, UnusableError, read_item
from daemon.model import Problem, Severity

_STATUS = ("stable", "test", "experimental", "deprecated", "unsupported")
_KINDS = ("detection", "correlation", "filter")
_LOGSOURCE = ("product", "category", "service")
_LONGEST_TITLE = 256
_INCOMPATIBLE = re.compile(r"Modifier (Sigma\w+Modifier) incompatible to value type of .*", re.DOTALL)
_FLAGS = frozenset({"i", "ignorecase", "m", "multiline", "s", "dotall"})
_NUMBER: tuple[str, Any] = ("a number", int | float)
_WANTED: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"), _NUMBER),
    "exists": ("true or false", bool),
}
"""What goes with a modifier; text goes with all others."""
SIGMA_ERRORS = (SigmaError, AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)
"""What pySigma raises for malformed input: its own errors, and those of Python where it does not look."""


def check_rule(document: Document, placeholders: Placeholders) -> list[Problem]:
    """Everything that can be told wrong from the document alone; `placeholders` are what `expand` may name."""
    return [*_check_header(document), *_check_kind(document, placeholders)]


def sigma_problem(document: Document, error: Exception) -> Problem:
    """What pySigma found that we did not: its error class names the key (SigmaRelatedError: `related`)."""
    key = type(error).__name__.removeprefix("Sigma").removesuffix("Error").lower()
    return document.problem(f"expected valid Sigma ({error})", *([key] if key in document.data else []))


def _check_header(document: Document) -> Iterator[Problem]:
    if "title" not in document.data:
        yield document.problem("expected a title")
    for key, (good, expected) in _HEADER.items():
        value = document.data.get(key)
        if (value is not None or key == "title") and key in document.data and not good(value):
            near = suggestion(value, _words(key)) if isinstance(value, str) else ""
            yield document.problem(f"{expected} (got {_shown(value)}){near}", key)
    tags = document.data.get("tags")
    for i, tag in enumerate(tags if isinstance(tags, list) else []):
        if not isinstance(tag, str) or "." not in tag:
            yield document.problem(f"expected a tag such as attack.t1059.004 (got {_shown(tag)})", "tags", i)


def _words(key: str) -> tuple[str, ...]:
    return {"level": tuple(Severity.__members__), "status": _STATUS}.get(key, ())


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - one line of a terminal


def _check_kind(document: Document, placeholders: Placeholders) -> Iterator[Problem]:
    kinds = [kind for kind in _KINDS if kind in document.data]
    if "action" in document.data:
        yield document.problem("expected no action (Sigma 2 has no collections: write the rule out)", "action")
    elif len(kinds) != 1:
        mistyped = [] if kinds else [key for key in document.data if suggestion(key, _KINDS)][:1]
        near = suggestion(mistyped[0], _KINDS) if mistyped else ""
        got = " and ".join(kinds) or "".join(mistyped) or "none"
        at = mistyped or kinds[1:2]
        yield document.problem(f"expected one of detection, correlation and filter (got {got}){near}", *at)
    elif kinds[0] != "correlation":
        yield from _check_logsource(document)
        yield from _check_detection(document, kinds[0], placeholders)


def _check_logsource(document: Document) -> Iterator[Problem]:
    logsource = document.data.get("logsource")
    if not isinstance(logsource, dict) or not any(logsource.get(key) is not None for key in _LOGSOURCE):
        yield document.problem("expected product, category or service", "logsource")
        return
    for key in _LOGSOURCE:
        value = logsource.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            yield document.problem(f"expected text (got {_shown(value)})", "logsource", key)


def _check_detection(document: Document, kind: str, placeholders: Placeholders) -> Iterator[Problem]:
    detection = document.data[kind]
    if not isinstance(detection, dict):
        yield document.problem("expected named searches and a condition", kind)
        return
    condition = detection.get("condition")
    listed = condition if isinstance(condition, list) and kind == "detection" else [condition]
    if not listed or not all(isinstance(one, str) and one.strip() for one in listed):
        got = f" (got {_shown(condition)})" if "condition" in detection else ""
        yield document.problem(f"expected a condition such as `selection and not filter`{got}", kind, "condition")
    searches = {name: value for name, value in detection.items() if name not in {"condition", "timeframe", "rules"}}
    if "timeframe" in detection:
        yield document.problem("expected no timeframe (write a correlation rule)", kind, "timeframe")
    if not searches:
        yield document.problem("expected at least one search, such as `selection`", kind)
    for name, value in searches.items():
        yield from _check_search(document, value, placeholders, (kind, name))


def _check_search(
    document: Document, value: Any, placeholders: Placeholders, at: tuple[str | int, ...]
) -> Iterator[Problem]:
    if value is None or (isinstance(value, dict | list) and not value):
        yield document.problem("expected fields with values, or keywords (got nothing)", *at)
    elif isinstance(value, dict):
        wrong = {key: _wrong_item(key, wanted, placeholders) for key, wanted in value.items()}
        yield from (document.problem(expected, *at, key) for key, expected in wrong.items() if expected)
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _check_search(document, one, placeholders, (*at, i))
    else:
        expected = _wrong_item(None, value, placeholders)
        if expected:
            yield document.problem(expected, *at)


def _wrong_item(key: str | None, value: Any, placeholders: Placeholders) -> str:
    """What was expected of one `field|modifier: value`, empty when it is fine."""
    modifiers = key.split("|")[1:] if key is not None else []
    for name in modifiers:
        if name not in MODIFIERS:
            return f"expected a known modifier (got {name}){suggestion(name, MODIFIERS)}"
    if key is not None and value is None and not key.partition("|")[0]:
        return "expected keywords (got nothing)"
    try:
        read_item(key, value, placeholders)
    except UnusableError as error:
        return str(error)
    except ExpressionError as error:
        return f"expected a regular expression that RE2 accepts ({error})"
    except SIGMA_ERRORS as error:
        return _unfitting(modifiers, value, str(error))
    return ""


def _unfitting(modifiers: list[str], value: Any, said: str) -> str:
    """Which modifier does not go with which value, of what pySigma says in the names of its classes."""
    found = _INCOMPATIBLE.fullmatch(said)
    name = next((one for one in modifiers if found and MODIFIERS[one].__name__ == found[1]), "")
    if not name:
        return f"expected a value that fits its modifiers ({said})"
    values = value if isinstance(value, list) else [value]
    if name in _FLAGS:
        return f"expected `re` before `{name}`, as in {'field|re|' + name}"
    wanted, fits = _WANTED.get(name, ("text", str))
    wrong = next((one for one in values if isinstance(one, bool) or not isinstance(one, fits)), values[0])
    quote = ": put it in quotes" if fits is str and isinstance(wrong, bool | int | float) else ""
    return f"expected {wanted} with `{name}` (got {'nothing' if wrong is None else _shown(wrong)}{quote})"


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_date(value: Any) -> bool:
    if isinstance(value, date):
        return True
    parts = str(value).replace("/", "-").split("-")
    try:
        return len(parts) == 3 and len(parts[0]) == 4 and bool(date(*map(int, parts)))  # noqa: PLR2004 - y, m, d
    except ValueError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


_HEADER: dict[str, tuple[Callable[[Any], bool], str]] = {
    "title": (lambda v: isinstance(v, str) and 0 < len(v.strip()) <= _LONGEST_TITLE, "expected 1 to 256 characters"),
    "id": (_is_uuid, "expected a UUID"),
    "name": (lambda v: isinstance(v, str) and bool(v), "expected a name"),
    "level": (
        lambda v: isinstance(v, str) and v.lower() in Severity.__members__,
        f"expected one of {', '.join(Severity.__members__)}",
    ),
    "status": (lambda v: isinstance(v, str) and v.lower() in _STATUS, f"expected one of {', '.join(_STATUS)}"),
    "description": (_is_text, "expected text"),
    "author": (_is_text, "expected text"),
    "license": (_is_text, "expected text"),
    "date": (_is_date, "expected a date such as 2025-01-31"),
    "modified": (_is_date, "expected a date such as 2025-01-31"),
    "references": (_is_list, "expected a list"),
    "falsepositives": (_is_list, "expected a list"),
    "fields": (_is_list, "expected a list"),
    "tags": (_is_list, "expected a list"),
}
