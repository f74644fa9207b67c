"""Secrets leave before anything else does: applied after decoding, before storing, embedding, sending or explaining.

A secret becomes `[redacted:KIND]`; everything around it stays, so the text still tells what was done. Text without a
secret comes back unchanged, redacting twice changes nothing, and time is linear in the length (RE2, one pre-scan).
Not recognisable by anyone: a password typed where a user name belongs (`docs` say so).
"""

from collections.abc import Mapping, Sequence

import re2
from msgspec.structs import replace

from daemon.enrichment.command_secrets import MARK, secret_spans, split_words
from daemon.enrichment.secret_patterns import HINT, PLACEHOLDER, SECRET_NAME, SHAPES, SPLIT_NAMES
from daemon.model import Anomaly, Event, Value

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_HINT = re2.compile(HINT)
_PLACEHOLDER = re2.compile(PLACEHOLDER)
_SHAPES = tuple((shape.kind, shape.guarded, re2.compile(shape.expression)) for shape in SHAPES)
_NAME = re2.compile(rf"(?i)({SECRET_NAME})[^\w]*$")
_HEX = re2.compile(r"\b[0-9A-Fa-f]{16,}\b")
_MARK = re2.compile(r"\[redacted:[a-z-]+\]")
_ARGV = re2.compile(r"a\d{1,5}")
_NEXT_PAIR = re2.compile(r",[\w.-]+[=:]")
_WORDLIKE = re2.compile(r"[A-Za-z]?[a-z]+")
_SURROGATES = {0xD800 + n: 0xF0000 + n for n in range(0x800)}
_RESTORED = {away: home for home, away in _SURROGATES.items()}
_REPEATS = frozenset({"CommandLine", "ParentCommandLine", "proctitle", "cmd", "command", "COMMAND", "message"})
"""Fields that repeat an argument vector as text: what is secret there is secret here."""
_MIN_LEARNED = 4
_MAX_DEPTH = 2


class Redactor:
    """`patterns` are more RE2 expressions whose whole match is a secret. ValueError names one that is not usable."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._custom = tuple(_compile(pattern) for pattern in patterns)

    def text(self, text: str) -> str:
        """`text` without its secrets."""
        if not text:
            return text
        return self._text(text, 0)

    def anomaly(self, anomaly: Anomaly) -> Anomaly:
        """The anomaly without secrets: its words, and every field and the text of its events."""
        secrets: set[str] = set()
        events = tuple(self._event(event, secrets) for event in anomaly.events)
        if secrets:
            events = tuple(_without(event, secrets) for event in events)
        because, entity = _drop(self.text(anomaly.because), secrets), self.text(anomaly.entity)
        return replace(anomaly, because=because, entity=entity, events=events)

    def _text(self, text: str, depth: int) -> str:
        safe = text if text.isascii() else text.translate(_SURROGATES)
        result = safe
        if _HINT.search(safe):
            result = self._hinted(safe, depth)
        for pattern in self._custom:
            result = _outside_marks(pattern, result)
        if result == safe:
            return text
        return result if safe is text or safe == text else result.translate(_RESTORED)

    def _hinted(self, text: str, depth: int) -> str:
        for kind, guarded, pattern in _SHAPES:
            if pattern.search(text):
                text = pattern.sub(_Replacement(kind, guarded=guarded), text)
        text = self._commands(text, depth)
        if depth < _MAX_DEPTH:
            text = _HEX.sub(lambda found: self._decoded(found[0], depth + 1), text)
        return text

    def _commands(self, text: str, depth: int) -> str:
        words = split_words(text)
        texts = [_unhex(word.text) if text[word.start - 1 : word.start] == "=" else word.text for word in words]
        edits = [
            (words[i].start + (start if texts[i] == words[i].text else 0), words[i].end, MARK)
            for i, start, _ in secret_spans(texts)
        ]
        if depth < _MAX_DEPTH:
            edits += [
                (word.start, word.end, inner)
                for word in words
                if " " in word.text and (inner := self._text(word.text, depth + 1)) != word.text
            ]
        for start, end, replacement in sorted(set(edits), reverse=True):
            if end <= len(text):
                text = text[:start] + replacement + text[end:]
        return text

    def _decoded(self, run: str, depth: int) -> str:
        """An argument that is still hex encoded: hidden whole if what it says holds a secret."""
        said = _unhex(run).replace("\0", " ")
        return "[redacted:hex]" if said != run and self._text(said, depth) != said else run

    def _event(self, event: Event, secrets: set[str]) -> Event:
        fields = {name: self._value(name, value) for name, value in event.fields.items()}
        fields |= self._arguments(event.fields, fields, secrets)
        return replace(event, fields=fields, text=self.text(event.text))

    def _value(self, name: str, value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(str(self._value(name, item)) for item in value)
        if value is None or isinstance(value, bool):
            return value
        if SPLIT_NAMES.fullmatch(name.rsplit(".", 1)[-1]) and _is_secret(name, str(value)):
            return MARK
        return self.text(value) if isinstance(value, str) else value

    def _arguments(
        self, raw: Mapping[str, Value], fields: Mapping[str, Value], secrets: set[str]
    ) -> dict[str, Value]:
        """Secrets that are split over a0, a1 …: what they are is learned exactly, quotes and blanks included."""
        names = sorted((name for name in raw if _ARGV.fullmatch(name)), key=lambda name: int(name[1:]))
        if len(names) < 2:  # noqa: PLR2004 - a secret of its own needs an option before it
            return {}
        words = [str(raw[name]) for name in names]
        changed: dict[str, Value] = {}
        spans = secret_spans(words)
        spans += [
            (i + 1, 0, len(words[i + 1]))
            for i in range(len(words) - 1)
            if _is_flag(words[i]) and _is_secret(words[i], words[i + 1]) and not words[i + 1].startswith("-")
        ]
        for index, start, end in spans:
            secrets.add(words[index][start:end])
            changed[names[index]] = words[index][:start] + MARK + words[index][end:]
        return {name: value for name, value in changed.items() if fields[name] != value}


class _Replacement:
    """What becomes of a match: group `v` (in any of its forms) goes, the rest stays."""

    def __init__(self, kind: str, *, guarded: bool) -> None:
        self._mark = f"[redacted:{kind}]"
        self._guarded = guarded

    def __call__(self, found: "re2._Match[str]") -> str:
        whole = str(found[0])
        groups = found.groupdict()
        if not groups:
            return self._mark
        name, value = next(((name, value) for name, value in groups.items() if value is not None), ("", None))
        if not value:
            return whole
        start = found.start(name) - found.start(0)
        value = _trimmed(value) if name == "v" else value
        before, after = whole[:start], whole[start + len(value) :]
        if value.startswith("[redacted:") or (self._guarded and not _is_secret(before, value)):
                    return whole
        return before + self._mark + after
