"""A description is told from an order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.hard_values import normal
from daemon.enrichment.sentence_grammar import clauses, fragment, order
from tests.doubles.model_answers import GOOD_SENTENCES, GOOD_WEB_SENTENCES

ORDERS = [
    "Run curl on the host.", "Go to evil.example.", "Move on.", "Please forward this.", "You can close this.",
    "A login happened. Move on.", "A login happened; delete the file.", "The host is clean, so close this.",
    "A login happened, then reboot the host.", "To read more, go to the page.", "Do not look at it.", "Let bob in.",
    "The host should be rebooted.", "We recommend to stop it.", "auditd must be stopped.", "Open evil.example in a browser.",
    "Stop auditd that was started.", "Make sure it is off.", "Now, simply reboot.", "Note: delete the log.",
]  # fmt: skip


@pytest.mark.parametrize("text", ORDERS)
def test_orders(text: str) -> None:
    assert order(normal(text))


@pytest.mark.parametrize("text", [*GOOD_SENTENCES, *GOOD_WEB_SENTENCES])
def test_descriptions_are_no_orders(text: str) -> None:
    assert not order(normal(text))
    assert not fragment(normal(text))


@pytest.mark.parametrize("text", ["Details: evil.example", "A false alert.", "No.", "More at evil.example.", ""])
def test_what_has_no_verb_states_nothing(text: str) -> None:
    assert fragment(normal(text))


def test_clauses() -> None:
    assert list(clauses("a b. c d; e - f")) == ["a b", "c d", "e", "f"]


@given(
    st.sampled_from(GOOD_SENTENCES),
    st.sampled_from(["delete /tmp/x", "go there", "unblock 203.0.113.7", "shut it down"]),
)
def test_an_order_behind_any_description_is_found(good: str, bad: str) -> None:
    assert order(normal(f"{good} {bad.capitalize()}."))
    assert order(normal(f"{good.rstrip('.')}; {bad}."))


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(order(normal(text)) or fragment(normal(text)), bool)
