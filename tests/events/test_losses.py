"""What is missing from the log, and what only the kernel can say."""

import math
from pathlib import Path

import pytest

from daemon.events.assemble import Assembler, Group
from daemon.events.auditd import Record, parse_record
from daemon.events.loss_nodes import MAX_NODES
from daemon.events.losses import KernelLosses, Losses
from daemon.model import Lost, Position, Snapshot
from tests.doubles.audit_lines import lost_of, read_all

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
    gap = Lost("a", "audit_gap", 3, 101.0, "audit serials 2 to 4 never came", since=100.0)
    assert losses.feed(record(7, 103)) == [gap]


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


@pytest.mark.parametrize(("highest", "serial"), [(3000, 1), (90_000, 1), (50, 49), (4294967290, 3)])
@pytest.mark.parametrize("daemon", [True, False], ids=["auditd says so", "by the time alone"])
def test_a_boot_begins_the_numbers_anew(highest: int, serial: int, *, daemon: bool) -> None:
    """A13: and what is lost in the new boot is counted from there."""
    if not daemon and highest == 4294967290:
        return  # by the time alone these numbers wrapped
    losses = Losses("a")
    feed(losses, record(highest - 1), record(highest))
    told = start(losses, at=160.0) if daemon else []
    told += feed(losses, *(record(serial + step, 160.0) for step in (0, 1, 4)))
    told += [(lost.why, lost.count) for lost in losses.tick(math.inf)]
    assert told == [("audit_gap", 2)]


def test_a_clock_that_was_set_back_over_a_boot() -> None:
    losses = Losses("a")
    feed(losses, record(3000, 10_000.0))
    start(losses, at=6400.0)
    feed(losses, record(4, 6400.0), record(5, 6400.0), record(7, 6401.0))
    assert [lost.count for lost in losses.tick(math.inf)] == [1]


def test_a_clock_that_jumps_back_and_forth_makes_no_gap() -> None:
    """A13: the numbers go on whatever the clock says; a gap is believed by the caller's clock."""
    losses = Losses("a")
    clock = [10_000.0, 6400.0, 6401.0, 10_002.0, 10_003.0]
    assert feed(losses, *(record(serial, at) for serial, at in enumerate(clock, 1))) == []
    assert feed(losses, record(8, 6400.0), record(9, 6400.5)) == []
    assert losses.tick(5.0) == []
    assert [lost.count for lost in losses.tick(7.1)] == [2]


def test_system_boot_takes_back_what_opened_since_auditd_began() -> None:
    """The numbers of the new boot may lie ahead of those of the one before."""
    losses = Losses("a")
    feed(losses, record(50))
    start(losses, at=160.0)
    told = feed(losses, record(60, 160.1), record(61, 163.0), record(66, 163.1, "SYSTEM_BOOT"), record(67, 163.2))
    assert told == []
    assert losses.tick(math.inf) == []


def test_a_gap_after_system_boot_is_one() -> None:
    losses = Losses("a")
    feed(losses, record(3000))
    start(losses, at=160.0)
    feed(losses, record(4, 160.0), record(6, 160.1), record(7, 160.2, "SYSTEM_BOOT"), record(9, 160.3))
    assert [lost.count for lost in losses.tick(math.inf)] == [1, 1]


def test_the_first_records_of_a_boot_may_stand_mixed() -> None:
    losses = Losses("a")
    feed(losses, record(8), record(5), record(7))
    assert [(lost.count, lost.detail) for lost in losses.tick(math.inf)] == [(1, "audit serials 6 to 6 never came")]


def start(losses: Losses, at: float, kind: str = "DAEMON_START", node: str = "") -> list[tuple[str, int | None]]:
    one = record(2049, at, kind, node)
    (group,) = Assembler("a").feed(one)
    return feed(losses, one) + [(lost.why, lost.count) for lost in losses.closed(group)]


def test_auditd_that_began_without_having_ended_was_killed() -> None:
    """A09: believed when ten seconds did not show that the host began anew."""
    losses = Losses("a")
    feed(losses, record(51, 100.0))
    start(losses, at=101.0)
    assert feed(losses, record(53, 101.0), record(54, 110.9)) == []
    killed, gap = losses.feed(record(55, 111.0))
    assert (killed.why, killed.count, killed.since, killed.at) == ("auditd_killed", None, 100.0, 101.0)
    assert (gap.why, gap.count, gap.since) == ("audit_gap", 1, 100.0)


def test_that_auditd_was_killed_is_told_by_the_clock_too_and_after_a_restart_of_ours() -> None:
    before, after = Losses("a"), Losses("a")
    feed(before, record(51))
    start(before, at=101.0)
    after.restore(before.changes())
    assert after.tick(5.0) == []
    assert [lost.why for lost in after.tick(15.0)] == ["auditd_killed"]
    assert after.tick(math.inf) == []


@pytest.mark.parametrize("end", ["DAEMON_END", "DAEMON_ABORT"])
def test_auditd_that_ended_was_not_killed(end: str) -> None:
    losses = Losses("a")
    feed(losses, record(51))
    told = start(losses, 100.5, end)
    start(losses, 101.0)
    feed(losses, record(52, 101.0))
    assert losses.tick(math.inf) == []
    assert told == ([] if end == "DAEMON_END" else [("audit_daemon", None)])


