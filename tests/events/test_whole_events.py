"""An event is followed whole, or refused without a trace; what is made of it is what reading each record gives."""

import math
import random  # noqa: TID251 - seeded logs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.events.assemble import Assembler
from daemon.events.audit_rows import Rows
from daemon.events.auditd_reader import AuditdReader
from daemon.events.processes import Process
from daemon.events.whole_events import Followed
from daemon.model import Event, Lost
from tests.doubles.any_audit import AnyAudit
from tests.doubles.audit_lines import NOW, USERS, execve, lines_of
from tests.doubles.both_ways import make_reader, runs_of
from tests.events.test_shown import Everything

FIRST = execve(1, "bash", pid=5, ppid=1, at="1795252500.100")


def fresh(*lines: str) -> AuditdReader:
    """A reader that has read these."""
    reader = AuditdReader(
        "src", host="vm", now=lambda: NOW, usernames=lambda uid: USERS.get(uid, ""), redact=lambda text: text
    )
    reader.feed(lines_of(*lines))
    return reader


def follow(reader: AuditdReader, lines: list[str]) -> Followed | None:
    """What is known of the event of these lines, if it is followed."""
    data = lines_of(*lines).data
    rows, followed = Rows(data), Followed()
    assert len(rows) == 1
    last = reader._whole.follow(rows, 0, reader.assembler.closed.begin_run(data), followed)
    return followed if last else None


def known(reader: AuditdReader) -> tuple[object, object]:
    """The processes, least recently used first, and what is to be stored."""
    return list(reader.processes._rows.items()), reader.changes()


def test_a_start_behind_another_is_followed() -> None:
    reader = fresh(*FIRST)
    whole = follow(reader, execve(2, "curl", "x y", pid=6, ppid=5, at="1795252500.200"))
    assert whole is not None
    assert (whole.lost, whole.numbers, list(whole.started)) == ({}, [0], [0])
    (text,) = whole.texts
    assert b'"curl x y"' in text
    assert b'"/usr/bin/bash""bash""alice"' in text
    assert reader.processes.find("", 6) == Process(6, "/usr/bin/curl", "curl x y", 5, "alice")


def test_a_gap_is_told_when_a_later_event_is_followed() -> None:
    reader = fresh(*FIRST)
    assert follow(reader, execve(4, "id", pid=6, ppid=5, at="1795252500.200")) is not None
    later = follow(reader, execve(5, "id", pid=7, ppid=5, at="1795252503.300"))
    assert later is not None
    assert [lost.why for lost in later.lost[0]] == ["audit_gap"]


