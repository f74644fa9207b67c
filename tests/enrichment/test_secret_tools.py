"""Joined short options are read as the program reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.secret_tools import TOOLS, clustered

CURL = TOOLS["curl"]


@pytest.mark.parametrize(
    ("word", "at"),
    [
        ("-su", 3), ("-sku", 4), ("-Lsubob:x", 4), ("-u", 0), ("-ubob", 0), ("-sS", 0), ("-so", 0), ("-sofu", 0),
        ("--su", 0), ("su", 0), ("-", 0), ("", 0),
    ],
)  # fmt: skip
def test_where_the_value_of_joined_options_begins(word: str, at: int) -> None:
    assert clustered(CURL, word, CURL.pairs) == at


def test_a_tool_without_flags_joins_nothing() -> None:
    assert clustered(TOOLS["ssh-keygen"], "-qN", TOOLS["ssh-keygen"].separate) == 0


@given(st.sampled_from(sorted(TOOLS)), st.text(max_size=20))
def test_the_place_lies_in_the_word(name: str, word: str) -> None:
    tool = TOOLS[name]
    for options in (tool.separate, tool.pairs, tool.cookies):
        assert 0 <= clustered(tool, word, options) <= len(word)
