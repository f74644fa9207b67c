"""The lists hold what they claim to hold."""

import pytest

from daemon.enrichment import vocabulary
from daemon.enrichment.vocabulary import (
    ACTION,
    ALSO_NAMES,
    FUNCTION,
    IRREGULAR,
    NOUNS,
    QUALITIES,
    READ_ONLY,
    spelt,
    words,
)

PEOPLE = "alice bob carol dave eve mallory trent oscar peggy victor frank grace mark pat bill jack fred billy kelly sally root"


def test_one_spelling_for_both_sides_of_the_ocean() -> None:
    assert spelt("authorised") == spelt("authorized")
    assert spelt("behaviour") == spelt("behavior")
    assert words("analyse analyze") == {"analyze"}
    assert spelt("your") == "your"


@pytest.mark.parametrize("name", PEOPLE.split())
def test_no_person_is_a_word(name: str) -> None:
    said = FUNCTION | ACTION | READ_ONLY | IRREGULAR | NOUNS | QUALITIES
    assert name in ALSO_NAMES or name not in said


def test_a_verb_of_looking_is_no_deed() -> None:
    assert not (
        READ_ONLY & {"run", "add", "remove", "stop", "disable", "download", "give", "send", "open", "allow", "start"}
    )
    assert {"run", "add", "remove", "stop", "disable", "download", "give", "send", "open", "allow", "start"} <= ACTION


def test_every_list_is_in_lower_case() -> None:
    lists = [value for value in vars(vocabulary).values() if isinstance(value, frozenset)]
    assert len(lists) > 8
    assert all(word == word.casefold() for one in lists for word in one)
