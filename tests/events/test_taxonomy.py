"""Events in Sigma's names, of records and of what they say together."""

import re

import pytest

from daemon.model import Event
from tests.doubles.audit_lines import events_of, execve, read_all

HEAD = "msg=audit(1795252500.100:7):"
CALL = (
    f"type=SYSCALL {HEAD} arch=c000003e syscall={{number}} success={{success}} exit={{exit}} a0=3 a1=1 a2=10 a3=0 items=2 "
    'ppid=200 pid=300 auid=1000 uid=1000 gid=0 euid=0 tty=pts0 comm="x" exe="/usr/bin/x" key="net"'
)


def call(number: int, success: str = "yes", exit_: str = "0") -> str:
    return CALL.format(number=number, success=success, exit=exit_)


def test_every_record_is_an_event_with_its_own_keys() -> None:
    events = events_of(read_all("auditd", *execve(7, "sh", "-c", "id; ls")), service="auditd")
    assert [event.fields["type"] for event in events] == ["SYSCALL", "EXECVE", "CWD", "PATH", "PATH", "PROCTITLE"]
    assert events[0].fields.items() >= {"uid": "1000", "UID": "alice", "SYSCALL": "execve", "a0": "1"}.items()
    assert events[1].fields.items() >= {"a0": "sh", "a2": "id; ls", "argc": "3"}.items()
    assert 'a2="id; ls"' in events[1].text
    assert events[1].text.startswith("type=EXECVE msg=audit(1795252500.100:7): argc=3 a0=")
    assert {event.fields["User"] for event in events} == {"alice"}


def test_ids_are_of_the_record_and_unique() -> None:
    lines = [*execve(7, "id"), *execve(8, "ls")]
    once, again = read_all("auditd", *lines), read_all("auditd", *lines)
    ids = [output.id for output in once if isinstance(output, Event)]
    assert ids == [output.id for output in again if isinstance(output, Event)]
    assert len(set(ids)) == len(ids) == 14
    assert "audit:1795252500.100:7:process_creation" in ids


def test_a_program_start() -> None:
    (event,) = events_of(read_all("auditd", *execve(7, "sh", "-c", "id; ls")), category="process_creation")
    assert event.at == 1795252500.1
    assert event.fields == {
        "Image": "/usr/bin/sh",
        "CommandLine": "sh -c id; ls",
        "CurrentDirectory": "/home/alice",
        "User": "alice",
        "LogonId": "1000",
        "ProcessId": "300",
        "ParentProcessId": "200",
        "uid": "1000",
        "euid": "1000",
        "auid": "1000",
        "tty": "pts0",
        "key": "exec",
        "success": "yes",
        "SYSCALL": "execve",
    }


def test_a_program_called_by_another_name_has_both() -> None:
    lines = [line.replace('exe="/usr/bin/sh"', 'exe="/usr/bin/dash"') for line in execve(7, "sh")]
    (event,) = events_of(read_all("auditd", *lines), category="process_creation")
    assert event.fields["Image"] == ("/usr/bin/dash", "/usr/bin/sh")


def test_the_parent_is_known_from_the_log() -> None:
    lines = [*execve(7, "bash", "-l", pid=200, ppid=1), *execve(8, "id", pid=300, ppid=200)]
    child = events_of(read_all("auditd", *lines), category="process_creation")[1]
    parent = (child.fields["ParentImage"], child.fields["ParentCommandLine"], child.fields["ParentUser"])
    assert parent == ("/usr/bin/bash", "bash -l", "alice")


def test_a_fork_between_parent_and_child_is_bridged() -> None:
    fork = (
        call(57, exit_="250")
        .replace("pid=300", "pid=200")
        .replace(".100:7", ".200:9")
        .replace("/usr/bin/x", "/usr/bin/bash")
    )
    lines = [
        *execve(7, "bash", "-c", "x", pid=200, ppid=1),
        fork,
        *execve(10, "id", pid=300, ppid=250, at="1795252509.0"),
    ]
    child = events_of(read_all("auditd", *lines), category="process_creation")[1]
    assert child.fields["ParentCommandLine"] == "bash -c x"


def test_a_thread_is_no_fork() -> None:
    thread = (
        call(56, exit_="250").replace("a0=3", "a0=3d0f00").replace("pid=300", "pid=200").replace(".100:7", ".200:9")
    )
    lines = [*execve(7, "x", pid=200, ppid=1), thread, *execve(10, "id", pid=300, ppid=250, at="1795252509.0")]
    assert "ParentImage" not in events_of(read_all("auditd", *lines), category="process_creation")[1].fields


