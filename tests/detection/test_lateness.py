"""Correlations on events that come late, against a plain reading of the whole, sorted sequence.

What is stated (`daemon.detection.windows`): an event that is at most one time span older than the newest of its group is
judged exactly, by every window that contains it. So the order of arrival decides at which event a correlation fires,
never whether: each stretch of time in which the sorted sequence satisfies it is told, and nothing else is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.detection.rules import parse_rules
from daemon.model import Value
from tests.doubles.detection import SSHD, Alone, make_event

SPAN = 60
BASES = "".join(
    f"title: {name}\nname: {name}\nlogsource: {{product: linux, service: sshd}}\n"
    f"detection: {{s: {{action: {name}}}, condition: s}}\n---\n"
    for name in "abc"
)
BYTES = {"u": 10, "v": 20, "w": 30}
KINDS = {
    "event_count": "type: event_count, rules: [a, b, c], condition: {gte: 4}",
    "value_count": "type: value_count, rules: [a, b, c], condition: {field: user, gt: 2}",
    "value_sum": "type: value_sum, rules: [a, b, c], condition: {field: bytes, gte: 70}",
    "temporal": "type: temporal, rules: [a, b, c]",
    "temporal in words": "type: temporal, condition: a and (b or c)",
    "temporal_ordered": "type: temporal_ordered, rules: [a, b, c]",
    "temporal_ordered, one twice": "type: temporal_ordered, rules: [a, b, a]",
}


@dataclass(frozen=True)
class Seen:
    """One event: when, of which group, and which rule it fired; its user is its rule's name but for a few."""

    at: float
    group: str
    name: str
    user: str


def in_order(names: str, order: str) -> bool:
    """Whether these rules fired one after the other, others between them or not."""
    left = iter(names)
    return all(one in left for one in order)


SATISFIED: dict[str, Callable[[Sequence[Seen]], bool]] = {
    "event_count": lambda inside: len(inside) >= 4,
    "value_count": lambda inside: len({one.user for one in inside}) > 2,
    "value_sum": lambda inside: sum(BYTES[one.user] for one in inside) >= 70,
    "temporal": lambda inside: {one.name for one in inside} == set("abc"),
    "temporal in words": lambda inside: "a" in {one.name for one in inside} and len({one.name for one in inside}) > 1,
    "temporal_ordered": lambda inside: in_order("".join(one.name for one in inside), "abc"),
    "temporal_ordered, one twice": lambda inside: in_order("".join(one.name for one in inside), "aba"),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 5, 12, 25, 31, 50, 61, 130]),
        st.sampled_from([0, 0, 0, 20, 45, 60]),
        st.sampled_from("xxxy"),
        st.sampled_from("abc"),
        st.sampled_from("uvw"),
    ),
    max_size=25,
)


def arrivals(steps: list[tuple[int, int, str, str, str]], *, late: bool) -> list[Seen]:
    """Events as they come; each at most a time span older than the newest before it, no two at one time."""
    found, at = [], 1000.0
    for number, (gap, lateness, group, name, user) in enumerate(steps):
        at += gap
        when = at - lateness + 0.9 if late and lateness else at
        found.append(Seen(when + number / 1000, group, name, user))
    return found


def firings(kind: str, seen: Sequence[Seen]) -> list[tuple[int, Seen]]:
    """The events at which it fires, each with how many had come."""
    parsed = parse_rules(
        {"r.yml": f"{BASES}title: C\ncorrelation: {{{KINDS[kind]}, group-by: [src_ip], timespan: 60s}}\n"}
    )
    assert parsed.problems == ()
    ids = {rule.ref.title: rule.ref.id for rule in parsed.rules}
    one = Alone(parsed.rules[-1])
    fired = []
    for number, event in enumerate(seen, start=1):
        fields: dict[str, Value] = {"src_ip": event.group, "user": event.user, "bytes": BYTES[event.user]}
        if one.feed(ids[event.name], make_event(fields, at=event.at, source=SSHD)) is not None:
            fired.append((number, event))
    return fired


def window(ordered: Sequence[Seen], end: float) -> Sequence[Seen]:
    ats = [one.at for one in ordered]
    return ordered[bisect_left(ats, end - SPAN) : bisect_right(ats, end)]


def stretches(kind: str, ordered: Sequence[Seen]) -> list[tuple[float, float]]:
    """From when to when one event after the other ends a window that satisfies it."""
    found: list[tuple[float, float]] = []
    before: float | None = None
    for one in ordered:
        if SATISFIED[kind](window(ordered, one.at)):
            start = found.pop()[0] if before is not None and found and found[-1][1] == before else one.at
            found.append((start, one.at))
        before = one.at
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
@example(
    steps=[
        (1, 0, "x", "a", "u"),
        (10, 0, "x", "b", "v"),
        (10, 0, "x", "b", "u"),
        (55, 0, "x", "b", "u"),
        (25, 0, "x", "b", "v"),
        (1, 55, "x", "c", "w"),
    ]
)
def test_late_by_up_to_a_time_span_every_stretch_is_told_and_nothing_else(
    kind: str, steps: list[tuple[int, int, str, str, str]]
) -> None:
    seen = arrivals(steps, late=True)
    fired = firings(kind, seen)
    for group in "xy":
        ordered = sorted((one for one in seen if one.group == group), key=lambda one: one.at)
        told = [one.at for _, one in fired if one.group == group]
        for start, end in stretches(kind, ordered):
            assert any(start - SPAN <= at <= end + SPAN for at in told), (group, start, end, told)
    for number, event in fired:
        come = sorted((one for one in seen[:number] if one.group == event.group), key=lambda one: one.at)
        ends = [one.at for one in come if event.at <= one.at <= event.at + SPAN]
        assert any(SATISFIED[kind](window(come, end)) for end in ends), event


def beginnings(kind: str, ordered: Sequence[Seen]) -> list[float]:
    """Where it becomes true: at events before which it was not, or had ceased with the time that passed."""
    found: list[float] = []
    holding = False
    for number, one in enumerate(ordered):
        passed = holding and SATISFIED[kind](window(ordered[:number], one.at))
        holding = SATISFIED[kind](window(ordered[: number + 1], one.at))
        if holding and not passed:
            found.append(one.at)
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_in_order_it_fires_where_it_becomes_true(kind: str, steps: list[tuple[int, int, str, str, str]]) -> None:
    """And while it goes on, at most once per time span, at an event that satisfies it."""
    seen = arrivals(steps, late=False)
    fired = firings(kind, seen)
    for group in "xy":
        ordered = [one for one in seen if one.group == group]
        told = [one.at for _, one in fired if one.group == group]
        assert set(beginnings(kind, ordered)) <= set(told)
        for before, at in pairwise(told):
            goes_on = at not in beginnings(kind, ordered)
            assert not goes_on or (at - before >= SPAN and SATISFIED[kind](window(ordered, at)))
        assert told[:1] == beginnings(kind, ordered)[:1]
