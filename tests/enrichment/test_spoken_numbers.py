"""A number in words is the number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.spoken_numbers import spoken_numbers


def read(text: str) -> list[str]:
    return [digits for _, _, digits in spoken_numbers(text)]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("twenty-two failed logins", ["22"]),
        ("twenty two failed logins", ["22"]),
        ("forty-five of them, and sixty others", ["45", "60"]),
        ("four four four four", ["4444"]),
        ("nine hundred ninety-nine", ["999"]),
        ("nine hundred and ninety-nine", ["999"]),
        ("three thousand five hundred", ["3500"]),
        ("two million one hundred thousand and seven", ["2100007"]),
        ("hundreds of files", ["100"]),
        ("a dozen", ["12"]),
        ("zero", ["0"]),
        ("one of two", ["1", "2"]),
        ("twenty-minute pause", ["20"]),
        ("someone often weighs a stone", []),
        ("", []),
    ],
)
def test_reading(text: str, digits: list[str]) -> None:
    assert read(text) == digits


SMALL = [
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
]
SMALL += ["eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spell(number: int) -> str:
    if number < 20:
        return SMALL[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{SMALL[number % 10]}" if number % 10 else "")
    unit, name = next((u, n) for u, n in ((10**6, "million"), (1000, "thousand"), (100, "hundred")) if number >= u)
    return f"{spell(number // unit)} {name}" + (f" {spell(number % unit)}" if number % unit else "")


@given(st.integers(10, 10**9 - 1))
def test_every_number_is_read_back(number: int) -> None:
    assert read(spell(number)) == [str(number)]


@given(st.lists(st.sampled_from([*SMALL, *TENS, "hundred", "million", "and", "-", "x"]), max_size=60).map(" ".join))
def test_any_run_gives_digits_inside_the_text(text: str) -> None:
    for start, end, digits in spoken_numbers(text):
        assert 0 <= start < end <= len(text)
        assert digits.isdigit()
