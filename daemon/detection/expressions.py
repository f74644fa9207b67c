"""Regular expressions of rules. RE2 only: Python's own engine can hang for seconds on one hostile line."""

from collections.abc import Callable, Sequence
from enum import Enum

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # a bad expression is a Problem, not a line on stderr
_AWAY = {0xD800 + n: 0xF0000 + n for n in range(0x800)}
"""Lone surrogates as characters for private use: one for one, and none that an expression names."""


class Wild(Enum):
    """What a wildcard stands for: any run of characters, or exactly one."""

    many = ".*"
    one = "."


class ExpressionError(ValueError):
    """RE2 does not accept the expression; the text says why."""


def compile_search(pattern: str, flags: str = "") -> Callable[[str], bool]:
    """A search for `pattern` anywhere in a text; `flags` among `i`, `m`, `s`. Raises ExpressionError."""
    try:
        found = re2.compile(f"(?{flags}){pattern}" if flags else pattern, _OPTIONS).search
    except re2.error as error:
        said = error.args[0] if error.args else ""
        shown = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ExpressionError(shown) from error
    except UnicodeEncodeError as error:
        raise ExpressionError("it holds a lone surrogate") from error

    def search(text: str) -> bool:
        try:
            return found(text) is not None
        except UnicodeEncodeError:  # bytes of a log that were no UTF-8 live on as lone surrogates
            return found(text.translate(_AWAY)) is not None

    return search


def compile_glob(parts: Sequence[str | Wild]) -> Callable[[str], bool]:
    """A match of the whole text against strings and wildcards in this order, line breaks included."""
    pattern = "".join(part.value if isinstance(part, Wild) else re2.escape(part) for part in parts)
    return compile_search(rf"\A(?:{pattern})\z", "s")


def compile_token(text: str) -> Callable[[str], bool]:
    """A search for `text` as a whole token: `0` is found in `init 0` and `a1="0"`, not in `10`, `0.5` or `a0`."""
    after = r"(?:\z|[^\pL\pN_.:-]|[.:](?:\z|[^\pL\pN_]))"
    return compile_search(rf"(?:\A|[^\pL\pN_.:-]){re2.escape(text)}{after}", "i")
