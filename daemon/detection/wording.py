"""How values and durations are written in a reason. Values of events are hostile: bounded, and on one line."""

from collections.abc import Iterable
from math import isfinite

from msgspec import Struct

_LIMIT = 120
_MOST_WORDS = 6
"""How many comparisons a reason names of each field, and how many fields of each search."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def visible(text: str) -> str:
    """The text with every character that does not print (controls, line breaks, direction marks) as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


def shorten(text: str, limit: int = _LIMIT) -> str:
    """At most `limit` characters, the end of a longer text replaced by `…`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shorten_words(text: str, limit: int) -> str:
    """At most `limit` characters that end with a whole word, if words are not too long for that: what is cut in two may
    be a secret that is not recognised any more.
    """
    cut = shorten(text, limit)
    blank = cut.rfind(" ")
    return cut if cut == text or blank < limit // 3 else cut[: blank + 1] + "…"


def quoted(text: str, limit: int = _LIMIT) -> str:
    """The text in double quotes, visible and bounded."""
    return '"' + visible(shorten(text, limit)).replace('"', '\\"') + '"'


def number(value: float) -> str:
    """A number without noise: `95`, `97.3`."""
    if not isfinite(value):
        return str(value)
    whole = int(value)
    return str(whole) if whole == value else f"{value:.6g}"


def duration(seconds: float) -> str:
    """Seconds in the largest unit that divides them: `2m`, `90s`, `1h`, `0.5s`."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def unique(phrases: Iterable[str]) -> list[str]:
    """The phrases in their order, each once."""
    return list(dict.fromkeys(phrases))


class Phrase(Struct, frozen=True):
    """One comparison that held: of which search of the rule, of what, how, and the value that it held for (`got`, bare
    or quoted; empty where the words say it already).
    """

    search: str
    subject: str
    words: str
    got: str = ""


def say_phrases(phrases: Iterable[Phrase]) -> str:
    """`shell: Image ends with "/sh" (got "/bin/sh"); fetch: CommandLine contains "curl" and contains "| sh"`."""
    by_search: dict[str, dict[str, list[Phrase]]] = {}
    for phrase in phrases:
        by_search.setdefault(phrase.search, {}).setdefault(phrase.subject, []).append(phrase)
    said = []
    for search, by_subject in by_search.items():
        words = _few([_say_subject(subject, found) for subject, found in by_subject.items()])
        said.append(f"{search}: {words}" if search else words)
    return "; ".join(said)


def _say_subject(subject: str, phrases: Iterable[Phrase]) -> str:
    """What held for one field, with the values in the end, as several comparisons may have met one value."""
    found = list(phrases)
    words = _few(unique(phrase.words for phrase in found))
    values = unique(phrase.got for phrase in found if phrase.got)[:2]
    return f"{subject} {words}" + (f" (got {', '.join(values)})" if values else "")


def _few(said: list[str]) -> str:
    kept = said[:_MOST_WORDS]
    return " and ".join(kept) + (f" and {len(said) - len(kept)} more" if len(said) > len(kept) else "")
