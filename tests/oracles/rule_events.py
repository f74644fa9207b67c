"""Events made of a rule's own literals: some that it should match, and neighbours of those that it should just miss.

Nothing here decides whether an event matches: two engines do, and must agree. Seeded, so a failure comes back.
"""

import importlib
import ipaddress
from collections.abc import Callable, Iterable, Iterator
from random import Random  # noqa: TID251 - a seeded one is handed in
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sigma import types as sigma
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.rule import SigmaRule

from daemon.model import Event, Logsource, Value

_regex: Any = importlib.import_module("re._parser")  # the parser of Python's own `re`: a tree to walk
_CATEGORIES = {"CATEGORY_DIGIT": "7", "CATEGORY_WORD": "w", "CATEGORY_SPACE": " "}
_NOT_CATEGORIES = {"CATEGORY_NOT_DIGIT": "x", "CATEGORY_NOT_WORD": "-", "CATEGORY_NOT_SPACE": "y"}
_FILLERS = ("", "x", " ", "/usr/", " -v ", "0", "_", "%", "\n", "Ü", '"')
_NEAR = 0.3
TEXT = ""
"""The name under which a wish for the whole text stands."""


class Wish(Struct, frozen=True):
    """What a field is to hold, or is not to: one comparison of a rule."""

    field: str
    value: Any
    holds: bool


Wishes: TypeAlias = list[Wish]
Fields: TypeAlias = dict[str, Value]


def events_for(rule: SigmaRule, random: Random, rounds: int = 3) -> list[Event]:
    """Events of the rule's logsource around every condition that it has."""
    made: list[Fields] = []
    for condition in rule.detection.parsed_condition:
        tree = condition.parsed
        for number in range(rounds):
            wishes = list(_wishes(tree, random, wanted=True))
            fields = _fields(wishes, random, spread=number % 2 == 1)
            made += [fields, *_neighbours(fields, random)]
            made.append(_fields(list(_wishes(tree, random, wanted=False)), random, spread=False))
            made += [_fields(_without(wishes, index), random, spread=False) for index in range(min(len(wishes), 3))]
    made.append({"irrelevant": "field"})
    return [_event(rule, number, fields) for number, fields in enumerate(made)]


def _event(rule: SigmaRule, number: int, fields: Fields) -> Event:
    source = rule.logsource
    logsource = Logsource(str(source.product or "linux"), str(source.category or ""), str(source.service or ""))
    said = str(fields.get(TEXT, ""))
    named = {key: value for key, value in fields.items() if key != TEXT}
    text = " ".join([said, *(f"{key}={value}" for key, value in named.items())])
    return Event(f"{rule.id}:{number}", 0.0, "vm", "made", logsource, named, text)


def _wishes(tree: Any, random: Random, *, wanted: bool) -> Iterator[Wish]:
    """Comparisons that together make the tree true (or false), chosen at random where several ways do."""
    if isinstance(tree, ConditionNOT):
        yield from _wishes(tree.args[0], random, wanted=not wanted)
    elif isinstance(tree, ConditionAND | ConditionOR):
        arms = list(tree.args)
        chosen = random.randrange(len(arms))
        every = isinstance(tree, ConditionAND) == wanted
        for index, arm in enumerate(arms):
            if every or index == chosen:
                yield from _wishes(arm, random, wanted=wanted)
            elif isinstance(tree, ConditionAND) and random.random() < _NEAR:  # a near miss: the others hold
                yield from _wishes(arm, random, wanted=True)
    elif isinstance(tree.value, sigma.SigmaExpansion):
        values = list(tree.value.values)
        for value in [random.choice(values)] if wanted else values:
            yield Wish(tree.field or TEXT, value, wanted)
    else:
        yield Wish(getattr(tree, "field", TEXT), tree.value, wanted)


def _without(wishes: Wishes, index: int) -> Wishes:
    changed = list(wishes)
    changed[index] = replace(changed[index], holds=not changed[index].holds)
    return changed


def _fields(wishes: Wishes, random: Random, *, spread: bool) -> Fields:
    """Fields as wished. `spread` gives a field with several wishes a value for each, and one that nobody wished."""
    fields: Fields = {}
    for name in dict.fromkeys(wish.field for wish in wishes):
        held = [_shape(wish.value, random) for wish in wishes if wish.field == name and wish.holds]
        shapes = [shape for shape in held if shape is not None]
        if name == TEXT:  # a keyword may stand anywhere
            shapes = [("contains", f" {text} ") for _, text in shapes]
        if not shapes:
            continue
        if spread and name != TEXT:
            fields[name] = ("other", *(_joined([shape], random) for shape in shapes))
        else:
            fields[name] = _joined(shapes, random)
    return fields


def _shape(value: Any, random: Random) -> tuple[str, str] | None:
    """How a text that the value holds for stands in a field, and the text. None where only absence does."""
    for kind, shape in _SHAPES:
        if isinstance(value, kind):
            return shape(value, random)
    raise AssertionError(f"expected a value that some rule uses (got {type(value).__name__})")


