"""Secrets leave before anything else does: applied after decoding, before storing, embedding, sending or explaining.

A secret becomes `[redacted:KIND]`; everything around it stays, so the text still tells what was done. Text without a
secret comes back unchanged, redacting twice changes nothing, and time is linear in the length (RE2, one pre-scan).
Not recognisable by anyone: a password typed where a user name belongs (`docs` say so).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import re2
from msgspec.structs import replace

from daemon.enrichment.command_secrets import MARK, may_tell, secret_spans, split_words
from daemon.enrichment.secret_patterns import HINT, PLACEHOLDER, SECRET_NAME, SHAPES, TOOL_HINT, WHOLE_NAME
from daemon.model import Anomaly, Event, Value

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_HINT = re2.compile(f"{HINT}|{TOOL_HINT}")
_TOOL_HINT = re2.compile(TOOL_HINT)
_WHOLE_NAME = re2.compile(WHOLE_NAME)
_PLACEHOLDER = re2.compile(PLACEHOLDER)
_SHAPES = tuple((shape.kind, shape.guarded, re2.compile(shape.expression)) for shape in SHAPES)
_ANY_SHAPE = re2.compile("|".join(f"(?:{shape.expression.replace('(?P<v>', '(?:')})" for shape in SHAPES))
"""One look instead of one for each: most text that a hint stands in holds no secret."""
_NAME = re2.compile(rf"(?i)({SECRET_NAME})[^\w]*$")
_HEX = re.compile(r"\b[0-9A-Fa-f]{16,}\b")
_PORT = re.compile(r"\d{1,5}[?#]")
_MARK = re.compile(r"\[redacted:[a-z-]+\]")
_ARGV = re.compile(r"a\d{1,5}")
_NEXT_PAIR = re.compile(r",[\w.-]+[=:]")
_WORDLIKE = re.compile(r"[A-Za-z]?[a-z]+")
_SURROGATES = {0xD800 + n: 0xF0000 + n for n in range(0x800)}
_RESTORED = {away: home for home, away in _SURROGATES.items()}
_REPEATS = frozenset({"CommandLine", "ParentCommandLine", "proctitle", "cmd", "command", "COMMAND", "message"})
"""Fields that repeat an argument vector as text: what is secret there is secret here."""
_MIN_LEARNED = 4
_SHORT = 4096
_LONGEST_NAME = 64
"""Characters of a field's name up to which what it means is remembered."""
_MAX_DEPTH = 2
_MOST_REMEMBERED = 64


