"""Groups of records: closed by what, bounded how, and whole after a kill -9."""

import math
from pathlib import Path

import pytest

from daemon.events.assemble import Assembler, Group, is_last
from daemon.events.auditd import Record, parse_record
from daemon.model import Position, Snapshot
from tests.doubles.audit_lines import execve

HERE = Position("/var/log/audit/audit.log", "1:2:abc", 0)


def records_of(lines: list[str] | list[bytes]) -> list[Record]:
    found = [parse_record(line.encode() if isinstance(line, str) else line, HERE) for line in lines]
    return [record for record in found if record is not None]


def feed(assembler: Assembler, lines: list[str] | list[bytes]) -> list[Group]:
    return [group for record in records_of(lines) for group in assembler.feed(record)]


def line(kind: str, serial: int, at: float = 100.0, node: str = "") -> str:
    return f"{f'node={node} ' if node else ''}type={kind} msg=audit({at:.3f}:{serial}): pid=1"


def shape(groups: list[Group]) -> list[tuple[int, int, str]]:
    return [(group.serial, len(group.records), group.closed_by) for group in groups]


def test_a_title_closes_its_group() -> None:
    assert shape(feed(Assembler("a"), execve(7, "id"))) == [(7, 6, "record")]


def test_interleaved_groups_come_apart() -> None:
    one, two = execve(7, "id"), execve(8, "ls")
    mixed = [line for pair in zip(one, two, strict=True) for line in pair]
    assert shape(feed(Assembler("a"), mixed)) == [(7, 6, "record"), (8, 6, "record")]


def test_a_record_two_seconds_later_closes_what_has_no_end() -> None:
    assembler = Assembler("a")
    assert feed(assembler, [line("SYSCALL", 1, 100.0), line("SYSCALL", 2, 101.9)]) == []
    assert shape(feed(assembler, [line("SYSCALL", 3, 102.0)])) == [(1, 1, "time")]


def test_the_clock_of_one_node_closes_nothing_of_another() -> None:
    assembler = Assembler("a")
    skewed = [f"node=late {line}" for line in execve(7, "id", at="1795252503.100")]
    mixed = [line for pair in zip(execve(7, "id"), skewed, strict=True) for line in pair]
    assert shape(feed(assembler, mixed)) == [(7, 6, "record"), (7, 6, "record")]
    assert feed(assembler, [line("SYSCALL", 1, 100.0, "a"), line("SYSCALL", 2, 101.0, "b")]) == []
    assert feed(assembler, [line("SYSCALL", 3, 101.9, "a"), line("SYSCALL", 4, 102.9, "b")]) == []
    assert shape(feed(assembler, [line("SYSCALL", 5, 103.0, "b")])) == [(2, 1, "time")]
    assert shape(feed(assembler, [line("SYSCALL", 6, 102.0, "a")])) == [(1, 1, "time")]


def test_what_is_known_of_nodes_is_no_more_than_what_is_in_flight() -> None:
    assembler = Assembler("a", max_groups=10)
    feed(assembler, [line("SYSCALL", number, 100.0, f"n{number}") for number in range(1000)])
    assert len(assembler) == len(assembler._nodes) == 10
    assembler.tick(math.inf)
    assert len(assembler._nodes) == 0


def test_two_idle_seconds_of_the_caller_close_a_group() -> None:
    assembler = Assembler("a")
    feed(assembler, [line("SYSCALL", 1)])
    assert assembler.tick(1000.0) == []
    assert assembler.tick(1001.9) == []
    assert shape(assembler.tick(1002.0)) == [(1, 1, "time")]


def test_a_clock_set_back_makes_nothing_wait_for_ever() -> None:
    assembler = Assembler("a")
    feed(assembler, [line("SYSCALL", 1)])
    assembler.tick(5000.0)
    assembler.tick(10.0)
    assert len(assembler.tick(12.0)) == 1


def test_the_end_of_a_replay_closes_everything() -> None:
    assembler = Assembler("a")
    feed(assembler, [line("SYSCALL", 1), line("SYSCALL", 2)])
    assert shape(assembler.tick(math.inf)) == [(1, 1, "time"), (2, 1, "time")]
    assert len(assembler) == 0


def test_log_time_that_jumps_merges_nothing_and_stalls_nothing() -> None:
    assembler = Assembler("a")
    groups = feed(assembler, [line("SYSCALL", 1, 5000.0), line("SYSCALL", 1, 100.0), line("PROCTITLE", 1, 100.0)])
    assert shape(groups) == [(1, 2, "record")]
    assert shape(assembler.tick(math.inf)) == [(1, 1, "time")]


def test_nodes_and_times_are_part_of_the_identity() -> None:
    assembler = Assembler("a")
    feed(assembler, [line("SYSCALL", 1, node="a"), line("SYSCALL", 1, node="b"), line("SYSCALL", 1, 100.5, node="a")])
    assert len(assembler) == 3


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        *((kind, True) for kind in ("PROCTITLE", "EOE", "USER", "USER_LOGIN", "DAEMON_START", "CRED_ACQ", "ADD_USER")),
        *((kind, True) for kind in ("SERVICE_STOP", "ANOM_LOGIN_FAILURES", "KERNEL", "CRYPTO_SESSION")),
        *((kind, True) for kind in ("UNKNOWN[1199]", "UNKNOWN[2150]", "SYSTEM_BOOT", "VIRT_CONTROL")),
        *(
            (kind, False)
            for kind in ("SYSCALL", "PATH", "LOGIN", "CONFIG_CHANGE", "AVC", "ANOM_PROMISCUOUS", "SOCKADDR")
        ),
        *((kind, False) for kind in ("UNKNOWN[1329]", "UNKNOWN[1006]", "UNKNOWN[x]", "NEW_THING", "MAC_STATUS", "")),
    ],
)
def test_which_types_end_an_event(kind: str, *, last: bool) -> None:
    assert is_last(kind) is last


