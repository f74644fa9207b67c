"""What is found in one pass over many texts, against what a search of each text alone says."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection import expression_scan, literal_scan, prefilter
from daemon.detection.clauses import WORD_OF_ITS_OWN, is_expression, shows_all
from daemon.detection.expression_needs import ExpressionNeeds
from daemon.detection.folding import fold
from daemon.detection.matchers import Leaf
from daemon.detection.nodes import Node, join_all, join_any
from daemon.detection.prefilter import Prefilter
from daemon.detection.view import View
from daemon.model import Event
from tests.doubles.conditions import events, nodes
from tests.doubles.detection import item

hyperscan = pytest.importorskip("hyperscan")

FILLER = "type=SYSCALL ordinary words of a log, one like another\n" * 1400
"""Enough to be a sample by which clauses are chosen anew."""


def leaf(*literals: str, scan: Sequence[str] = ()) -> Leaf:
    return Leaf("f", "", lambda _: False, needs=(frozenset(literals),), scan=tuple(scan))


def joined(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    encoded = [text.encode("utf-8", "backslashreplace") for text in texts]
    return b"".join(encoded), list(accumulate(map(len, encoded)))


def found(chooser: Prefilter, texts: Sequence[str]) -> dict[int, tuple[int, ...]]:
    return chooser.find(*joined(texts))


def by_hand(needles: Sequence[Sequence[str]], texts: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """The same by searching each text for each literal."""
    hits = {
        place: tuple(n for n, several in enumerate(needles) if any(one in fold(text) for one in several))
        for place, text in enumerate(texts)
    }
    return {place: rules for place, rules in hits.items() if rules}


def spanning(needles: Sequence[Sequence[str]], texts: Sequence[str]) -> set[tuple[int, int]]:
    """(text, rule) for literals that end in a text, wherever they begin."""
    folded = [fold(text) for text in texts]
    whole, ends = "".join(folded), list(accumulate(map(len, folded)))
    pairs = set()
    for number, several in enumerate(needles):
        for one in several:
            for hit in re.finditer(f"(?={re.escape(one)})", whole):
                pairs.add((next(place for place, end in enumerate(ends) if end >= hit.start() + len(one)), number))
    return pairs


NEEDLES = st.lists(st.lists(st.text("abk\u00e9\u03c3 ", min_size=1, max_size=3), min_size=1, max_size=3), max_size=6)
TEXTS = st.lists(st.text("abAkK\u212a\u00e9\u00c9\u03c3\u03a3\u03c2\u0130 \U0001f600", max_size=8), max_size=6)


@settings(max_examples=250, deadline=None)
@given(needles=NEEDLES, texts=TEXTS, sampled=st.booleans())
def test_it_finds_what_a_search_of_each_text_finds(needles: list[list[str]], texts: list[str], sampled: bool) -> None:
    chooser = Prefilter([leaf(*several) for several in needles], shows_all)
    if sampled:
        found(chooser, [FILLER])
    got = found(chooser, texts)
    missing = {place: set(rules) - set(got.get(place, ())) for place, rules in by_hand(needles, texts).items()}
    assert not any(missing.values())
    assert {(place, rule) for place, rules in got.items() for rule in rules} <= spanning(needles, texts)
    assert not chooser.everything


@settings(max_examples=200, deadline=None)
@given(needles=NEEDLES, texts=TEXTS, also=st.lists(st.text("abk", min_size=1, max_size=3), max_size=2))
def test_lines_are_the_texts_between_newlines(needles: list[list[str]], texts: list[str], also: list[str]) -> None:
    chooser = Prefilter([leaf(*several) for several in needles], shows_all, also=also)
    text, ends = joined([text + "\n" for text in texts])
    starts = [0, *ends]
    wanted = by_hand([*needles, also], texts)
    assert chooser.lines(text) == [starts[place] for place in sorted(wanted)]


def test_where_a_literal_ends_is_where_it_is_found() -> None:
    chooser = Prefilter([leaf("abc"), leaf("c")], shows_all)
    assert found(chooser, ["", "xabc", "", "abc", ""]) == {1: (0, 1), 3: (0, 1)}
    assert found(chooser, ["ab", "c", ""]) == {1: (0, 1)}  # that spans two texts: one candidate more than needed
    assert found(chooser, ["abc\u00e9", "", "\u00e9abc"]) == {0: (0, 1), 2: (0, 1)}
    assert found(chooser, ["a", "b"]) == {}
    assert found(chooser, []) == {}
    assert chooser.find(b"", ()) == {}
    assert chooser.find(b"", (0, 0)) == {}
    assert chooser.lines(b"") == []
    assert chooser.lines(b"\n\nabc\n\nc\n") == [2, 7]


def test_a_literal_that_ends_with_the_line_is_of_that_line() -> None:
    chooser = Prefilter([leaf("a\n")], shows_all)
    assert chooser.lines(b"a\nb\na\n") == [0, 4]


def test_bytes_that_are_no_utf_8_are_searched_as_readers_show_them() -> None:
    chooser = Prefilter([leaf("evil"), leaf("\\xff"), leaf("\\udcff")], shows_all)
    assert chooser.find(b"\xffevil\n", (6,)) == {0: (0, 1)}
    assert chooser.lines(b"ok\n\xff\xfeEVIL\nx\xff\n") == [3, 10]
    lone = Prefilter([leaf("a\udcff")], shows_all)
    assert found(lone, ["b", "A\udcff"]) == {1: (0,)}


def test_rules_that_need_nothing_are_asked_always() -> None:
    chooser = Prefilter([leaf("a"), item("f", "null").node, leaf("b")], shows_all)
    assert (chooser.always, chooser.everything) == ((1,), True)
    assert found(chooser, ["ab", "x"]) == {0: (0, 2)}
    nothing = Prefilter([], shows_all)
    assert (nothing.always, nothing.everything, found(nothing, ["a"])) == ((), False, {})


def test_without_an_engine_every_rule_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literal_scan, "hyperscan", None)
    chooser = Prefilter([leaf("a"), leaf("b")], shows_all)
    assert (chooser.always, chooser.everything) == ((0, 1), True)
    assert found(chooser, ["a", "\u00e9"]) == {}
    assert chooser.lines(b"a\nb\n") == []


def test_expressions_are_looked_for_in_the_place_of_names() -> None:
    node = Leaf("f", "", lambda _: False, needs=(frozenset({"long"}),))

    def implied(field: str | None, literal: str, way: str) -> frozenset[str] | None:
        assert (field, way) == ("f", "contains")
        return frozenset({"\0name" if literal == "long" else literal})

    chooser = Prefilter([node, leaf("b")], implied, expressions={"\0name": b"[^ \\n]{4}"})
    assert found(chooser, ["a aa aaa\n", "aaaa\n", "b\n"]) == {1: (0,), 2: (1,)}


def test_a_word_of_its_own_is_found_alone() -> None:
    chooser = Prefilter([leaf("x")], lambda *_: frozenset({WORD_OF_ITS_OWN + "root"}))
    lines = [
        "for root\n",
        "user=root;\n",
        "/root/x\n",
        "chroot\n",
        "root_x\n",
        "x.root\n",
        "'root'\n",
        "'r\u00f6ot' root\n",
    ]
    assert chooser.lines("".join(lines[:7]).encode()) == [0, 9, sum(map(len, lines[:6]))]
    assert sorted(found(chooser, lines)) == [0, 1, 6, 7]
    # also where the first line begins with it, be the rest ASCII or not
    assert chooser.lines(b"root did\nnothing\nroot\n") == [0, 17]
    assert chooser.lines("root did\nr\u00f6ot\nroot\n".encode()) == [0, 15]


SCANNED = item("f|re", "'port [0-9]{5}[ab]'").node


def test_an_expression_narrows_more_than_its_literals() -> None:
    chooser = Prefilter([SCANNED], shows_all)
    found(chooser, ["port 22 is a port that a log may be full of\n"] * 4000)
    assert found(chooser, ["port 12345b\n", "port a\n", "PORT 99999A\n"]) == {0: (0,), 2: (0,)}
    assert 0 in found(chooser, ["port 12345a\u00e9\n", "port a\n"])  # which is not searched for what is not literal
    assert 1 not in found(chooser, ["port 12345a\u00e9\n", "port a\n"])


def test_where_an_expression_is_refused_literals_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression_scan, "_search_for", lambda _: None)
    several = join_any([item("f|re", f"'w{number}[ab]{{2}}c[0-9]{{4}}'").node for number in range(40)])
    chooser = Prefilter([SCANNED, several, leaf("x")], shows_all)
    texts = ["port 12345b\n", "w7abc1234\n", "x\n", "y\n"]
    for log in ([FILLER], ["port w7\n"] * 10_000):
        found(chooser, log)
        assert found(chooser, texts) == {0: (0,), 1: (1,), 2: (2,)}


def test_an_expression_that_hyperscan_does_not_find_is_found() -> None:
    """Hyperscan 5.4 finds this one in short texts alone."""
    rule = item("f|re", r"'>\s*/(selinux/enforce)|>\s*/proc/sys/kernel/(yama/ptrace_scope)'").node
    texts = [f"{'x' * before}> /selinux/enforce, it says\n" for before in range(0, 120, 10)]
    for log in (FILLER, "a > b /selinux /proc/sys\n" * 4000, "selinux/enforce is said often\n" * 3000):
        chooser = Prefilter([rule], shows_all)
        found(chooser, [log])
        assert found(chooser, texts) == dict.fromkeys(range(len(texts)), (0,))
        assert [chooser.find_one(text.encode()) for text in texts] == [(0,)] * len(texts)


@settings(max_examples=250, deadline=None)
@given(rules=st.lists(nodes(), min_size=1, max_size=8), seen=st.lists(events(), max_size=4), sampled=st.booleans())
def test_no_rule_that_holds_is_left_out(rules: list[Node], seen: list[Event], sampled: bool) -> None:
    chooser = Prefilter(rules, shows_all)
    views = [View(event) for event in seen]
    texts = [view.everything for view in views]
    if sampled:
        found(chooser, [FILLER, *texts])
    got = found(chooser, texts)
    for place, view in enumerate(views):
        asked = {*got.get(place, ()), *chooser.always}
        assert {number for number, node in enumerate(rules) if node.test(view)} <= asked


def test_the_choice_follows_the_log_and_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefilter, "_PATIENCE", 200_000)
    monkeypatch.setattr(prefilter, "_BUSY", 0.5)
    both = join_all([leaf("alpha"), leaf("omega")])
    chooser = Prefilter([both], shows_all)
    wanted = ["alpha omega\n", "alpha\n", "omega\n", "x\n"]
    for common, rare in (("alpha", "omega"), ("omega", "alpha"), ("alpha", "omega")):
        log = [f"{common} and a little more of it\n"] * 4000
        for _ in range(4):
            assert 1000 not in found(chooser, [*log[:1000], "nothing\n", *log[1000:]])
        assert set(found(chooser, log)) == set()
        assert set(found(chooser, wanted)) in ({0}, {0, wanted.index(f"{rare}\n")})


def test_what_it_remembers_is_bounded() -> None:
    letters = "abcdefghijklm"
    chooser = Prefilter([leaf(one) for one in letters], shows_all)
    for number in range(1 << len(letters)):
        text = "".join(one for place, one in enumerate(letters) if number >> place & 1)
        wanted = tuple(place for place in range(len(letters)) if number >> place & 1)
        assert found(chooser, [text]) == ({0: wanted} if wanted else {})
    assert chooser._plan is not None
    assert 1 < len(chooser._plan._known) <= 4096


def test_a_literal_of_any_length_compiles() -> None:
    long, wide = "x" * 50_000, "\u00e9" * 50_000
    chooser = Prefilter([item("f|contains", long).node, item("f|contains", wide).node, leaf("b")], shows_all)
    assert found(chooser, [long, "b", "x", wide]) == {0: (0,), 1: (2,), 3: (1,)}


def test_rules_that_resemble_others_cost_nothing_more() -> None:
    one = Prefilter([SCANNED, leaf("b")], shows_all)
    many = Prefilter([SCANNED, leaf("b")] * 50, shows_all)
    assert found(many, ["b"]) == {0: tuple(range(1, 100, 2))}
    assert found(one, ["b"]) == {0: (1,)}
    assert one._plan is not None
    assert many._plan is not None
    assert many._plan.names == one._plan.names
    assert any(is_expression(element) for needed in one._alternatives for clause in needed for element in clause)


def test_an_engine_that_refuses_makes_every_text_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise hyperscan.error("no such processor")

    monkeypatch.setattr(Prefilter, "_compiled", refuse)
    prefilter = Prefilter([leaf("curl"), leaf("wget")], shows_all)
    assert prefilter.find(b"one two", (3, 7)) == {0: (0, 1), 1: (0, 1)}
    assert prefilter.find_one(b"one") == (0, 1)
    assert prefilter.lines(b"a\n\nb\n") == [0, 2, 3]


def test_an_engine_that_refuses_the_second_look_makes_every_text_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst bug: the batch in which it refuses is taken for one without candidates."""
    real, left = literal_scan.scan, [1]

    def refuse(database: Any, text: bytes) -> list[tuple[int, int]]:
        left[0] -= 1
        if left[0] < 0:
            raise hyperscan.error("no memory")
        return real(database, text)

    monkeypatch.setattr(prefilter, "scan", refuse)
    both = join_all([leaf("curl"), leaf("bash")])
    assert Prefilter([both], shows_all).lines(b"curl bash\nb\n") == [0, 10]
    left[0] = 1
    assert Prefilter([both], shows_all).find(b"curl bash b", (9, 11)) == {0: (0,), 1: (0,)}


