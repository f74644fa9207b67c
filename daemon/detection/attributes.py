"""What Sigma has no word for: the `tellwhy:` attribute of a rule, which other Sigma tools ignore."""

import difflib
from collections.abc import Iterable
from math import isfinite
from typing import Any

from msgspec import Struct

from daemon.config.schema import parse_duration
from daemon.detection.rules_document import Document
from daemon.model import Problem, Severity

_KEY = "tellwhy"
_KEYS = ("entity", "runbook", "severity_floor", "sustain", "techniques_from", "title_from")
_SUSTAIN = ("for", "resolve_after")


class Sustain(Struct, frozen=True):
    """Fire when the condition held for `hold` seconds; end when it did not for `resolve_after` seconds."""

    hold: float
    resolve_after: float


class Quotes(Struct, frozen=True):
    """Fields in which the event itself says what was found: of `title` the first that it has completes the title, of
    `techniques` all name tactics and techniques of ATT&CK.
    """

    title: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()


class Attributes(Struct, frozen=True):
    """The attribute, read. `entity` are the fields that name whom an anomaly is about; empty means the default."""

    entity: tuple[str, ...] = ()
    runbook: str = ""
    severity_floor: Severity = Severity.informational
    sustain: Sustain | None = None
    quotes: Quotes = Quotes()


def suggestion(name: str, known: Iterable[str]) -> str:
    """` – did you mean …?` when a known name is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" – did you mean {close[0]}?" if close else ""


def read_attributes(document: Document) -> tuple[Attributes, list[Problem]]:
    """The rule's `tellwhy:` attribute and what is wrong with it."""
    raw = document.data.get(_KEY, {})
    if not isinstance(raw, dict):
        return Attributes(), [document.problem(f"expected keys and values (got {raw!r})", _KEY)]
    problems = _unknown(document, raw, _KEYS, _KEY)
    entity = _fields(document, raw, "entity", problems)
    runbook = raw.get("runbook", "")
    if not isinstance(runbook, str):
        problems.append(document.problem(f"expected text (got {runbook!r})", _KEY, "runbook"))
        runbook = ""
    floor = _floor(document, raw, problems)
    quotes = Quotes(*(_fields(document, raw, key, problems) for key in ("title_from", "techniques_from")))
    if "correlation" in document.data:
        of_one = [key for key in ("title_from", "techniques_from") if key in raw]
        problems += [document.problem(f"expected no {key} in a correlation rule", _KEY, key) for key in of_one]
    return Attributes(entity, runbook, floor, _sustain(document, raw, problems), quotes), problems


def _unknown(document: Document, raw: dict[str, Any], known: tuple[str, ...], *at: str) -> list[Problem]:
    return [
        document.problem(f"expected one of {', '.join(known)}{suggestion(key, known)}", *at, key)
        for key in raw
        if key not in known
    ]


def _fields(document: Document, raw: dict[str, Any], key: str, problems: list[Problem]) -> tuple[str, ...]:
    given = raw.get(key, [])
    listed = [given] if isinstance(given, str) else given
    good = isinstance(listed, list) and all(isinstance(name, str) and name for name in listed)
    if good and (key not in raw or listed):
        return tuple(dict.fromkeys(listed))
    problems.append(document.problem(f"expected a field name or a list of them (got {given!r})", _KEY, key))
    return ()


def _floor(document: Document, raw: dict[str, Any], problems: list[Problem]) -> Severity:
    level = raw.get("severity_floor", "informational")
    if isinstance(level, str) and level in Severity.__members__:
        return Severity[level]
    names = list(Severity.__members__)
    expected = f"expected one of {', '.join(names)} (got {level!r}){suggestion(str(level), names)}"
    problems.append(document.problem(expected, _KEY, "severity_floor"))
    return Severity.informational


def _sustain(document: Document, raw: dict[str, Any], problems: list[Problem]) -> Sustain | None:
    if "sustain" not in raw:
        return None
    sustain = raw["sustain"]
    if "correlation" in document.data:
        problems.append(document.problem("expected no sustain in a correlation rule", _KEY, "sustain"))
        return None
    if not isinstance(sustain, dict) or "for" not in sustain:
        expected = "expected `for` and perhaps `resolve_after`, such as {for: 2m, resolve_after: 5m}"
        problems.append(document.problem(expected, _KEY, "sustain"))
        return None
    problems += _unknown(document, sustain, _SUSTAIN, _KEY, "sustain")
    hold = _duration(document, sustain["for"], "for", problems)
    return Sustain(hold, _duration(document, sustain.get("resolve_after", hold), "resolve_after", problems))


def _duration(document: Document, value: Any, key: str, problems: list[Problem]) -> float:
    try:
        seconds = parse_duration(value)
        if isfinite(seconds) and seconds >= 0:
            return seconds
        expected = f"expected a duration of at least 0 (got {value!r})"
    except ValueError as error:
        expected = str(error)
    problems.append(document.problem(expected, _KEY, "sustain", key))
    return 0.0