def test_a_process_that_exited_is_no_parent() -> None:
    left = call(231).replace("success=yes exit=0 ", "").replace("pid=300", "pid=200").replace(".100:7", ".200:9")
    lines = [*execve(7, "bash", pid=200, ppid=1), left, *execve(10, "id", pid=300, ppid=200, at="1795252509.0")]
    assert "ParentImage" not in events_of(read_all("auditd", *lines), category="process_creation")[1].fields


def test_a_parent_that_ran_before_auditing_is_learnt_from_what_it_does() -> None:
    opened = call(257).replace("pid=300", "pid=200").replace(".100:7", ".200:9")
    title = "type=PROCTITLE msg=audit(1795252500.200:9): proctitle=78002D66"
    lines = [*execve(7, "old", pid=200, ppid=1), opened, title, *execve(10, "id", pid=300, ppid=200, at="1795252509.0")]
    child = events_of(read_all("auditd", *lines), category="process_creation")[1]
    assert (child.fields["ParentImage"], child.fields["ParentCommandLine"]) == ("/usr/bin/x", "x -f")


@pytest.mark.parametrize("line", [call(59, "no", "-2"), call(257)])
def test_what_failed_or_is_another_call_starts_no_program(line: str) -> None:
    assert events_of(read_all("auditd", line), category="process_creation") == []


def test_without_arguments_the_title_serves_and_the_event_says_so() -> None:
    lines = [line for line in execve(7, "nc", "-e") if "type=EXECVE" not in line]
    (event,) = events_of(read_all("auditd", *lines), category="process_creation")
    assert (event.fields["CommandLine"], event.fields["incomplete"]) == ("nc -e", "true")


def test_without_title_and_arguments_what_there_is_is_told() -> None:
    (event,) = events_of(read_all("auditd", execve(7, "nc")[0]), category="process_creation")
    assert event.fields["Image"] == "/usr/bin/nc"
    assert "CommandLine" not in event.fields


def test_arguments_alone_are_a_program_start() -> None:
    (event,) = events_of(read_all("auditd", execve(7, "nc", "-e")[1]), category="process_creation")
    assert (event.fields["CommandLine"], event.fields["incomplete"]) == ("nc -e", "true")


@pytest.mark.parametrize(
    ("enriched", "uid", "user"),
    [
        ('UID="carol"', "1000", "carol"),
        ("", "1000", "alice"),
        ("", "4242", "4242"),
        ('UID="unknown(1000)"', "1000", "alice"),
        ('UID="unknown(4242)"', "4242", "unknown(4242)"),
        ("", "4294967295", "unset"),
    ],
)
def test_the_user_is_named(enriched: str, uid: str, user: str) -> None:
    line = call(59).replace(" uid=1000", f" uid={uid}") + (f"\x1d{enriched}" if enriched else "")
    (event,) = events_of(read_all("auditd", line), category="process_creation")
    assert event.fields["User"] == user


def test_users_of_another_host_are_not_looked_up_here() -> None:
    (event,) = events_of(read_all("auditd", f"node=far {call(59)}"), category="process_creation")
    assert (event.fields["User"], event.host) == ("1000", "far")
    assert event.id.startswith("audit:far:1795252500.100:7:")
    (event,) = events_of(read_all("auditd", f"node=vm.example.org {call(59)}"), category="process_creation")
    assert (event.fields["User"], event.host) == ("alice", "vm")


def test_a_new_file() -> None:
    lines = [
        call(82),
        f'type=CWD {HEAD} cwd="/etc/cron.d"',
        f'type=PATH {HEAD} item=0 name="/etc/cron.d" nametype=PARENT',
        f'type=PATH {HEAD} item=1 name="old" nametype=DELETE',
        f'type=PATH {HEAD} item=2 name="new" nametype=CREATE',
        f"type=PATH {HEAD} item=3 name=(null) nametype=CREATE",
        f"type=PROCTITLE {HEAD} proctitle=6D76",
    ]
    (event,) = events_of(read_all("auditd", *lines), category="file_event")
    expected = {"TargetFilename": "/etc/cron.d/new", "Image": "/usr/bin/x", "User": "alice", "ProcessId": "300"}
    assert event.fields.items() >= {**expected, "key": "net", "SYSCALL": "rename"}.items()