class Refusing:
    """A database that finds nothing any more."""

    def scan(self, text: bytes, note: object) -> None:
        raise hyperscan.error("no memory")


def test_an_engine_that_refuses_one_text_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = Prefilter([leaf("curl"), leaf("wget")], shows_all)
    assert chooser.find_one(b"curl") == (0,)
    monkeypatch.setitem(chooser._databases, "all", Refusing())
    assert chooser.find_one(b"curl") == (0, 1)
    assert chooser.find_one(b"none of them") == (0, 1)


@pytest.mark.parametrize("ending", ["", "\u00e9"])
def test_with_patience_all_are_candidates_until_enough_was_seen(ending: str) -> None:
    chooser = Prefilter([leaf("curl"), leaf("wget")], shows_all, patient=True)
    texts = ["a line\n", f"x CURL{ending}\n", "nothing\n"]
    assert found(chooser, texts) == dict.fromkeys(range(3), (0, 1))
    assert chooser.find(b"one two", (3, 7), (8, 5)) == {8: (0, 1), 5: (0, 1)}
    assert chooser.find_one(b"one") == (0, 1)
    assert chooser.lines("".join(texts).encode()) == [0, 7, 14 + len(ending.encode())]
    assert chooser._plan is None
    found(chooser, ["some line\n"] * 6000)
    assert found(chooser, ["some line\n"] * 1000) == {}
    assert found(chooser, texts) == {1: (0,)}
    assert chooser.lines("".join(texts).encode()) == [7]
    assert chooser.find_one(b"wget") == (1,)


