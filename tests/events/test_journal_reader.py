"""Entries of a journal become the events that the same messages are in a syslog file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.journal_reader import JournalReader, parse_entry, sequence_of
from daemon.events.stamps import Stamps
from daemon.events.text_readers import SyslogReader
from daemon.model import Checkpoint, Event, Lines, Logsource, Lost, Position

T0 = 1_763_740_000.0
STAMPS = Stamps(lambda: T0, None)
CURSOR = "s=eba31cc2b4904b5dac98b765f9146334;i=2f;b=00;m=f4240;t=6441cb82d1800;x=1ec5"
FAILED = "Failed password for root from 203.0.113.47 port 40100 ssh2"
RECORD: dict[str, Any] = {
    "__CURSOR": CURSOR, "__REALTIME_TIMESTAMP": "1763740000000000", "_TRANSPORT": "syslog", "PRIORITY": "6",
    "SYSLOG_FACILITY": "10", "SYSLOG_IDENTIFIER": "sshd", "_PID": "812", "_UID": "0", "_COMM": "sshd",
    "_EXE": "/usr/sbin/sshd", "_HOSTNAME": "web-1", "MESSAGE": FAILED,
}  # fmt: skip


def a_reader() -> JournalReader:
    return JournalReader("journal", host="web-1", now=lambda: T0, stamps=STAMPS)


def lines(*records: Any) -> Lines:
    data = b"".join((json.dumps(record) if isinstance(record, dict) else record).encode() + b"\n" for record in records)
    place = Position("journal:", "before", 7)
    return Lines("journal", data, place, Checkpoint("journal", place))


def read(**changes: Any) -> Event:
    (event,) = a_reader().feed(lines({**RECORD, **changes}))
    assert isinstance(event, Event)
    return event


def test_an_entry_has_the_fields_of_the_line_and_those_of_the_journal() -> None:
    event = read()
    assert event.logsource == Logsource(service="sshd")
    assert (event.at, event.host, event.source) == (T0, "web-1", "journal")
    assert event.text == f"web-1 sshd[812]: {FAILED}"
    assert event.position == Position("journal:", CURSOR, 0x2F)
    said = {"action": "login_failed", "user": "root", "src_ip": "203.0.113.47", "trust": "vouched", "pid": "812"}
    assert (
        event.fields.items() >= {**said, "_EXE": "/usr/sbin/sshd", "facility": "authpriv", "severity": "info"}.items()
    )


def test_it_is_what_the_syslog_reader_makes_of_the_same_message() -> None:
    line = f"<86>2025-11-21T15:46:40Z web-1 sshd[812]: {FAILED}\n".encode()
    syslog = SyslogReader("auth", host="web-1", now=lambda: T0, stamps=STAMPS)
    place = Position("/var/log/auth.log", "1:2", 0)
    (other,) = syslog.feed(Lines("auth", line, place, Checkpoint("auth", place)))
    assert isinstance(other, Event)
    event = read()
    assert (event.logsource, event.at, event.host) == (other.logsource, other.at, other.host)
    assert event.fields.items() >= other.fields.items()


def test_logger_does_not_forge_a_line_of_sshd() -> None:
    event = read(
        _EXE="/usr/bin/logger",
        _COMM="logger",
        _UID="1000",
        MESSAGE="Accepted password for root from 192.0.2.1 port 4 ssh2",
    )
    assert event.logsource == Logsource(service="syslog")
    told = {"program": "logger", "claimed_program": "sshd", "claimed_service": "sshd", "trust": "forged"}
    assert event.fields.items() >= told.items()
    assert not {"action", "user", "src_ip"} & event.fields.keys()


def test_a_second_reading_gives_the_same_id_wherever_it_begins() -> None:
    first = a_reader().feed(lines(RECORD, {**RECORD, "__CURSOR": "s=1;i=30"}))
    second = a_reader().feed(lines({**RECORD, "__CURSOR": "s=1;i=30"}))
    assert [one.id for one in first if isinstance(one, Event)][1:] == [
        one.id for one in second if isinstance(one, Event)
    ]
    assert len({one.id for one in first if isinstance(one, Event)}) == 2


@pytest.mark.parametrize(
    ("message_id", "transport", "expected"),
    [
        ("a596d6fe7bfa4994828e72309e95d61e", "driver", [("journal_rate_limit", 123)]),
        ("e9bf28e6e834481bb6f48f548ad13606", "driver", [("kernel_log_overrun", 123)]),
        ("a596d6fe7bfa4994828e72309e95d61e", "journal", []),  # anybody can send that id
        ("0" * 32, "driver", []),
    ],
)
def test_what_journald_dropped_is_a_loss(message_id: str, transport: str, expected: list[Any]) -> None:
    outputs = a_reader().feed(lines({**RECORD, "MESSAGE_ID": message_id, "_TRANSPORT": transport, "N_DROPPED": "123"}))
    assert [(one.why, one.count) for one in outputs if isinstance(one, Lost)] == expected


@pytest.mark.parametrize(
    ("claim", "exe", "comm", "program"),
    [
        ("auditd", "/tmp/auditd", "auditd", "/tmp/auditd"),
        ("auditd", "/usr/sbin/auditd", "auditd", "/usr/sbin/auditd"),  # in a mount namespace of the user's own
        ("sshd", "", "auditd", "unknown"),
    ],
)
def test_a_sender_whose_own_name_is_a_claim_forges_nothing(claim: str, exe: str, comm: str, program: str) -> None:
    said = {"SYSLOG_IDENTIFIER": claim, "_COMM": comm, "_UID": "1000", "MESSAGE": "dispatch err (pipe full) event lost"}
    outputs = a_reader().feed(lines({**RECORD, **said, "_EXE": exe}))
    assert [type(one) for one in outputs] == [Event]
    told = {"program": program, "claimed_program": claim, "trust": "forged"}
    assert isinstance(outputs[0], Event)
    assert outputs[0].fields.items() >= told.items()
    genuine = {**RECORD, **said, "SYSLOG_IDENTIFIER": "auditd", "_EXE": "/usr/sbin/auditd", "_UID": "0"}
    assert [type(one) for one in a_reader().feed(lines(genuine))] == [Event, Lost]


def test_what_the_kernel_says_that_it_lost_is_a_loss_and_only_the_kernel_may_say_it() -> None:
    lost = {"SYSLOG_IDENTIFIER": "kernel", "MESSAGE": "audit: audit_lost=59 audit_rate_limit=0 audit_backlog_limit=64"}
    reader = a_reader()
    assert [one.why for one in reader.feed(lines({**RECORD, **lost})) if isinstance(one, Lost)] == []
    genuine = reader.feed(lines({**RECORD, **lost, "_TRANSPORT": "kernel"}))
    assert [(one.why, one.count) for one in genuine if isinstance(one, Lost)] == [("audit_backlog", 59)]
    again = a_reader()
    again.restore(reader.changes())
    assert again.feed(lines({**RECORD, **lost, "_TRANSPORT": "kernel"}))[1:] == []


def test_folded_messages_stand_for_several() -> None:
    outputs = a_reader().feed(lines({**RECORD, "MESSAGE": f"message repeated 3 times: [ {FAILED}]"}))
    assert len({one.id for one in outputs if isinstance(one, Event)}) == 3


def test_what_is_no_entry_is_counted_and_kept() -> None:
    reader = a_reader()
    outputs = reader.feed(lines("-- No entries --", "[1]", RECORD))
    assert (reader.unparsed, len(outputs)) == (2, 3)


@pytest.mark.parametrize("stamp", ["0", "99999999999999999999", "x", 5, None, "-1", "1763740000000000000"])
def test_a_time_that_nobody_can_mean_is_the_time_of_the_one_before(stamp: Any) -> None:
    assert read(__REALTIME_TIMESTAMP=stamp).at == T0


@pytest.mark.parametrize(
    ("cursor", "number"), [(CURSOR, 0x2F), ("", 0), ("i=zz", 0), ("i=ffffffffffffffff", 0), ("i=7", 7)]
)
def test_the_number_of_a_cursor(cursor: str, number: int) -> None:
    assert sequence_of(cursor) == number


@given(st.dictionaries(st.sampled_from(sorted(RECORD)), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_no_entry_raises(record: dict[str, Any]) -> None:
    parse_entry(json.dumps(record).encode(), STAMPS)
    a_reader().feed(lines(record))