@pytest.mark.parametrize(
    ("number", "argument", "flags", "mode", "told"),
    [
        (2, "a1", "1", "0100600", True),  # open, O_WRONLY
        (2, "a1", "441", "0100600", True),  # O_WRONLY|O_CREAT|O_APPEND: >> of a shell
        (257, "a2", "80002", "0100600", True),  # openat, O_RDWR|O_CLOEXEC
        (257, "a2", "80000", "0100600", False),  # O_RDONLY|O_CLOEXEC
        (257, "a1", "1", "0100600", False),  # of openat, a1 is the path
        (257, "a2", "241", "020666", False),  # > /dev/null
        (257, "a2", "odd", "0100600", False),
        (76, "a1", "0", "0100640", True),  # truncate
        (90, "a1", "1a4", "0100600", False),  # chmod
        (437, "a2", "7ffd0a1", "0100600", False),  # openat2: the flags are not in the record
    ],
)
def test_a_file_that_was_there_and_is_written(number: int, argument: str, flags: str, mode: str, told: bool) -> None:
    zeroed = re.sub(r" a[0-3]=\w+", "", call(number))
    lines = [
        zeroed.replace(" items=", f" a0=ffffff9c {argument}={flags} items="),
        f'type=CWD {HEAD} cwd="/root/.ssh"',
        f'type=PATH {HEAD} item=0 name="/root/.ssh" mode=040700 nametype=PARENT',
        f'type=PATH {HEAD} item=1 name="authorized_keys" mode={mode} nametype=NORMAL',
        f"type=PROCTITLE {HEAD} proctitle=746565002D61",
    ]
    events = events_of(read_all("auditd", *lines), category="file_event")
    assert [event.fields["TargetFilename"] for event in events] == ["/root/.ssh/authorized_keys"] * told
    for event in events:
        assert event.fields.items() >= {"CommandLine": "tee -a", "nametype": "NORMAL"}.items()


def test_a_write_that_was_refused_is_none() -> None:
    line = call(257, "no", "-13").replace("a2=10", "a2=1")
    lines = [line, f'type=PATH {HEAD} item=0 name="/etc/shadow" mode=0100640 nametype=NORMAL']
    assert events_of(read_all("auditd", *lines), category="file_event") == []


def test_a_file_that_could_not_be_made_is_none() -> None:
    lines = [call(257, "no", "-13"), f'type=PATH {HEAD} item=0 name="/etc/x" nametype=CREATE']
    assert events_of(read_all("auditd", *lines), category="file_event") == []


def test_a_file_of_old_red_hat() -> None:
    lines = [call(257), f'type=PATH {HEAD} item=0 name="/etc/x" objtype=CREATE']
    assert events_of(read_all("auditd", *lines), category="file_event")[0].fields["TargetFilename"] == "/etc/x"


@pytest.mark.parametrize(("success", "exit_"), [("yes", "0"), ("no", "-115")])
def test_a_connection(success: str, exit_: str) -> None:
    lines = [call(42, success, exit_), f"type=SOCKADDR {HEAD} saddr=0200115CCB0071090000000000000000"]
    outputs = read_all("auditd", *lines)
    (event,) = events_of(outputs, category="network_connection")
    expected = {"DestinationIp": "203.0.113.9", "DestinationPort": "4444", "Initiated": "true", "User": "alice"}
    assert event.fields.items() >= {**expected, "Image": "/usr/bin/x", "success": success}.items()
    (address,) = [e for e in events_of(outputs, service="auditd") if e.fields["type"] == "SOCKADDR"]
    assert (address.fields["laddr"], address.fields["lport"]) == ("203.0.113.9", "4444")
    assert "laddr=203.0.113.9" in address.text


def test_an_accepted_connection_comes_from_elsewhere() -> None:
    lines = [call(43), f"type=SOCKADDR {HEAD} saddr=0200115CCB0071090000000000000000"]
    (event,) = events_of(read_all("auditd", *lines), category="network_connection")
    assert (event.fields["SourceIp"], event.fields["Initiated"]) == ("203.0.113.9", "false")
    assert "DestinationIp" not in event.fields


def test_connect_of_32_bit_programs_is_seen() -> None:
    line = call(102).replace("c000003e", "40000003")
    lines = [line, f"type=SOCKADDR {HEAD} saddr=02000050CB0071090000000000000000"]
    assert len(events_of(read_all("auditd", *lines), category="network_connection")) == 1


@pytest.mark.parametrize("saddr", ["01002F72756E2F7800", "1000", "zz"])
def test_a_local_socket_is_no_connection(saddr: str) -> None:
    lines = [call(42), f"type=SOCKADDR {HEAD} saddr={saddr}"]
    assert events_of(read_all("auditd", *lines), category="network_connection") == []


def test_late_records_are_told_alone() -> None:
    outputs = read_all("auditd", *execve(7, "id"), f'type=PATH {HEAD} item=2 name="/x" nametype=CREATE')
    assert len(events_of(outputs, service="auditd")) == 7
    assert events_of(outputs, category="file_event") == []