def test_what_was_seen_in_patience_is_what_is_chosen_by() -> None:
    chooser = Prefilter([join_all([leaf("common"), leaf("of others")])], shows_all, patient=True)
    for _ in range(3000):
        chooser.lines(b"of others there are many\n")
    assert chooser._plan is not None
    assert [chooser._plan.names[number] for number in chooser._plan.numbers("first")] == ["common"]


def test_with_nothing_to_look_for_there_is_nothing_to_wait_for() -> None:
    assert found(Prefilter([], shows_all, patient=True), ["a"]) == {}


def test_of_what_nothing_but_an_expression_is_known_nothing_is_known() -> None:
    """No literal is known, because what is shown of the field is not what the rule says of it."""
    node = Leaf("f", "", lambda _: False, needs=(), scan=("[0-9]{5}",), expression=ExpressionNeeds((frozenset({"x"}),)))
    shows = {"x": frozenset({"x", ""}), "": frozenset({""})}
    chooser = Prefilter([node, leaf("y")], lambda _, literal, __: shows.get(literal, frozenset({literal})))
    assert (chooser.always, found(chooser, ["a", "12345", "y"])) == ((0,), {2: (1,)})


def test_an_expression_may_be_in_any_part_of_a_text() -> None:
    chooser = Prefilter([SCANNED], shows_all)
    parts = (b"port x", b"nothing", b"port 12345b", b"else")
    ends = list(accumulate(map(len, parts)))
    assert chooser.find(b"".join(parts), ends, (7, 8, 7, 8)) == {7: (0,)}
    assert chooser.find(b"".join(parts), ends, (7, 8, 9, 8)) == {9: (0,)}
