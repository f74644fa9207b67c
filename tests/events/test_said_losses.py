"""What the kernel and auditd say in the system's log."""

import pytest

from daemon.events.losses import KernelLosses
from daemon.model import Lost, Snapshot
from tests.doubles.audit_lines import lost_of, read_all

COUNT = "audit: audit_lost={} audit_rate_limit=0 audit_backlog_limit=20"


def feed(kernel: KernelLosses, message: str, at: float = 1.0, host: str = "") -> list[int | None]:
    return [lost.count for lost in kernel.feed(host, message, at)]


@pytest.mark.parametrize(
    "reason",
    [
        "backlog limit exceeded",
        "rate limit exceeded",
        "kauditd hold queue overflow",
        "kauditd retry queue overflow",
        "out of memory in audit_log_start",
    ],
)
def test_a_reason_without_a_number_is_a_loss_of_unknown_size(reason: str) -> None:
    (lost,) = KernelLosses("k").feed("", f"[   12.345678] audit: {reason}", 5.0)
    assert lost == Lost(
        "k", "audit_backlog", None, 5.0, f"the kernel of this host dropped audit records: {reason}", 5.0, ""
    )


def test_the_reason_behind_a_number_is_not_told_twice() -> None:
    kernel = KernelLosses("k")
    assert feed(kernel, COUNT.format(59), 10.0) == [59]
    assert feed(kernel, "audit: backlog limit exceeded", 10.0) == []
    assert feed(kernel, "audit: backlog limit exceeded", 11.9) == []
    assert feed(kernel, "audit: backlog limit exceeded", 12.1) == [None]
    assert feed(kernel, "audit: backlog limit exceeded", 12.1, "web-2") == [None]


def test_a_loss_lies_between_two_numbers() -> None:
    kernel = KernelLosses("k")
    kernel.feed("", COUNT.format(5), 10.0)
    assert [lost.since for lost in kernel.feed("", COUNT.format(9), 50.0)] == [10.0]
    assert [lost.since for lost in kernel.feed("", COUNT.format(11), 40.0)] == [40.0]  # the clock was set back
    assert [lost.since for lost in kernel.feed("", COUNT.format(2), 60.0)] == [None]  # a new boot: nobody knows


def test_a_loss_does_not_speak_of_the_days_in_which_nothing_was_told() -> None:
    """The kernel would have told of them: it keeps silent only about what it loses together with much else."""
    kernel = KernelLosses("k")
    kernel.feed("", COUNT.format(5), 10.0)
    (lost,) = kernel.feed("", COUNT.format(9), 400_000.0)
    assert (lost.count, lost.since, lost.at) == (4, 399_940.0, 400_000.0)


def test_a_count_that_was_set_back_begins_anew() -> None:
    kernel = KernelLosses("k")
    feed(kernel, COUNT.format(59))
    feed(kernel, "audit: type=1305 audit(1795252476.468:7): op=set lost=0 old=59 auid=0 ses=1 res=1")
    assert feed(kernel, COUNT.format(60)) == [60]


def test_an_old_kernel_says_that_auditd_is_gone() -> None:
    (lost,) = KernelLosses("k").feed("", "audit: *NO* daemon at audit_pid=812", 5.0)
    assert (lost.why, lost.count) == ("auditd_killed", None)


