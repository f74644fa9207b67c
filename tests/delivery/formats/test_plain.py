"""Text that is inert and fits, whatever it was."""

import json
import math
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.delivery.formats.plain import clip, fit, json_bytes, json_units, rfc3339, same, whole

ANY = st.text(alphabet=st.characters(codec=None, categories=None), max_size=80)


def in_bytes(text: str, limit: int = 1000) -> str:
    return fit(text, limit, json_bytes)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("ordinary text, Ärger, 日本, 🚀", "ordinary text, Ärger, 日本, 🚀"),
        ("red \x1b[31mtext\x07", "red \\x1b[31mtext\\x07"),
        ("abc\x00def", "abc\\x00def"),
        ("a\r\n{}", "a\\r\\n{}"),
        ("gs\x1dfield\x85", "gs\\x1dfield\\x85"),
        ("exe\u202etxt.sh", "exe\\u202etxt.sh"),
        ("a\u2066b\u2069\u200b\ufeff", "a\\u2066b\\u2069\\u200b\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone\ud800", "lone\\ud800"),
        ("line\u2028sep", "line\\u2028sep"),
        ("blank\u00a0kinds\u3000", "blank kinds "),
        ("filler\u3164\u2800", "filler\\u3164\\u2800"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0301" * 5, "z" + "\u0301" * 3 + "\\u0301" * 2),
        ("hidden\ufe01\U000e0100", "hidden\\ufe01\\U000e0100"),
        ("heart \u2764\ufe0f", "heart \u2764\ufe0f"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(raw: str, shown: str) -> None:
    assert in_bytes(raw) == shown


@given(text=ANY, limit=st.integers(0, 100))
def test_the_limit_holds_a_cut_shows_and_json_can_say_it(text: str, limit: int) -> None:
    for cost in (json_bytes, json_units):
        shown = fit(text, limit, cost)
        assert cost(shown) <= limit
        assert shown.isprintable()
        full = fit(text, sys.maxsize, cost)
        if shown != full and shown:
            assert shown.endswith("…")
            assert full.startswith(shown[:-1])
    assert len(json.dumps(fit(text, limit, json_bytes), ensure_ascii=False).encode()) - 2 <= limit


@given(text=ANY)
def test_nothing_that_controls_a_terminal_or_hides_comes_out(text: str) -> None:
    shown = in_bytes(text)
    assert not [char for char in shown if ord(char) < 32 or 0x7F <= ord(char) < 0xA0]
    assert not set(shown) & set("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    shown.encode()  # no lone surrogate


def test_a_cut_never_falls_inside_an_escape_or_an_entity() -> None:
    entity = {"<": "&lt;"}
    for limit in range(1, 30):
        shown = fit("<<<\x1b\x1b<<<", limit, json_units, lambda char: entity.get(char, char))
        rest = shown.removesuffix("…").replace("&lt;", "").replace("\\x1b", "")
        assert rest == "", f"{shown!r} at {limit}"


def test_a_huge_text_costs_no_more_than_its_cut() -> None:
    huge = "\x1b" * 5_000_000
    before = time.process_time()
    assert len(fit(huge, 1000, json_bytes)) <= 1000
    assert time.process_time() - before < 0.2


def test_the_fast_path_escapes_and_counts_too() -> None:
    assert fit("a<b", 6, json_units, lambda char: "&lt;" if char == "<" else char) == "a&lt;b"
    assert fit("a<b", 5, json_units, lambda char: "&lt;" if char == "<" else char) == "a…"
    assert fit('""', 3, json_bytes, same) == "…"


def test_clip_marks_its_cut() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (-5.0, "1970-01-01T00:00:00.000Z"),
        (1e30, "9999-12-31T23:59:59.000Z"),
        (math.inf, "9999-12-31T23:59:59.000Z"),
        (-math.inf, "1970-01-01T00:00:00.000Z"),
        (math.nan, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_any_float_is_an_instant(at: float, shown: str) -> None:
    assert rfc3339(at) == shown


def test_counts_stay_exact_for_every_json_reader() -> None:
    assert [whole(n) for n in (-1, 0, 7, 2**53, 10**30)] == [0, 0, 7, 2**53 - 1, 2**53 - 1]
