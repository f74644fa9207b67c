"""A group taken apart: names of calls, paths made absolute, command lines."""

import math

import pytest

from daemon.events.assemble import Assembler
from daemon.events.auditd import parse_record
from daemon.events.scene import Scene, build_scene
from daemon.events.sockaddr import Address
from daemon.model import Position
from tests.doubles.audit_lines import execve

HEAD = "msg=audit(100.000:1):"


def scene_of(*lines: str) -> Scene:
    assembler = Assembler("a")
    groups = []
    for line in lines:
        record = parse_record(line.encode(), Position("", "", 0))
        assert record is not None
        groups += assembler.feed(record)
    (group,) = groups + assembler.tick(math.inf)
    return build_scene(group)


def test_a_program_start() -> None:
    scene = scene_of(*execve(1, "sh", "-c", "id; ls"))
    assert (scene.name, scene.image, scene.cwd) == ("execve", "/usr/bin/sh", "/home/alice")
    assert (scene.command_line, scene.title) == ("sh -c id; ls", "sh -c id; ls")


def test_a_raw_log_gets_the_name_of_its_call() -> None:
    scene = scene_of(f'type=SYSCALL {HEAD} arch=c000003e syscall=42 success=yes exe="/x"')
    assert (scene.name, scene.value("SYSCALL")) == ("connect", "connect")


def test_what_says_that_it_is_absent_is_absent() -> None:
    scene = scene_of(f"type=SYSCALL {HEAD} exe=(null) tty=(none) addr=?")
    assert [scene.value(key) for key in ("exe", "tty", "addr", "other")] == ["", "", "", ""]


def test_the_title_stands_in_for_arguments_that_never_came() -> None:
    scene = scene_of(f"type=SYSCALL {HEAD} syscall=59 arch=c000003e", f"type=PROCTITLE {HEAD} proctitle=6E63002D65")
    assert scene.command_line == "nc -e"


def test_execve_records_become_one() -> None:
    scene = scene_of(f'type=EXECVE {HEAD} argc=2 a0="a"', f'type=CWD {HEAD} cwd="/"', f'type=EXECVE {HEAD} a1="b"')
    assert [record.kind for record, _ in scene.records] == ["EXECVE", "CWD"]
    assert scene.records[0][1].fields == {"type": "EXECVE", "argc": "2", "a0": "a", "a1": "b"}


@pytest.mark.parametrize(
    ("call", "name", "absolute"),
    [
        ("openat a0=ffffff9c", "x", "/home/x"),
        ("openat a0=ffffffffffffff9c", "./d/../x", "/home/x"),
        ("openat a0=3", "x", "x"),
        ("openat a0=3", "/etc/cron.d/../cron.d/x", "/etc/cron.d/x"),
        ("open a0=7ffe", "../etc/x", "/etc/x"),
        ("renameat2 a0=3 a2=ffffff9c", "x", "/home/x"),
        ("renameat2 a0=ffffff9c a2=4", "x", "x"),
        ("open a0=1", "../../../../x", "/x"),
    ],
)
def test_paths_are_made_absolute_where_that_can_be_known(call: str, name: str, absolute: str) -> None:
    scene = scene_of(f"type=SYSCALL {HEAD} success=yes SYSCALL={call}", f'type=CWD {HEAD} cwd="/home"')
    assert scene.resolve(name) == absolute


def test_without_a_directory_the_parent_serves() -> None:
    scene = scene_of(
        f"type=SYSCALL {HEAD} SYSCALL=open",
        f'type=PATH {HEAD} item=0 name="/etc/cron.d/" nametype=PARENT',
        f'type=PATH {HEAD} item=1 name="d/x" nametype=CREATE',
    )
    assert scene.resolve("d/x") == "/etc/cron.d/x"
    assert scene_of(f"type=SYSCALL {HEAD} SYSCALL=open").resolve("x") == "x"


def test_an_address_is_read() -> None:
    scene = scene_of(f"type=SYSCALL {HEAD} SYSCALL=connect", f"type=SOCKADDR {HEAD} saddr=02000050CB007109")
    assert scene.address == Address("inet", "203.0.113.9", 80)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("arch=c000003e syscall=59", "execve"),
        ("arch=c00000b7 syscall=221", "execve"),
        ("arch=40000003 syscall=11", "execve"),
        ("arch=c000003e syscall=462 SYSCALL=unknown-syscall(462)", "mseal"),
        ("arch=ffffffff syscall=9 SYSCALL=unknown-syscall(9)", "unknown-syscall"),
        ("arch=40000003 syscall=102 a0=3 SYSCALL=socketcall(connect)", "socketcall"),
        ("arch=ffffffff syscall=9", ""),
    ],
)
def test_the_name_of_a_call(fields: str, name: str) -> None:
    assert scene_of(f"type=SYSCALL {HEAD} {fields}").name == name


@pytest.mark.parametrize("kind", ["URINGOP", "UNKNOWN[1336]"])
def test_what_io_uring_does_is_a_call(kind: str) -> None:
    scene = scene_of(
        f"type={kind} {HEAD} uring_op=18 success=yes exit=0 items=2 ppid=200 pid=300 uid=0",
        f'type=CWD {HEAD} cwd="/etc"',
        f'type=PATH {HEAD} item=1 name="/etc/cron.d/x" nametype=CREATE',
    )
    assert (scene.name, scene.value("pid"), len(scene.written)) == ("openat", "300", 1)
    assert scene_of(f"type={kind} {HEAD} uring_op=99 success=yes pid=300").name == ""


@pytest.mark.parametrize(
    ("kind", "flags", "written"),
    [
        ("OPENAT2", "0100001", True),
        ("UNKNOWN[1337]", "0100002", True),
        ("OPENAT2", "0100000", False),
        ("OPENAT2", "0x41", False),
        ("OTHER", "0100001", False),
    ],
)
def test_openat2_says_its_flags_in_a_record_of_its_own(kind: str, flags: str, *, written: bool) -> None:
    scene = scene_of(
        f"type=SYSCALL {HEAD} arch=c000003e syscall=437 success=yes a0=ffffff9c a2=7ffe",
        f"type={kind} {HEAD} oflag={flags} mode=0644 resolve=0x0",
        f'type=PATH {HEAD} item=0 name="/etc/passwd" mode=0100644 nametype=NORMAL',
    )
    assert bool(scene.written) is written


@pytest.mark.parametrize(
    ("arguments", "cut"),
    [('argc=2 a0="x" a1="y"', False), ('argc=3 a0="x" a1="y"', True), ("argc=99999999", True), ('a0="x"', False)],
)
def test_arguments_that_never_came_are_noticed(arguments: str, *, cut: bool) -> None:
    assert scene_of(f"type=EXECVE {HEAD} {arguments}").cut_short is cut


def test_a_log_copied_by_ausearch_stands_in_reverse() -> None:
    lines = execve(1, "sh", "-c", "id")
    whole, copied = scene_of(*lines), scene_of(*reversed(lines))
    assert (copied.name, copied.arguments, copied.cwd, copied.title, copied.image) == (
        *(whole.name, whole.arguments, whole.cwd, whole.title, whole.image),
    )
    scene = scene_of(
        f'type=PATH {HEAD} item=2 name="x" nametype=CREATE',
        f'type=PATH {HEAD} item=1 name="/new/" nametype=PARENT',
        f'type=PATH {HEAD} item=0 name="/old/" nametype=PARENT',
        f"type=SYSCALL {HEAD} SYSCALL=rename",
    )
    assert scene.resolve("x") == "/new/x"