def test_a_title_that_comes_first_waits_for_the_rest() -> None:
    assembler = Assembler("a")
    assert feed(assembler, [line("PROCTITLE", 1), line("SYSCALL", 1)]) == []
    assert shape(assembler.tick(math.inf)) == [(1, 2, "time")]


def test_an_end_marker_is_no_record_and_comes_late_in_silence() -> None:
    assembler = Assembler("a")
    assert shape(feed(assembler, [line("SYSCALL", 1), line("EOE", 1)])) == [(1, 1, "record")]
    assert feed(assembler, [line("EOE", 1), line("EOE", 99)]) == []
    assert (assembler.late, assembler.duplicates, len(assembler)) == (0, 0, 0)


def test_a_line_read_twice_counts_once() -> None:
    assembler = Assembler("a")
    lines = execve(7, "id")
    feed(assembler, [lines[0], lines[0]])
    assert shape(feed(assembler, lines[1:] + lines)) == [(7, 6, "record")]
    assert assembler.duplicates == 1 + 6


def test_a_record_after_the_end_is_late_not_lost() -> None:
    assembler = Assembler("a")
    feed(assembler, execve(7, "id"))
    late = line("PATH", 7, 0).replace("0.000:7", "1795252500.100:7")
    assert shape(feed(assembler, [late])) == [(7, 1, "late")]
    assert feed(assembler, [late]) == []
    assert (assembler.late, assembler.duplicates) == (1, 1)


def test_groups_in_flight_are_bounded() -> None:
    assembler = Assembler("a", max_groups=10)
    groups = feed(assembler, [line("SYSCALL", serial) for serial in range(15)])
    assert shape(groups) == [(serial, 1, "limit") for serial in range(5)]
    assert (len(assembler), assembler.evictions) == (10, 5)


def test_bytes_in_flight_are_bounded() -> None:
    size = len(line("SYSCALL", 1))
    assembler = Assembler("a", max_bytes=3 * size)
    assert shape(feed(assembler, [line("SYSCALL", serial) for serial in range(4)])) == [(0, 1, "limit")]


def test_a_giant_group_is_handed_out_at_its_bound_and_goes_on_as_late() -> None:
    assembler = Assembler("a", max_group_bytes=200)
    parts = [f'type=EXECVE msg=audit(1.000:1): a{number}="{"x" * 100}"' for number in range(4)]
    assert shape(feed(assembler, parts)) == [(1, 2, "limit"), (1, 1, "late"), (1, 1, "late")]


def test_what_is_remembered_of_closed_groups_is_bounded() -> None:
    assembler = Assembler("a", max_remembered=20)
    feed(assembler, [line("USER", serial) for serial in range(1000)])
    assert len(assembler.closed) == 20


def test_a_kill_between_any_two_records_loses_nothing() -> None:
    lines = [*execve(7, "id", "-u"), *execve(8, "ls")]
    whole = [(g.serial, [r.line for r in g.records]) for g in feed(Assembler("a"), lines)]
    for cut in range(len(lines) + 1):
        before, after = Assembler("a"), Assembler("a")
        groups = feed(before, lines[:cut])
        after.restore(before.changes())
        groups += feed(after, lines[cut:])
        assert [(g.serial, [r.line for r in g.records]) for g in groups] == whole
        rows = {row.key for row in after.changes() if row.value is not None}
        assert rows == set()


def test_only_what_changed_is_handed_out_and_what_closed_is_withdrawn() -> None:
    assembler = Assembler("a")
    lines = execve(7, "id")
    assert feed(assembler, [*execve(6, "ls"), lines[0]])
    rows = assembler.changes()
    assert [(row.step, row.key) for row in rows] == [("audit:a", "1795252500.100:7@")]
    assert assembler.changes() == []
    feed(assembler, lines[1:])
    assert assembler.changes() == [Snapshot("audit:a", rows[0].key, None)]
    assert assembler.changes() == []


def test_foreign_and_broken_rows_are_ignored() -> None:
    assembler = Assembler("a")
    broken = [Snapshot("audit:a", "x", b"\xc1"), Snapshot("audit:a", "x", b"\x90"), Snapshot("audit:a", "y", None)]
    assembler.restore([*broken, Snapshot("audit:b", "x", b"\x91\x94\xa0\xa0\x00\xc4\x00")])
    assert len(assembler) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("normal", [(58, 2), (59, 5), (60, 5), (61, 4), (62, 1)]),
        ("lost_messages", [(49, 2), (59, 5), (60, 5), (61, 4), (62, 1)]),
        ("out_of_order", [(58, 2), (59, 5), (60, 5), (61, 4), (62, 1)]),
        ("rollover", [(4294967294, 1), (4294967295, 1), (0, 1), (1, 1), (2, 1)]),
    ],
)
def test_go_libaudits_logs_give_its_groups(shared_data: Path, name: str, expected: list[tuple[int, int]]) -> None:
    assembler = Assembler("a")
    raw = (shared_data / "go-libaudit" / "testdata" / f"{name}.log").read_bytes()
    groups = [*feed(assembler, raw.split(b"\n")), *assembler.tick(math.inf)]
    sizes: dict[int, int] = {}
    for group in groups:  # in out_of_order a record comes seven seconds of log time after its group: it is late
        sizes[group.serial] = sizes.get(group.serial, 0) + len(group.records)
    assert list(sizes.items()) == expected
