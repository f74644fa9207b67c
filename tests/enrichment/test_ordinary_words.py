"""Inflections of ordinary words are words; names are not, whatever they end in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.ordinary_words import describes, familiar, ordinary, past, third_person, verb


@pytest.mark.parametrize(
    "word",
    [
        "attacker",
        "attackers",
        "started",
        "stopping",
        "exfiltrated",
        "quickly",
        "heavily",
        "unauthorised",
        "authorized",
        "reused",
        "brute-force",
        "bodies",
        "tries",
        "compromised",
        "permissions",
        "downloaded",
        "running",
        "largest",
        "suspicious",
        "behaviour",
        "behaviors",
        "web-based",
    ],
)
def test_words(word: str) -> None:
    assert familiar(word)


@pytest.mark.parametrize(
    "name",
    [
        "fred",
        "billy",
        "mallory",
        "alice",
        "bob",
        "sally",
        "kelly",
        "jared",
        "ted",
        "ned",
        "reed",
        "molly",
        "king",
        "victor",
        "carol",
        "smith",
        "sterling",
        "xmrig",
        "dbprod",
        "prod",
        "\u0430lice",
        "\u043c\u0430\u0440\u0438\u044f",
    ],
)
def test_names_are_no_words(name: str) -> None:
    assert not ordinary(name)


@pytest.mark.parametrize("name", ["root", "guest", "backup", "admin", "postgres", "web", "nginx", "mail"])
def test_words_that_are_also_names(name: str) -> None:
    assert familiar(name)
    assert not ordinary(name)


def test_a_word_before_a_noun_describes_it() -> None:
    assert describes("web", "server")
    assert describes("backup", "files")
    assert not describes("backup", "account")
    assert not describes("root", "logged")
    assert not describes("mallory", "server")


def test_kinds_of_words() -> None:
    assert [past(word) for word in ("started", "ran", "start", "bob")] == [True, True, False, False]
    assert [verb(word) for word in ("run", "reboot", "unblock", "table", "bob")] == [True, True, True, False, False]
    assert [third_person(word) for word in ("shows", "was", "this", "tries", "bobs")] == [
        True,
        False,
        False,
        True,
        False,
    ]


@given(st.text(min_size=1, max_size=30))
def test_any_text_is_judged(word: str) -> None:
    assert familiar(word) or not ordinary(word)
    assert isinstance(past(word) or verb(word) or third_person(word) or describes(word, word), bool)