def test_a_host_that_lost_power_did_not_have_its_auditd_killed() -> None:
    losses = Losses("a")
    feed(losses, record(3000))
    start(losses, 160.0)
    feed(losses, record(5, 160.0))
    assert losses.tick(math.inf) == []


def test_the_first_start_that_is_seen_is_none_after_a_kill() -> None:
    losses = Losses("a")
    start(losses, 99.0)
    feed(losses, record(5))
    assert losses.tick(math.inf) == []


def test_auditd_says_that_something_went_wrong() -> None:
    losses = Losses("a")
    feed(losses, record(5))
    assert start(losses, 100.0, "DAEMON_ERR") == [("audit_daemon", None)]


def test_the_kernels_count_set_back_says_how_many_were_lost() -> None:
    losses = Losses("a")
    line = b"type=CONFIG_CHANGE msg=audit(100.000:7): op=set lost=0 old=%d auid=1000 ses=1 res=1"
    found = []
    for old in (59, 0):
        one = parse_record(line % old, HERE)
        assert one is not None
        feed(losses, record(6), one)
        group = Group("", "100.000", 7, 100.0, [one], {one.digest}, closed_by="time")
        found += [(lost.why, lost.count) for lost in losses.closed(group)]
    assert found == [("audit_lost_reset", 59)]


def test_go_libaudits_logs(shared_data: Path) -> None:
    """A01: nine events lost, none at the wrap, none where records stand out of order."""
    found = {}
    for name in ("normal", "lost_messages", "rollover", "out_of_order"):
        lines = (shared_data / "go-libaudit" / "testdata" / f"{name}.log").read_bytes().split(b"\n")
        losses = Losses("a")
        records = [one for line in lines if (one := parse_record(line, HERE)) is not None]
        told = [lost for one in records for lost in losses.feed(one)] + losses.tick(math.inf)
        found[name] = [lost.count for lost in told if lost.why == "audit_gap"]
    assert found == {"normal": [], "lost_messages": [9], "rollover": [], "out_of_order": []}


def test_a_real_log_with_a_rate_limit_a_backlog_and_a_killed_auditd(shared_data: Path) -> None:
    """A03: 18→38 by the rate limit, 51→53 while auditd was dead; 18, 45 and 50 are cut short."""
    lines = (shared_data / "auditd-3.0.9" / "run2" / "audit.log").read_text().split("\n")
    found = [(lost.why, lost.count, lost.detail) for lost in lost_of(read_all("auditd", *lines))]
    assert sorted(found, key=str) == [
        ("audit_gap", 1, "audit serials 52 to 52 never came"),
        ("audit_gap", 19, "audit serials 19 to 37 never came"),
        ("audit_incomplete", 1, "event 18 lacks 1 PROCTITLE"),
        ("audit_incomplete", 2, "event 45 lacks 1 PROCTITLE, 1 PATH"),
        ("audit_incomplete", 2, "event 50 lacks 1 PROCTITLE, 1 PATH"),
        ("auditd_killed", None, "auditd began anew without having ended: it was killed, or it crashed"),
    ]


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
    for number in range(MAX_NODES + 50):
        feed(losses, record(1, node=f"n{number}"))
    assert len(losses.changes()) == MAX_NODES
    assert (losses.crowded, losses.evictions) == (True, 0)


def test_a_node_that_goes_on_is_never_the_one_that_makes_room() -> None:
    """The worst bug: names that come once would push out the hosts that write."""
    losses = Losses("a")
    losses.tick(0.0)
    feed(losses, record(1, node="busy"))
    for number in range(3 * MAX_NODES):
        losses.tick(float(number))
        feed(losses, record(number + 2, 100.0 + number, node="busy"), record(1, 100.0 + number, node=f"n{number}"))
    assert losses.evictions > MAX_NODES
    assert feed(losses, record(3 * MAX_NODES + 5, 9000.0, node="busy")) == []
    assert [(lost.count, lost.host) for lost in losses.tick(math.inf)] == [(3, "busy")]


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


@pytest.mark.parametrize(("one", "other"), [(900_000, 5000), (5000, 900_000)])
def test_two_hosts_that_write_under_one_name_lose_nothing(one: int, other: int) -> None:
    """The worst bug: without names in auditd.conf each change of host would be told as hundreds of thousands lost."""
    losses, found = Losses("audit"), []
    for number in range(1000):
        found += feed(losses, record(one + number, 100 + number / 10), record(one + number, 100 + number / 10))
        found += feed(losses, record(other + number, 100 + number / 10))
    assert found + [(lost.why, lost.count) for lost in losses.tick(math.inf)] == []


def test_of_two_hosts_under_one_name_each_gap_counts_for_itself() -> None:
    losses, found = Losses("audit"), []
    for number in range(100):
        if number not in {20, 21, 50}:
            found += feed(losses, record(900_000 + number, 100 + number))
        if number not in {30, 70, 71, 72}:
            found += feed(losses, record(5000 + number, 100 + number))
    found += [(lost.why, lost.count) for lost in losses.tick(math.inf)]
    assert sorted(found) == [("audit_gap", 1), ("audit_gap", 1), ("audit_gap", 2), ("audit_gap", 3)]


