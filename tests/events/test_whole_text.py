"""The text holds what the taxonomy makes of several records, as the taxonomy itself makes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.assemble import Group
from daemon.events.audit_parts import CWD, PATH
from daemon.events.audit_shape import SHAPE, Shape, is_plain
from daemon.events.processes import Process
from daemon.events.scene import Scene
from daemon.events.shown import LONG
from daemon.events.sockaddr import parse_sockaddr
from daemon.events.taxonomy import _address_fields, _images
from daemon.events.whole_text import (
    address_text,
    otherwise_shown,
    parent_text,
    quoted,
    read_paths,
    resolve,
    title_text,
)

GROUP = Group("", "1.1", 7, 1.1, [], set())
names = st.text(alphabet="./ab", min_size=1, max_size=9)


def path(item: int, name: bytes) -> bytes:
    return b"item=%d name=%s inode=1 nametype=NORMAL" % (item, name)


def call_with(**more: str) -> Shape:
    """What SHAPE finds in the records of an execve."""
    raw = (
        b"type=SYSCALL msg=audit(1.1:7): arch=c000003e syscall=%s success=yes exit=0 a0=1 a1=2 a2=3 a3=8 items=2 ppid=2 pid=3 "
        b"auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=7 "
        b'comm="c" exe="/bin/c" key="k"%s\n%stype=PROCTITLE msg=audit(1.1:7): proctitle=63\n'
    ) % tuple(more.get(key, default).encode() for key, default in (("number", "59"), ("names", ""), ("others", "")))
    (row,) = SHAPE.findall(raw)
    return Shape._make(row)


@given(names, names)
def test_a_plain_path_resolves_to_itself_and_others_as_the_scene_says(name: str, cwd: str) -> None:
    cwd = "/" + cwd.lstrip("/")
    scene = Scene(GROUP, (), {}, "execve", cwd=cwd)
    assert resolve(name.encode(), cwd.encode()).decode() == scene.resolve(name)
    if is_plain(name.encode()):
        assert scene.resolve(name) == name


@given(st.lists(names, min_size=1, max_size=4, unique=True), names)
def test_all_paths_are_in_the_text_as_they_resolve(given_names: list[str], cwd: str) -> None:
    cwd = "/" + cwd.lstrip("/")
    scene = Scene(GROUP, (), {}, "openat", cwd=cwd)
    records = [path(number, b'"%s"' % name.encode()) for number, name in enumerate(given_names)]
    first, second = [*records, b""][:2]
    others = b"".join(one + b"\n" for one in records[2:])
    items = b"%d" % len(records)
    paths = read_paths(items, b'"%s"' % cwd.encode(), first, second, others)
    assert paths is not None
    assert (paths.has, paths.lacks) == (PATH | CWD, 0)
    without = read_paths(items, b"", first, second, others)
    assert (without is None) == any(not name.startswith("/") for name in given_names)
    fewer = read_paths(b"%d" % (len(records) + 1), b'"/"', first, second, others)
    assert fewer is not None
    assert (fewer.has, fewer.lacks) == (CWD, PATH)
    for name in given_names:
        assert quoted(scene.resolve(name)) in b"".join(records) + paths.resolved


@given(names, names)
def test_the_program_as_called_is_that_of_the_taxonomy(exe: str, called: str) -> None:
    exe = "/" + exe.lstrip("/")
    paths = read_paths(b"2", b'"/home"', path(0, b'"%s"' % called.encode()), path(1, b'"/lib/ld"'), b"")
    scene = Scene(
        GROUP,
        (),
        {"exe": exe},
        "execve",
        cwd="/home",
        paths=({"item": "0", "name": called}, {"item": "1", "name": "/lib/ld"}),
    )
    assert paths is not None
    images = exe if not paths.called or not paths.called.startswith("/") or paths.called == exe else (exe, paths.called)
    assert images == _images(scene)


def test_what_cannot_be_said_is_none() -> None:
    assert read_paths(b"1", b"", path(0, b'"x"'), b"", b"") is None
    assert read_paths(b"1", b'"r"', path(0, b'"/x"'), b"", b"") is None
    assert read_paths(b"1", b"2F72", path(0, b'"/x"'), b"", b"") is None
    several = read_paths(b"2", b'"/"', path(0, b'"/x"'), path(0, b'"/y"'), b"")
    assert several is not None
    assert several.called is None
    assert read_paths(b"1", b'"/"', path(1, b'"/x"'), b"", b"") == (PATH | CWD, 0, b"", "")
    nameless = read_paths(b"3", b"", path(0, b"(null)"), path(1, b'"(null)"'), path(2, b'"?"') + b"\n")
    assert nameless == (PATH, CWD, b"", "")


@pytest.mark.parametrize(
    ("cwd", "name", "long"),
    [
        pytest.param(b"/", b"/" + b"a" * 62, False, id="63 bytes"),
        pytest.param(b"/", b"/" + b"a" * 63, True, id="64 bytes"),
        pytest.param(b"/" + b"d" * 50, b"b" * 20, True, id="long where it is resolved"),
        pytest.param(b"/", b"/" + b"\xff" * 20, True, id="long as it is shown"),
        pytest.param(b"/", b"/" + b"a/../" * 20 + b"b", True, id="long where it is written"),
    ],
)
def test_a_long_path_is_marked(cwd: bytes, name: bytes, long: bool) -> None:
    paths = read_paths(b"1", b'"%s"' % cwd, path(0, b'"%s"' % name), b"", b"")
    assert paths is not None
    assert (LONG.encode() in paths.resolved) == long


def test_names_of_two_directories_are_not_mixed_up() -> None:
    found = [read_paths(b"1", cwd, path(0, b'"x"'), b"", b"") for cwd in (b'"/a"', b'"/b"')]
    assert [one.called for one in found if one is not None] == ["/a/x", "/b/x"]


@pytest.mark.parametrize(
    "saddr",
    [
        "02000050CB007109", "0A0001BB0000000020010DB8000000000000000000000001", "0A0000500000000000000000000000000000FFFFC0000201",
        "01002F746D702F782079", "0100006162", "10000000", "0200", "02000050CB00710", "FFFF",
    ],
)  # fmt: skip
def test_an_address_is_said_as_in_its_record_and_with_its_values(saddr: str) -> None:
    text = address_text(saddr.encode()).decode()
    assert " ".join(["", *(f"{key}={value}" for key, value in _address_fields(saddr).items())]) in f" {text}"
    address = parse_sockaddr(saddr)
    if address is not None and address.is_remote:
        assert f'"{address.host}"' in text
        assert f'"{address.port}"' in text


def test_titles_are_shown_on_one_line_and_as_they_are() -> None:
    assert title_text(b"ls -l") == b'"ls -l"\n'
    assert title_text(b"a\tb") == b'"a b"\n"a\tb"'


def test_of_a_parent_everything_is_shown() -> None:
    parent = Process(7, ("/bin/dash", "/bin/sh"), "sh -c é", 1, "alice")
    for value in (*parent.images, parent.command_line, parent.user):
        assert quoted(value) in parent_text(parent)


def test_a_call_without_a_name_gets_it_and_one_with_a_name_keeps_it() -> None:
    shown = otherwise_shown(call_with(number="257"), "openat")
    assert shown is not None
    assert shown.startswith(b"type=SYSCALL msg=audit(1.1:7): arch=")
    assert shown.endswith(b'key="k" SYSCALL=openat\n')
    assert otherwise_shown(call_with(names='\x1dARCH=x86_64 SYSCALL=execve AUID="a" UID="a"'), "") == b""


def test_an_address_stands_at_the_end_of_its_record_where_auditd_did_not_read_it() -> None:
    record = "type=SOCKADDR msg=audit(1.1:7): saddr=02000050CB007109%s\n"
    shown = otherwise_shown(call_with(others=record % ""), "")
    assert shown is not None
    assert b"SOCKADDR msg=audit(1.1:7): saddr=02000050CB007109 saddr_fam=inet laddr=203.0.113.9 lport=80" in shown
    read = otherwise_shown(call_with(others=record % "\x1dSADDR={ x }"), "")
    assert read is not None
    assert b"type=SOCKADDR" not in read
    assert b'"203.0.113.9"' in read


@pytest.mark.parametrize("saddr", ["2F", "0100611D62", "01006D73673D61756469742831"])
def test_an_address_with_a_separator_or_a_mark_is_refused(saddr: str) -> None:
    shown = otherwise_shown(call_with(others=f"type=SOCKADDR msg=audit(1.1:7): saddr={saddr}\n"), "")
    assert (shown is None) == (saddr != "2F")
    assert otherwise_shown(call_with(others="type=SOCKADDR msg=audit(1.1:7): saddr=2f\n"), "") is None
