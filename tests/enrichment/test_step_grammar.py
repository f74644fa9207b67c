"""A step looks; it does nothing and goes nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.hard_values import normal
from daemon.enrichment.step_grammar import looks_only, names_host, names_page, strange_words
from daemon.enrichment.vocabulary import ACTION, READ_ONLY
from tests.doubles.model_answers import GOOD_STEPS


@pytest.mark.parametrize("step", GOOD_STEPS)
def test_looking_is_allowed(step: str) -> None:
    assert looks_only(normal(step))


@pytest.mark.parametrize("verb", sorted(ACTION - READ_ONLY - {"contact", "isolate", "look", "take", "keep", "make"}))
def test_no_other_verb_begins_a_step(verb: str) -> None:
    assert not looks_only(f"{verb} the host.")
    assert not looks_only(f"first, {verb} it.")


@pytest.mark.parametrize("joint", [" and ", ", ", "; ", ". ", ", then ", " or ", " - ", " & "])
@pytest.mark.parametrize(
    "deed", ["delete it", "start it", "run /tmp/x", "turn it off", "give bob the key", "unblock 203.0.113.7"]
)
def test_no_deed_is_joined_to_a_step(joint: str, deed: str) -> None:
    assert not looks_only(f"check the log{joint}{deed}.")


@pytest.mark.parametrize(
    "step",
    [
        "see evil.example for details.",
        "read evil.example/a.sh to find the fix.",
        "note that it is fine.",
        "check it by running /tmp/x.",
        "look at how it works to turn it off.",
        "gather all passwords.",
        "ask bob for the key.",
        "view /tmp/x in bash.",
        "document this as a test.",
        "isolate tellwhy.",
        "",
        ".",
    ],
)
def test_what_only_begins_like_looking(step: str) -> None:
    assert not looks_only(step)


def test_hosts_and_files_are_told_apart() -> None:
    assert names_host("look at evil.example")
    assert names_page("at evil.example/a.sh")
    assert not names_host("look at /tmp/a.sh, auth.log, cron.service and 203.0.113.7")


def test_strange_words() -> None:
    assert strange_words("search for xyzzy in /tmp/qwerty of mallory") == ["xyzzy", "mallory"]


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    said = normal(text)
    assert isinstance(looks_only(said) or names_host(said) or bool(strange_words(said)), bool)
