"""What can never hold is told with its reason, and nothing that an event could meet is accused."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.contradiction import why_never
from daemon.detection.view import View
from tests.doubles.detection import condition_of, make_event

SINGLE = frozenset({"CommandLine", "User"})
VALUES = ("", "a", "b", "ab", "ba", "aab", "abba")


def why(detection: str, single: frozenset[str] = SINGLE) -> str:
    return why_never(condition_of(detection).node, single)


def test_of_alternatives_all_must_be_impossible() -> None:
    never = "    a: {User: x}\n    b: {User: y}\n    c: {User: z}\n    condition: "
    assert why(never + "a and b").startswith("User has one value")
    assert why(never + "(a and b) or c") == ""
    assert why(never + "(a and b) or (b and c)").startswith("User has one value")
    assert why(never + "a and b", frozenset()) == ""


def test_what_is_demanded_and_excluded_or_absent() -> None:
    both = "    a: {User: x}\n    b: {User: null}\n    condition: "
    assert why(both + "a and not a") == "a is demanded and excluded"
    assert why(both + "a and b") == "User has no value and is compared"


def test_very_many_comparisons_cost_little() -> None:
    values = ", ".join(f"v{number}" for number in range(3000))
    assert why(f"    s:\n        CommandLine|contains|all: [{values}]\n    condition: s") == ""


WAYS = st.sampled_from(["", "|contains", "|startswith", "|endswith"])
ITEMS = st.tuples(st.sampled_from(["CommandLine", "User"]), WAYS, st.sampled_from(VALUES[1:]))


@given(st.lists(ITEMS, min_size=1, max_size=4), st.sampled_from(["all of them", "a0 and not a1", "1 of them"]))
def test_what_some_event_meets_is_never_called_impossible(items: list[tuple[str, str, str]], wanted: str) -> None:
    searches = "".join(f"    a{n}: {{{field}{way}: {value}}}\n" for n, (field, way, value) in enumerate(items))
    if len(items) < 2 and "a1" in wanted:
        wanted = "a0"
    condition = condition_of(f"{searches}    condition: {wanted}")
    met = [
        pair
        for pair in itertools.product(VALUES, repeat=2)
        if condition.test(View(make_event({"CommandLine": pair[0], "User": pair[1]})))
    ]
    said = why_never(condition.node, SINGLE)
    assert not (said and met), (said, met[0])
