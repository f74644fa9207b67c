"""Rules made of the very events that they are to look at: values cut out of them anywhere, asked for in every way."""

import json
import random  # noqa: TID251 - a seeded choice
import re
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from daemon.detection.rules import ParsedRules, parse_rules
from daemon.detection.view import texts_of
from daemon.model import Event, Logsource
from daemon.selection import build_selectors

_WAYS = ("", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|endswith|cased", "|re", "|re|i")
_CONDITIONS = ("s", "s", "s", "s or t", "s and t", "s and not t", "1 of *", "all of them", "not s")
_SPECIAL = re.compile(r"([*?\\])")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_NONE = (Event("", 0.0, "", "", Logsource("linux", "", "auditd"), {}, "x"),)


def any_rules(rng: random.Random, events: Sequence[Event], number: int) -> ParsedRules:
    """So many rules, each about one event or two of these, if there are any."""
    texts = [_document(rng, events, place) for place in range(number)]
    return parse_rules({f"r{place}.yml": text for place, text in enumerate(texts)})


def selective(parsed: ParsedRules, fmt: str) -> ParsedRules:
    """Those of the rules that need something: one that does not makes a selector of no use."""
    alone = [replace(parsed, rules=(rule,)) for rule in parsed.rules]
    kept = tuple(one.rules[0] for one in alone if not build_selectors(one)[fmt].everything)
    return replace(parsed, rules=kept)


def _document(rng: random.Random, events: Sequence[Event], place: int) -> str:
    event = rng.choice(events or _NONE)
    source = event.logsource
    logsource = {"product": "linux", "category": source.category} if source.category else {"product": "linux"}
    if source.service and rng.random() < 0.6:
        logsource["service"] = source.service
    searches = {"s": _search(rng, event), "t": _search(rng, rng.choice(events or _NONE))}
    condition = rng.choice(_CONDITIONS)
    if condition == "not s" and rng.random() < 0.8:
        condition = "s"
    rule = {
        "title": f"R{place}", "id": f"00000000-0000-4000-8000-{place:012}", "logsource": logsource,
        "detection": {**searches, "condition": condition}, "level": "low",
    }  # fmt: skip
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(rule, ensure_ascii=False))


def _search(rng: random.Random, event: Event) -> Any:
    pick = rng.random()
    if pick < 0.25:
        words = [_cut(rng, event.text) for _ in range(rng.choice((1, 1, 2)))]
        form = rng.random()
        if form < 0.2:
            return {"|all": words}
        return {"|re": _expression(rng, words[0])} if form < 0.35 else words
    items = dict(_item(rng, event) for _ in range(rng.choice((1, 1, 1, 2, 3))))
    return items if pick < 0.85 else [items, dict([_item(rng, event)])]


def _item(rng: random.Random, event: Event) -> tuple[str, Any]:
    field = rng.choice(tuple(event.fields)) if event.fields and rng.random() < 0.97 else "Nothing"
    value = rng.choice(texts_of(event.fields.get(field)) or ("x",))
    number = value.isascii() and value.isdigit() and len(value) < 10
    odd: tuple[tuple[str, Any], ...] = (
        (f"{field}|exists", rng.random() < 0.7),
        (field, None),
        (field, int(value) if number else value),
        (f"{field}|gte", int(value) if number else 1),
        (f"{field}|fieldref", rng.choice(tuple(event.fields) or ("x",))),
        (f"{field}|re", rng.choice(("^.{%d,}$", ".{%d}", "[a-z/.]{%d,}", "^/.{%d}")) % min(len(value), 900)),
        (f"{field}|re", rng.choice(("^.{%d,}$", ".{%d}")) % min(len(value), 900)),
    )
    if rng.random() < 0.12:
        return rng.choice(odd)
    way = rng.choice(_WAYS)
    if "re" in way:
        return field + way, _expression(rng, _cut(rng, value), whole=value)
    found = [_value(rng, value, way) for _ in range(rng.choice((1, 1, 1, 2)))]
    if "contains" in way and len(found) > 1 and rng.random() < 0.4:
        way += "|all"
    return field + way, found if len(found) > 1 else found[0]


def _value(rng: random.Random, value: str, way: str) -> str:
    """A part of the value for this way of asking; seldom with a wildcard in it."""
    if "contains" in way:
        cut = _cut(rng, value)
    elif "startswith" in way:
        cut = value[: rng.randrange(len(value) + 1)]
    elif "endswith" in way:
        cut = value[rng.randrange(len(value) + 1) :]
    else:
        cut = value
    escaped = _SPECIAL.sub(r"\\\1", cut if "cased" in way else _other_case(rng, cut))
    if rng.random() < 0.1 and len(cut) > 2 and not _SPECIAL.search(cut):
        place = rng.randrange(1, len(cut))
        return escaped[:place] + rng.choice(("*", "?")) + escaped[place + 1 :]
    return escaped or "*"


def _cut(rng: random.Random, text: str) -> str:
    """A piece of a text from anywhere, long or short; a keyword must not be empty."""
    start = rng.randrange(len(text) + 1) if text else 0
    length = rng.choice((1, 2, 4, 5, 8, 8, 13, 13, 30, 200))
    return text[start : start + length] or "x"


def _other_case(rng: random.Random, text: str) -> str:
    return rng.choice((text, text.upper(), text.lower(), text.swapcase()))


def _expression(rng: random.Random, text: str, *, whole: str = "") -> str:
    """An expression that finds the text: characters made classes, groups of alternatives, repeats, anchors."""
    if whole and rng.random() < 0.3:
        text = whole[:40]
    made = "".join(_atom(rng, character) for character in text[:60])
    pick = rng.random()
    if pick < 0.15:
        made = f"(?:{made}|nothing)"
    elif pick < 0.3:
        made = f"({made})?.*{made}"
    starts = whole.startswith(text) and bool(whole) and rng.random() < 0.5
    ends = whole.endswith(text) and len(text) <= 60 and bool(whole) and rng.random() < 0.5
    return ("^" if starts else "") + made + ("$" if ends else "")


def _atom(rng: random.Random, character: str) -> str:
    pick = rng.random()
    if not character.isascii() or not character.isprintable():
        return f"\\x{{{ord(character):x}}}" if pick < 0.7 else "(?s:.)"
    if pick < 0.04:
        return "."
    if pick < 0.08 and character.isalpha():
        return f"[{character}q-z]"
    if pick < 0.1 and character.isdigit():
        return r"\d"
    if pick < 0.12 and character == " ":
        return r"\s+"
    escaped = re.escape(character)
    return f"{escaped}+" if pick < 0.14 else f"(?:{escaped}|zz)" if pick < 0.16 else escaped
