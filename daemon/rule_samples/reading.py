"""The text of a sample file → samples, and everything that is wrong with it, each with its line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from daemon.config.schema import parse_duration
from daemon.detection.attributes import suggestion
from daemon.detection.rules_document import Document, read_documents
from daemon.model import Problem

_KINDS = ("hit", "miss")
_FORMATS = ("auditd", "syslog", "json", "sample", "lost")
_STEP = ("format", "lines", "sample", "lost", "repeat", "every", "after")
_SAMPLE = ("name", "rule", *_STEP[:-1], "then", "expect", "ends", "incidents")
_PARTS = {"sample": ("category", "tags", "values"), "lost": ("source", "why", "count", "detail")}
_MOST = 10_000
_LONGEST = 366 * 86400.0


class Step(Struct, frozen=True):
    """What happens `repeat` times, `every` seconds; the first time `after` seconds after what was before it."""

    format: str
    lines: str = ""
    sample: Mapping[str, Any] = {}
    lost: Mapping[str, Any] = {}
    repeat: int = 1
    every: float = 0.0
    after: float = 0.0


class RuleSample(Struct, frozen=True):
    """One sample. `expect`, `ends` and `incidents` are exact numbers; None means at least one, any, any.

    `rule` is the title of the rule that it is about, where a file holds several; "" means any of them.
    """

    path: str
    line: int
    name: str
    hits: bool
    steps: tuple[Step, ...]
    expect: int | None = None
    ends: int | None = None
    incidents: int | None = None
    rule: str = ""


def read_samples(path: str, text: str) -> tuple[list[RuleSample], list[Problem]]:
    """The samples of one file and everything that is wrong with it."""
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n")):
        return [], [Problem(path, 1, "(file)", "expected one YAML document (got 0)")]
    documents, problems = read_documents(path, text)
    if len(documents) != 1:
        return [], problems or [Problem(path, 1, "(file)", f"expected one YAML document (got {len(documents)})")]
    document = documents[0]
    problems += _unknown(document, document.data, _KINDS, ())
    samples: list[RuleSample] = []
    for kind in _KINDS:
        listed = document.data.get(kind)
        if not isinstance(listed, list) or not listed:
            problems += _unlisted(document, kind)
            continue
        for number, raw in enumerate(listed):
            reading = _Reading(document, (kind, number), problems)
            samples.append(reading.sample(raw, hits=kind == "hit"))
    return ([] if problems else samples), problems


def _unlisted(document: Document, kind: str) -> list[Problem]:
    """What is wrong where no list of samples stands; nothing new where its key is mistyped, which is said already."""
    if kind in document.data:
        return [document.problem("expected a list of samples", kind)]
    if any(suggestion(key, (kind,)) for key in document.data if key not in _KINDS):
        return []
    what = "fires on" if kind == "hit" else "must not fire on"
    return [document.problem(f"expected a list of samples that the rule {what} (the key is missing)", kind)]


def _unknown(
    document: Document, raw: Mapping[str, Any], known: Sequence[str], at: tuple[str | int, ...]
) -> list[Problem]:
    return [
        document.problem(f"expected one of {', '.join(known)}{suggestion(key, known)}", *at, key)
        for key in raw
        if key not in known
    ]


class _Reading:
    """Reads what stands at one place of a document; what is wrong goes to `problems`."""

    def __init__(self, document: Document, at: tuple[str | int, ...], problems: list[Problem]) -> None:
        self._document = document
        self._at = at
        self._problems = problems

    def sample(self, raw: Any, *, hits: bool) -> RuleSample:
        line = self._document.line_of(*self._at)
        if not isinstance(raw, dict):
            self._wrong(f"expected keys and values (got {raw!r})")
            return RuleSample(self._document.path, line, "", hits, ())
        self._problems += _unknown(self._document, raw, _SAMPLE, self._at)
        name = raw.get("name")
        if not isinstance(name, str) or not name.strip():
            self._wrong("expected a name that says what happens", "name")
        if not isinstance(raw.get("rule", ""), str):
            self._wrong(f"expected the title of a rule (got {raw['rule']!r})", "rule")
        if not hits and "expect" in raw:
            self._wrong("expected no number in a miss (it means none)", "expect")
        return RuleSample(
            path=self._document.path, line=line, name=str(name), hits=hits, steps=tuple(self._steps(raw)),
            expect=self._number(raw, "expect", 1), ends=self._number(raw, "ends", 0),
            incidents=self._number(raw, "incidents", 0), rule=str(raw.get("rule", "")),
        )  # fmt: skip

    def _steps(self, raw: Mapping[str, Any]) -> Iterator[Step]:
        first = self._step(raw, "")
        yield first
        more = raw.get("then", [])
        if not isinstance(more, list):
            self._wrong(f"expected a list of steps (got {more!r})", "then")
            return
        for number, step in enumerate(more):
            reading = _Reading(self._document, (*self._at, "then", number), self._problems)
            if isinstance(step, dict):
                self._problems += _unknown(self._document, step, _STEP, (*self._at, "then", number))
                yield reading._step(step, first.format)
            else:
                reading._wrong(f"expected keys and values (got {step!r})")

    def _step(self, raw: Mapping[str, Any], inherited: str) -> Step:
        content = [key for key in ("lines", "sample", "lost") if key in raw]
        if len(content) != 1:
            self._wrong(f"expected exactly one of lines, sample and lost (got {' and '.join(content) or 'none'})")
            return Step(inherited)
        key = content[0]
        fmt = raw.get("format", inherited if key == "lines" else key)
        if fmt not in _FORMATS or (fmt in _PARTS) != (key in _PARTS) or (key in _PARTS and fmt != key):
            expected = "auditd, syslog or json" if key == "lines" else key
            self._wrong(f"expected a format of {expected} (got {fmt!r}){suggestion(str(fmt), _FORMATS)}", "format")
        lines = raw.get("lines", "")
        if key == "lines" and (not isinstance(lines, str) or not lines.strip()):
            self._wrong("expected the raw lines as text (`lines: |`)", "lines")
        return Step(
            format=str(fmt), lines=str(lines), sample=self._part(raw, "sample"), lost=self._part(raw, "lost"),
            repeat=self._number(raw, "repeat", 1) or 1, every=self._duration(raw, "every"),
            after=self._duration(raw, "after"),
        )  # fmt: skip

    def _part(self, raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        part = raw.get(key)
        if part is None and key not in raw:
            return {}
        if not isinstance(part, dict):
            self._wrong(f"expected {', '.join(_PARTS[key])} (got {part!r})", key)
            return {}
        self._problems += _unknown(self._document, part, _PARTS[key], (*self._at, key))
        wrong = _wrong_reading(part) if key == "sample" else _wrong_loss(part)
        for name, expected in wrong:
            self._wrong(expected, key, name)
        return part

    def _number(self, raw: Mapping[str, Any], key: str, least: int) -> int | None:
        value = raw.get(key)
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST
        if key in raw and not good:
            self._wrong(f"expected a whole number from {least} to {_MOST} (got {value!r})", key)
        return value if good else None

    def _duration(self, raw: Mapping[str, Any], key: str) -> float:
        try:
            seconds = parse_duration(raw.get(key, 0))
        except ValueError as error:
            self._wrong(str(error), key)
            return 0.0
        if not 0 <= seconds <= _LONGEST:
            self._wrong(f"expected a duration of at most a year (got {raw[key]!r})", key)
            return 0.0
        return seconds

    def _wrong(self, expected: str, *keys: str) -> None:
        self._problems.append(self._document.problem(expected, *self._at, *keys))


def _wrong_reading(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not isinstance(part.get("category"), str):
        yield "category", f"expected a category such as host_metrics (got {part.get('category')!r})"
    tags, values = part.get("tags", {}), part.get("values")
    if not isinstance(tags, dict) or not all(isinstance(tag, str) for tag in tags.values()):
        yield "tags", "expected names with text"
    numbers = isinstance(values, dict) and all(type(value) in {int, float} for value in values.values())
    if not numbers or not values:
        yield "values", "expected names with numbers"


def _wrong_loss(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("source", "why"):
        if not isinstance(part.get(key), str):
            yield key, f"expected text (got {part.get(key)!r})"
    if not isinstance(part.get("count"), int | None) or not isinstance(part.get("detail", ""), str):
        yield "count", "expected a whole number or nothing, and text as detail"
