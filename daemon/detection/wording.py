"""How values and durations are written in a reason. Values of events are hostile: bounded, and on one line."""

from collections.abc import Iterable

_LIMIT = 120
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


def quoted(text: str, limit: int = _LIMIT) -> str:
    """The text in double quotes, visible and bounded."""
    return '"' + visible(shorten(text, limit)).replace('"', '\\"') + '"'


def number(value: float) -> str:
    """A number without noise: `95`, `97.3`."""
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
