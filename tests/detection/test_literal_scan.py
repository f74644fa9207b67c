import pytest

from daemon.detection import literal_scan
from daemon.detection.clauses import EXPRESSION, WORD_OF_ITS_OWN
from daemon.detection.literal_scan import build_database, has_engine, scan

needs_engine = pytest.mark.skipif(not has_engine(), reason="hyperscan has no wheel for this machine")
NAMES = ["curl", "näh", f"{WORD_OF_ITS_OWN}su", f"{EXPRESSION}[0-9]{{3}}x", "given otherwise"]


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
        ("= 12x 123x", {NAMES[3]}),
        ("fizz", {"given otherwise"}),
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


def test_an_engine_that_is_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literal_scan, "hyperscan", None)

    assert not has_engine()
