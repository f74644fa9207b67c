import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection import literal_scan
from daemon.detection.clauses import WORD_OF_ITS_OWN
from daemon.detection.literal_scan import build_database, has_engine, scan

needs_engine = pytest.mark.skipif(not has_engine(), reason="hyperscan has no wheel for this machine")
NAMES = ["curl", "näh", f"{WORD_OF_ITS_OWN}su", "12.x", "given otherwise"]


def found_in(text: str) -> set[str]:
    database = build_database(NAMES, [4, 0, 2, 1, 3], {"given otherwise": b"z+z"})
    return {NAMES[number] for number, _ in scan(database, text.encode())}


@needs_engine
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a curling stone", {"curl"}),
        ("die näherin", {"näh"}),
        ("\nsu: no", {NAMES[2]}),
        ("\nsudo: /bin/su: x-su-", set()),
        ("= 12ax 12.x", {NAMES[3]}),
        ("fizz", {"given otherwise"}),
        ("Curl, CURL, fiZz", {"curl", "given otherwise"}),
        (" SU: 12.X", {NAMES[2], NAMES[3]}),
        ("= Asu suA A-SU", set()),
        ("given otherwise", set()),
        ("", set()),
    ],
)
def test_each_name_is_found_by_its_number(text: str, names: set[str]) -> None:
    assert found_in(text) == names


@needs_engine
def test_every_occurrence_is_told_with_its_end() -> None:
    assert scan(build_database(NAMES, [0], {}), b"curl curl") == [(0, 4), (0, 9)]


def test_without_a_database_nothing_is_found() -> None:
    assert scan(None, b"curl") == []


LITERALS = st.lists(
    st.builds(lambda text, times: (text * times)[:256], st.text("ab \n", min_size=1, max_size=9), st.integers(1, 60)),
    min_size=1, max_size=12, unique=True,
)  # fmt: skip


@needs_engine
@settings(max_examples=60, deadline=None)
@given(names=LITERALS, data=st.data())
def test_literals_of_any_length_are_found_wherever_they_are(names: list[str], data: st.DataObject) -> None:
    """The worst bug: an engine for lists of texts loses what a long literal or the end of a text hides from it."""
    text = "".join(data.draw(st.lists(st.sampled_from([*names, "a", "b", "\n"]), max_size=20)))
    found = scan(build_database(names, range(len(names)), {}), text.upper().encode())
    for number, name in enumerate(names):
        ends = [one.start() + len(name) for one in re.finditer(f"(?={re.escape(name)})", text)]
        assert sorted(end for place, end in found if place == number) == ends


def test_an_engine_that_is_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literal_scan, "hyperscan", None)

    assert not has_engine()
