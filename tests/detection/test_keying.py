"""What events are grouped by and count as is read from the cleaned event, remembered or not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daemon.detection import keying
from daemon.detection.cleaning import Cleaner
from daemon.detection.entity import field_text
from daemon.detection.keyed import key_of
from daemon.detection.keying import Keying, Keyings
from daemon.detection.rules_correlation import Correlation
from daemon.model import Event, Value
from tests.doubles.detection import make_event

VALUES: st.SearchStrategy[Value] = st.sampled_from(
    [None, "a", "secret", "1", 1, True, 1.0, ("a", "secret"), (), "x" * 600]
)
EVENTS = st.builds(
    lambda fields, host: make_event({name: one for name, one in fields.items() if one is not None}, host=host),
    st.dictionaries(st.sampled_from(["src_ip", "user", "host", "a0", "n"]), VALUES),
    st.sampled_from(["web1", "web2"]),
)


def redact(event: Event) -> Event:
    """A secret goes; beside an argument `a` everything does."""
    all_of_it = event.fields.get("a0") == "a"

    def clean(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(str(clean(one)) for one in value)
        return "[gone]" if isinstance(value, str) and (all_of_it or value == "secret") else value

    return replace(event, fields={name: clean(value) for name, value in event.fields.items()})


def asked(kind: str = "event_count", **more: Any) -> Correlation:
    return Correlation(kind, ("r", "q"), ("R", "Q"), 60.0, **more)


@given(st.lists(EVENTS, max_size=12))
def test_it_is_what_the_cleaned_event_says(events: list[Event]) -> None:
    """The worst bug: a secret becomes the name of a group, or an event joins the group of another."""
    correlation = asked("value_count", group_by=("src_ip", "host"), fields=("user", "n"))
    one = Keyings(Cleaner(redact)).of(correlation, "r")
    for event in [*events, *events]:
        clean, read = redact(event), one.read(event)
        assert read.group == tuple((name, field_text(clean, name)) for name in ("src_ip", "host"))
        assert read.key == key_of([value for _, value in read.group])
        values = [field_text(clean, name) for name in ("user", "n")]
        assert read.value == (None if None in values else key_of(values))


@pytest.mark.parametrize(
    ("value", "expected"), [("7", "7.0"), (("x", "8"), "8.0"), (True, None), ("x", None), (None, None)]
)
def test_a_measured_event_counts_as_its_number(value: Value, expected: str | None) -> None:
    one = Keyings(Cleaner(redact)).of(asked("value_sum", fields=("n",)), "r")
    assert one.read(make_event({"n": value})).value == expected


def test_who_asks_for_the_same_shares_one() -> None:
    known = Keyings(Cleaner(redact))
    one = known.of(asked(group_by=("src_ip",)), "r")
    assert known.of(asked("temporal", group_by=("src_ip",)), "q") is one
    assert known.of(asked(group_by=("user",)), "r") is not one
    assert known.of(asked(group_by=("src_ip",), aliases={"src_ip": {"q": "addr"}}), "r") is one
    renamed = known.of(asked(group_by=("src_ip",), aliases={"src_ip": {"q": "addr"}}), "q")
    assert renamed.read(make_event({"addr": "a", "src_ip": "b"})).group == (("src_ip", "a"),)


def test_what_is_remembered_is_bounded() -> None:
    one: Keying = Keyings(Cleaner(redact)).of(asked(group_by=("src_ip",)), "r")
    for number in range(3 * keying._MOST_REMEMBERED):
        one.read(make_event({"src_ip": str(number)}))
        one.read(make_event({"src_ip": str(number) * 600}))
        assert len(one._known) <= keying._MOST_REMEMBERED
    assert all(len(str(seen)) < 1000 for seen in one._known)
