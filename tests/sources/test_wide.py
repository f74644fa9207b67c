"""UTF-16: lines end where a newline stands at an even position, and nowhere else."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.sources.wide import as_utf8, find_newline, newline_of, order_of, rfind_newline, whole_lines

ORDERS = ["utf-16-le", "utf-16-be"]


@pytest.mark.parametrize(
    ("start", "order"),
    [
        (codecs.BOM_UTF16_LE + b"a\0", "utf-16-le"),
        (codecs.BOM_UTF16_BE + b"\0a", "utf-16-be"),
        (b"\xef\xbb\xbfa", ""),
        (b"a\0b\0", ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_only_a_mark_says_that_it_is_utf16(start: bytes, order: str) -> None:
    assert order_of(start) == order


@pytest.mark.parametrize("order", ORDERS)
@given(text=st.text(alphabet=st.sampled_from("a\n\u0a00\u000a\u0a0a\u0100\U0001f680"), max_size=40))
def test_the_lines_are_those_of_the_text(order: str, text: str) -> None:
    data = text.encode(order)
    lines = [as_utf8(data[start:end], order).decode() for start, end in whole_lines(data, order)]
    assert lines == [f"{line}\n" for line in text.split("\n")[:-1]]
    width = len(newline_of(order))
    assert find_newline(data, order) == (len(text[: text.find("\n")].encode(order)) if "\n" in text else -1)
    assert rfind_newline(data, order) == (len(text[: text.rfind("\n")].encode(order)) if "\n" in text else -1)
    assert width == 2


def test_other_bytes_stay_as_they_are() -> None:
    assert as_utf8(b"\xff\xfeabc", "") == b"\xff\xfeabc"
    assert (find_newline(b"a\nb\n", ""), rfind_newline(b"a\nb\n", "")) == (1, 3)
    assert list(whole_lines(b"a\nb\nc", "")) == [(0, 2), (2, 4)]


def test_what_is_no_text_becomes_a_mark_of_that() -> None:
    assert as_utf8(b"\x00\xd8a\0", "utf-16-le").decode() == "\ufffda"
