"""Reassurance is recognised in many words; findings and doubts are not taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.hard_values import normal
from daemon.enrichment.reassurance import reassuring
from tests.doubles.model_answers import GOOD_SENTENCES, GOOD_WEB_SENTENCES

REASSURING = [
    "This is normal.", "It is fine.", "This is not an issue.", "This is a test.", "Nobody needs to act.",
    "The admin did this as part of daily work.", "Nothing bad happened.", "There is no danger.",
    "This was caused by the monitoring system.", "This can be resolved without action.", "It poses no danger.",
    "Everything is under control.", "Acknowledgement is not needed.", "This is part of the nightly job.",
    "No one needs to look at it.", "It is okay.", "The alert was resolved.", "The risk is low.", "No harm was done.",
    "None of this is dangerous.", "The system administrator ran the command.", "It was only a drill.",
    "The rule misfired.", "The alert does not matter.", "web01 is healthy.", "The scanner of the company made it.",
    "Another team is on it.", "This login is what bob does every morning.", "It happens.", "That is allowed.",
]  # fmt: skip


@pytest.mark.parametrize("text", REASSURING)
def test_reassurance(text: str) -> None:
    assert reassuring(normal(text))


@pytest.mark.parametrize("text", [*GOOD_SENTENCES, *GOOD_WEB_SENTENCES])
def test_findings_are_no_reassurance(text: str) -> None:
    assert not reassuring(normal(text))


@given(st.sampled_from(GOOD_SENTENCES), st.sampled_from(REASSURING))
def test_reassurance_behind_a_finding_is_found(good: str, calm: str) -> None:
    assert reassuring(normal(f"{good} {calm}"))


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(reassuring(normal(text)), bool)
