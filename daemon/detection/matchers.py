"""One value of a Sigma rule → a leaf: callable on a view of an event, and able to say itself.

Text is compared without case unless `cased` or `re` says otherwise; field names are compared as they are. A field with
several values matches when any of them does.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sigma import types as sigma

from daemon.detection.expression_needs import ExpressionNeeds, needs_of
from daemon.detection.expression_scan import scan_expressions
from daemon.detection.expressions import ExpressionError, Wild, compile_glob, compile_search, compile_token
from daemon.detection.folding import fold
from daemon.detection.readings import OPERATORS, in_network, number_of, time_part
from daemon.detection.view import KEYWORDS, View
from daemon.detection.wording import Phrase, number, quoted, shorten, shorten_words, visible

Test: TypeAlias = Callable[[View], bool]
TextTest: TypeAlias = Callable[[str], bool]
Parts: TypeAlias = tuple[str | Wild, ...]

WORDS: Mapping[str, str] = {"is": "is", "contains": "contains", "starts": "starts with", "ends": "ends with"}
_PATTERN = 48
"""Characters of an expression that a reason shows: the text that it matched says more."""
_VALUE = 60
"""Characters of an event's value that a reason shows."""
_SHAPES = {"": "is", "t": "is", "*": "contains", "*t*": "contains", "t*": "starts", "*t": "ends"}
_COMPARE = {
    sigma.CompareOperators.LT: "<",
    sigma.CompareOperators.LTE: "<=",
    sigma.CompareOperators.GT: ">",
    sigma.CompareOperators.GTE: ">=",
    sigma.CompareOperators.NEQ: "!=",
}


class UnsupportedError(ValueError):
    """A value that no event can be compared with; the text says what was expected."""


class Leaf(Struct, frozen=True):
    """One comparison. `literal` is (way, lower-cased needle) when it can be grouped with its like; `shows` adds the
    event's own value to the reason; `gauge` marks a numeric comparison.

    `needs` is what must be in the folded text of some value (or of the event, for a keyword) for it to hold: of every
    set at least one literal, each folded as `folding.fold` does. Empty where none is known. `absent` tells that it may
    hold for an event without the field. Of a regular expression `expression` tells more, `scan` how hyperscan may look
    for it. `search` is the name in the rule of the search that it is the whole of.
    """

    field: str | None
    words: str
    test: Test
    literal: tuple[str, str] | None = None
    shows: bool = False
    gauge: bool = False
    needs: tuple[frozenset[str], ...] = ()
    absent: bool = False
    expression: ExpressionNeeds | None = None
    scan: tuple[str, ...] = ()
    search: str = ""

    def because(self, view: View, shown: View) -> list[Phrase]:
        """Why it matched, and the value for which it did, as it is in `shown`."""
        return [Phrase(self.search, _subject(self.field), self.words, self._got(view, shown))]

    def _got(self, view: View, shown: View) -> str:
        values = view.texts[self.field] if self.shows and self.field is not KEYWORDS else ()
        place = self._place(view, values)
        if not values or (self.literal is not None and self.literal[1] == fold(values[place])):
            return ""
        clean = shown.texts[self.field]
        return _shown(clean[place]) if place < len(clean) else ""

    def _place(self, view: View, values: tuple[str, ...]) -> int:
        """Which is the first value for which it holds."""
        if len(values) < 2 or self.field is None:  # noqa: PLR2004 - nothing to choose
            return 0
        name, fields = self.field, view.fields
        alone = (View(replace(view.event, fields={**fields, name: text})) for text in values)
        return next((place for place, one in enumerate(alone) if self.test(one)), 0)

    def leaves(self) -> tuple["Leaf", ...]:
        """Itself."""
        return (self,)

    def __str__(self) -> str:
        return f"{_subject(self.field)} {self.words}"


def _subject(field: str | None) -> str:
    return "text" if field is KEYWORDS else visible(field)


def build_leaf(field: str | None, value: Any) -> Leaf:
    """Compile one resolved pySigma value (not an expansion). Raises UnsupportedError."""
    for kind, build in _BUILDERS:
        if isinstance(value, kind):
            try:
                return build(field, value)
            except (ExpressionError, UnicodeEncodeError) as error:
                raise UnsupportedError(f"expected an expression that RE2 accepts ({error})") from error
    raise UnsupportedError(f"expected a text, number, boolean or null (got {type(value).__name__})")


