import sys

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.folding import fold
from tests.doubles.detection import item, make_event

CASED = st.text(st.sampled_from("aAßẞ\u017fSİI\u0131iΣς\u03c3Ééǅ\u01c4ǆŉK\u212a\u0345\u03b1.-"), max_size=8)


def test_every_character_becomes_one_whatever_stands_around_it() -> None:
    """If one did not, an index into the folded text would be none into the text, and `?` no single character."""
    everything = [chr(n) for n in range(sys.maxunicode + 1)]
    cased = [c for c in everything if not c.lower() == c.upper() == c.casefold() == c]
    assert [c for c in cased if len(fold(c)) != 1 or fold(fold(c)) != fold(c)] == []
    caseless = "".join(c for c in everything if c.lower() == c.upper() == c.casefold() == c)
    assert fold(caseless) == caseless
    assert fold("".join(cased)) == "".join(map(fold, cased))


@given(CASED, CASED)
def test_the_fold_of_a_part_is_a_part_of_the_fold(one: str, two: str) -> None:
    assert fold(one + two) == fold(one) + fold(two)


@given(st.text(max_size=8).filter(str.isascii))
def test_plain_letters_are_lowered_as_ever(text: str) -> None:
    assert fold(text) == text.lower()


def test_what_folds_alike_is_what_re2_takes_for_equal_without_case() -> None:
    """Else a literal that is taken out of an expression would not be in the folded text that the expression matches."""
    cased = [c for c in map(chr, range(sys.maxunicode + 1)) if not c.lower() == c.upper() == c.casefold() == c]
    alike: dict[str, set[str]] = {}
    for one in cased:
        alike.setdefault(fold(one), set()).add(one)
    everything = "".join(cased)
    for one in cased:
        equal = set(re2.findall("(?i)" + re2.escape(one), everything)) | {one}
        assert equal <= alike[fold(one)], one
        assert alike[fold(one)] - equal <= {"İ", "i", "I"}, one


@pytest.mark.parametrize(
    ("key", "value", "field", "matches"),
    [
        ("f", "İstanbul", "istanbul", True),  # Turkish capital dotted i
        ("f", "'a?c'", "aİc", True),
        ("f|contains", "ΟΔΟΣ", "x\u03bfδ\u03bfς.", True),  # at the end of a word str.lower() writes ς
        ("f|contains", "ΟΔΟΣ", "ΟΔΟΣΑΒ", True),
        ("f", "\u03bfδ\u03bf\u03c3", "ΟΔΟΣ", True),
        ("f", "straße", "STRAẞE", True),
        ("f", "straße", "strasse", False),
        ("f", "'k'", "\u212a", True),  # the Kelvin sign
        ("f", "sudo", "\u017fudo", True),  # the long s, which RE2 takes for an s too
        ("f|re|i", "sudo", "\u017fudo", True),
        ("f", "'*É?x*'", "aé-X", True),
        ("f|startswith", "Ä", "äb", True),
        ("f|cased", "Ä", "ä", False),
    ],
)
def test_rules_and_events_are_folded_alike(key: str, value: str, field: str, matches: bool) -> None:
    assert (item(key, value).match(make_event({"f": field})) is not None) is matches
