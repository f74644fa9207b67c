"""One audit line: what is literal, what is hex, and whose word counts."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.auditd import Decoded, Record, decode_execve, decode_record, parse_record
from daemon.model import Position

HERE = Position("/var/log/audit/audit.log", "1:2:abc", 0)
HEAD = "msg=audit(1795252474.164:4):"


def record_of(line: str | bytes) -> Record:
    record = parse_record(line.encode() if isinstance(line, str) else line, HERE)
    assert record is not None
    return record


def decoded(line: str | bytes) -> Decoded:
    return decode_record(record_of(line))


def execve(*lines: str) -> tuple[Decoded, tuple[str, ...]]:
    return decode_execve([record_of(line) for line in lines])


def test_the_head_gives_node_type_time_and_serial() -> None:
    record = record_of(f"node=vm type=UNKNOWN[1329] {HEAD} old=1")
    assert (record.node, record.kind, record.stamp, record.at, record.serial) == (
        "vm",
        "UNKNOWN[1329]",
        "1795252474.164",
        1795252474.164,
        4,
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"type=SYSCALL",
        b"type=SYSCALL msg=audit(",
        b"type=SYSCALL msg=audit(1795252474.164",
        b"type=UNKNOWN[1329] msg=?",
        b"\0\0\0\0",
        b"Nov 21 09:30:00 h sshd[1]: hello",
        b"type=X msg=audit(99999999999999999999.1:1): a=1",
        b"type=X msg=audit(1.1:99999999999999999999): a=1",
    ],
)
def test_what_is_no_record_is_none(line: bytes) -> None:
    assert parse_record(line, HERE) is None


def test_a_node_that_is_no_utf8_shifts_no_field() -> None:
    said = decoded(b"node=\xff type=SOCKADDR " + HEAD.encode() + b" saddr=0200\x1dSADDR={ x }")
    assert said.fields == {"saddr": "0200", "SADDR": "{ x }", "type": "SOCKADDR"}
    assert said.text.startswith("node=\\xff type=SOCKADDR ")


def test_a_record_without_a_colon_after_its_stamp_is_one() -> None:
    assert decoded("type=DAEMON_CONFIG msg=audit(1490239800.477:34) config changed, auid=0 res=success").fields == {
        "auid": "0",
        "res": "success",
        "type": "DAEMON_CONFIG",
    }


def test_enriched_keys_stand_beside_those_of_the_kernel() -> None:
    fields = decoded(f'type=SYSCALL {HEAD} uid=0 key=(null)\x1dARCH=x86_64 SYSCALL=openat UID="root"').fields
    assert (fields["uid"], fields["UID"], fields["key"], fields["SYSCALL"]) == ("0", "root", "(null)", "openat")


@pytest.mark.parametrize(
    ("line", "key", "value", "enriched"),
    [
        ('comm="x" key=(null)ARCH=x86_64 SYSCALL=execve UID="root"', "key", "(null)", {"ARCH": "x86_64"}),
        ('comm="x" key="rtest"ARCH=x86_64 SYSCALL=execve', "key", "rtest", {"ARCH": "x86_64"}),
        ("key=6162ARCH=x86_64", "key", "ab", {"ARCH": "x86_64"}),
        ('list=4 res=1AUID="unset"', "res", "1", {"AUID": "unset"}),
        ('nametype=NORMALOUID="root" OGID="root"', "nametype", "NORMAL", {"OUID": "root", "OGID": "root"}),
    ],
)
def test_a_lost_separator_is_found_again(line: str, key: str, value: str, enriched: dict[str, str]) -> None:
    fields = decoded(f"type=SYSCALL {HEAD} {line}").fields
    assert fields[key] == value
    assert enriched.items() <= fields.items()


def test_a_quoted_value_cannot_forge_an_enriched_key() -> None:
    fields = decoded(f'type=PATH {HEAD} item=0 name="/tmp/xUID=root" nametype=CREATE').fields
    assert fields["name"] == "/tmp/xUID=root"
    assert "UID" not in fields


def test_a_space_may_stand_for_the_separator() -> None:
    assert decoded(f'type=SYSCALL {HEAD} key=(null) ARCH=x86_64 UID="root"').fields["UID"] == "root"


def test_unquoted_hex_of_untrusted_strings_is_decoded_and_shown() -> None:
    found = decoded(f"type=SYSCALL {HEAD} a0=4142 a1=4344 comm=776520697264 exe=2F7372762F776520697264")
    assert found.fields["comm"] == "we ird"
    assert found.fields["exe"] == "/srv/we ird"
    assert found.fields["a0"] == "4142"  # a system call's arguments are numbers
    assert 'comm="we ird"' in found.text


def test_quoted_means_literal_even_if_it_looks_like_hex() -> None:
    assert decoded(f'type=PATH {HEAD} item=0 name="DEADBEEF"').fields["name"] == "DEADBEEF"
    assert execve(f'type=EXECVE {HEAD} argc=2 a0="useradd" a1="3005"')[1] == ("useradd", "3005")


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("name=41", "name", "A"),
        ('name="41"', "name", "41"),
        ("name=AB1", "name", "AB1"),
        ("name=ab", "name", "ab"),
        ("name=(null)", "name", "(null)"),
        ('name="(null)"', "name", "(null)"),
        ('comm="name=4142" name="4142"', "name", "4142"),
        ('xname=4142 name="4142"', "name", "4142"),
        ('name="4142" xname=4142', "name", "4142"),
        ('key="a,b"', "key", "a,b"),
        ('key="4142"', "key", "4142"),
        ("a0=4142", "a0", "4142"),
    ],
)
def test_names_that_look_like_hex(line: str, key: str, value: str) -> None:
    assert decoded(f"type=AVC {HEAD} {line}").fields[key] == value
    assert decoded(f"type=UNKNOWN[1499] {HEAD} {line}").fields[key] == value


@pytest.mark.parametrize("separator", ["\x1d", " "])
def test_a_name_with_a_blank_is_hex_in_the_enriched_part_too(separator: str) -> None:
    group = b"domain users".hex().upper()
    found = decoded(f'type=SYSCALL {HEAD} uid=0 gid=7 key=(null){separator}UID="root" GID={group} EGID={group}')
    assert [found.fields[key] for key in ("UID", "GID", "EGID", "gid")] == ["root", "domain users", "domain users", "7"]
    assert 'GID="domain users"' in found.text
    assert decoded(f"type=USER {HEAD} pid=1 msg='op=x res=success'\x1dAUID={group}").fields["AUID"] == "domain users"


def test_no_message_and_no_value_can_forge_a_hex_name() -> None:
    found = decoded(f'type=SYSCALL {HEAD} uid=0 comm="x UID=726F6F74" key=(null)\x1dUID="alice"')
    assert found.fields["UID"] == "alice"


def test_the_names_of_the_kernels_ids_come_first_those_of_the_message_last() -> None:
    """`auditd` names each id of the line in turn: the program's uid must not become the name of the kernel's."""
    found = decoded(
        f"type=USER_ACCT {HEAD} pid=9 uid=1000 auid=1000 msg='reset uid=0 exe=\"/x\" hostname=? addr=? terminal=? res=success'"
        '\x1dUID="alice" AUID="alice" UID="root"'
    )
    assert (found.fields["uid"], found.fields["UID"], found.fields["AUID"]) == ("1000", "alice", "alice")


def test_a_user_may_have_a_quote_in_his_name() -> None:
    line = f"type=USER {HEAD} pid=9 uid=0 msg='op=x exe=\"/x\" hostname=? addr=? terminal=? res=failed'"
    found = decoded(line + '\x1dUID="root" AUID="o\'brien"')
    assert (found.fields["res"], found.fields["UID"], found.fields["AUID"]) == ("failed", "root", "o'brien")
    forged = decoded(f"type=USER {HEAD} pid=9 uid=1000 msg='text='\x1dUID=\"root\" it's res=failed'")
    assert "UID" not in forged.fields


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("avc:  denied  { read } for  pid=1", ("denied", "read", "1")),
        ("avc:  granted  { read write } for  pid=1", ("granted", "read,write", "1")),
        (
            "pid=7 uid=0 msg='avc:  denied  { send_msg } for msgtype=error pid=1 comm=\"x\"'",
            ("denied", "send_msg", "7"),
        ),
    ],
)
def test_access_decisions_have_the_names_of_auparse(line: str, said: tuple[str, str, str]) -> None:
    kind = "USER_AVC" if "msg=" in line else "AVC"
    fields = decoded(f"type={kind} {HEAD} {line}").fields
    assert (fields["seresult"], fields["seperms"], fields["pid"]) == said


def test_numbers_of_arguments_may_be_anything() -> None:
    found, arguments = execve(
        f'type=EXECVE {HEAD} argc=99 a0="x" a9999999="z" a5="y" a99999999999="no" a1[9999999]=4142'
    )
    assert arguments == ("x", "AB", "y", "z")
    assert found.fields["a9999999"] == "z"


def test_a_chunk_that_never_came_leaves_a_hole() -> None:
    assert execve(f"type=EXECVE {HEAD} argc=1 a0_len=8 a0[0]=6162 a0[2]=6364")[1] == ("abcd",)


def test_an_argument_cannot_forge_another() -> None:
    assert execve(f'type=EXECVE {HEAD} argc=2 a0="x" a1="a0=evil"')[1] == ("x", "a0=evil")


def test_a_title_shows_its_arguments_apart() -> None:
    assert decoded(f"type=PROCTITLE {HEAD} proctitle=6E63002D6500").fields["proctitle"] == "nc -e"


def test_several_keys_are_several_values() -> None:
    keys = b"exec\x01susp".hex().upper()
    found = decoded(f"type=SYSCALL {HEAD} key={keys}")
    assert found.fields["key"] == ("exec", "susp")
    assert 'key="exec" key="susp"' in found.text


def test_text_of_one_record_stays_one_line() -> None:
    script = b"id\ntype=SYSCALL x".hex().upper()
    found = execve(f'type=EXECVE {HEAD} argc=3 a0="sh" a1="-c" a2={script}')
    assert found[1][2] == "id\ntype=SYSCALL x"
    assert "\n" not in found[0].text
    assert "id type=SYSCALL x" in found[0].text


def test_long_arguments_are_joined_before_they_are_decoded() -> None:
    word = "яя"
    raw = word.encode().hex().upper()
    found, arguments = execve(
        f'type=EXECVE {HEAD} argc=3 a0="ls" a1_len=8 a1[0]={raw[:2]}',
        f'type=EXECVE {HEAD} a1[1]={raw[2:6]} a1[2]={raw[6:]} a2="end"',
    )
    assert arguments == ("ls", word, "end")
    assert (found.fields["a1"], found.fields["argc"]) == (word, "3")


def test_records_of_one_execve_may_come_in_any_order() -> None:
    first, second = f'type=EXECVE {HEAD} argc=3 a0="x" a1="y"', f'type=EXECVE {HEAD} a2="z"'
    assert execve(second, first)[1] == ("x", "y", "z")


def test_arguments_that_are_no_utf8_keep_their_bytes() -> None:
    assert execve(f"type=EXECVE {HEAD} argc=1 a0=FF41")[1] == ("\\xffA",)


def test_old_kernels_wrote_clean_arguments_without_quotes() -> None:
    assert execve(f"type=EXECVE {HEAD} argc=2 a0=top a1=-b")[1] == ("top", "-b")


def test_the_last_trusted_result_counts(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "vectors" / "log_injection.jsonl").read_text().splitlines()]
    fields = decoded(next(row["raw"] for row in rows if row["id"] == "audit_user_spoof")).fields
    assert (fields["res"], fields["exe"], fields["hostname"]) == ("failed", "/x", "?")


def test_a_message_cannot_forge_what_the_kernel_or_auditd_say() -> None:
    line = (
        f'type=USER {HEAD} pid=9 uid=1000 auid=1000 ses=1 msg=\'text=x uid=0 auid=0 UID="root"\x1dUID="root" '
        'it\'s exe="/x" hostname=? addr=? terminal=? res=failed\'\x1dUID="alice" AUID="alice"'
    )
    fields = decoded(line).fields
    assert (fields["uid"], fields["auid"], fields["UID"], fields["res"]) == ("1000", "1000", "alice", "failed")


def test_an_open_quote_cannot_swallow_the_trusted_tail() -> None:
    fields = decoded(
        f'type=USER {HEAD} pid=9 uid=0 msg=\'op=x acct="a exe="/usr/sbin/x" hostname=h addr=192.0.2.1 terminal=t res=failed\''
    ).fields
    assert (fields["exe"], fields["hostname"], fields["addr"], fields["res"]) == (
        "/usr/sbin/x",
        "h",
        "192.0.2.1",
        "failed",
    )


def test_a_program_says_values_of_several_words() -> None:
    fields = decoded(
        f'type=ADD_USER {HEAD} pid=1 uid=0 msg=\'op=adding user to group acct="chrome" exe="/usr/sbin/useradd" res=success\''
    ).fields
    assert (fields["op"], fields["acct"], fields["res"]) == ("adding user to group", "chrome", "success")


def test_pam_of_old_systems_is_understood() -> None:
    fields = decoded(
        f'type=USER_START {HEAD} user pid=13 uid=0 auid=0 msg=\'PAM: session open acct=root : exe="/usr/sbin/crond" '
        "(hostname=?, addr=?, terminal=cron res=success)'"
    ).fields
    assert fields.items() >= {"pid": "13", "acct": "root", "terminal": "cron", "addr": "?", "res": "success"}.items()


def test_hex_inside_a_message_is_decoded() -> None:
    found = decoded(f"type=USER_CMD {HEAD} pid=1 uid=0 msg='cwd=\"/\" cmd=2E2F78202D63 terminal=? res=success'")
    assert found.fields["cmd"] == "./x -c"
    assert 'cmd="./x -c"' in found.text


def test_old_login_records_read_like_new_ones() -> None:
    fields = decoded(f"type=LOGIN {HEAD} login pid=1 uid=0 old auid=4294967295 new auid=0").fields
    assert (fields["old-auid"], fields["auid"]) == ("4294967295", "0")


def test_a_socket_path_cannot_forge_keys() -> None:
    fields = decoded(
        f'type=SOCKADDR {HEAD} saddr=0100\x1dSADDR={{ saddr_fam=local path=/x }} UID="root" exe="/y"'
    ).fields
    assert fields.keys() == {"saddr", "SADDR", "type"}


def test_the_trusted_type_is_that_of_the_head() -> None:
    assert decoded(f"type=USER {HEAD} pid=1 msg='type=SYSCALL res=success'").fields["type"] == "USER"


@given(st.binary(max_size=200))
def test_no_bytes_raise(tail: bytes) -> None:
    for head in (b"", b"type=SYSCALL msg=audit(1.000:1): ", b"type=USER msg=audit(1.000:1): pid=1 msg='"):
        record = parse_record(head + tail.replace(b"\n", b""), HERE)
        if record is not None:
            decode_record(record)
            decode_execve([record])


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5
    )
)
def test_every_argument_vector_comes_back(arguments: list[str]) -> None:
    said = []
    for index, value in enumerate(arguments):
        clean = all(" " < c < "\x7f" and c != '"' for c in value)
        said.append(f"a{index}=" + (f'"{value}"' if clean else value.encode().hex().upper()))
    assert execve(f"type=EXECVE {HEAD} argc={len(arguments)} {' '.join(said)}")[1] == tuple(arguments)


def test_hostile_long_lines_take_linear_time() -> None:
    many = " ".join(f"A{number}ID=41" for number in range(20_000))
    fillers = (
        "a=",
        " ",
        "'",
        '"',
        " exe=",
        " ,(",
        "msg='",
        "a0[1]=",
        "UID=41 ",
        "name=41 ",
        "'\x1d",
        "{ } ",
        "avc: ",
        many,
    )
    began = time.process_time()
    for filler in fillers:
        long = filler * (240_000 // len(filler))
        for kind in ("USER", "AVC", "LOGIN", "SOCKADDR", "SYSCALL", "X"):
            decoded(f"type={kind} {HEAD} {long}")
        decoded(f"type=USER {HEAD} pid=1 msg='{long}")
        decoded(f"type=USER {HEAD} pid=1 msg='x'\x1d{long}\"")
        execve(f"type=EXECVE {HEAD} {long}")
    assert time.process_time() - began < 10  # one line that took quadratic time would take as much
