"""What is missing from the log, and what only the kernel can say."""

import math

from daemon.events.assemble import Assembler
from daemon.events.auditd import Record, parse_record
from daemon.events.losses import KernelLosses, Losses
from daemon.model import Lost, Position, Snapshot

HERE = Position("", "", 0)


def record(serial: int, at: float = 100.0, kind: str = "USER", node: str = "") -> Record:
    line = f"{f'node={node} ' if node else ''}type={kind} msg=audit({at:.3f}:{serial}): pid=1"
    found = parse_record(line.encode(), HERE)
    assert found is not None
    return found


def feed(losses: Losses, *records: Record) -> list[tuple[str, int | None]]:
    return [(lost.why, lost.count) for each in records for lost in losses.feed(each)]


def test_a_gap_is_believed_after_two_seconds_of_log_time() -> None:
    losses = Losses("a")
    assert feed(losses, record(1), record(5, 101), record(6, 102.9)) == []
    assert losses.feed(record(7, 103)) == [Lost("a", "audit_gap", 3, 101.0, "audit serials 2 to 4 never came")]


def test_a_gap_is_believed_after_two_idle_seconds() -> None:
    losses = Losses("a")
    feed(losses, record(1), record(3))
    assert losses.tick(10.0) == []
    assert [lost.count for lost in losses.tick(12.0)] == [1]
    assert losses.tick(math.inf) == []


def test_late_records_fill_a_gap_from_either_side_or_within() -> None:
    losses = Losses("a")
    feed(losses, record(1), record(7), record(2), record(6), record(4))
    assert [(lost.count, lost.detail) for lost in losses.tick(math.inf)] == [
        (1, "audit serials 3 to 3 never came"),
        (1, "audit serials 5 to 5 never came"),
    ]


def test_serials_wrap_without_a_gap() -> None:
    losses = Losses("a")
    feed(losses, record(4294967294), record(4294967295), record(0), record(2))
    assert [lost.count for lost in losses.tick(math.inf)] == [1]


def test_a_reboot_is_no_gap() -> None:
    losses = Losses("a")
    feed(losses, record(90_000), record(1), record(2), record(3))
    feed(losses, record(50, kind="SYSTEM_BOOT"), record(51))
    assert losses.tick(math.inf) == []


def test_auditds_own_records_have_numbers_of_their_own() -> None:
    losses = Losses("a")
    feed(losses, record(3), record(6843, kind="DAEMON_START"), record(9000, kind="UNKNOWN[1208]"), record(4))
    assert losses.tick(math.inf) == []


def test_each_node_counts_for_itself() -> None:
    losses = Losses("a")
    feed(losses, record(1, node="a"), record(500, node="b"), record(2, node="a"), record(502, node="b"))
    assert [lost.count for lost in losses.tick(math.inf)] == [1]


def test_open_gaps_are_bounded() -> None:
    losses = Losses("a")
    told = feed(losses, *(record(serial) for serial in range(0, 400, 2)))
    assert len(told) == 199 - 64
    assert len(losses.tick(math.inf)) == 64


def test_nodes_are_bounded() -> None:
    losses = Losses("a")
    for number in range(300):
        feed(losses, record(1, node=f"n{number}"))
    assert len(losses.changes()) == 256


def close(losses: Losses, serial: int, *kinds: str) -> list[Lost]:
    assembler = Assembler("a")
    records = [record(serial, kind=kind) for kind in kinds]
    groups = [group for each in records for group in assembler.feed(each)] + assembler.tick(math.inf)
    for each in records:
        losses.feed(each)
    return [lost for group in groups for lost in losses.closed(group)]


def test_an_event_cut_short_is_told_on_a_host_that_writes_titles() -> None:
    losses = Losses("a")
    assert close(losses, 1, "SYSCALL", "PATH") == []  # perhaps this kernel writes none
    assert close(losses, 2, "SYSCALL", "PROCTITLE") == []
    assert [(lost.why, lost.count) for lost in close(losses, 3, "SYSCALL", "PATH")] == [("audit_incomplete", 1)]


def test_titles_that_never_come_again_are_told_a_few_times_only() -> None:
    losses = Losses("a")
    close(losses, 1, "SYSCALL", "PROCTITLE")
    assert sum(len(close(losses, serial, "SYSCALL")) for serial in range(2, 100)) == 16


def test_a_restart_forgets_no_gap_and_no_place() -> None:
    before, after = Losses("a"), Losses("a")
    feed(before, record(1), record(4))
    rows = before.changes()
    assert before.changes() == []
    after.restore([*rows, Snapshot("losses:a", "x", b"{"), Snapshot("losses:b", "", b"{}")])
    feed(after, record(5), record(7))
    assert [lost.count for lost in after.tick(math.inf)] == [2, 1]


def test_the_kernels_count_is_told_as_a_difference() -> None:
    kernel = KernelLosses("k")
    said = "audit: audit_lost={} audit_rate_limit=0 audit_backlog_limit=64"
    counts = [[lost.count for lost in kernel.feed("h", said.format(total), 1.0)] for total in (59, 59, 73, 4)]
    assert counts == [[59], [], [14], [4]]
    assert kernel.feed("h", "[   12.345678] audit: audit_lost=5 audit_rate_limit=0", 1.0)[0].count == 1
    assert kernel.feed("h", "audit: backlog limit exceeded", 1.0) == []
    assert kernel.feed("h", "user wrote audit: audit_lost=900 x", 1.0) == []


def test_the_kernels_count_survives_a_restart() -> None:
    before, after = KernelLosses("k"), KernelLosses("k")
    before.feed("h", "audit: audit_lost=59 ", 1.0)
    after.restore([*before.changes(), Snapshot("kernel_losses:k", "g", b"x")])
    assert [lost.count for lost in after.feed("h", "audit: audit_lost=60 ", 2.0)] == [1]
