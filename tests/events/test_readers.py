"""Which reader a source gets, and how a file's format is found out."""

import math

import pytest

from daemon.events.processes import Process
from daemon.events.readers import AuditdReader, AutoReader, JsonReader, SyslogReader, detect_format
from daemon.model import Event, Snapshot
from tests.doubles.audit_lines import events_of, execve, lines_of, reader_of

SYSLOG = "Nov 21 09:30:00 vm sshd[1]: hello"
JSON = '{"a": 1}'


@pytest.mark.parametrize(
    ("fmt", "kind"), [("auditd", AuditdReader), ("syslog", SyslogReader), ("json", JsonReader), ("auto", AutoReader)]
)
def test_a_format_has_a_reader(fmt: str, kind: type) -> None:
    assert isinstance(reader_of(fmt), kind)


def test_another_format_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"expected a format of auto, auditd, syslog, json or journal \(got 'xml'\)"):
        reader_of("xml")


@pytest.mark.parametrize(
    ("sample", "fmt"),
    [
        (execve(1, "id")[0].encode(), "auditd"),
        (b"node=vm type=USER msg=audit(1.0:1): x\n", "auditd"),
        (b"torn\ntype=EOE msg=audit(1.000:1): \n", "auditd"),
        (SYSLOG.encode(), "syslog"),
        (b"<34>1 2026-11-21T09:30:00Z h su - - - x", "syslog"),
        (b"2026-11-21T09:30:00.1+00:00 h kernel: audit: type=1400 audit(1.0:1): x", "syslog"),
        (JSON.encode(), "json"),
        (b'\n  \r\n{"cut": "li', "json"),
        (b"", ""),
        (b"\n\n", ""),
        (b"hello\nworld\n", ""),
        (b"\0\0\0\0", ""),
    ],
)
def test_formats_are_detected(sample: bytes, fmt: str) -> None:
    assert detect_format(sample) == fmt


def test_every_file_of_a_glob_has_a_format_of_its_own() -> None:
    reader = reader_of("auto")
    outputs = [
        *reader.feed(lines_of(*execve(1, "id"), identity="a")),
        *reader.feed(lines_of(SYSLOG, identity="b")),
        *reader.feed(lines_of(JSON, identity="c")),
    ]
    assert len(events_of(outputs, category="process_creation")) == 1
    assert len(events_of(outputs, service="sshd")) == 1
    assert events_of(outputs)[0].fields == {"a": 1}


def test_a_decision_stands_and_survives_a_restart() -> None:
    before, after = reader_of("auto"), reader_of("auto")
    assert before.feed(lines_of(*execve(1, "id")[:2])) == []
    after.restore([*before.changes(), Snapshot("format:src", "x", b"xml"), Snapshot("format:src", "y", None)])
    outputs = [*after.feed(lines_of(SYSLOG)), *after.tick(math.inf)]
    assert after.unparsed == 1
    assert events_of(outputs, service="auditd")[0].text == SYSLOG
    assert len(events_of(outputs, category="process_creation")) == 1


def test_what_is_of_no_known_format_is_text_until_it_is_known() -> None:
    reader = reader_of("auto")
    outputs = [*reader.feed(lines_of("hello")), *reader.feed(lines_of(JSON, offset=6))]
    assert [event.text for event in outputs if isinstance(event, Event)] == ["hello", "a=1"]
    assert reader.unparsed == 1


def test_decisions_are_bounded() -> None:
    reader = reader_of("auto")
    for number in range(1100):
        reader.feed(lines_of(JSON, identity=str(number)))
    rows = reader.changes()
    assert len([row for row in rows if row.value is not None]) == 1024
    assert [row.key for row in rows if row.value is None][:2] == ["0", "1"]


def test_a_seed_reaches_the_audit_log() -> None:
    reader = reader_of("auto")
    assert isinstance(reader, AutoReader)
    reader.seed([Process(200, "/sbin/init", "init")])
    (event,) = events_of(reader.feed(lines_of(*execve(1, "id"))), category="process_creation")
    assert event.fields["ParentImage"] == "/sbin/init"
    assert reader.evictions == 0
