"""Log lines inside of JSON records."""

from typing import Any

import pytest

from daemon.events.journal import Said, said_by_program

FAILED = "Failed password for root from 192.0.2.1 port 4 ssh2"


def said(record: dict[str, Any]) -> Said | None:
    return said_by_program(record, {key: tuple(map(str, v)) if isinstance(v, list) else v for key, v in record.items()})


def understood(record: dict[str, Any]) -> Said:
    found = said(record)
    assert found is not None
    return found


def test_a_journal_record_is_what_its_program_said() -> None:
    found = understood({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": FAILED, "_UID": "0"})
    assert (found.service, found.times) == ("sshd", 1)
    expected = {"src_ip": "192.0.2.1", "action": "login_failed", "program": "sshd", "MESSAGE": FAILED, "_UID": "0"}
    assert found.fields.items() >= expected.items()


def test_the_name_of_the_process_stands_in_for_a_missing_identifier() -> None:
    assert understood({"_COMM": "sshd", "MESSAGE": FAILED}).service == "sshd"


def test_the_facility_decides_for_unknown_programs() -> None:
    record = {"SYSLOG_IDENTIFIER": "x", "MESSAGE": "y"}
    assert [understood({**record, "SYSLOG_FACILITY": facility}).service for facility in ("10", "9", "3", "9" * 5000)] == [
        "auth", "cron", "syslog", "syslog",
    ]  # fmt: skip


def test_a_message_written_as_bytes_hides_nothing() -> None:
    message = [*FAILED.replace("root", "r\x01\xff").encode("latin-1")]
    found = understood({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": message, "__REALTIME_TIMESTAMP": "1"})
    assert found.fields["MESSAGE"] == FAILED.replace("root", "r\x01\\xff")
    assert (found.fields["user"], found.fields["src_ip"]) == ("r\x01\\xff", "192.0.2.1")


@pytest.mark.parametrize("value", [[256], [-1], [1.5], [True], ["a"], []])
def test_an_array_that_is_no_bytes_stays_one(value: list[Any]) -> None:
    found = said({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": "x", "X": value, "ports": [22, 80]})
    assert found is not None
    assert found.fields["X"] == tuple(map(str, value))
    assert found.fields["ports"] == ("22", "80")


def test_what_the_record_says_itself_wins() -> None:
    assert understood({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": FAILED, "src_ip": "own"}).fields["src_ip"] == "own"


def test_folded_messages_stand_for_several() -> None:
    found = understood({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": f"message repeated 3 times: [ {FAILED}]"})
    assert (found.times, found.fields["src_ip"]) == (3, "192.0.2.1")


@pytest.mark.parametrize(("transport", "action"), [("kernel", "oom_kill"), ("syslog", None), ("journal", None)])
def test_only_the_kernel_speaks_for_the_kernel(transport: str, action: str | None) -> None:
    message = "Out of memory: Killed process 1 (x) total-vm:1kB, anon-rss:1kB"
    found = understood({"SYSLOG_IDENTIFIER": "kernel", "MESSAGE": message, "_TRANSPORT": transport})
    assert (found.service, found.fields.get("action")) == ("syslog", action)


def test_a_record_from_the_audit_socket_is_an_audit_record() -> None:
    found = understood(
        {
            "SYSLOG_IDENTIFIER": "audit", "_TRANSPORT": "audit", "_AUDIT_TYPE": "1400", "_AUDIT_ID": "45",
            "_SOURCE_REALTIME_TIMESTAMP": "1700000000123000", "_AUDIT_TYPE_NAME": "AVC",
            "MESSAGE": 'AVC apparmor="DENIED" operation="open" name=2F746D702F6120 comm="cat"',
        }
    )  # fmt: skip
    assert found.service == "auditd"
    expected = {"type": "AVC", "apparmor": "DENIED", "name": "/tmp/a ", "comm": "cat"}
    assert found.fields.items() >= expected.items()


@pytest.mark.parametrize(
    ("record", "service"),
    [
        ({"programname": "sshd", "msg": FAILED}, "sshd"),
        ({"appname": "sudo", "message": "bob : TTY=x ; PWD=/ ; USER=root ; COMMAND=/bin/sh"}, "sudo"),
        ({"ident": "su", "message": "Successful su for root by bob"}, "auth"),
        ({"ident": "myapp", "message": "hello"}, None),
        ({"MESSAGE": "hello"}, None),
        ({"SYSLOG_IDENTIFIER": 5, "MESSAGE": "x"}, None),
        ({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": None}, "sshd"),
        ({"a": 1}, None),
        ({}, None),
    ],
)
def test_records_of_forwarders(record: dict[str, Any], service: str | None) -> None:
    found = said(record)
    assert (None if found is None else found.service) == service