def needed(text: str) -> frozenset[str]:
    """A literal that a folded text must contain, as a set of alternatives."""
    return frozenset({fold(text)})


def passes_literal(way: str, needle: str) -> TextTest:
    """The test of a plain comparison; `way` is one of `WORDS`."""
    if way == "is":
        return needle.__eq__
    if way == "contains":
        return lambda text: needle in text
    return (lambda text: text.startswith(needle)) if way == "starts" else (lambda text: text.endswith(needle))


def any_lowered(field: str | None, passes: TextTest) -> Test:
    """Whether any lower-cased value of the field passes."""

    def test(view: View) -> bool:
        for text in view.lowered[field]:  # noqa: SIM110 - a loop takes half the time of any() here
            if passes(text):
                return True
        return False

    return test


def _any_text(field: str | None, passes: TextTest) -> Test:
    return lambda view: any(passes(text) for text in view.texts[field])


def _shown(text: str) -> str:
    """A value of an event in a reason: bare when it is a number, else quoted."""
    value = number_of(text) if len(text) < 32 else None  # noqa: PLR2004 - no gauge is longer
    return quoted(shorten_words(text, _VALUE)) if value is None else number(value)


def _parts(field: str | None, value: sigma.SigmaString) -> Parts:
    """Text and wildcards; a keyword may stand anywhere, so it is wrapped in wildcards."""
    parts: list[str | Wild] = []
    for part in value.s:
        if isinstance(part, sigma.Placeholder):
            raise UnsupportedError(f"expected a value (got the placeholder %{part.name}%, which nothing fills)")
        if isinstance(part, str):
            parts.append(part)
        elif part is sigma.SpecialChars.WILDCARD_SINGLE:
            parts.append(Wild.one)
        elif parts[-1:] != [Wild.many]:
            parts.append(Wild.many)
    if field is KEYWORDS:
        if not parts:
            raise UnsupportedError("expected a keyword that is not empty")
        before = [] if parts[0] is Wild.many else [Wild.many]
        after = [] if parts[-1] is Wild.many else [Wild.many]
        parts = [*before, *parts, *after]
    return tuple(parts)


def _text(field: str | None, value: sigma.SigmaString) -> Leaf:
    cased = isinstance(value, sigma.SigmaCasedString)
    note = " (case-sensitive)" if cased else ""
    parts = _parts(field, value)
    shape = "".join("*" if part is Wild.many else "?" if part is Wild.one else "t" for part in parts)
    text = "".join(part for part in parts if isinstance(part, str))
    compare = _any_text if cased else any_lowered
    needs = tuple(needed(part) for part in parts if isinstance(part, str))
    if shape not in _SHAPES:
        folded = [fold(part) if isinstance(part, str) and not cased else part for part in parts]
        spelled = "".join(part if isinstance(part, str) else "*" if part is Wild.many else "?" for part in parts)
        words = f"is like {quoted(spelled)}{note}"
        return Leaf(field, words, compare(field, compile_glob(folded)), shows=True, needs=needs)
    way, needle = _SHAPES[shape], text if cased else fold(text)
    words = "has a value" if shape == "*" else f"{WORDS[way]} {quoted(text)}{note}"
    test = compare(field, passes_literal(way, needle))
    return Leaf(field, words, test, None if cased else (way, needle), shows=way != "is", needs=needs)


def _number(field: str | None, value: sigma.SigmaNumber) -> Leaf:
    wanted = str(value.number)
    needs = (needed(wanted),)
    if field is KEYWORDS:
        return Leaf(field, f"contains the number {wanted}", _any_text(field, compile_token(wanted)), needs=needs)
    words = f"is {quoted(wanted)}"
    if isinstance(value.number, int):
        return Leaf(field, words, any_lowered(field, wanted.__eq__), ("is", wanted), needs=needs)
    return Leaf(field, words, _any_text(field, lambda text: text == wanted), needs=needs)


