r"""The searches of a rule → pySigma's detections, with what Sigma 2.1 has and pySigma 2.0.1 lacks.

`utf16le` is the name that the specification gives `wide`. `expand` fills `%name%` before every other modifier, so that
it goes with all of them (`cidr`, `re`, `base64` …); the values of one placeholder are alternatives even under `all`.
`\%` is a plain percent sign (Sigma rules specification 2.1, Placeholders).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice, product
from typing import Any, TypeAlias

from sigma.modifiers import SigmaRegularExpressionModifier, modifier_mapping
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import SigmaExpansion, SigmaString, SigmaType, sigma_type

from daemon.detection.attributes import suggestion
from daemon.detection.expressions import ExpressionError, compile_search

Placeholders: TypeAlias = Mapping[str, Sequence[str]]
"""What `%name%` stands for under `expand`: one or several values, which may hold wildcards."""

NOTHING: Placeholders = {}
MODIFIERS = {**modifier_mapping, "utf16le": modifier_mapping["wide"]}
_NOT_SEARCHES = frozenset({"condition", "timeframe"})
_PIECE = re.compile(r"(\\\\|\\%|%[^%\\]+%)")
_MOST = 10_000
_EXACT = 2**53  # beyond it pySigma rounds whole numbers to a double


class UnusableError(ValueError):
    """A value that cannot be used; the text says what was expected."""


def read_searches(section: Mapping[str, Any], placeholders: Placeholders, *ignored: str) -> SigmaDetections:
    """The named searches of a `detection` or `filter` section and its condition, the `ignored` keys left out.

    Raises UnusableError, ExpressionError and what pySigma raises for values that do not fit their modifiers.
    """
    condition = section["condition"]
    return SigmaDetections(
        detections={
            name: _search(value, placeholders)
            for name, value in section.items()
            if name not in _NOT_SEARCHES and name not in ignored
        },
        condition=condition if isinstance(condition, list) else [condition],
    )


def _search(definition: Any, placeholders: Placeholders) -> SigmaDetection:
    """A map (all of its items), a list of values (any of them), or a list of maps, lists and values (any)."""
    if isinstance(definition, dict):
        return SigmaDetection([read_item(key, value, placeholders) for key, value in definition.items()])
    if isinstance(definition, list) and any(isinstance(one, dict | list) for one in definition):
        return SigmaDetection([_search(one, placeholders) for one in definition])
    return SigmaDetection([read_item(None, definition, placeholders)])


def read_item(key: str | None, value: Any, placeholders: Placeholders) -> SigmaDetectionItem:
    """One `field|modifiers: value`, or keywords where there is no field. Raises as `read_searches` does."""
    field, *names = key.split("|") if key is not None else [""]
    modifiers = [MODIFIERS[name] for name in names if name != "expand"]
    raw = SigmaRegularExpressionModifier in modifiers
    given = value if isinstance(value, list) else [value]
    values = [_filled(one, placeholders, raw=raw) if "expand" in names else _typed(one, raw=raw) for one in given]
    return SigmaDetectionItem(field or None, modifiers, values)


def _typed(value: Any, *, raw: bool) -> SigmaType:
    if isinstance(value, dict | list):
        raise UnusableError("expected a value or a list of values")
    if isinstance(value, int) and abs(value) > _EXACT:
        raise UnusableError("expected a number of at most 2^53 (larger ones only in quotes, as text)")
    if isinstance(value, date):
        raise UnusableError(f"expected text (got the date {value}: put it in quotes)")
    if not raw:
        return sigma_type(value)
    if not isinstance(value, str):
        raise ExpressionError(f"got {value!r}: put it in quotes")
    compile_search(value)  # before pySigma does: it would let RE2 write to stderr
    return SigmaString.from_str(value)


def has_placeholder(text: str) -> bool:
    """Whether `expand` finds something to fill in."""
    return any(piece.startswith("%") and _PIECE.fullmatch(piece) for piece in _PIECE.split(text))


def _filled(value: Any, placeholders: Placeholders, *, raw: bool) -> SigmaType:
    if not isinstance(value, str):
        raise UnusableError(f"expected text with a placeholder such as %admins% (got {value!r})")
    pieces = [list(_alternatives(piece, placeholders)) for piece in _PIECE.split(value)]
    texts = ["".join(chosen) for chosen in islice(product(*pieces), _MOST + 1)]
    if len(texts) > _MOST:
        raise UnusableError(f"expected placeholders that stand for at most {_MOST} values together")
    return SigmaExpansion([_typed(text, raw=raw) for text in dict.fromkeys(texts)])


def _alternatives(piece: str, placeholders: Placeholders) -> Iterator[str]:
    if piece == "\\%":
        yield "%"
    elif piece.startswith("%") and _PIECE.fullmatch(piece):
        yield from _named(piece[1:-1], placeholders)
    else:
        yield piece


def _named(name: str, placeholders: Placeholders) -> Sequence[str]:
    values = placeholders.get(name)
    if not values:
        raise UnusableError(
            f"expected a placeholder that rules.placeholders fills (got %{name}%){suggestion(name, placeholders)}"
        )
    return values