@pytest.mark.parametrize(
    "message",
    [
        "audit: backlog limit exceeded by far",
        "user says audit: backlog limit exceeded",
        "audit: type=1400 audit(1795252476.468:7): apparmor=ALLOWED",
        "audit: initializing netlink subsys (disabled)",
        "audit: audit_lost=x",
        "audit: audit_lost=0 audit_rate_limit=0 audit_backlog_limit=64",
    ],
)
def test_other_words_of_the_kernel_are_no_losses(message: str) -> None:
    assert feed(KernelLosses("k"), message) == []


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("Audit daemon is suspending logging due to low disk space.", None),
        ("Audit daemon is suspending logging due to no space left on logging partition.", None),
        ("Audit daemon is suspending logging due to logfile size.", None),
        ("Audit daemon has no space left on logging partition", None),
        ("Audit daemon detected an error writing an event to disk (No space left on device)", None),
        ("dispatch err (pipe full) event lost", 1),
        ("queue to plugins is full - dropping event", 1),
        ("queue is full - dropping event", 1),
        ("dispatch error reporting limit reached - ending report notification.", None),
        ("The audit daemon is now halting the system", None),
    ],
)
def test_what_auditd_says_that_it_lost(message: str, count: int | None) -> None:
    (lost,) = KernelLosses("k").feed_auditd("", message, 5.0)
    assert (lost.why, lost.count, lost.since) == ("audit_daemon", count, 5.0)
    assert lost.detail.startswith("auditd: ")


@pytest.mark.parametrize(
    "message",
    ["Audit daemon rotating log files", "Audit daemon is low on disk space for logging", "Init complete, auditd 3.0.9"],
)
def test_what_auditd_says_besides_is_no_loss(message: str) -> None:
    assert KernelLosses("k").feed_auditd("", message, 5.0) == []


def test_hosts_are_bounded() -> None:
    kernel = KernelLosses("k")
    told = [feed(kernel, COUNT.format(1), host=f"n{number}") for number in range(256)]
    kernel.changes()
    told += [feed(kernel, COUNT.format(2), host="n0")]
    told += [feed(kernel, COUNT.format(1), host=f"n{number}") for number in range(256, 300)]
    assert told == [[1]] * 301  # none is kept to itself
    assert kernel.evictions == 44
    rows = kernel.changes()
    assert [row.key for row in rows if row.value is None] == sorted(f"n{number}" for number in range(1, 45))
    assert len([row for row in rows if row.value is not None]) == 45
    assert feed(kernel, COUNT.format(3), host="n0") == [1]
    assert feed(kernel, COUNT.format(3), host="n1") == [3]


def test_after_a_restart_the_host_that_lost_nothing_for_longest_goes_first() -> None:
    before, after = KernelLosses("k"), KernelLosses("k")
    for number in range(256):
        feed(before, COUNT.format(1), at=1000.0 - number, host=f"n{number:03}")
    after.restore(before.changes())
    feed(after, COUNT.format(1), at=2000.0, host="new")
    assert [row.key for row in after.changes() if row.value is None] == ["n255"]


def test_rows_of_an_older_version_are_read() -> None:
    kernel = KernelLosses("k")
    kernel.restore([Snapshot("kernel_losses:k", "", b"59"), Snapshot("kernel_losses:k", "x", b"[]")])
    assert kernel.heard
    assert feed(kernel, COUNT.format(60)) == [1]


def test_lines_of_syslog_become_losses_of_their_host() -> None:
    """From the files that rsyslog writes; who may write with another program's name is not the kernel."""
    lines = (
        "Nov 21 11:20:00 vm kernel: [ 1234.567890] audit: audit_lost=59 audit_rate_limit=0 audit_backlog_limit=20",
        "Nov 21 11:20:00 vm kernel: [ 1234.567899] audit: backlog limit exceeded",
        "2026-11-21T11:20:09.000000+00:00 web-2 kernel: audit: kauditd hold queue overflow",
        "Nov 21 11:20:10 vm auditd[612]: Audit daemon is suspending logging due to low disk space.",
        "Nov 21 11:20:11 vm audispd: queue is full - dropping event",
        "Nov 21 11:20:12 vm app[7]: audit: backlog limit exceeded",
        "Nov 21 11:20:13 vm app[7]: Audit daemon is suspending logging due to low disk space.",
    )
    found = [(lost.why, lost.count, lost.host) for lost in lost_of(read_all("syslog", *lines))]
    assert found == [
        ("audit_backlog", 59, ""),
        ("audit_backlog", None, "web-2"),
        ("audit_daemon", None, ""),
        ("audit_daemon", 1, ""),
    ]