@pytest.mark.parametrize(
    ("before", "event"),
    [
        pytest.param([], FIRST, id="the first of all"),
        pytest.param([*FIRST, *FIRST[:1]], FIRST, id="the same again"),
        pytest.param(FIRST, execve(1, "ls", at="1795252500.050"), id="an earlier one"),
        pytest.param(FIRST, execve(1, "ls", at="1795252500.200"), id="the same serial later"),
        pytest.param([*FIRST, execve(9, "ls", at="1795252500.150")[0]], execve(10, "ls", at="1795252503.000"), id="one that closes another by its time"),
        pytest.param([*FIRST, *execve(2, "ls", at="1795252500.150")[:-1]], execve(2, "ls", at="1795252500.150"), id="one that is in flight"),
        pytest.param(FIRST[:-1], execve(2, "ls", at="1795252500.200"), id="before any PROCTITLE came"),
        pytest.param(FIRST, [line.replace("success=yes", "success=no") for line in execve(2, "ls", at="1795252500.200", pid=5)], id="a start that failed"),
        pytest.param(FIRST, [line.replace("SYSCALL=execve ", "SYSCALL=exit_group ") for line in execve(2, "ls", at="1795252500.200", pid=5)], id="an end"),
        pytest.param(FIRST, [line.replace("SYSCALL=execve ", "SYSCALL=clone ") for line in execve(2, "ls", at="1795252500.200", pid=5)], id="a fork"),
        pytest.param(FIRST, [line for line in execve(2, "ls", at="1795252500.200") if "EXECVE" not in line], id="a start without arguments"),
        pytest.param(FIRST, [line.replace("SYSCALL=execve ", "SYSCALL=kill ") for line in execve(2, "ls", at="1795252500.200") if "EXECVE" not in line], id="a call of an unknown process"),
        pytest.param(FIRST, [line.replace("item=1", "item=0") for line in execve(2, "ls", at="1795252500.200")], id="two items 0"),
        pytest.param(FIRST, [line.replace('name="/usr/bin/ls"', 'name="ls"') for line in execve(2, "ls", at="1795252500.200") if "CWD" not in line], id="a relative path without a directory"),
        pytest.param(FIRST, execve(2, "ls", "x\x1dy", at="1795252500.200"), id="a separator in an argument"),
        pytest.param(FIRST, [line[:-1] if "PROCTITLE" in line else line for line in execve(2, "ls", at="1795252500.200")], id="half a byte of hex"),
        pytest.param(FIRST, execve(2, "x" * (1 << 20), at="1795252500.200"), id="one beyond a bound"),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_no_trace(before: list[str], event: list[str]) -> None:
    reader, other = fresh(*before), fresh(*before)
    assert follow(reader, event) is None
    reader.feed(lines_of(*event))
    other.feed(lines_of(*event))
    assert known(reader) == known(other)


def test_a_full_table_of_groups_is_a_bound() -> None:
    reader = fresh(*FIRST)
    reader.assembler._max_groups = 2
    reader.feed(lines_of(*(execve(serial, "ls", at="1795252500.150")[0] for serial in (3, 4))))
    assert follow(reader, execve(5, "ls", at="1795252500.200")) is None
    reader.assembler._max_groups = 3
    assert follow(reader, execve(5, "ls", at="1795252500.200")) is not None


def test_bytes_in_flight_are_a_bound() -> None:
    reader = fresh(*FIRST, execve(3, "ls", at="1795252500.150")[0])
    reader.assembler._max_bytes = reader.assembler._bytes + 500
    assert follow(reader, execve(5, "ls", at="1795252500.200")) is None


def test_what_was_passed_whole_is_known_when_it_comes_again_and_when_more_of_it_comes() -> None:
    event = execve(2, "curl", pid=6, ppid=5, at="1795252500.200")
    reader = make_reader("auditd", {"auditd": Everything()})
    assert isinstance(reader, AuditdReader)
    lines = lines_of(*FIRST, *event)
    before = reader.feed(lines)
    again = [*reader.feed(lines_of(*event, offset=len(lines.data))), *reader.tick(math.inf)]
    assert before != []
    assert again == []
    late = reader.feed(lines_of(event[-1].replace("proctitle=", "proctitle=41")))
    assert [one.id.rpartition(":")[0] for one in late if isinstance(one, Event)] == ["audit:1795252500.200:2:proctitle"]
    assert isinstance(reader.assembler, Assembler)
    assert (reader.assembler.duplicates, reader.assembler.late) == (len(event), 1)


def test_a_mark_in_a_value_is_refused() -> None:
    reader = fresh(*FIRST)
    assert follow(reader, execve(2, "curl", pid=6, ppid=5, at="1795252500.200")) is not None
    marked = execve(3, "curl", "msg=audit(1", pid=6, ppid=5, at="1795252500.300")
    assert follow(reader, marked) is None
    reader.feed(lines_of(*marked))
    assert follow(reader, execve(4, "id", pid=7, ppid=6, at="1795252500.400")) is None


def test_of_a_run_all_is_followed_up_to_what_is_not_as_usual() -> None:
    events = [execve(serial, "ls", pid=serial, ppid=5, at=f"1795252500.{serial}00") for serial in range(2, 7)]
    refused = [line.replace("SYSCALL=execve ", "SYSCALL=exit_group ") for line in events[2]]
    data = lines_of(*events[0], *events[1], *refused, *events[3], *events[4]).data
    reader, rows, followed = fresh(*FIRST), Rows(data), Followed()
    run = reader.assembler.closed.begin_run(data)
    assert [reader._whole.follow(rows, first, run, followed) for first in (0, 2, 3)] == [2, 2, 5]
    assert followed.numbers == [0, 1, 3, 4]
    assert followed.lost == {}


@pytest.mark.parametrize("size", [1, 2])
def test_what_may_be_in_one_group_may_not_be_in_all_of_a_run(size: int) -> None:
    events = [execve(serial, "ls", pid=serial, ppid=5, at=f"1795252500.{serial}00") for serial in range(2, 7)]
    reader = fresh(*FIRST)
    reader.assembler._max_group_bytes = size * len(lines_of(*events[0]).data) + 5
    rows = Rows(lines_of(*(line for event in events for line in event)).data)
    assert reader._whole.follow(rows, 0, reader.assembler.closed.begin_run(b""), Followed()) == size


@settings(deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 12))
def test_a_run_is_followed_as_its_events_are_one_by_one(seed: int, events: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a seeded log
    data = b"".join(line + b"\n" for line in AnyAudit(rng).lines(events))
    nothing = {"auditd": Everything(nothing=True)}
    at_once, one_by_one, by_records = (
        make_reader("auditd", nothing),
        make_reader("auditd", nothing),
        make_reader("auditd", {}),
    )
    for lines in runs_of(data):
        at_once.feed(lines)
        by_records.feed(lines)
    for lines in runs_of(data, range(data.count(b"\n") + 1)):
        one_by_one.feed(lines)
    assert at_once.changes() == one_by_one.changes() == by_records.changes()


@settings(deadline=None)
@given(st.integers(0, 100_000), st.sampled_from(["", "process_creation", "file_event", "network_connection"]))
def test_the_events_of_a_category_are_those_that_all_records_give(seed: int, category: str) -> None:
    data = b"".join(line + b"\n" for line in AnyAudit(random.Random(seed)).lines(10))  # noqa: S311 - a seeded log
    every, some = make_reader("auditd", {}), make_reader("auditd", {"auditd": Everything(frozenset({category}))})
    for lines in runs_of(data):
        expected = [one for one in every.feed(lines) if isinstance(one, Lost) or one.logsource.category == category]
        assert [
            one for one in some.feed(lines) if isinstance(one, Lost) or one.logsource.category == category
        ] == expected
    assert some.changes() == every.changes()
