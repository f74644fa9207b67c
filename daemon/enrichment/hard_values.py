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

from daemon.enrichment.named_values import names
from daemon.enrichment.ordinary_words import familiar
from daemon.enrichment.spoken_numbers import spoken_numbers
from daemon.enrichment.vocabulary import words


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
_EXACT_DIGIT = re.compile(
    r"(?:\b(?:port|pid|ppid|process|uid|euid|auid|gid|exit|signal|code|status|version|line|tty|runlevel|inode|fd|user|id|number"
    r"|no\.|level|session)s?[ :=#(-]*(?:(?:is|was|of|number|code|id|value|the)[ :=#]+)*"
    r"|[\[=#/]|(?<![\w.)\]-])-)(\d)(?![\w.,:-]*\d)"
)
"""A single digit that is a value and no figure of speech: `port 8`, `sshd[9]`, `exit code 1`, `-9`."""
_HOUR = re.compile(r"(?<![\w:.])(1[0-2]|0?[1-9])(?::([0-5]\d))? ?([ap])\.?m\b\.?")
_HEX = re.compile(r"[0-9a-f]{1,4}(?:[:-][0-9a-f]{1,4}){3,}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){2,}|[a-f]{8,}")
"""MAC addresses, fingerprints, and hashes that happen to have no digit."""
_CURLY = str.maketrans("“”„‟‘’‚‛´–—−‐‑‒", "\"\"\"\"'''''------")  # noqa: RUF001 - the characters that are made plain
_ORDINARY = frozenset({
    "ipv4", "ipv6", "base64", "base32", "sha1", "sha256", "sha512", "md5", "c2", "utf8", "utf-8", "2fa", "x86",
    "x64", "x86_64", "http/2", "log4j", "k8s", "s3", "and/or", "i/o", "n/a",
})  # fmt: skip
_PAIRED = words("""
and or read write tcp udp ip ipv4 ipv6 http https ssh sftp scp cpu gpu memory disk input output client server success
failure start stop login logout user group pid uid gid yes no true false on off up down source destination upload
download request response create delete username password host address port command script process service network dns
tls ssl app application file directory key token day week hour minute second authentication authorization before after
parent child allow deny open close add remove name id protocol security monitoring access date time and/or he she his
her a b c shell code
""")
"""Words that may be joined by a slash; anything else with a slash in it is a path."""
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
    digits = _digits(text)
    found |= {HardValue(Kind.number, match[1]) for match in _EXACT_DIGIT.finditer(digits)}
    found |= {HardValue(Kind.time, _hour(match)) for match in _HOUR.finditer(text)}
    found |= {
        HardValue(Kind.text, name) for name in names(text, unicodedata.normalize("NFKC", sentence).translate(_CURLY))
    }
    return {value for value in found if value.value}


class Holder:
    """The texts that a sentence cites, ready to be asked what they hold."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = " \n ".join(normal(text) for text in texts)
        # an address may stand in a URL or in user@address
        values = {*_values(self._text, 1), *_values(self._text.replace("/", " ").replace("@", " "), 1)}
        values |= {HardValue(Kind.number, digit) for digit in re.findall(r"(?<![\w.])\d(?![\w.])", self._text)}
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


def _digits(text: str) -> str:
    """The text with its spoken numbers in digits."""
    for start, end, digits in sorted(spoken_numbers(text), reverse=True):
        text = f"{text[:start]}{digits}{text[end:]}"
    return text


def _values(text: str, least: int = _SINGLE) -> Iterator[HardValue]:
    """Values of a normalised text; numbers from `least` digits on."""
    for match in _TIME.finditer(text):
        yield HardValue(Kind.time, _time(match))
    text = _digits(_THOUSANDS.sub(lambda found: found[0].replace(",", ""), _TIME.sub(" ", _HOUR.sub(" ", text))))
    for piece in _SPLIT.split(text):
        if piece:
            bare = piece.rstrip(".'").removeprefix("'")
            yield from _of(bare if bare.endswith("::") else bare.rstrip(":"), least)


def _hour(match: re.Match[str]) -> str:
    """`3 pm` → `15:`, the beginning of any such time."""
    hour = int(match[1]) % 12 + (12 if match[3] == "p" else 0)
    return f"{hour:02}:{match[2] or ''}"


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


def _of(piece: str, least: int) -> Iterator[HardValue]:
    """The values of one word."""
    if piece in _ORDINARY:
        return
    numbers = _numbers(piece)
    address = list(_address(piece))
    if address:
        yield from address
    elif _HEX.fullmatch(piece) and not familiar(piece) and not piece.isdigit():
        yield HardValue(Kind.text, piece)
    elif numbers is not None:
        yield from (HardValue(Kind.number, _number(one)) for one in numbers if sum(map(str.isdigit, one)) >= least)
    elif not _LETTERS.fullmatch(piece) and not _ABBREVIATION.fullmatch(piece):
        yield from _name(piece, least)


def _numbers(piece: str) -> list[str] | None:
    """The numbers that a word consists of (`42`, `60s`, `10-20`, `15-minute`); None if it is not a number."""
    if _RANGE.fullmatch(piece):
        return re.split(r"[-/:]", piece)
    found = _NUMBER.fullmatch(piece) or _COMPOUND.fullmatch(piece)
    return [found[1]] if found else None


def _name(piece: str, least: int) -> Iterator[HardValue]:
    """Paths, hosts, units, hashes, options, and other words that no dictionary has."""
    if "/" in piece and all(part in _PAIRED for part in piece.split("/")):
        return
    parts = piece.split(":")
    if len(parts) > 1 and "/" not in piece and not piece.startswith(("~", ".")):
        for part in parts:
            # joined words such as `note:this` are words; `user:mallory` names somebody
            yield from ([] if part.isalpha() and familiar(part) else _of(part, least))
            if part.isalpha() and not familiar(part):
                yield HardValue(Kind.text, part)
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
    address = str(getattr(found, "ipv4_mapped", None) or found)
    yield HardValue(Kind.address, address)
    if port.isdigit():
        yield HardValue(Kind.number, _number(port))
    if slash:
        yield HardValue(Kind.address, f"{address}/{prefix}")


def _number(digits: str) -> str:
    """`0042`, `42.0` and `4_2` → `42`."""
    whole, dot, fraction = digits.replace("_", "").partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if dot and fraction else "")
