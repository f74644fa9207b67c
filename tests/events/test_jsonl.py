"""One JSON object per line."""

from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.jsonl import Parsed, parse_json_line
from daemon.events.stamps import Stamps
from daemon.model import Logsource

AT = 1795260000.0


def parse(line: bytes) -> Parsed | None:
    return parse_json_line(line, Stamps(lambda: AT, UTC))


def parsed(record: dict[str, Any]) -> Parsed:
    found = parse(msgspec.json.encode(record))
    assert found is not None
    return found


def test_keys_are_flattened_and_values_kept() -> None:
    found = parsed({"a": {"b": {"c": 1}}, "l": ["x", 2, {"y": None}], "n": None, "t": True, "f": 1.5, "e": {}})
    assert found.fields == {"a.b.c": 1, "l": ("x", "2", '{"y":null}'), "n": None, "t": True, "f": 1.5}


def test_text_is_decoded() -> None:
    assert parsed({"cmd": 'sh -c "caf\u00e9"', "n": 1}).text == 'cmd=sh -c "caf\u00e9" n=1'


@pytest.mark.parametrize(
    ("record", "at"),
    [
        ({"@timestamp": "2026-11-21T11:20:00Z"}, AT),
        ({"time": AT}, AT),
        ({"timestamp": AT * 1e3}, AT),
        ({"ts": str(int(AT * 1e6))}, AT),
        ({"EventTime": "2026-11-21 11:20:00"}, AT),
        ({"time": AT * 1e9}, AT),
        ({"time": "soon", "ts": AT}, AT),
        ({"type": "PATH", "msg": "audit(1795260000.000:7)"}, AT),
        ({"time": AT * 1e6}, AT),
        ({"time": 12.5, "ts": AT}, AT),
        ({"time": "0.031", "@timestamp": "2026-11-21T11:20:00Z"}, AT),
        ({"@timestamp": "0001-01-01T00:00:00+14:00", "time": AT}, AT),
        ({"@timestamp": "2031-01-01T00:00:00Z", "time": AT}, AT),
        ({"time": AT + 86400}, AT + 86400),
        ({"time": AT + 86401}, None),
        ({"time": 99_999_999}, None),
        ({"time": 315532800}, 315532800.0),
        ({"time": 4102444800}, None),
        ({"time": 1e19}, None),
        ({"time": True}, None),
        ({"time": -1}, None),
        ({"time": 1e300}, None),
        ({"time": "nan"}, None),
        ({"time": [1]}, None),
        ({}, None),
    ],
)
def test_times(record: dict[str, Any], at: float | None) -> None:
    assert parsed(record).at == pytest.approx(at)


@pytest.mark.parametrize(
    ("record", "logsource"),
    [
        ({"Image": "/bin/sh", "CommandLine": "sh"}, Logsource(category="process_creation")),
        ({"Event": {"EventData": {"Image": "/bin/sh", "CommandLine": "sh"}}}, Logsource(category="process_creation")),
        ({"Image": "/bin/sh", "TargetFilename": "/x"}, Logsource(category="file_event")),
        ({"DestinationIp": "192.0.2.1"}, Logsource(category="network_connection")),
        (
            {"logsource": {"product": "windows", "service": "x"}, "CommandLine": "a", "Image": "b"},
            Logsource("windows", "", "x"),
        ),
        ({"category": "host_metrics"}, Logsource(category="host_metrics")),
        ({"service": "sshd", "product": "linux"}, Logsource(service="sshd")),
        ({"type": "PATH", "msg": "audit(1.0:7)"}, Logsource(service="auditd")),
        ({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": "x"}, Logsource(service="sshd")),
        ({"category": 5}, Logsource()),
    ],
)
def test_logsources(record: dict[str, Any], logsource: Logsource) -> None:
    assert parsed(record).logsource == logsource


def test_fields_of_sysmon_are_lifted() -> None:
    fields = parsed({"winlog": {"event_data": {"CommandLine": "sh"}}}).fields
    assert fields["CommandLine"] == "sh"


def test_a_journal_line_has_the_fields_of_its_program() -> None:
    found = parsed(
        {
            "SYSLOG_IDENTIFIER": "sshd",
            "MESSAGE": "Failed password for root from 192.0.2.1 port 4 ssh2",
            "_HOSTNAME": "h",
        }
    )
    assert (found.fields["src_ip"], found.fields["program"], found.host) == ("192.0.2.1", "sshd", "h")


def test_a_stray_byte_or_half_a_pair_hides_nothing() -> None:
    for bad in (b"\xff", b"\\ud800"):
        found = parse(b'{"CommandLine":"nc -e ' + bad + b'","Image":"/bin/nc"}')
        assert found is not None
        assert found.logsource == Logsource(category="process_creation")
        assert str(found.fields["CommandLine"]).startswith("nc -e ")
        found.text.encode()


def test_a_folded_journal_line_stands_for_several() -> None:
    said = "message repeated 3 times: [ Failed password for root from 192.0.2.1 port 4 ssh2]"
    found = parsed({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": said})
    assert (found.times, found.fields["action"]) == (3, "login_failed")
    assert parsed({"MESSAGE": said, "repeat": 50, "times": 50}).times == 1


def test_numbers_that_no_store_takes_are_text() -> None:
    assert parsed({"a": 10**30, "b": -(2**63) + 1, "c": 2**63}).fields == {
        "a": str(10**30),
        "b": -(2**63) + 1,
        "c": str(2**63),
    }


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x",
        b"[]",
        b"1",
        b'{"a":',
        b'{"a":NaN}',
        b"[" * 5000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"a":"' + b"x" * (1 << 20) + b'"}',
    ],
)
def test_what_is_no_object_or_over_a_bound_is_not_understood(line: bytes) -> None:
    assert parse(line) is None


def test_fields_are_bounded() -> None:
    assert parse(msgspec.json.encode({f"k{number}": number for number in range(2048)})) is not None
    assert parse(msgspec.json.encode({f"k{number}": number for number in range(2049)})) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=8,
    )
)
def test_no_json_raises(value: Any) -> None:
    encoded = msgspec.json.encode({"time": value, "host": value, "logsource": value, "msg": value, "MESSAGE": value})
    parse(encoded)
