"""What a SYSCALL record says of its caller is what reading the record gives."""

import pytest

from daemon.events.audit_caller import ADDRESSES, STARTS, read_caller
from daemon.events.auditd import decode_record, parse_record
from daemon.events.shown import LONG
from daemon.model import Position

WHAT = b"arch=c000003e syscall=59 success=yes"
WHO = (
    b"auid=1000 uid=1001 gid=1000 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=7 "
    b'comm="c" exe="/bin/c" subj=unconfined key="k"'
)
NAMED = b'\x1dARCH=x86_64 SYSCALL=execve AUID="alice" UID="bob" GID="x"'


@pytest.mark.parametrize("names", [b"", NAMED])
def test_a_caller_is_as_the_record_says(names: bytes) -> None:
    line = (
        b"type=SYSCALL msg=audit(1.1:7): " + WHAT + b" exit=0 a0=1 a1=2 a2=3 a3=8 items=2 ppid=2 pid=3 " + WHO + names
    )
    record = parse_record(line, Position("", "", 0))
    assert record is not None
    said = decode_record(record).fields
    caller = read_caller(WHAT, WHO + names)
    assert caller is not None
    for key, value in zip(("auid", "uid", "euid", "tty", "exe", "key"), caller[:6], strict=True):
        assert value == said[key]
    assert (caller.user, caller.named) == (said.get("UID", ""), "SYSCALL" in said)
    assert caller.name == "execve"
    assert caller.shown == (b'\x01bob"' if names else b"")


@pytest.mark.parametrize(
    ("number", "success", "kind"),
    [
        pytest.param(59, "yes", STARTS, id="execve"),
        pytest.param(59, "no", 0, id="an execve that failed"),
        pytest.param(42, "yes", ADDRESSES, id="connect"),
        pytest.param(49, "yes", ADDRESSES, id="bind"),
        pytest.param(42, "no", 0, id="a connect that failed"),
        pytest.param(257, "yes", 0, id="openat"),
    ],
)
def test_kinds_of_calls(number: int, success: str, kind: int) -> None:
    caller = read_caller(b"arch=c000003e syscall=%d success=%s" % (number, success.encode()), WHO)
    assert caller is not None
    assert caller.kind == kind


@pytest.mark.parametrize("number", [56, 57, 58, 231, 322, 435, 99999])
def test_calls_that_change_the_table_of_processes_in_their_own_way_are_not_as_usual(number: int) -> None:
    assert read_caller(b"arch=c000003e syscall=%d success=yes" % number, WHO) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'exe="/bin/c"', b"exe=2F62", id="a program in hex"),
        pytest.param(b'exe="/bin/c"', b'exe="c"', id="a program without a path"),
        pytest.param(b'comm="c"', b"comm=6320", id="a name in hex"),
        pytest.param(b'comm="c"', b'comm="msg=audit("', id="a mark"),
        pytest.param(b'key="k"', b'key="k" x=1', id="something behind"),
        pytest.param(b'exe="/bin/c"', b'exe="/bin/c d"', id="a blank in a program"),
        pytest.param(b'exe="/bin/c"', b'exe="/bin/\x1dc"', id="a separator in a program"),
        pytest.param(b'key="k"', b"key=616201", id="keys in hex"),
        pytest.param(b'key="k"', b'key="k k"', id="a blank in a key"),
        pytest.param(b'UID="bob" GID', b'UID="?" GID', id="a user without a name"),
        pytest.param(b'UID="bob" GID', b'UID="(none)" GID', id="a user that is none"),
        pytest.param(b"tty=pts0", b"tty=pts0ARCH=x", id="a key inside a value"),
        pytest.param(b"uid=1001", b"uid=-1", id="an id that is none"),
        pytest.param(b"tty=pts0 ", b"", id="nothing of the terminal"),
    ],
)
def test_what_looks_otherwise_is_refused(old: bytes, new: bytes) -> None:
    assert (WHO + NAMED).count(old) == 1
    assert read_caller(WHAT, (WHO + NAMED).replace(old, new)) is None


def test_a_long_program_is_marked() -> None:
    for length, marked in ((63, False), (64, True)):
        caller = read_caller(WHAT, WHO.replace(b"/bin/c", b"/" + b"c" * (length - 1)))
        assert caller is not None
        assert (LONG.encode() in caller.shown) == marked


def test_a_user_that_auditd_did_not_know_is_looked_up() -> None:
    caller = read_caller(WHAT, WHO + NAMED.replace(b'"bob"', b'"unknown(1001)"'))
    assert caller is not None
    assert (caller.user, caller.known, caller.shown) == ("unknown(1001)", False, b"")


def test_what_is_remembered_of_callers_is_bounded() -> None:
    for number in range(3000):
        read_caller(WHAT, WHO.replace(b"ses=7", b"ses=%d" % number))
    assert read_caller.cache_info().currsize <= 2048
