"""One value: quoted is literal, bare may be hex."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.audit_values import argument_bytes, decode_hex, is_hex, one_line, show, to_text, unquoted
from daemon.model import Value


@pytest.mark.parametrize(
    ("bare", "hexadecimal"),
    [
        ("2F", True),
        ("2F746D70", True),
        ("2F7", False),
        ("2f", False),
        ("", False),
        ("(null)", False),
        ("2F 2F", False),
        ("\u0662\u0663", False),
    ],
)
def test_what_is_hex(bare: str, *, hexadecimal: bool) -> None:
    assert is_hex(bare) is hexadecimal


@pytest.mark.parametrize(
    ("key", "bare", "value"),
    [
        ("name", "2F746D702F61206220", "/tmp/a b "),
        ("name", "D18F", "я"),
        ("name", "D1", "\\xd1"),
        ("proctitle", "6E63002D650000", "nc -e"),
        ("proctitle", "6E6300D1", "nc \\xd1"),
        ("comm", "610062", "a\0b"),
        ("key", "6501730174", ("e", "s", "t")),
        ("key", "0165", ("e",)),
        ("key", "65", "e"),
        ("name", "6501", "e\x01"),
    ],
)
def test_hex_is_decoded_by_field(key: str, bare: str, value: Value) -> None:
    assert decode_hex(key, bare) == value


@pytest.mark.parametrize(
    ("written", "got"),
    [
        (b'"ls"', b"ls"),
        (b'"3005"', b"3005"),
        (b'""', b""),
        (b'"cut', b"cut"),
        (b'"', b""),
        (b"6C73", b"ls"),
        (b"6c73", b"6c73"),
        (b"ABC", b"ABC"),
        (b"-b", b"-b"),
        (b"", b""),
        (b"\xd1\x8f", b"\xd1\x8f"),
    ],
)
def test_arguments(written: bytes, got: bytes) -> None:
    assert argument_bytes(written) == got


@given(st.binary(min_size=1, max_size=40))
def test_every_argument_comes_back_from_its_hex(data: bytes) -> None:
    assert argument_bytes(data.hex().upper().encode()) == data
    assert to_text(data) == decode_hex("name", data.hex().upper())


@pytest.mark.parametrize(
    ("value", "bare"), [('"x y"', "x y"), ('"x', "x"), ("x", "x"), ('"', ""), ("", ""), ('""', "")]
)
def test_quotes_are_taken_off(value: str, bare: str) -> None:
    assert unquoted(value) == bare


def test_decoded_text_stays_on_one_line() -> None:
    assert one_line("a\nb\tc\x7f") == "a b c "
    assert show("x name=610A62 y", "name", "610A62", "a\nb") == 'x name="a b" y'
    assert show("key=6501", "key", "6501", ("e", "f")) == 'key="e" key="f"'