def _joined(shapes: list[tuple[str, str]], random: Random) -> str:
    """One text for several wishes: what starts it, what it holds, what ends it."""
    exact = [text for way, text in shapes if way == "is"]
    if exact:
        return exact[0]
    parts = [[text for way, text in shapes if way == wanted] for wanted in ("starts", "contains", "ends")]
    starts, contains, ends = parts
    random.shuffle(contains)
    pieces = [*starts[:1], *contains, *ends[-1:]]
    text = pieces[0]
    for piece in pieces[1:]:
        text += random.choice(_FILLERS) + piece
    before = "" if starts else random.choice(_FILLERS)
    return before + text + ("" if ends else random.choice(_FILLERS))


def _neighbours(fields: Fields, random: Random) -> list[Fields]:
    """The same event, wrong in one place, or the same in another spelling."""
    names = [name for name, value in fields.items() if isinstance(value, str)]
    if not names:
        return []
    made: list[Fields] = []
    for change in _CHANGES:
        name = random.choice(names)
        made.append({**fields, name: change(str(fields[name]), random)})
    name = random.choice(names)
    made.append({(key.swapcase() if key == name else key): value for key, value in fields.items()})
    made.append({key: value for key, value in fields.items() if key != name})
    made.append({key: value.upper() if isinstance(value, str) else value for key, value in fields.items()})
    return made


def _change_one(text: str, random: Random) -> str:
    at = random.randrange(len(text)) if text else 0
    return text[:at] + random.choice("_%*?\\x") + text[at + 1 :]


_CHANGES: tuple[Callable[[str, Random], str], ...] = (
    _change_one,
    _change_one,
    lambda text, _: text[:-1],
    lambda text, _: text[1:],
    lambda text, random: text + random.choice(_FILLERS),
    lambda text, random: random.choice(_FILLERS) + text,
    lambda text, _: text.swapcase(),
    lambda text, _: text.replace(" ", "  "),
)


def _text_shape(value: sigma.SigmaString, random: Random) -> tuple[str, str]:
    parts = list(value.s)
    starts = bool(parts) and not isinstance(parts[0], str)
    ends = bool(parts) and not isinstance(parts[-1], str)
    text = "".join(part if isinstance(part, str) else random.choice(("", "a", " b/")) for part in parts)
    many = [part for part in parts if part is sigma.SpecialChars.WILDCARD_SINGLE]
    if many or not (starts or ends):
        return "is", "".join(part if isinstance(part, str) else "q" for part in parts)
    return ("contains" if starts and ends else "ends" if starts else "starts"), text


def _regex_shape(value: sigma.SigmaRegularExpression, random: Random) -> tuple[str, str]:
    pattern = str(value.regexp)
    text = "".join(_sampled(_regex.parse(pattern), random))
    first, last = pattern.lstrip("(").startswith("^"), pattern.rstrip(")").endswith("$")
    return "is" if first and last else "starts" if first else "ends" if last else "contains", text


def _sampled(tree: Any, random: Random) -> Iterator[str]:
    for operation, argument in tree:
        step = _STEPS.get(str(operation))
        if step is not None:  # the others are anchors: they stand for no character
            yield from step(argument, random)


def _repeated(argument: Any, random: Random) -> Iterator[str]:
    least, most, inner = argument
    for _ in range(random.randint(least, min(int(most), least + 2))):
        yield from _sampled(inner, random)


def _member(choices: list[tuple[Any, Any]], random: Random) -> str:
    if str(choices[0][0]) == "NEGATE":
        taken = {chr(argument) for operation, argument in choices[1:] if str(operation) == "LITERAL"}
        return next(character for character in "zk7- " if character not in taken)
    operation, argument = random.choice(choices)
    if str(operation) == "RANGE":
        return chr(random.randint(argument[0], argument[1]))
    if str(operation) == "CATEGORY":
        return {**_CATEGORIES, **_NOT_CATEGORIES}[str(argument)]
    return chr(argument)


_STEPS: dict[str, Callable[[Any, Random], Iterable[str]]] = {
    "LITERAL": lambda argument, _: [chr(argument)],
    "NOT_LITERAL": lambda argument, _: ["z" if chr(argument) != "z" else "y"],
    "ANY": lambda _argument, _random: ["z"],
    "IN": lambda argument, random: [_member(argument, random)],
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "SUBPATTERN": lambda argument, random: _sampled(argument[-1], random),
    "BRANCH": lambda argument, random: _sampled(random.choice(argument[1]), random),
}


def _number_shape(value: sigma.SigmaCompareExpression, _random: Random) -> tuple[str, str]:
    operators = sigma.SigmaCompareExpression.CompareOperators
    step = {operators.LT: -1, operators.GT: 1, operators.NEQ: 1}.get(value.op, 0)
    return "is", str(value.number.number + step)


_Shape: TypeAlias = Callable[[Any, Random], tuple[str, str] | None]
_SHAPES: tuple[tuple[type, _Shape], ...] = (
    (sigma.SigmaString, _text_shape),
    (sigma.SigmaNumber, lambda value, _: ("is", str(value.number))),
    (sigma.SigmaBool, lambda value, _: ("is", str(value).lower())),
    (sigma.SigmaNull, lambda _value, _random: None),
    (sigma.SigmaExists, lambda value, _: ("is", "there") if value.exists else None),
    (sigma.SigmaRegularExpression, _regex_shape),
    (sigma.SigmaCIDRExpression, lambda value, _: ("is", str(ipaddress.ip_network(str(value.network))[-1]))),
    (sigma.SigmaCompareExpression, _number_shape),
)
