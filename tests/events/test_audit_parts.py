"""What an event has, and what it is known to lack."""

from pathlib import Path

import pytest

from daemon.events.assemble import Assembler, Group
from daemon.events.audit_parts import KINDS, look_for_parts
from daemon.events.auditd import Record, parse_record
from daemon.model import Position

HERE = Position("", "", 0)
CALL = "type=SYSCALL {head} arch=c000003e syscall={number} success={success} exit=0 a0=1 a1=2 a2=3 a3=4 items={items} pid=1"
EXECVE = 'type=EXECVE {head} argc=3 a0="tar" a1=2D78 a2="/etc"'
CWD = 'type=CWD {head} cwd="/root"'
TITLE = 'type=PROCTITLE {head} proctitle="tar"'
SOCKADDR = "type=SOCKADDR {head} saddr=02000050CB0071090000000000000000"


def path(item: int, name: str = '"/etc/passwd"') -> str:
    return f"type=PATH {{head}} item={item} name={name} inode=1 nametype=NORMAL"


def lines(*texts: str, number: int = 59, success: str = "yes", items: int = 2) -> list[Record]:
    head = "msg=audit(1795252567.064:18):"
    found = []
    for text in texts:
        record = parse_record(text.format(head=head, number=number, success=success, items=items).encode(), HERE)
        assert record is not None
        found.append(record)
    return found


def missing(records: list[Record]) -> dict[str, int]:
    parts = look_for_parts(records)
    assert parts is not None
    assert not parts.has & parts.lacks
    return {KINDS[bit.bit_length() - 1]: number for bit, number in parts.missing.items()}


WHOLE = [CALL, EXECVE, CWD, path(0), path(1, '"/lib64/ld.so"'), TITLE]


@pytest.mark.parametrize(
    ("left_out", "found"),
    [
        ((), {}),
        ((0,), {"SYSCALL": 1}),
        ((1,), {"EXECVE": 1}),
        ((2,), {}),  # all names are absolute
        ((3,), {"PATH": 1}),
        ((3, 4), {"PATH": 2}),
        ((2, 3, 4), {"PATH": 2}),
        ((5,), {"PROCTITLE": 1}),
        ((0, 5), {"SYSCALL": 1, "PROCTITLE": 1}),
        ((1, 2, 4, 5), {"EXECVE": 1, "PATH": 1, "PROCTITLE": 1}),
    ],
)
def test_a_programs_start(left_out: tuple[int, ...], found: dict[str, int]) -> None:
    assert missing(lines(*(text for number, text in enumerate(WHOLE) if number not in left_out))) == found


def test_arguments_that_stand_in_several_records_are_counted_together() -> None:
    first, second = 'type=EXECVE {head} argc=3 a0="tar"', "type=EXECVE {head} a1_len=8 a1[0]=2D78 a1[1]=7A76"
    third = 'type=EXECVE {head} a2="a5=x"'
    others = [CWD, path(0), path(1), TITLE]
    assert missing(lines(CALL, first, second, third, *others)) == {}
    assert missing(lines(CALL, first, third, *others)) == {"EXECVE": 1}
    assert missing(lines(CALL, second, third, *others)) == {"EXECVE": 1}


@pytest.mark.parametrize(
    ("number", "success", "found"),
    [(42, "yes", {"SOCKADDR": 1}), (49, "yes", {"SOCKADDR": 1}), (42, "no", {}), (44, "yes", {}), (59, "no", {})],
)
def test_what_depends_on_the_system_call(number: int, success: str, found: dict[str, int]) -> None:
    """A `sendto` need not have an address, a program that did not start has no arguments."""
    assert missing(lines(CALL, TITLE, number=number, success=success, items=0)) == found
    assert missing(lines(CALL, SOCKADDR, TITLE, number=42, success=success, items=0)) == {}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("(null)", {}),
        ('"/etc/x"', {}),
        ("2F6574632F7820", {}),
        ('""', {}),
        ('"x"', {"CWD": 1}),
        ('".."', {"CWD": 1}),
        ("7820", {"CWD": 1}),
        ("2E2F7820", {"CWD": 1}),
    ],
)
def test_a_directory_is_missed_where_a_name_is_relative(name: str, found: dict[str, int]) -> None:
    assert missing(lines(CALL, path(0, name), TITLE, number=257, items=1)) == found
    assert missing(lines(CALL, CWD, path(0, name), TITLE, number=257, items=1)) == {}


def test_records_of_programs_are_none_of_a_call() -> None:
    assert look_for_parts(lines("type=USER_LOGIN {head} pid=1 msg='op=login res=success'")) is None
    assert look_for_parts(lines("type=CONFIG_CHANGE {head} op=set audit_enabled=1 old=0 res=1")) is None


def test_io_uring_has_no_system_call() -> None:
    ring = "type=URINGOP {head} uring_op=18 success=yes exit=0 items=1 ppid=1 pid=2"
    assert missing(lines(ring, CWD, path(0), TITLE)) == {}
    assert missing(lines(ring, TITLE)) == {"PATH": 1}


def groups_of(data: bytes) -> list[Group]:
    assembler = Assembler("a")
    records = [record for line in data.split(b"\n") if (record := parse_record(line, HERE)) is not None]
    groups = [group for record in records for group in assembler.feed(record)]
    return groups + assembler.tick(float("inf"))


@pytest.mark.parametrize(
    ("name", "torn"),
    [
        ("auditd-3.0.9/run1/audit.log.2", []),
        ("auditd-3.0.9/run1/audit.log", []),
        ("auditd-3.0.9/run2/audit.log", [18, 45, 50]),
        ("splunk-attack_data/T1068_linux_dirtyfrag_dirty_frag_lpe_attack_data.log", [10901]),
    ],
)
def test_real_events_that_came_whole_lack_nothing(shared_data: Path, name: str, torn: list[int]) -> None:
    """A03: what the rate limit and the backlog cut short, and nothing else. The last log begins within an event."""
    found = []
    for group in groups_of((shared_data / name).read_bytes()):
        parts = look_for_parts(group.records)
        if parts is not None and parts.lacks:
            found.append(group.serial)
    assert found == torn


@pytest.mark.parametrize(("number", "found"), [(240, {}), (241, {}), (257, {"PATH": 1})])
@pytest.mark.parametrize("success", ["yes", "no"])
def test_a_parent_that_the_kernel_hides_is_not_missed(number: int, success: str, found: dict[str, int]) -> None:
    """mq_open and mq_unlink: the directory of all queues is counted in `items`, and never told."""
    assert missing(lines(CALL, path(0), TITLE, number=number, success=success, items=2)) == found
