"""The hard values of a sentence, and whether a text holds them: addresses, ports, numbers, paths, names, hashes, times.

Hard is what can be checked and would mislead if wrong. Both sides are normalised the same way: Unicode form, case,
quotes, thousands separators, IPv6 compression, time zone. Matching is by whole values: 22 is not in 203.0.113.22, and
/usr/bin/nc not in /usr/bin/nc.openbsd. Works on a few kilobytes; all expressions are linear.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """How a value is compared."""

    address = "address"
    number = "number"
    time = "time"
    text = "text"


class HardValue(Struct, frozen=True):
    """One value in its normal form."""

    kind: Kind
    value: str


_TIME = re.compile(
    r"(?<![\w:.])(?:(\d{4}-\d{2}-\d{2})(?:[t ](\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?)?"
    r"|(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?)"
    r" ?(z|utc|gmt|[+-]\d{2}:?\d{2})?(?![\w:])"
)
_THOUSANDS = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\w,])")
_SPLIT = re.compile(r"[\s\"`(){}\[\]<>|,;=!?*&]+|(?<!\w)'|'(?!\w)|'s\b")
_NUMBER = re.compile(r"[+-]?(\d[\d_]*(?:\.\d+)?)(?:%|[a-z]{1,3}|[kmgt]i?b/s)?")
_RANGE = re.compile(r"\d+(?:[-/:]\d+)+")
_COMPOUND = re.compile(r"(\d+)-[a-z]+(?:-[a-z]+)*")
_LETTERS = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*")
_ABBREVIATION = re.compile(r"(?:[a-z]\.)+[a-z]?")
_QUOTED = re.compile(r"\"([^\"\n]{1,160})\"|`([^`\n]{1,160})`|(?<!\w)'([^'\n]{1,160})'(?!\w)")
_NAMED = re.compile(
    r"\b(?:users?|username|accounts?|login|hosts?|hostname|machine|server|unit|group|container|database)"
    r"(?: (?:named|called|is|was|as))?:? ([a-z_][\w.-]*)"
)
_CURLY = str.maketrans("“”„‟‘’‚‛´–—−‐‑‒", "\"\"\"\"'''''------")  # noqa: RUF001 - the characters that are made plain
_ORDINARY = frozenset({
    "ipv4", "ipv6", "base64", "base32", "sha1", "sha256", "sha512", "md5", "c2", "utf8", "utf-8", "2fa", "x86",
    "x64", "x86_64", "http/2", "log4j", "k8s", "s3", "and/or", "i/o", "n/a",
})  # fmt: skip
_WORDS = {
    "ten": "10", "eleven": "11", "twelve": "12", "dozen": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100",
    "hundreds": "100", "dozens": "12", "thousand": "1000", "thousands": "1000", "million": "1000000",
}  # fmt: skip
_NOT_NAMES = frozenset({
    "a", "an", "the", "this", "that", "these", "those", "and", "or", "but", "nor", "of", "on", "in", "at", "by",
    "to", "for", "from", "with", "without", "via", "as", "is", "was", "were", "are", "be", "been", "being",
    "has", "have", "had", "do", "does", "did", "can", "could", "may", "might", "will", "would", "should",
    "must", "not", "no", "its", "it", "their", "his", "her", "who", "which", "whose", "what", "when", "where",
    "while", "then", "than", "so", "if", "because", "since", "until", "after", "before", "during", "within",
    "into", "onto", "over", "under", "about", "against", "between", "through", "using", "used", "run", "ran",
    "runs", "name", "names", "id", "ids", "account", "accounts", "user", "users", "host", "hosts", "group",
    "groups", "server", "servers", "process", "processes", "service", "services", "session", "sessions",
    "activity", "activities", "access", "login", "logins", "logon", "attempt", "attempts", "root-level",
    "level", "shell", "command", "commands", "file", "files", "key", "keys", "data", "log", "logs", "address",
    "addresses", "port", "ports", "memory", "cpu", "disk", "load", "itself", "themselves", "there", "here",
    "also", "still", "only", "just", "later", "again", "now", "both", "either", "once", "twice", "repeatedly",
    "successfully", "directly", "remotely", "locally", "started", "executed", "opened", "tried", "failed",
    "made", "wrote", "read", "got", "gained", "gave", "sent", "took", "began", "left", "kept", "put", "set",
    "became", "shows", "show", "showed", "seems", "appears", "likely", "possibly", "probably", "recently",
    "and/or", "password", "passwords", "permission", "permissions", "privileges", "privilege", "rights",
    "context", "side", "configuration", "management", "creation", "space", "spaces", "table", "record",
    "records", "name-service",
})  # fmt: skip
_SINGLE = 2
"""Digits from which a number is hard: a single digit is as often a figure of speech."""


def normal(text: str) -> str:
    """The one spelling in which both sides are compared."""
    folded = unicodedata.normalize("NFKC", text).translate(_CURLY).casefold()
    return " ".join(folded.split())


def hard_values(sentence: str) -> set[HardValue]:
    """What a sentence claims that can be checked."""
    text = normal(sentence)
    found: set[HardValue] = set()
    for match in _QUOTED.finditer(text):
        inside = next(part for part in match.groups() if part is not None).strip().rstrip(".,")
        found |= (set(_values(inside)) if " " not in inside else set()) or {HardValue(Kind.text, inside)}
    found |= set(_values(text))
    for match in _NAMED.finditer(text):
        name = match[1].rstrip(".-")
        if name not in _NOT_NAMES and not name.endswith(("ed", "ing", "ly")):
            found.add(HardValue(Kind.text, name))
    return {value for value in found if value.value}


class Holder:
    """The texts that a sentence cites, ready to be asked what they hold."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = " \n ".join(normal(text) for text in texts)
        # an address may stand in a URL or in user@address
        values = {*_values(self._text), *_values(self._text.replace("/", " ").replace("@", " "))}
        self._addresses = {value.value for value in values if value.kind is Kind.address}
        self._numbers = {value.value for value in values if value.kind is Kind.number}
        self._times = {value.value for value in values if value.kind is Kind.time}

    def holds(self, value: HardValue) -> bool:
        """Whether the value occurs, as a whole."""
        if value.kind is Kind.address:
            return value.value in self._addresses
        if value.kind is Kind.number:
            return value.value in self._numbers
        if value.kind is Kind.time:
            return any(_same_time(value.value, time) for time in self._times)
        return self._has(value.value)

    def _has(self, wanted: str) -> bool:
        at = self._text.find(wanted)
        while at >= 0:
            if _whole(self._text, at, at + len(wanted)):
                return True
            at = self._text.find(wanted, at + 1)
        return False