@pytest.mark.parametrize(
    ("arch", "number"), [("c000003e", 59), ("c00000b7", 221), ("40000003", 11), ("c000003e", 322), ("c00000b7", 281)]
)
def test_raw_logs_of_every_machine_show_program_starts(arch: str, number: int) -> None:
    lines = [call(number).replace("c000003e", arch), f'type=EXECVE {HEAD} argc=1 a0="x"']
    outputs = read_all("auditd", *lines)
    (event,) = events_of(outputs, category="process_creation")
    assert event.fields["SYSCALL"] in {"execve", "execveat"}
    (record,) = [one for one in events_of(outputs, service="auditd") if one.fields["type"] == "SYSCALL"]
    assert (record.fields["SYSCALL"], record.fields["arch"]) == (event.fields["SYSCALL"], arch)
    assert f"SYSCALL={event.fields['SYSCALL']}" in record.text


def test_a_program_run_from_memory_has_its_image() -> None:
    lines = [
        call(322).replace('exe="/usr/bin/x"', "exe=2F6D656D66643A78202864656C6574656429"),
        f'type=EXECVE {HEAD} argc=1 a0="x"',
        f'type=PATH {HEAD} item=0 name="" nametype=NORMAL',
    ]
    (event,) = events_of(read_all("auditd", *lines), category="process_creation")
    assert event.fields["Image"] == "/memfd:x (deleted)"


def test_a_start_that_failed_does_not_rename_the_program_that_tried_it() -> None:
    failed = [
        call(59, "no", "-2").replace("ppid=200", "ppid=1").replace("pid=300", "pid=200"),
        f'type=EXECVE {HEAD} argc=2 a0="nmap" a1="-sS"',
        f"type=PROCTITLE {HEAD} proctitle=7368002D69",
    ]
    outputs = read_all("auditd", *failed, *execve(10, "id", pid=301, ppid=200, at="1795252509.0"))
    (event,) = events_of(outputs, category="process_creation")
    assert (event.fields["ParentImage"], event.fields["ParentCommandLine"]) == ("/usr/bin/x", "sh -i")


def test_fewer_arguments_than_the_program_got_are_said_to_be_incomplete() -> None:
    lines = [call(59), f'type=EXECVE {HEAD} argc=3 a0="nc" a1="-e"']
    (event,) = events_of(read_all("auditd", *lines), category="process_creation")
    assert (event.fields["CommandLine"], event.fields["incomplete"]) == ("nc -e", "true")


@pytest.mark.parametrize(
    "reading",
    ["", "\x1dSADDR={ saddr_fam=inet laddr=192.0.2.66 lport=1 }", " SADDR={ fam=inet laddr=192.0.2.66 lport=1 }"],
)
def test_an_address_is_read_from_the_record_not_from_a_reading_of_it(reading: str) -> None:
    """ENRICHED logs give the same fields as RAW ones, and a line that was tampered with does not give others."""
    outputs = read_all("auditd", call(42), f"type=SOCKADDR {HEAD} saddr=0200115CCB0071090000000000000000{reading}")
    (event,) = events_of(outputs, category="network_connection")
    assert (event.fields["DestinationIp"], event.fields["DestinationPort"]) == ("203.0.113.9", "4444")
    (address,) = [one for one in events_of(outputs, service="auditd") if one.fields["type"] == "SOCKADDR"]
    assert (address.fields["laddr"], address.fields["lport"], address.fields["saddr_fam"]) == (
        "203.0.113.9",
        "4444",
        "inet",
    )


def test_connect_of_32_bit_programs_is_seen_in_enriched_logs() -> None:
    line = call(102).replace("c000003e", "40000003") + "\x1dARCH=i386 SYSCALL=socketcall(connect)"
    lines = [line, f"type=SOCKADDR {HEAD} saddr=02000050CB0071090000000000000000"]
    (event,) = events_of(read_all("auditd", *lines), category="network_connection")
    assert event.fields["Initiated"] == "true"


def test_a_call_without_a_name_in_the_log_gets_ours() -> None:
    line = call(462) + "\x1dARCH=x86_64 SYSCALL=unknown-syscall(462)"
    (event,) = events_of(read_all("auditd", line), service="auditd")
    assert event.fields["SYSCALL"] == "mseal"


def test_what_io_uring_writes_is_a_file_event() -> None:
    lines = [
        f"type=URINGOP {HEAD} uring_op=28 success=yes exit=0 items=2 ppid=200 pid=300 uid=1000 gid=0 euid=0 key=(null)",
        f'type=PATH {HEAD} item=1 name="/etc/ld.so.preload" nametype=CREATE',
    ]
    (event,) = events_of(read_all("auditd", *lines), category="file_event")
    expected = {"TargetFilename": "/etc/ld.so.preload", "User": "alice", "ProcessId": "300", "SYSCALL": "openat2"}
    assert event.fields.items() >= expected.items()
