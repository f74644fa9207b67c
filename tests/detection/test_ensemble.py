"""Correlations that are alike are fed once, and nobody can tell."""

import re
from collections.abc import Iterable
from uuid import NAMESPACE_OID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection.cleaning import Cleaner
from daemon.detection.engine import Engine
from daemon.detection.ensemble import Ensemble, owner_of
from daemon.detection.keying import Keyings
from daemon.detection.rules import ParsedRules
from daemon.model import Anomaly, Event, Logsource, Snapshot
from tests.doubles.copied_rules import copy_rules
from tests.doubles.detection import SSHD, make_event, sound, sound_files

BASES = "".join(
    f"title: {name}\nid: {uuid5(NAMESPACE_OID, name)}\nname: {name}\nlogsource: {{product: linux, service: sshd}}\n"
    f"detection: {{s: {{action|contains: {name}}}, condition: s}}\n---\n"
    for name in "abc"
)
SECTIONS = {
    "burst": "type: event_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3}, generate: true",
    "users": "type: value_count, rules: [a, b], timespan: 30s, condition: {gte: 2, field: user}, generate: true",
    "both": "type: temporal, rules: [a, b], group-by: user, timespan: 10s, generate: true",
    "in words": "type: temporal, rules: [a, b, c], condition: a and not (b or c), timespan: 9s, generate: true",
    "order": "type: temporal_ordered, rules: [a, c, a], group-by: src_ip, timespan: 20s, generate: true",
    "sum": "type: value_sum, rules: b, timespan: 20s, condition: {gte: 6, field: n}, generate: true",
    "chain": "type: temporal_ordered, rules: [burst, b], group-by: src_ip, timespan: 1m, generate: true",
    "longer": "type: temporal, rules: [chain, users], timespan: 1m, generate: true",
}
CORRELATIONS = "---\n".join(
    f"title: {name}\nid: {uuid5(NAMESPACE_OID, name)}\nname: {name}\ncorrelation: {{{section}}}\n"
    for name, section in SECTIONS.items()
)
RULES = BASES + CORRELATIONS
ONE = sound(RULES)
COPIES = copy_rules({"r.yml": RULES}, 3)
THREE = sound_files(COPIES)
TWO = sound_files({"r.yml": RULES, "s.yml": COPIES["copy1/r.yml"]})
NEW = sound_files({"s.yml": COPIES["copy1/r.yml"]})
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.5, 2.0, 8.0, 31.0]), st.sampled_from([0.0, 0.0, 9.0]),
        st.sampled_from(["a", "b", "c", "ab", "ac"]), st.sampled_from("xy"), st.sampled_from("uv"), st.integers(1, 4),
    ),
    max_size=40,
)  # fmt: skip


def events(steps: Iterable[tuple[float, float, str, str, str, int]]) -> list[Event]:
    found, at = [], 1000.0
    for number, (gap, late, action, address, user, n) in enumerate(steps):
        at += gap
        found.append(
            make_event(
                {"action": action, "src_ip": address, "user": user, "n": n},
                at=at - late,
                source=SSHD,
                event_id=f"e{number}",
            )
        )
    return found


def ensemble(parsed: ParsedRules) -> Ensemble:
    return Ensemble(parsed.rules, 100, Keyings(Cleaner(lambda event: event)))