def _whole(text: str, start: int, end: int) -> bool:
    before, first = text[start - 1 : start], text[start]
    after, next_one = text[end : end + 1], text[end + 1 : end + 2]
    if (before.isalnum() or before in {"_", "-", "."}) and (first.isalnum() or first in "_/.~-") and before:
        return False
    if after and (after.isalnum() or after in "_-") and (text[end - 1].isalnum() or text[end - 1] in "_-"):
        return False
    return not (after == "." and next_one.isalnum())


def _same_time(said: str, known: str) -> bool:
    """A time may be said in part: the day, the hour and minute, or the clock without the day."""
    return known.startswith(said) or known.partition("t")[2].startswith(said)


def _values(text: str) -> Iterator[HardValue]:
    """Values of a normalised text."""
    for match in _TIME.finditer(text):
        yield HardValue(Kind.time, _time(match))
    text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), _TIME.sub(" ", text))
    for piece in _SPLIT.split(text):
        if piece:
            bare = piece.rstrip(".'").removeprefix("'")
            yield from _of(bare if bare.endswith("::") else bare.rstrip(":"))


def _time(match: re.Match[str]) -> str:
    day, clock, alone, zone = match.groups()
    if not day:
        return str(alone).zfill(5) if len(alone) < 6 else str(alone).zfill(8)  # noqa: PLR2004 - h:mm or h:mm:ss
    if not clock:
        return str(day)
    offset = "+00:00" if zone in {None, "z", "utc", "gmt"} else zone
    seconds = "" if clock.count(":") > 1 else ":00"
    try:
        stamp = datetime.fromisoformat(f"{day}T{clock.zfill(5) if seconds else clock.zfill(8)}{seconds}{offset}")
        told = stamp.astimezone(UTC).strftime("%Y-%m-%dt%H:%M:%S")
    except (ValueError, OverflowError):
        return f"{day}t{clock}"
    return told[: -len(":00")] if seconds else told


def _of(piece: str) -> Iterator[HardValue]:
    """The values of one word."""
    if piece in _ORDINARY:
        return
    numbers = _numbers(piece)
    address = list(_address(piece))
    if address:
        yield from address
    elif numbers is not None:
        yield from (HardValue(Kind.number, _number(one)) for one in numbers if sum(map(str.isdigit, one)) >= _SINGLE)
    elif not _LETTERS.fullmatch(piece) and not _ABBREVIATION.fullmatch(piece):
        yield from _name(piece)


def _numbers(piece: str) -> list[str] | None:
    """The numbers that a word consists of (`42`, `60s`, `10-20`, `15-minute`, `twenty`); None if it is not a number."""
    if piece in _WORDS:
        return [_WORDS[piece]]
    if _RANGE.fullmatch(piece):
        return re.split(r"[-/:]", piece)
    found = _NUMBER.fullmatch(piece) or _COMPOUND.fullmatch(piece)
    return [found[1]] if found else None


def _name(piece: str) -> Iterator[HardValue]:
    """Paths, hosts, units, hashes, options, and other words that no dictionary has."""
    separator = "/" if "/" in piece else ":"
    if not piece.startswith(("/", "~", ".")) and "://" not in piece and separator in piece:
        parts = piece.split(separator)
        if separator == ":" or all(_LETTERS.fullmatch(part) or part.isdigit() for part in parts):
            for part in parts:
                yield from _of(part)
            return
    if any(char.isalnum() for char in piece):
        yield HardValue(Kind.text, piece.rstrip("/") or piece)


def _address(piece: str) -> Iterator[HardValue]:
    """An IP address, with the port, prefix length or zone that may follow it."""
    if not (piece[:1].isalnum() or piece[:1] == ":") or not ("." in piece or piece.count(":") > 1):
        return
    host, slash, prefix = piece.partition("/")
    host = host.partition("%")[0]
    port = ""
    if host.count(":") == 1 and "." in host:
        host, _, port = host.partition(":")
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return
    yield HardValue(Kind.address, str(getattr(found, "ipv4_mapped", None) or found))
    for number in (port, prefix if slash else ""):
        if len(number) >= _SINGLE and number.isdigit():
            yield HardValue(Kind.number, _number(number))


def _number(digits: str) -> str:
    """`0042`, `42.0` and `4_2` → `42`."""
    whole, dot, fraction = digits.replace("_", "").partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if dot and fraction else "")
