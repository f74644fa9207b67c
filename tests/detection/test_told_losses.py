"""One statement that several logs hold is one loss; what is told again, or only by one of them, is not taken from it."""

import math
import random  # noqa: TID251 - seeded choices

import pytest

from daemon.detection.told_losses import WITHIN, ToldLosses
from daemon.model import Lost


def said(source: str, at: float = 100.0, detail: str = "59 by now", why: str = "audit_backlog", host: str = "") -> Lost:
    return Lost(source, why, 1, at, detail, host=host)


def new(told: ToldLosses, *losses: Lost) -> int:
    return sum(not told.again(lost) for lost in losses)


def test_a_statement_in_three_logs_is_one_loss() -> None:
    assert new(ToldLosses(), said("syslog", 100.0), said("kern", 100.0), said("journal", 100.73)) == 1


def test_what_one_log_says_again_is_lost_again() -> None:
    """Each line of auditd is one event more."""
    lines = [said("syslog", 100.0 + number / 10, "auditd: event lost", "audit_daemon") for number in range(30)]
    assert new(ToldLosses(), *lines) == 30


@pytest.mark.parametrize("seed", range(20))
def test_however_the_logs_are_read_in_turn_each_line_counts_once(seed: int) -> None:
    """Within a few seconds the log that has most of them counts."""
    rng = random.Random(seed)  # noqa: S311 - seeded choices
    told, found = ToldLosses(), 0
    logs = {source: [said(source, 100.0 + n / 20) for n in range(40)] for source in ("syslog", "kern", "journal")}
    while any(logs.values()):
        source = rng.choice([name for name, left in logs.items() if left])
        found += new(told, logs[source].pop(0))
    assert found == 40


@pytest.mark.parametrize(
    "other",
    [
        said("kern", 100.0 + WITHIN + 1),
        said("kern", detail="60 by now"),
        said("kern", host="web-2"),
        said("kern", why="auditd_killed"),
    ],
)
def test_another_time_count_host_or_reason_is_another_loss(other: Lost) -> None:
    assert new(ToldLosses(), said("syslog"), other) == 2


def test_what_only_the_second_log_has_is_told() -> None:
    """The worst bug: a loss that is hidden because another was told in two logs."""
    told = ToldLosses()
    assert new(told, said("syslog", 100.0), said("kern", 100.0)) == 1
    assert new(told, said("kern", 200.0)) == 1
    assert new(told, said("kern", 101.0)) == 1


@pytest.mark.parametrize("why", ["audit_gap", "truncated", "line_too_long"])
def test_what_a_source_lost_itself_is_its_own(why: str) -> None:
    assert new(ToldLosses(), said("syslog", why=why), said("kern", why=why)) == 2


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, -5.5, 9e15])
def test_any_date_is_taken(at: float) -> None:
    assert new(ToldLosses(), said("syslog", at)) == 1


def test_what_is_remembered_is_bounded() -> None:
    told = ToldLosses()
    new(told, *(said("syslog", float(number), str(number)) for number in range(4097)))
    assert len(told) == 4096
    assert new(told, said("kern", 0.0, "0")) == 1  # told twice, never not at all
    assert new(told, said("kern", 4096.0, "4096")) == 0


def test_the_same_words_dated_late_hide_no_later_statement() -> None:
    """Two of the same within seconds, of which the second log dated the first late, and the first lacks the second."""
    told = ToldLosses()
    assert [told.again(one) for one in (said("a", 100.0), said("b", 104.0), said("a", 108.0))] == [False, True, False]
    told = ToldLosses()
    assert [told.again(one) for one in (said("a", 100.0), said("b", 104.0), said("b", 108.0))] == [False, True, False]
