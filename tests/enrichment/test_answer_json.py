"""From a model's text to one object, or to nothing."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.answer_json import read_object


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '  \n{"a": 1}\n ',
        '```json\n{"a": 1}\n```',
        'Sure!\n```\n{"a": 1}\n```\nBye {x}',
        'Here is "it": {"a": 1} and {"b": 2}',
        'Take {this} instead: {"a": 1}',
        '<think>{"a": 2}</think>{"a": 1}',
        '\ufeff{"a": 1}',
    ],
)
def test_the_ladder_finds_the_object(text: str) -> None:
    assert read_object(text) == {"a": 1}


def test_braces_in_strings_do_not_count() -> None:
    assert read_object('x {"a": "}\\"{", "b": [1]} y') == {"a": '}"{', "b": [1]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! Here is",
        "[1, 2]",
        '"text"',
        "null",
        '{"a": 1, "a": 2}',
        '{"b": {"a": 1, "a": 2}}',
        '```json\n{"a": 1, "a": 2}\n```',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": "cut',
        "{" * 60_000,
        "[" * 60_000,
        '{"a":' * 12_000,
        '{"a":' + "[" * 20 + "]" * 20 + "}",
        '{"a": "' + "x" * 70_000 + '"}',
        '{"a": "' + "é" * 40_000 + '"}',
        "<html>gateway login</html>",
    ],
)
def test_what_is_refused(text: str) -> None:
    assert read_object(text) is None


def test_twenty_levels_are_enough_and_allowed() -> None:
    assert read_object('{"a":' + "[" * 19 + "]" * 19 + "}") is not None


def test_a_fence_before_many_blanks_costs_linear_time() -> None:
    began = time.process_time()
    assert read_object("```\n" + " " * 65_000) is None
    assert time.process_time() - began < 1


def test_numbers_of_any_length_cost_nothing() -> None:
    assert read_object('{"a": ' + "9" * 60_000 + "}") is not None


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_read_without_raising(text: str) -> None:
    assert isinstance(read_object(text), dict | None)


@given(st.text(alphabet='{}[]",:\\ab1` \n', max_size=60))
def test_text_that_is_nearly_json_neither(text: str) -> None:
    assert isinstance(read_object(text), dict | None)


@given(
    st.dictionaries(
        st.text(), st.lists(st.text() | st.integers(-(10**9), 10**9) | st.booleans(), max_size=4), max_size=4
    )
)
def test_every_object_is_found_inside_prose(value: dict[str, object]) -> None:
    assert read_object(json.dumps(value)) == value


def test_recorded_bodies_of_a_faulty_server(shared_data: Path) -> None:
    for path in sorted((shared_data / "vectors" / "ollama").iterdir()):
        assert isinstance(read_object(path.read_text(errors="replace")), dict | None), path.name
