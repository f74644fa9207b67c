"""Numbers in words → digits: `twenty-two` → 22, `three thousand five hundred` → 3500, `four four four four` → 4444."""

import re
from collections.abc import Iterator, Sequence

_UNITS = {
    word: value
    for value, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_PLURAL = {f"{scale}s": value for scale, value in _SCALES.items()} | {"tens": 10}
_WORD = "|".join(sorted({*_UNITS, *_TENS, *_SCALES, *_PLURAL}, key=len, reverse=True))
_RUN = re.compile(rf"(?<![\w-])(?:{_WORD})(?:(?:[ -]|,? and )(?:{_WORD}))*(?![\w-])")
_AMOUNT = re.compile(rf"(?<![\w-])({_WORD})((?:-[a-z]+)+)(?![\w-])")
_SMALL = 10
_NOUGHT = -1
_MAX_WORDS = 40
"""Number words of one run that are read; no value has more."""


def spoken_numbers(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, digits) of each run of number words in a normalised text. A lone word below ten is a figure of
    speech and left to the caller, who sees one digit. What is no number in English is read digit group by digit group.
    """
    for run in _RUN.finditer(text):
        words = re.findall(_WORD, run[0])[:_MAX_WORDS]
        yield run.start(), run.end(), _read(words)
    for amount in _AMOUNT.finditer(text):
        if not _RUN.fullmatch(amount[0]):
            yield amount.start(1), amount.end(1), _read([amount[1]])


def _read(words: Sequence[str]) -> str:
    """The digits of one run. Groups that no scale joins stand side by side: `twenty-two twenty-two` is 2222."""
    groups = [0]
    total = last = 0
    for word in words:
        scale = _SCALES.get(word) or _PLURAL.get(word)
        if scale and scale >= _SCALES["thousand"]:
            total, groups[-1] = total + max(groups[-1], 1) * scale, 0
        elif scale:
            groups[-1] = max(groups[-1], 1) * scale
        elif _extends(last, value := _UNITS.get(word, _TENS.get(word, 0))):
            groups[-1] += value
        else:
            groups.append(value)
        last = scale or _UNITS.get(word, _TENS.get(word, 0)) or _NOUGHT
    if total:
        return str(total + groups[0]) + "".join(map(str, groups[1:]))
    return "".join(map(str, groups))


def _extends(last: int, value: int) -> bool:
    """Whether a value of below a hundred belongs to the same number as the word before it."""
    return last in {0, *_SCALES.values(), 10} or (last in _TENS.values() and 0 < value < _SMALL)
