"""Audit records on their way through syslog have the fields that audit.log has."""

from typing import Any

import pytest

from daemon.events.audit_in_syslog import is_record, parse_syslogged_record
from daemon.events.auditd import decode_record, parse_record
from daemon.model import Position

DENIED = (
    'apparmor="DENIED" operation="open" class="file" profile="/usr/sbin/cupsd" name="/etc/shadow" pid=512 comm="cupsd" '
    'requested_mask="r" denied_mask="r" fsuid=0 ouid=0'
)
STAMP = "audit(1700000000.123:45)"
SERVICE = (
    f'audit: type=1130 {STAMP}: pid=1 uid=0 auid=4294967295 ses=4294967295 msg=\'unit=cron comm="systemd" exe="/x" '
    "hostname=? addr=? terminal=? res=success'"
)


@pytest.mark.parametrize(
    ("program", "message", "fields"),
    [
        (
            "kernel",
            f"audit: type=1400 {STAMP}: {DENIED}",
            {"type": "AVC", "apparmor": "DENIED", "profile": "/usr/sbin/cupsd", "name": "/etc/shadow", "comm": "cupsd"},
        ),
        ("kernel", f"[   12.345] audit: type=1400 {STAMP}: {DENIED}", {"type": "AVC", "operation": "open"}),
        ("kernel", f'type=1503 {STAMP}:  operation="x"', {"type": "APPARMOR_DENIED", "operation": "x"}),
        (
            "kernel",
            f'audit: type=1300 {STAMP}: arch=c000003e syscall=59 success=yes exe=2F746D702F6120622E7368 key="k"',
            {"type": "SYSCALL", "exe": "/tmp/a b.sh", "key": "k"},
        ),
        ("kernel", f'audit: type=1309 {STAMP}: argc=2 a0="ls" a1="-l"', {"type": "EXECVE", "a0": "ls", "a1": "-l"}),
        ("kernel", f"audit: type=1999 {STAMP}: x=1", {"type": "UNKNOWN[1999]", "x": "1"}),
        (
            "kernel",
            SERVICE,
            {"type": "SERVICE_START", "unit": "cron", "res": "success"},
        ),
        ("audispd", f"node=web1 type=AVC msg={STAMP}: {DENIED}", {"type": "AVC", "apparmor": "DENIED"}),
        ("audisp-syslog", f'type=CWD msg={STAMP}: cwd="/"', {"type": "CWD", "cwd": "/"}),
    ],
)
def test_records(program: str, message: str, fields: dict[str, Any]) -> None:
    assert is_record(program, message)
    assert parse_syslogged_record(program, message).items() >= fields.items()


def test_the_way_makes_no_difference() -> None:
    record = parse_record(f"type=AVC msg={STAMP}: {DENIED}".encode(), Position("", "", 0))
    assert record is not None
    assert parse_syslogged_record("kernel", f"audit: type=1400 {STAMP}: {DENIED}") == decode_record(record).fields


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("kernel", "audit: audit_lost=59 audit_rate_limit=0 audit_backlog_limit=64"),
        ("kernel", f"x audit: type=1400 {STAMP}: a=1"),
        ("kernel", "audit: type=1400 audit(x): a=1"),
        ("sshd", f"audit: type=1400 {STAMP}: {DENIED}"),
        ("auditd", "Init complete, auditd 3.0.9 listening for events"),
        ("kernel", ""),
    ],
)
def test_what_is_no_record_is_none(program: str, message: str) -> None:
    assert not is_record(program, message)


def test_what_only_looks_like_one_has_no_fields() -> None:
    said = "x type=AVC msg=audit(1.0:1): a=1"
    assert is_record("audispd", said)
    assert parse_syslogged_record("audispd", said) == {}
