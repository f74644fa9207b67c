"""A route says the same with and without a choice of rules beforehand."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection import literal_scan
from daemon.detection.condition import Condition
from daemon.detection.matchers import Leaf
from daemon.detection.nodes import Node
from daemon.detection.prefilter import Prefilter
from daemon.detection.route import FEW, Matched, Route, build_prefilter
from daemon.detection.rules import Rule
from daemon.detection.sustain import Sustainer
from daemon.detection.view import View
from daemon.model import Event
from tests.doubles.conditions import events, leaf_nodes, nodes
from tests.doubles.detection import item, make_event, one_rule, rule_text, sound

PATTERN = one_rule(rule_text("    s: {f: x}\n    condition: s"))
QUIET = [item("f|contains", f"nothing{number}").node for number in range(FEW)]
"""Enough of them that choosing pays."""
BEFORE = 70
"""Events after which rules are chosen."""


def rules_of(conditions: list[Node]) -> list[Rule]:
    return [
        msgspec.structs.replace(
            PATTERN, ref=msgspec.structs.replace(PATTERN.ref, id=f"r{number}"), condition=Condition(node)
        )
        for number, node in enumerate(conditions)
    ]


def ids(found: Matched) -> list[str]:
    return [rule.ref.id for rule in found.rules]


def warmed(rules: list[Rule]) -> Route:
    route = Route(rules, (), build_prefilter)
    for _ in range(BEFORE):
        route.matching(View(make_event({"h": "warm"})))
    return route


@settings(max_examples=200, deadline=None)
@given(chosen=st.lists(nodes(), max_size=5), seen=st.lists(events(), min_size=1, max_size=5), at=st.integers(0, 12))
def test_the_same_rules_in_the_same_order(chosen: list[Node], seen: list[Event], at: int) -> None:
    rules = rules_of([*QUIET[:at], *chosen, *QUIET[at:], *chosen])
    asks_all, chooses = Route(rules, (), None), warmed(rules)
    for event in seen:
        assert ids(chooses.matching(View(event))) == ids(asks_all.matching(View(event)))


def test_every_comparison_there_is_on_many_events() -> None:
    rules = rules_of([*leaf_nodes(), *reversed(leaf_nodes())])
    asks_all, chooses = Route(rules, (), None), warmed(rules)
    for text in (
        "ab",
        "aXbYc",
        "\u212ax",
        "/LS",
        "5",
        "a?b",
        "a{,2}b",
        "abbdd",
        "",
        "bcddde",
        "\u00e9",
        "AXXX",
        "k s 5",
    ):
        for event in (make_event({"f": text, "g": text}), make_event(text=text), make_event({"f": (text, "z")})):
            assert ids(chooses.matching(View(event))) == ids(asks_all.matching(View(event)))


def test_rules_are_chosen_once_it_pays() -> None:
    built: list[int] = []

    def build(conditions: tuple[Node, ...]) -> Prefilter:
        built.append(len(conditions))
        return build_prefilter(conditions)

    few, many = Route(rules_of(QUIET[:FEW]), (), build), Route(rules_of([*QUIET, item("f", "x").node]), (), build)
    for _ in range(BEFORE):
        assert ids(few.matching(View(make_event({"f": "nothing1"})))) == ["r1"]
        assert ids(many.matching(View(make_event({"f": "nothing1"})))) == ["r1"]
    assert built == [FEW + 1]


def test_a_rule_that_needs_nothing_is_asked_in_its_turn() -> None:
    absent = item("f|exists", "false").node
    rules = rules_of([item("g", "x").node, absent, *QUIET, item("g", "x").node])
    route = warmed(rules)
    assert ids(route.matching(View(make_event({"g": "x"})))) == ["r0", "r1", f"r{len(rules) - 1}"]
    assert ids(route.matching(View(make_event({"f": "x"})))) == []


def test_rules_alike_share_one_condition_that_is_asked_once() -> None:
    text = "".join(
        f"title: {name}\nlogsource: {{product: linux, category: process_creation}}\n"
        f"detection: {{s: {{f: {value}}}, condition: s}}\n---\n"
        for name, value in (("A", "x"), ("B", "'5'"), ("C", "x"), ("D", "5"), ("E", "x"))
    )
    rules = sound(text[:-4]).rules
    first, quoted, second, number, third = [rule.condition for rule in rules]
    assert first is second is third
    assert quoted is not number
    asked: list[View] = []

    def note(view: View) -> bool:
        asked.append(view)
        return True

    counting = Condition(Leaf("f", "is x", note))
    route = Route(
        [msgspec.structs.replace(one, condition=counting) if one.condition is first else one for one in rules], (), None
    )
    found = route.matching(View(make_event({"f": "5"})))
    assert [rule.ref.title for rule in found.rules] == ["A", "B", "C", "D", "E"]
    assert len(asked) == 1


def test_an_event_without_anything() -> None:
    rules = rules_of([*QUIET, item("f|exists", "false").node])
    assert ids(warmed(rules).matching(View(make_event()))) == [f"r{FEW}"]
    assert ids(warmed(rules_of([*QUIET, item("f", "x").node])).matching(View(make_event()))) == []


def test_without_an_engine_all_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literal_scan, "hyperscan", None)
    route = warmed(rules_of([*QUIET, item("f", "x").node]))
    assert ids(route.matching(View(make_event({"f": "X"})))) == [f"r{FEW}"]


def test_a_route_without_rules_is_nothing() -> None:
    sustained = one_rule(
        rule_text("    s: {cpu|gt: 5}\n    condition: s", more="tellwhy: {sustain: {for: 10s, resolve_after: 5s}}\n")
    )
    assert not Route((), (), build_prefilter)
    assert Route(rules_of(QUIET[:1]), (), None)
    assert Route((), [Sustainer(sustained, 10)], None)
    assert Route((), [Sustainer(sustained, 10)], None).matching(View(make_event({"cpu": 9}))).rules == ()
