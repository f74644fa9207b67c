"""Where a name stands, only ordinary words need no evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.hard_values import normal
from daemon.enrichment.named_values import foreign, names


def named(text: str) -> set[str]:
    return set(names(normal(text), text))


@pytest.mark.parametrize(
    "sentence",
    [
        "The user account mallory logged in.",
        "The attacker logged in as mallory from there.",
        "The session was opened by mallory.",
        "The users and mallory logged in.",
        "It was the account of mallory.",
        "Mallory\u2019s account was used.",
        "user(mallory) logged in",
        "user=mallory logged in",
        "user: mallory logged in",
        "login user mallory succeeded",
        "a user, mallory, logged in",
        "the user - mallory - logged in",
        "The user who is mallory logged in.",
        "A user named mallory logged in.",
        "The mallory account was used.",
        "mallory logged in.",
        "A login happened. Mallory did it.",
        "The intruder Mallory did it.",
        "It was done on behalf of mallory.",
        "They impersonated mallory.",
        "The session belongs to mallory.",
        "The password was sent to the host mallory.",
        "The owner is mallory.",
    ],
)
def test_a_name_is_found_wherever_it_stands(sentence: str) -> None:
    assert "mallory" in named(sentence)


@pytest.mark.parametrize("name", ["fred", "billy", "guest", "backup", "admin", "root", "harpreet", "wang"])
@pytest.mark.parametrize(
    "form", ["User {} logged in.", "It was done as {}.", "The {} account was used.", "opened by {}"]
)
def test_a_name_may_be_any_word(form: str, name: str) -> None:
    assert named(form.format(name)) == {name}
    assert named(form.format(name.title())) == {name}


@pytest.mark.parametrize(
    "sentence",
    [
        "A user logged in by password.",
        "It was started by the web server as a child process.",
        "The attacker's shell ran with the rights of the web server.",
        "The account was used for brute-force attempts against other hosts.",
        "Both users and groups were changed by an unknown person.",
        "Access to system files was gained after repeated failures.",
        "Nobody's session was open.",
        "The SSH login came from the Internet.",
        "The user attempted it from a shell and/or a script.",
    ],
)
def test_ordinary_sentences_name_nobody(sentence: str) -> None:
    assert named(sentence) == set()


def test_letters_of_another_script_make_another_name() -> None:
    assert foreign("аlice")  # noqa: RUF001 - a Cyrillic a
    assert not foreign("café")
    assert not foreign("alice")
    assert named("user аlice logged in") == {"аlice"}  # noqa: RUF001 - same


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=12).map(lambda tail: f"zq{tail}"))
def test_no_invented_name_passes(name: str) -> None:
    for form in ("user {}", "as {}", "by {} and others", "{}'s account", "the account of {}", "users bob, {}"):
        assert name in named(form.format(name))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert all(names(normal(text), text))