def _time_part(field: str | None, value: sigma.SigmaTimestampPart) -> Leaf:
    name, wanted = value.timestamp_part.name.lower(), value.number
    name_of_field = _named(field, "a time")
    words = f"has the {name} {wanted}"
    return Leaf(name_of_field, words, _any_text(field, lambda text: time_part(text, name) == wanted), shows=True)


def _compare(field: str | None, value: sigma.SigmaCompareExpression) -> Leaf:
    named, sign, limit = _named(field, "a number"), _COMPARE[value.op], value.number.number
    holds = OPERATORS[sign]
    if isinstance(value.number, sigma.SigmaTimestampPart):
        part = value.number.timestamp_part.name.lower()
        read: Callable[[str], float | None] = lambda text: time_part(text, part)  # noqa: E731 - one of two readings
        words = f"has a {part} {sign} {limit}"
    else:
        read, words = number_of, f"{sign} {number(limit)}"

    def passes(text: str) -> bool:
        found = read(text)
        return found is not None and holds(found, limit)

    return Leaf(named, words, _any_text(named, passes), shows=True, gauge=True)


def _bool(field: str | None, value: sigma.SigmaBool) -> Leaf:
    wanted = "true" if value.boolean else "false"
    if field is KEYWORDS:
        return Leaf(
            field, f"contains the word {wanted}", _any_text(field, compile_token(wanted)), needs=(needed(wanted),)
        )
    return Leaf(field, f"is {wanted}", any_lowered(field, wanted.__eq__), ("is", wanted), needs=(needed(wanted),))


def _null(field: str | None, value: sigma.SigmaNull) -> Leaf:  # noqa: ARG001 - one shape for all builders
    named = _named(field, "null")
    return Leaf(named, "has no value", lambda view: not view.texts[named], absent=True)


def _exists(field: str | None, value: sigma.SigmaExists) -> Leaf:
    named = _named(field, "exists")
    if value.exists:
        return Leaf(named, "exists", lambda view: named in view.fields)
    return Leaf(named, "does not exist", lambda view: named not in view.fields, absent=True)


def _expression(field: str | None, value: sigma.SigmaRegularExpression) -> Leaf:
    if value.contains_placeholder():
        raise UnsupportedError("expected an expression (got a placeholder, which nothing fills)")
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    pattern = str(value.regexp)
    words = f"matches /{shorten(visible(pattern), _PATTERN)}/{flags}"
    search = compile_search(pattern, flags)
    found = needs_of(pattern, flags)
    affixes = tuple(one for one in (found.starts, found.ends) if one)
    return Leaf(
        field,
        words,
        _any_text(field, search),
        shows=True,
        needs=(*found.anywhere, *affixes),
        expression=found,
        scan=scan_expressions(pattern),
    )


def _cidr(field: str | None, value: sigma.SigmaCIDRExpression) -> Leaf:
    named, network = _named(field, "an address"), value.network
    test = _any_text(named, lambda text: in_network(text, network))
    return Leaf(named, f"is in {network}", test, shows=True)


def _reference(field: str | None, value: sigma.SigmaFieldReference) -> Leaf:
    named, other = _named(field, "another field"), value.field
    way = {(True, True): "contains", (True, False): "starts", (False, True): "ends", (False, False): "is"}[
        (value.starts_with, value.ends_with)
    ]

    def test(view: View) -> bool:
        needles = view.lowered[other]
        return any(passes_literal(way, needle)(text) for needle in needles for text in view.lowered[named])

    return Leaf(named, f"{WORDS[way]} the value of {visible(other)}", test, shows=True)


def _named(field: str | None, what: str) -> str:
    if field is None:
        raise UnsupportedError(f"expected a field (a keyword cannot be compared with {what})")
    return field


_BUILDERS: tuple[tuple[type, Callable[[str | None, Any], Leaf]], ...] = (
    (sigma.SigmaString, _text),
    (sigma.SigmaTimestampPart, _time_part),
    (sigma.SigmaNumber, _number),
    (sigma.SigmaBool, _bool),
    (sigma.SigmaNull, _null),
    (sigma.SigmaExists, _exists),
    (sigma.SigmaRegularExpression, _expression),
    (sigma.SigmaCIDRExpression, _cidr),
    (sigma.SigmaCompareExpression, _compare),
    (sigma.SigmaFieldReference, _reference),
)
