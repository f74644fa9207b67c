"""The audit scenarios by their ids, where no other test has them.

A01, A03, A09, A13: `test_losses`. A02: `tests/oracles/test_go_libaudit.py`. A07 to A12 with a real kernel:
`tests/system/test_audit_live.py`. A08: `tests/test_evidence_gaps.py`. A10: `tests/test_audit_sight.py`.
"""

import math

import pytest

from daemon.events.assemble import Assembler
from daemon.events.auditd import parse_record
from daemon.model import Event, Position
from tests.doubles.audit_lines import execve, lines_of, lost_of, read_all, reader_of

HERE = Position("", "", 0)


def started(*lines: str) -> Event:
    (event,) = [
        one
        for one in read_all("auditd", *lines)
        if isinstance(one, Event) and one.logsource.category == "process_creation"
    ]
    return event


def test_a04_enriched_raw_and_with_a_node_are_the_same_event() -> None:
    enriched = execve(7, "tar", "xzf", "/tmp/x y.tgz")
    raw = [line.partition("\x1d")[0] for line in enriched]
    ours = [f"node=vm {line}" for line in enriched]
    theirs = [f"node=web-2 {line}" for line in enriched]

    events = [started(*one) for one in (enriched, raw, ours, theirs)]

    wanted = ("Image", "CommandLine", "CurrentDirectory", "ProcessId", "ParentProcessId", "User", "LogonId")
    fields = [[one.fields.get(name) for name in wanted] for one in events]
    assert fields[0] == fields[1] == fields[2]
    assert fields[3][:5] == fields[0][:5]
    assert fields[0][1] == "tar xzf /tmp/x y.tgz"
    assert [one.host for one in events] == ["vm", "vm", "vm", "web-2"]


def test_a05_arguments_are_exact_however_they_are_written() -> None:
    """216 of them, in several records, one in chunks, some in hex."""
    arguments = ["tool", "x" * 9000, "a b", "é", *(f"--option-{number}" for number in range(212))]
    head = "msg=audit(1795252500.100:7):"
    chunks = [arguments[1][:7500], arguments[1][7500:]]
    said = [f'a{number}="{text}"' for number, text in enumerate(arguments) if number not in {1, 2, 3}]
    records = [
        f"type=EXECVE {head} argc={len(arguments)} {said[0]} a1_len=9000 a1[0]={chunks[0]}",
        f"type=EXECVE {head} a1[1]={chunks[1]} a2={b'a b'.hex().upper()} a3={'é'.encode().hex().upper()} {said[1]}",
        f"type=EXECVE {head} {' '.join(said[2:])}",
    ]
    call, _, *others = execve(7, "tool")

    assert len(arguments) == 216
    assert started(call, *records, *others).fields["CommandLine"] == " ".join(arguments)
    assert lost_of(read_all("auditd", *execve(6, "tool"), call, *records, *others)) == []


@pytest.mark.parametrize("by", ["log", "clock"])
def test_a06_an_event_without_its_title_ends_after_two_seconds(by: str) -> None:
    reader = reader_of("auditd")
    assert reader.feed(lines_of(*execve(6, "true")))
    assert reader.feed(lines_of(*execve(7, "curl", at="1795252500.100")[:-1])) == []
    if by == "log":
        assert reader.feed(lines_of(execve(8, "true", at="1795252502.000")[0])) == []
        outputs = reader.feed(lines_of(execve(9, "true", at="1795252502.100")[0]))
        outputs += reader.feed(lines_of(execve(10, "true", at="1795252504.100")[0]))  # it may still come late
    else:
        assert reader.tick(10.0) == []
        assert reader.tick(11.9) == []
        outputs = reader.tick(12.0)
    assert [one.fields["CommandLine"] for one in outputs if isinstance(one, Event) and "CommandLine" in one.fields] == [
        "curl"
    ]
    assert [lost.detail for lost in lost_of(outputs)] == ["event 7 lacks 1 PROCTITLE"]


def test_a14_a_second_reading_gives_the_same_events() -> None:
    log = [
        line for serial in range(1, 9) if serial != 4 for line in execve(serial, "true", at=f"17952525{serial:02}.100")
    ]
    first, second = read_all("auditd", *log), read_all("auditd", *log)
    assert [one.id for one in first if isinstance(one, Event)] == [one.id for one in second if isinstance(one, Event)]
    assert lost_of(first) == lost_of(second)
    again = read_all("auditd", *log, *log)
    assert [one.id for one in again if isinstance(one, Event)] == [one.id for one in first if isinstance(one, Event)]


def test_a15_what_a_program_says_is_not_what_the_kernel_says() -> None:
    text = 'text=op=hello msg="x" res=success exe="/x" hostname=? addr=? terminal=? res=failed'
    spoof = f"type=USER msg=audit(1795252500.100:6): pid=1 uid=0 auid=4294967295 ses=4294967295 msg='{text}'"
    (event,) = [one for one in read_all("auditd", spoof) if isinstance(one, Event)]
    assert event.fields["res"] == "failed"
    separated = spoof.replace("op=hello", 'op=hello\x1dUID="root" AUID="root"')
    (event,) = [one for one in read_all("auditd", separated) if isinstance(one, Event)]
    assert {"UID", "AUID"} & event.fields.keys() == set()


def test_a15_nobody_can_say_in_a_message_that_records_were_lost() -> None:
    said = "msg='op=x lost=0 old=900 audit: audit_lost=900 exe=\"/x\" hostname=? addr=? terminal=? res=success'"
    line = f"type=USER msg=audit(1795252500.100:6): pid=1 uid=0 auid=1000 ses=1 {said}"
    assert lost_of(read_all("auditd", line)) == []


def test_a16_what_is_in_flight_is_bounded_and_what_goes_is_counted() -> None:
    """Fifty thousand events begin and none ends."""
    assembler = Assembler("a", max_groups=1024)
    groups = 0
    for serial in range(50_000):
        record = parse_record(b"type=SYSCALL msg=audit(1795252500.100:%d): arch=c000003e items=0" % serial, HERE)
        assert record is not None
        groups += len(assembler.feed(record))
        assert len(assembler) <= 1024
    assert (groups, assembler.evictions) == (50_000 - 1024, 50_000 - 1024)
    assert len(assembler.tick(math.inf)) == 1024
