"""Heads of syslog lines in all their dialects."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.stamps import Stamps
from daemon.events.syslog import Head, looks_like_syslog, parse_head, syslog_fields

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC).timestamp()


def head(line: str) -> Head | None:
    return parse_head(line, Stamps(lambda: AT, UTC))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Nov 21 09:30:00 h sshd[1]: hello: you", Head(AT, "h", "sshd", "1", "hello: you")),
        ("<38>Nov 21 09:30:00 h sshd[1]: hello", Head(AT, "h", "sshd", "1", "hello", 38)),
        ("Nov  1 09:30:00 h sudo:   bob : x", Head(AT - 20 * 86400, "h", "sudo", "", "  bob : x")),
        ("Nov 21 2026 09:30:00 h x: y", Head(AT, "h", "x", "", "y")),
        ("2026-11-21T09:30:00.500000+00:00 h (systemd)[7]: hi", Head(AT + 0.5, "h", "(systemd)", "7", "hi")),
        ("2026-11-21T10:30:00+01:00 h kernel: [ 1.2] x", Head(AT, "h", "kernel", "", "[ 1.2] x")),
        ("<34>1 2026-11-21T09:30:00Z h su - ID47 - 'su root' failed", Head(AT, "h", "su", "", "'su root' failed", 34)),
        (
            '<165>1 2026-11-21T09:30:00.000Z h evntslog 7 ID [a@1 k="v \\"]\\" w"][b@2 x="1"] text ]',
            Head(AT, "h", "evntslog", "7", "text ]", 165),
        ),
        ("<13>1 2026-11-21T09:30:00Z h app - - - \ufefftext", Head(AT, "h", "app", "", "text", 13)),
        ("<78>2026-11-21T09:30:00Z h CRON[7]: (root) CMD (x)", Head(AT, "h", "CRON", "7", "(root) CMD (x)", 78)),
        ("Nov 21 09:30:00.123456 h x: y", Head(AT, "h", "x", "", "y")),
        ("<13>1 - h app - - - text", Head(None, "h", "app", "", "text", 13)),
        (
            'Sat Nov 21 09:30:00 2026 [pid 2] [bob] FAIL LOGIN: Client "192.0.2.1"',
            Head(AT, "", "vsftpd", "2", '[bob] FAIL LOGIN: Client "192.0.2.1"'),
        ),
    ],
)
def test_heads(line: str, expected: Head) -> None:
    assert looks_like_syslog(line)
    assert head(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "Nov 21",
        "Feb 31 09:30:00 h x: y",
        "2026-13-21T09:30:00Z h x: y",
        "<34>1 2026-11-21T09:30:00Z h",
        "Nov 21 99:99:99 h x: y",
    ],
)
def test_what_is_no_syslog_line_has_no_head(line: str) -> None:
    assert head(line) is None


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-11-22T09:30:01Z"])
def test_a_date_that_nobody_can_mean_hides_nothing_of_the_line(stamp: str) -> None:
    assert head(f"{stamp} h sshd[1]: hello") == Head(None, "h", "sshd", "1", "hello")
    assert head(f"<34>1 {stamp} h sshd 1 - - hello") == Head(None, "h", "sshd", "1", "hello", 34)


def test_a_folded_line_has_the_head_of_its_message() -> None:
    found = head("Nov 21 09:30:00 h sshd[1]: message repeated 3 times: [ hello: you]")
    assert found == Head(AT, "h", "sshd", "1", "hello: you", times=3)


def test_fields_of_the_head_and_of_the_program() -> None:
    found = head("<86>Nov 21 09:30:00 h sshd[1]: Failed password for root from 192.0.2.1 port 4 ssh2")
    assert found is not None
    service, fields = syslog_fields(found)
    assert service == "sshd"
    assert (
        fields.items()
        >= {"program": "sshd", "pid": "1", "hostname": "h", "facility": "authpriv", "severity": "info"}.items()
    )
    assert (fields["action"], fields["src_ip"]) == ("login_failed", "192.0.2.1")


def test_an_impossible_priority_is_ignored() -> None:
    found = head("<999>Nov 21 09:30:00 h x: y")
    assert found is not None
    assert "facility" not in syslog_fields(found)[1]


@given(st.text(max_size=120))
def test_no_text_raises(text: str) -> None:
    for line in (text, f"Nov 21 09:30:00 {text}", f"2026-11-21T09:30:00Z {text}", f"<1>1 2026-11-21T09:30:00Z {text}"):
        found = head(line)
        if found is not None:
            syslog_fields(found)


def test_long_hostile_structured_data_costs_little() -> None:
    for filler in ('[a="', "[a]", '\\"', "[", "[a=\\"):
        head(f"<1>1 - h app - - {filler * 20_000}")


HEADS = (
    *(
        "",
        "Nov 21 09:30:00 h ",
        "Nov 21 09:30:00 h x[",
        "2026-11-21T09:30:00Z h ",
        "<13>1 - h app - - ",
        "<13>1 - h app - - [",
    ),
    *(
        "Sat Nov 21 09:30:00 2026 [pid 2] ",
        "<",
        "Nov 21 ",
        "2026-11-21T09:30:00",
        "Nov 21 09:30:00 h x: message repeated 2 times: [",
    ),
)


@pytest.mark.parametrize("start", HEADS)
def test_a_line_of_a_megabyte_costs_little(start: str) -> None:
    for filler in (" ", "x", "0", "[", "]", "[a]", '[a="b"]', '"', '\\"', "\\", ":", "<1>", "2026-", "Nov "):
        line = (start + filler * 1_000_000)[:1_000_000]
        began = time.process_time()
        found = head(line)
        if found is not None:
            syslog_fields(found)
        assert time.process_time() - began < 0.5, filler


def test_what_cron_logs_for_pam_is_of_the_auth_log() -> None:
    for line, service in (
        ("<78>Nov 21 09:30:00 h CRON[1]: (root) CMD (x)", "cron"),
        ("<86>Nov 21 09:30:00 h CRON[1]: pam_unix(cron:session): session closed for user root", "auth"),
        ("Nov 21 09:30:00 h CRON[1]: pam_unix(cron:session): session closed for user root", "auth"),
        ("<86>Nov 21 09:30:00 h CRON[1]: x", "auth"),
    ):
        found = head(line)
        assert found is not None
        assert syslog_fields(found)[0] == service, line


def test_an_audit_record_of_the_kernel_is_one() -> None:
    found = head('<6>Nov 21 09:30:00 h kernel: [ 1.2] audit: type=1400 audit(1795253400.5:7): apparmor="DENIED" pid=9')
    assert found is not None
    service, fields = syslog_fields(found)
    assert service == "auditd"
    assert (
        fields.items()
        >= {"type": "AVC", "apparmor": "DENIED", "pid": "9", "program": "kernel", "hostname": "h"}.items()
    )
