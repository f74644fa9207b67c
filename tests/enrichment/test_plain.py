"""What cannot be seen must not reach a terminal, a chat client or a model."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.plain import cut, iso, plain, shown


@pytest.mark.parametrize(
    ("hostile", "visible"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("user\x1dUID=0", "user\\x1dUID=0"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("x\u200by", "x\\u200by"),
        ("\U000e0049gnore", "\\U000e0049gnore"),
        ("\udc80", "\\udc80"),
        ("a\u3164b", "a\\u3164b"),
        ("v\ufe0f", "v\\ufe0f"),
        ("a\u00a0b", "a b"),
        ("a\u2028b", "a\\u2028b"),
        ("café 日本 ✓", "café 日本 ✓"),
        ("C:\\x1b", "C:\\x1b"),
    ],
)
def test_the_invisible_becomes_visible(hostile: str, visible: str) -> None:
    assert plain(hostile) == visible


def test_stacked_marks_do_not_paint_over_other_lines() -> None:
    assert plain("z" + "\u0301" * 50).count("\u0301") == 3


@given(st.text(st.characters(exclude_categories=[])))
def test_plain_text_is_one_printable_line_and_stays_itself(text: str) -> None:
    once = plain(text)
    assert once.isprintable()
    assert plain(once) == once
    assert once.encode().decode() == once


@given(st.text(st.characters(exclude_categories=[])), st.integers(1, 40))
def test_a_cut_is_visible_and_inside_the_limit(text: str, limit: int) -> None:
    result = shown(text, limit)
    assert len(result) <= limit
    if len(text) > limit:
        assert result.endswith("…")
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in result)


def test_cut_keeps_what_fits() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1.0, 1e18])
def test_an_impossible_instant_is_said(at: float) -> None:
    assert iso(at) == "an unknown time"


def test_instants_are_utc() -> None:
    assert iso(1795253400.9) == "2026-11-21T09:30:00Z"
