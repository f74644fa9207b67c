"""JSON in and out."""

import json
from contextlib import suppress
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from multidict import MultiDict

from daemon.api.wire import ShapeError, decode_body, decode_query, encode, words


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """A page."""

    size: Annotated[int, Meta(ge=1, le=9, description="a whole number from 1 to 9")] = 3
    word: Annotated[str, Meta(max_length=5, description="a short word")] = ""
    inner: Annotated[tuple[dict[str, int], ...], Meta(description="a list of objects of numbers")] = ()


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J",
        "\x9b31m",
        "\x7f",
        "a\u202eb",
        "\u2066x\u2069",
        "\u2028",
        "\ufeff",
        "\U000e0041",
        "\x00",
        "\u200b",
        "\r\nX: y",
    ],
)
def test_nothing_that_steers_a_reader_goes_out_raw(hostile: str) -> None:
    out = encode({"text": hostile})
    assert json.loads(out) == {"text": hostile}
    assert all(character.isprintable() for character in out.decode())


def test_plain_words_of_any_language_stay_readable() -> None:
    assert encode(["café", "Ошибка", "失敗", "🔥"]) == '["café","Ошибка","失敗","🔥"]'.encode()


def test_a_lone_surrogate_becomes_visible_and_the_rest_stays() -> None:
    assert json.loads(encode({"a\udcff": ["x\udc80", 1, None, 2.5]})) == {"a\\udcff": ["x\\udc80", 1, None, 2.5]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_what_goes_out_says_the_same(value: object) -> None:
    assert json.loads(encode(value)) == value


@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_a_shape_error(data: bytes) -> None:
    with suppress(ShapeError):
        assert isinstance(decode_body(data, Page), Page)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b'{"size": 10}', "size", "a whole number from 1 to 9"),
        (b'{"size": 1.5}', "size", "a whole number from 1 to 9"),
        (b'{"inner": [{"a": "b"}]}', "inner[0][...]", "a list of objects of numbers"),
        (b'{"sise": 1}', "sise", "one of size, word, inner; did you mean size?"),
        (b'{"\\u001b[31m<b>": 1}', "??31m?b?", "one of size, word, inner"),
        (b'{"": 1}', "(empty)", "one of size, word, inner"),
        (b'"text"', "", "a JSON object"),
        (b"null", "", "a JSON object"),
        (b"\xef\xbb\xbf{}", "", "a JSON object in UTF-8"),
        (b'{"inner": ' + b'[{"a":' * 30_000, "inner[0][...]", "a list of objects of numbers"),
    ],
)
def test_a_misfit_names_the_field_and_what_it_should_be(data: bytes, name: str, expected: str) -> None:
    with pytest.raises(ShapeError) as caught:
        decode_body(data, Page)
    assert (caught.value.name, caught.value.expected) == (name, expected)


def test_a_name_that_a_client_made_up_is_repeated_only_in_part() -> None:
    with pytest.raises(ShapeError) as caught:
        decode_body(json.dumps({"x" * 500: 1}).encode(), Page)
    assert caught.value.name == "x" * 40


def test_query_parameters_are_text_and_become_numbers() -> None:
    assert decode_query(MultiDict(size="9", word="7"), Page) == Page(size=9, word="7")


@pytest.mark.parametrize("size", ["", "0", "10", "x", " 5", "\u0665", "1e0x", "9" * 5000, "-1", "0x5"])
def test_no_other_text_is_a_number(size: str) -> None:
    with pytest.raises(ShapeError, match="size: a whole number from 1 to 9"):
        decode_query(MultiDict(size=size), Page)


def test_a_parameter_given_twice_is_an_error() -> None:
    with pytest.raises(ShapeError, match="word: given once"):
        decode_query(MultiDict([("word", "a"), ("word", "a")]), Page)


def test_a_schema_in_words() -> None:
    assert words({"description": "a thing", "enum": [1]}) == "a thing"
    assert words({"enum": ["a", "b"]}) == "one of a, b"
    assert words({"type": "string"}) == "as in /api/v1/openapi.json"
