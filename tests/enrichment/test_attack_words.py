"""Ids come from rules in several spellings; unknown ones say nothing rather than something wrong."""

import re

import pytest

from daemon.enrichment.attack_words import TACTICS, TECHNIQUES, say_tactic, say_technique, technique_id


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("attack.t1059.004", "T1059.004"),
        ("T1059", "T1059"),
        (" t1059 ", "T1059"),
        ("attack.execution", ""),
        ("T10590", ""),
        ("", ""),
    ],
)
def test_ids_in_any_spelling(tag: str, name: str) -> None:
    assert technique_id(tag) == name


def test_an_unknown_sub_technique_takes_the_meaning_of_its_parent() -> None:
    assert say_technique("T1110.003") == TECHNIQUES["T1110"]
    assert say_technique("T9999") == ""
    assert say_technique("nonsense") == ""


@pytest.mark.parametrize("tag", ["attack.command-and-control", "command_and_control", "Command and Control"])
def test_tactics_in_any_spelling(tag: str) -> None:
    assert say_tactic(tag) == TACTICS["command and control"]


def test_the_words_are_half_sentences() -> None:
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", name) for name in TECHNIQUES)
    assert not [words for words in [*TECHNIQUES.values(), *TACTICS.values()] if words.endswith(".")]