def test_a_boot_soon_after_the_last_is_no_other_host() -> None:
    """What was left more than a minute ago is an earlier boot, whatever numbers come again."""
    losses = Losses("audit")
    feed(losses, record(9000, 100.0))
    assert feed(losses, *(record(number, 103.0 + number / 50) for number in range(1, 8990))) == []
    assert feed(losses, record(9003, 300.0), record(9004, 303.0)) == [("audit_gap", 13)]


def test_old_and_new_files_read_in_turn_lose_nothing() -> None:
    losses = Losses("audit")
    old = [record(10_000 + number, 1000 + number / 10) for number in range(3000)]
    new = [record(60_000 + number, 90_000 + number / 10) for number in range(3000)]
    found = []
    for start_at in range(0, 3000, 300):
        found += feed(losses, *old[start_at : start_at + 300], *new[start_at : start_at + 300])
    assert [count for _, count in found if count is not None and count > 1] == [49_700]  # once, before it is understood


FAR = 9_999_999_999.0
DAY = 86_400.0


def test_a_record_with_a_wrong_date_dates_no_loss() -> None:
    """The worst bug: a loss dated in 2286 speaks of no alert of today, or of all until then."""
    losses = Losses("a")
    feed(losses, record(1, 100.0), record(5, FAR), record(6, 101.0), record(9, 102.0))
    (one, other) = losses.feed(record(10, 104.5))
    assert (one.count, one.since, one.at) == (3, 100.0, 101.0)
    assert (other.count, other.since, other.at) == (2, 101.0, 102.0)


def test_a_wrong_date_that_nothing_follows_is_that_of_the_clock() -> None:
    losses = Losses("a")
    losses.tick(1000.0)
    feed(losses, record(1, 995.0), record(5, FAR))
    assert losses.tick(1001.0) == []
    (lost,) = losses.tick(1003.0)
    assert (lost.count, lost.since, lost.at) == (3, 995.0, 1003.0)


def test_a_killed_auditd_with_a_wrong_date_is_told_and_dated_now() -> None:
    losses = Losses("a")
    losses.tick(1000.0)
    feed(losses, record(51, 995.0))
    start(losses, at=FAR)
    assert losses.tick(1001.0) == []
    (lost,) = losses.tick(1011.0)
    assert (lost.why, lost.since, lost.at) == ("auditd_killed", 995.0, 1011.0)


def test_what_lies_a_day_ahead_is_taken_at_its_word() -> None:
    """A clock that is a little wrong dates its own host's losses as it dates everything."""
    losses = Losses("a")
    losses.tick(1000.0)
    feed(losses, record(1, 1000.0 + DAY - 10), record(3, 1000.0 + DAY - 9))
    assert [lost.at for lost in losses.feed(record(4, 1000.0 + DAY))] == [1000.0 + DAY - 9]


def test_a_boot_after_a_wrong_date_is_seen() -> None:
    """By the time alone: what was the latest does not stand in the way for ever."""
    losses = Losses("a")
    feed(losses, record(3000, 100.0), record(3001, FAR), record(3002, 101.0))
    feed(losses, record(1, 160.0), record(2, 160.1), record(5, 160.2))
    assert [lost.count for lost in losses.tick(math.inf)] == [2]


@pytest.mark.parametrize("apart", [300, 1000, 4000])
@pytest.mark.parametrize(
    ("pace", "other_pace", "told"), [(0.1, 0.1, False), (0.01, 0.2, False), (0.2, 0.01, False), (5.0, 3.0, True)]
)
def test_two_hosts_under_one_name_with_numbers_close_together(
    apart: int, pace: float, other_pace: float, *, told: bool
) -> None:
    """Neither hides what the other loses, nor is it told what lies between them: where both are slow, once, before it is
    understood.
    """
    losses, gone, other_gone = Losses("audit"), {400, 401, 900}, {500}
    coming = [(1000.0 + number * pace, 9000 + number) for number in range(1200) if number not in gone]
    coming += [(1000.053 + n * other_pace, 9000 + apart + n) for n in range(1200) if n not in other_gone]
    found, ticked = [], 1000.0
    for at, serial in sorted(coming):
        while ticked < at:
            found += [lost.count for lost in losses.tick(ticked)]
            ticked += 1.0
        found += [count for _, count in feed(losses, record(serial, at))]
    assert sorted([*found, *(lost.count for lost in losses.tick(math.inf))], key=str) == [
        1,
        1,
        2,
        *([apart - 1] if told else []),
    ]


def test_numbers_of_one_host_that_stand_mixed_are_no_other_hosts() -> None:
    """As on a host of many processors: up to two hundred out of order, the dates with them."""
    losses = Losses("a")
    block = range(200)
    for turn in range(40):
        for number in reversed(block):
            feed(losses, record(1 + turn * 200 + number, 100.0 + turn * 0.2 + number / 1000))
    assert losses.tick(math.inf) == []
