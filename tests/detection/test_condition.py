import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.conditions import SigmaCondition
from sigma.rule import SigmaDetections

from daemon.detection.condition import compile_condition
from daemon.detection.matchers import UnsupportedError
from daemon.detection.view import View
from daemon.model import Value
from tests.doubles.detection import condition_of, make_event

SEARCHES = """\
    sel_a:
        a: 1
    sel_b:
        b: 1
    filter_c:
        c: 1
    condition: """


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ("sel_a", "a ab ac abc"),
        ("sel_a and sel_b", "ab abc"),
        ("sel_a or sel_b", "a b ab ac bc abc"),
        ("not sel_a", "- b c bc"),
        ("sel_a and not filter_c", "a ab"),
        ("1 of sel_*", "a b ab ac bc abc"),
        ("any of sel_*", "a b ab ac bc abc"),
        ("all of sel_*", "ab abc"),
        ("all of them", "abc"),
        ("1 of them", "a b c ab ac bc abc"),
        ("all of sel_* and not 1 of filter_*", "ab"),
        ("(sel_a or sel_b) and not filter_c", "a b ab"),
        ("sel_a or sel_b and filter_c", "a ab ac bc abc"),
        ("not (sel_a or sel_b)", "- c"),
        ("not sel_a and not sel_b", "- c"),
        ("[sel_a, filter_c]", "a c ab ac bc abc"),
    ],
)
def test_logic(condition: str, hits: str) -> None:
    compiled = condition_of(SEARCHES + condition)
    worlds = ["-", "a", "b", "c", "ab", "ac", "bc", "abc"]
    found = [w for w in worlds if compiled.match(make_event(dict.fromkeys(w, "1"))) is not None]
    assert found == hits.split()


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ("1 of sel-*", "a b ab"), ("all of sel-*", "ab"), ("1 of *-b", "b ab"), ("sel-a and not sel-b", "a"),
        ("1 of them", "a b ab"), ("all of them", "ab"), ("1 of _*", "c"), ("1 of _sel*", "c"), ("_sel-c", "c"),
        ("1 of s*-a", "a ab"), ("any of s*l-*", "a b ab"), ("not 1 of sel-*", "- c"),
    ],
)  # fmt: skip
def test_names_with_hyphens_and_names_that_stand_apart(condition: str, hits: str) -> None:
    searches = "    sel-a: {a: 1}\n    sel-b: {b: 1}\n    _sel-c: {c: 1}\n    condition: "
    compiled = condition_of(searches + condition)
    found = [w for w in ("-", "a", "b", "c", "ab") if compiled.match(make_event(dict.fromkeys(w, "1"))) is not None]
    assert found == hits.split()


def test_shapes_of_searches() -> None:
    listed = condition_of("    s:\n        - a: 1\n          b: 2\n        - c: 3\n        - word\n    condition: s")
    for fields, text, hit in (
        ({"a": "1", "b": "2"}, "", True),
        ({"a": "1"}, "", False),
        ({"c": "3"}, "", True),
        ({}, "a WORD", True),
        ({}, "", False),
    ):
        assert (listed.match(make_event(dict(fields), text=text)) is not None) is hit
    values = condition_of("    s:\n        a: [1, x, null]\n    condition: s")
    assert [values.match(make_event(f)) is not None for f in ({"a": 1}, {"a": "X"}, {}, {"a": "y"})] == [
        True, True, True, False,
    ]  # fmt: skip
    empty = condition_of("    s:\n        a: []\n    condition: s")
    assert empty.match(make_event()) is not None


def test_a_not_negates_all_values_of_a_field() -> None:
    condition = condition_of("    s:\n        a: x\n    condition: not s")
    assert condition.match(make_event({"a": ("x", "y")})) is None
    assert condition.match(make_event({"a": ("y", "z")})) is not None


def test_all_may_be_met_by_different_values_of_a_field() -> None:
    condition = condition_of("    s:\n        a|contains|all: [x, y]\n    condition: s")
    assert condition.match(make_event({"a": ("x1", "y1")})) is not None


def test_because_joins_what_matched_and_leaves_out_what_did_not() -> None:
    condition = condition_of(
        "    fetch:\n        CommandLine|contains: [curl, wget]\n    shell:\n        CommandLine|contains: '| bash'\n"
        "    filter:\n        User: root\n    condition: fetch and shell and not filter"
    )
    match = condition.match(make_event({"CommandLine": "wget x | bash"}))
    assert match is not None
    assert match.because == (
        'fetch: CommandLine contains "wget" (got "wget x | bash"); '
        'shell: CommandLine contains "| bash" (got "wget x | bash")'
    )


def test_because_of_an_absence_is_the_condition_itself() -> None:
    match = condition_of(SEARCHES + "not sel_a").match(make_event())
    assert match is not None
    assert match.because == 'not a is "1"'


def test_a_condition_prints_itself() -> None:
    assert str(condition_of(SEARCHES + "(sel_a or sel_b) and not filter_c")) == (
        '(a is "1" or b is "1") and not c is "1"'
    )


def test_the_fields_and_gauges_that_it_reads() -> None:
    condition = condition_of(
        "    s:\n        cpu.percent|gte: 9\n        host: x\n    k: [word]\n    condition: s or k"
    )
    assert condition.fields == {"cpu.percent", "host"}
    assert condition.gauges == {"cpu.percent"}


def test_endless_nesting_is_refused() -> None:
    searches = SigmaDetections.from_dict({"s": {"a": 1}, "condition": "s"})
    for condition in ("not " * 60 + "s", "(" * 20 + "s" + ")" * 20):
        compile_condition([SigmaCondition(condition, searches)])
    with pytest.raises(UnsupportedError, match="nested at most 64 deep"):
        compile_condition([SigmaCondition("not " * 70 + "s", searches)])


WAYS = {"is": "{}", "contains": "*{}*", "starts": "{}*", "ends": "*{}"}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(WAYS)), st.text("abAB", min_size=1, max_size=3)), min_size=1, max_size=6),
    st.one_of(st.text("abAB", max_size=6), st.tuples(st.text("ab", max_size=4), st.text("AB", max_size=4)), st.none()),
)
def test_grouped_alternatives_match_what_each_would(items: list[tuple[str, str]], value: Value) -> None:
    """The grouping of plain comparisons is an optimisation: it must not be seen."""
    values = ", ".join(f"'{WAYS[way].format(needle)}'" for way, needle in items)
    condition = condition_of(f"    s:\n        f: [{values}]\n    condition: s")
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
    expected = any(_plainly(way, needle.lower(), text.lower()) for way, needle in items for text in texts)
    view = View(make_event({"f": value}))
    assert condition.test(view) is expected
    if expected:
        assert condition.because(view).startswith("s: f ")


def _plainly(way: str, needle: str, text: str) -> bool:
    return {
        "is": text == needle,
        "contains": needle in text,
        "starts": text.startswith(needle),
        "ends": text.endswith(needle),
    }[way]