class Redactor:
    """`patterns` are more RE2 expressions whose whole match is a secret. ValueError names one that is not usable."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._custom = tuple(_compile(pattern) for pattern in patterns)
        self._lately = lru_cache(maxsize=1024)(lambda text: self._text(text, 0))
        self._known_events: dict[tuple[int, frozenset[str]], tuple[Event, Event]] = {}

    def text(self, text: str) -> str:
        """`text` without its secrets."""
        if not text:
            return text
        # an anomaly shows the same texts as the events that it was made of
        return self._lately(text) if len(text) <= _SHORT else self._text(text, 0)

    def anomaly(self, anomaly: Anomaly) -> Anomaly:
        """The anomaly without secrets: all of its words, for a client may have written any of them, and its events."""
        # what stands alone in an argument vector is known exactly; in text its end would be a guess
        secrets = frozenset(secret for event in anomaly.events for _, secret in _argument_secrets(event.fields))
        title = self._known(anomaly.rule.title, secrets)
        return replace(
            anomaly,
            rule=anomaly.rule if title == anomaly.rule.title else replace(anomaly.rule, title=title),
            host=self._known(anomaly.host, secrets),
            source=self._known(anomaly.source, secrets),
            because=self._known(anomaly.because, secrets),
            entity=self._known(anomaly.entity, secrets),
            events=tuple(self._posted(event, secrets) for event in anomaly.events),
        )

    def event(self, event: Event) -> Event:
        """The event without secrets, in every field and its text."""
        return self._event(event, {secret for _, secret in _argument_secrets(event.fields)})

    def _known(self, text: str, secrets: Collection[str]) -> str:
        return self.text(_drop(text, secrets))

    def _posted(self, event: Event, secrets: frozenset[str]) -> Event:
        """An event of which even the names may have been chosen by a client. One event is often evidence of several
        anomalies, one right after the other: it is cleaned once.
        """
        known = self._known_events.get((id(event), secrets))
        if known is None:
            if len(self._known_events) >= _MOST_REMEMBERED:
                self._known_events.clear()
            known = self._known_events[id(event), secrets] = (event, self._cleaned(event, secrets))
        return known[1]

    def _cleaned(self, event: Event, secrets: frozenset[str]) -> Event:
        event = self._event(event, secrets)
        fields = {self._known(name, secrets): value for name, value in event.fields.items()}
        host, source = self._known(event.host, secrets), self._known(event.source, secrets)
        return replace(event, host=host, source=source, fields=fields)

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
        for kind, guarded, pattern in _SHAPES if _ANY_SHAPE.search(text) else ():
            if pattern.search(text):
                text = pattern.sub(_Replacement(kind, guarded=guarded), text)
        if may_tell(text) and _TOOL_HINT.search(text):
            text = _commands(text, depth)
        if depth < _MAX_DEPTH:
            text = _HEX.sub(lambda found: self._decoded(found[0], depth + 1), text)
        return text

    def _decoded(self, run: str, depth: int) -> str:
        """An argument that is still hex encoded: hidden whole if what it says holds a secret."""
        said = _unhex(run).replace("\0", " ")
        return "[redacted:hex]" if said != run and self._text(said, depth) != said else run

    def _event(self, event: Event, secrets: Collection[str]) -> Event:
        raw = dict(event.fields)
        for name, secret in _argument_secrets(event.fields):
            raw[name] = str(raw[name]).replace(secret, MARK)
        for name in _REPEATS & raw.keys():
            value = raw[name]
            raw[name] = _drop(value, secrets) if isinstance(value, str) else value
        fields = {name: self._value(name, value) for name, value in raw.items()}
        return replace(event, fields=fields, text=self.text(_drop(event.text, secrets)))

    def _value(self, name: str, value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(str(self._value(name, item)) for item in value)
        if value is None or isinstance(value, bool):
            return value
        if _names_secret(name) and _is_secret(name, str(value)):
            return MARK
        return self.text(value) if isinstance(value, str) else value


def _names_secret(name: str) -> bool:
    """Whether the value of a field with this name is a secret."""
    return _is_known_name(name) if len(name) <= _LONGEST_NAME else _is_secret_name(name)


def _is_secret_name(name: str) -> bool:
    return _WHOLE_NAME.fullmatch(name.rsplit(".", 1)[-1]) is not None


_is_known_name = lru_cache(maxsize=1024)(_is_secret_name)


def _argument_secrets(fields: Mapping[str, Value]) -> list[tuple[str, str]]:
    """(field, secret) of each secret in a0, a1 …, which may be split from the option before it."""
    found = [name for name in fields if name[:1] == "a" and _ARGV.fullmatch(name)]
    if len(found) < 2:  # noqa: PLR2004 - a secret of its own needs an option before it
        return []
    names = sorted(found, key=lambda name: int(name[1:]))
    words = [str(fields[name]) for name in names]
    return [(names[index], words[index][start:end]) for index, start, end in secret_spans(words) if end > start]


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
        start = found.start(found.re.groupindex[name]) - found.start(0)
        value = _trimmed(value) if name == "v" else value
        before, after = whole[:start], whole[start + len(value) :]
        if value.startswith("[redacted:") or (self._guarded and not _is_secret(before, value)):
            return whole
        return before + self._mark + after


def _commands(text: str, depth: int) -> str:
    words = split_words(text)
    texts = [_unhex(word.text) if text[word.start - 1 : word.start] == "=" else word.text for word in words]
    edits: dict[int, tuple[int, str]] = {}
    if depth < _MAX_DEPTH:
        for word in words:
            if " " in word.text and (inner := _commands(word.text, depth + 1)) != word.text:
                edits[word.end] = (word.start, inner)
    for index, start, _ in secret_spans(texts):
        word = words[index]
        edits[word.end] = (word.start + (start if texts[index] == word.text else 0), MARK)
    out: list[str] = []
    at = 0
    for end, (start, replacement) in sorted(edits.items()):
        out += [text[at:start], replacement]
        at = end
    return "".join([*out, text[at:]])


def _is_secret(before: str, value: str) -> bool:
    """Whether a value after such a name is a secret, rather than a placeholder or a word of prose."""
    if _PLACEHOLDER.fullmatch(value):
        return False
    if before.strip().lower() in {"bearer", "basic"}:
        return not _WORDLIKE.fullmatch(value)
    if before.endswith(":") and "://" in before:
        return not _PORT.match(value)
    found = _NAME.search(before)
    name = str(found[1]).lower() if found else ""
    directory = name in {"pwd", "oldpwd"} and value.startswith(("/", "~"))
    next_option = value.startswith("-") and before[-1:].isspace()
    return not (directory or next_option or name.startswith(("no-", "--no-")))


def _trimmed(value: str) -> str:
    """An unquoted value without what follows it in a list or in brackets."""
    following = _NEXT_PAIR.search(value)
    value = value[: following.start()] if following else value
    return value.rstrip(")]},:") or value


def _unhex(run: str) -> str:
    """What a hex encoded argument says, NULs kept; anything else, and binary data, comes back as it is."""
    if not _HEX.fullmatch(run):
        return run
    said = bytes.fromhex(run[: len(run) // 2 * 2]).decode("utf-8", "replace")
    unreadable = sum(not char.isprintable() and not char.isspace() and char != "\0" for char in said)
    return run if unreadable * 8 > len(said) else said


def _outside_marks(pattern: "re2._Regexp[str]", text: str) -> str:
    """Replace what a configured pattern matches, but never inside a mark: redacting twice changes nothing."""
    out: list[str] = []
    at = 0
    for mark in [*_MARK.finditer(text), None]:
        piece = text[at : mark.start()] if mark else text[at:]
        out.append(str(pattern.sub("[redacted:custom]", piece)) if piece else "")
        if mark:
            out.append(str(mark[0]))
            at = mark.end()
    return "".join(out)


def _compile(pattern: str) -> "re2._Regexp[str]":
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeError) as error:
        raise ValueError(f"expected an RE2 expression (got {pattern!r}: {error})") from None
    if compiled.search("") is not None:
        raise ValueError(f"expected an expression that does not match the empty text (got {pattern!r})")
    return compiled


def _drop(text: str, secrets: Collection[str]) -> str:
    if not secrets:
        return text
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) < _MIN_LEARNED or _PLACEHOLDER.fullmatch(secret.translate(_SURROGATES)):
            continue
        encoded = secret.encode("utf-8", "surrogatepass").hex()
        for form in (secret, encoded, encoded.upper()):
            if form in text:
                text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", MARK, text)
    return text
