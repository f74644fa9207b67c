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