def said(anomalies: Iterable[Anomaly]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Without what copies are called, which stands in conditions in words."""
    return [
        (one.rule.title, one.entity, re.sub("_[12]", "", one.because), tuple(event.id for event in one.events))
        for one in anomalies
    ]


def rows_of(found: Iterable[Snapshot], rows: dict[str, bytes]) -> dict[str, bytes]:
    for row in found:
        if row.value is None:
            rows.pop(row.key, None)
        else:
            rows[row.key] = row.value
    return rows


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_copies_say_the_same_each_in_its_own_name(steps: list[tuple[float, float, str, str, str, int]]) -> None:
    one, three = Engine(ONE), Engine(THREE)
    for event in events(steps):
        alone, together = one.feed(event), three.feed(event)
        assert sorted(said(together)) == sorted(3 * said(alone))
        assert len({anomaly.id for anomaly in together}) == 3 * len(alone)
    mine, theirs = rows_of(one.changes(), {}), rows_of(three.changes(), {})
    assert sorted(theirs.values()) == sorted(3 * list(mine.values()))
    assert len({key.partition(":")[0] for key in theirs}) == 3 * len({key.partition(":")[0] for key in mine})


def test_anomalies_stand_in_the_order_of_the_rules() -> None:
    asked = (("one", "a", "1m"), ("two", "b", "1m"), ("three", "a", "2m"), ("four", "a", "1m"), ("five", "b", "1m"))
    parsed = sound(
        BASES
        + "---\n".join(
            f"title: {title}\ncorrelation: {{type: event_count, rules: {rule}, timespan: {span}, condition: {{gte: 1}}}}\n"
            for title, rule, span in asked
        )
    )
    assert len(ensemble(parsed)._correlators) == 3
    found = Engine(parsed).feed(make_event({"action": "a b"}, source=SSHD))
    assert [anomaly.rule.title for anomaly in found] == [title for title, _, _ in asked]


FIRST = "type: event_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3}"
OTHERS = (
    "type: event_count, rules: b, group-by: src_ip, timespan: 20s, condition: {gte: 3}",
    "type: event_count, rules: a, group-by: user, timespan: 20s, condition: {gte: 3}",
    "type: event_count, rules: a, timespan: 20s, condition: {gte: 3}",
    "type: event_count, rules: a, group-by: src_ip, timespan: 21s, condition: {gte: 3}",
    "type: event_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 4}",
    "type: event_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gt: 3}",
    "type: event_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3, lte: 9}",
    "type: event_count, rules: [a, b], group-by: src_ip, timespan: 20s, condition: {gte: 3}",
    "type: event_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3}, aliases: {src_ip: {a: addr}}",
    "type: value_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3, field: user}",
    "type: value_count, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3, field: n}",
    "type: value_percentile, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3, field: n, percentile: 5}",
    "type: value_percentile, rules: a, group-by: src_ip, timespan: 20s, condition: {gte: 3, field: n, percentile: 6}",
    "type: temporal, rules: [a, b], group-by: src_ip, timespan: 20s",
    "type: temporal, rules: [a, b], group-by: src_ip, timespan: 20s, condition: a or b",
    "type: temporal, rules: [a, b], group-by: src_ip, timespan: 20s, condition: a and not b",
    "type: temporal_ordered, rules: [a, b], group-by: src_ip, timespan: 20s",
    "type: temporal_ordered, rules: [b, a], group-by: src_ip, timespan: 20s",
    "type: temporal_ordered, rules: [a, b], group-by: src_ip, timespan: 20s, condition: a or b",
    "type: temporal_ordered, rules: [a, b, a], group-by: src_ip, timespan: 20s",
)
"""Each differs from the first and from one another in something."""


def test_what_differs_in_anything_is_not_alike() -> None:
    sections = [FIRST, *OTHERS, *OTHERS, FIRST]
    parsed = sound(
        BASES + "---\n".join(f"title: T{n}\ncorrelation: {{{section}}}\n" for n, section in enumerate(sections))
    )
    groups = [[rule.ref.title for rule in one.rules] for one in ensemble(parsed)._correlators]
    many = len(sections)
    assert groups == [[f"T{n}", f"T{many - 1 if n == 0 else n + len(OTHERS)}"] for n in range(many // 2)]


def test_a_logsource_of_its_own_is_a_kin_of_its_own() -> None:
    text = (
        "title: A\nname: A\nlogsource: {product: linux, service: sshd}\ndetection: {k: [x], condition: k}\n---\n"
        "title: B\nname: B\nlogsource: {product: linux}\ndetection: {k: [x], condition: k}\n---\n"
        "title: C\ncorrelation: {type: event_count, rules: A, timespan: 1m, condition: {gte: 1}}\n---\n"
        "title: D\ncorrelation: {type: event_count, rules: B, timespan: 1m, condition: {gte: 1}}\n"
    )
    parsed = sound(text)
    assert parsed.rules[0].condition is parsed.rules[1].condition
    assert [one.rule.title for one in Engine(parsed).feed(make_event(text="x", source=SSHD))] == ["C", "D"]
    other = make_event(text="x", source=Logsource("linux", "", "other"))
    assert [one.rule.title for one in Engine(parsed).feed(other)] == ["D"]


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(0, 40))
def test_a_rule_that_came_later_begins_with_nothing(
    steps: list[tuple[float, float, str, str, str, int]], cut: int
) -> None:
    """The worst bug: a new rule inherits the windows of one like it, or an old one loses its own to it."""
    seen, whole, first = events(steps), Engine(ONE), Engine(ONE)
    for event in seen[:cut]:
        whole.feed(event)
        first.feed(event)
    both, fresh = Engine(TWO), Engine(NEW)
    both.restore([Snapshot("detection", key, value) for key, value in rows_of(first.changes(), {}).items()])
    for event in seen[cut:]:
        old, new, found = whole.feed(event), fresh.feed(event), both.feed(event)
        assert sorted(one.id for one in found) == sorted([*(one.id for one in old), *(one.id for one in new)])


@settings(max_examples=30, deadline=None)
@given(STEPS, st.integers(0, 40))
def test_copies_stay_alike_through_a_restart(steps: list[tuple[float, float, str, str, str, int]], cut: int) -> None:
    seen, whole, first = events(steps), Engine(THREE), Engine(THREE)
    for event in seen[:cut]:
        whole.feed(event)
        first.feed(event)
    again = Engine(THREE)
    again.restore([Snapshot("detection", key, value) for key, value in rows_of(first.changes(), {}).items()])
    assert len(again._ensemble._correlators) == len(SECTIONS)
    for event in seen[cut:]:
        assert [one.id for one in again.feed(event)] == [one.id for one in whole.feed(event)]


def test_rows_that_cannot_be_read_are_gone_for_each_owner() -> None:
    parsed = sound_files(copy_rules({"r.yml": BASES + CORRELATIONS.partition("---")[0]}, 2))
    counted = [rule for rule in parsed.rules if rule.correlation is not None]
    one = ensemble(parsed)
    gone = one.restore({owner_of(rule): [("k", b"\xc1")] for rule in counted})
    assert [(row.key, row.value) for row in gone] == [(f"{owner_of(rule)}:k", None) for rule in counted]
    assert len(one._correlators) == 1


def test_evictions_count_for_each_owner() -> None:
    parsed = sound_files(copy_rules({"r.yml": BASES + CORRELATIONS.partition("---")[0]}, 3))
    one = Engine(parsed, max_groups=5)
    for n in range(20):
        one.feed(make_event({"action": "a", "src_ip": str(n)}, at=float(n), source=SSHD))
    assert one.evictions == 15 * 3
    gone = [row for row in one.changes() if row.value is None]
    assert len(gone) == 15 * 3
