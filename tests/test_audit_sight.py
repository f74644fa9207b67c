"""Three signals, each from a source that must be there: which of them would be seen."""

import math
from typing import Any

import pytest

from daemon.assembly import build_flow
from daemon.audit_sight import audit_status, find_blind_spots
from daemon.config import Config
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events import Sight, Sighted
from daemon.events.loss_nodes import MAX_NODES
from daemon.telemetry import Board, Health, HealthState, Metrics
from tests.doubles.audit_lines import execve, lines_of, reader_of

AUDIT = {"type": "file", "name": "audit", "path": "/var/log/audit/audit.log", "format": "auditd"}
KERNEL = {"type": "file", "name": "kernel", "path": "/var/log/kern.log", "format": "syslog"}
AUTH = {"type": "file", "name": "auth", "path": "/var/log/auth.log", "format": "syslog"}
JOURNAL = {"type": "journal"}


def config(*sources: dict[str, Any]) -> Config:
    return Config.model_validate({"sources": list(sources)})


def blind(*sources: dict[str, Any], **sights: Sight) -> list[str]:
    return [one.signal for one in find_blind_spots(config(*sources), {}, sights)]


@pytest.mark.parametrize(
    "sources",
    [
        (AUDIT, KERNEL),
        (AUDIT, JOURNAL),
        (AUDIT, {**KERNEL, "path": "/var/log/messages", "format": "auto"}),
        (AUDIT, {**KERNEL, "path": "/var/log/syslog"}),
        ({**AUDIT, "format": "auto"}, JOURNAL),
        (AUDIT, {**JOURNAL, "matches": ["_TRANSPORT=kernel"]}),
    ],
)
def test_all_signals_are_there(sources: tuple[dict[str, Any], ...]) -> None:
    assert blind(*sources) == []


@pytest.mark.parametrize(
    ("sources", "missing"),
    [
        ((), ["gaps", "incomplete", "kernel"]),
        ((KERNEL,), ["gaps", "incomplete"]),
        ((AUDIT,), ["kernel"]),
        ((AUDIT, AUTH), ["kernel"]),
        ((AUDIT, {**JOURNAL, "units": ["ssh.service"]}), ["kernel"]),
        ((AUDIT, {**JOURNAL, "matches": ["_COMM=sshd"]}), ["kernel"]),
        ((AUDIT, {**KERNEL, "format": "json"}), ["kernel"]),
    ],
)
def test_what_is_missing_is_named(sources: tuple[dict[str, Any], ...], missing: list[str]) -> None:
    """A10: no log of the kernel among the sources is partial, and it is said what adds it."""
    found = find_blind_spots(config(*sources), {}, {})
    assert [one.signal for one in found] == missing
    assert all(one.why and "sources" in one.mend for one in found)


def test_what_was_read_tells_more_than_names() -> None:
    assert blind(AUDIT, AUTH, auth=Sight(kernel=True)) == []
    assert blind({**AUTH, "format": "auto"}, KERNEL, auth=Sight(records=True)) == []


def test_a_log_without_titles_cannot_show_that_events_were_cut_short() -> None:
    sights = {"audit": Sight(records=True, absent=("CWD", "PROCTITLE"))}
    (one,) = find_blind_spots(config(AUDIT, KERNEL), {}, sights)
    assert (one.signal, one.why) == (
        "incomplete",
        "the audit log has no CWD and no PROCTITLE records, so nobody sees when they are lost",
    )


def test_a_source_that_may_not_be_read_shows_nothing() -> None:
    closed = {"kernel": Health("source:kernel", HealthState.degraded, 0.0, "tellwhy may not read /var/log/kern.log")}
    (one,) = find_blind_spots(config(AUDIT, KERNEL), closed, {})
    assert (one.signal, one.why) == ("kernel", "tellwhy may not read /var/log/kern.log")
    assert find_blind_spots(config(AUDIT, KERNEL, JOURNAL), closed, {}) == ()  # the journal has it too
    gone = {"audit": Health("source:audit", HealthState.starting, 0.0)}
    found = find_blind_spots(config(AUDIT, KERNEL), gone, {})
    assert [(one.signal, one.why) for one in found] == [
        ("gaps", "source:audit is starting"),
        ("incomplete", "source:audit is starting"),
    ]


@pytest.mark.parametrize(
    ("sources", "detection"), [((AUDIT, KERNEL), "full"), ((AUDIT,), "partial"), ((KERNEL,), "partial"), ((), "none")]
)
def test_the_status_says_how_much_would_be_seen(sources: tuple[dict[str, Any], ...], detection: str) -> None:
    board = Board(lambda: 0.0)
    board.set("store", HealthState.failed)
    assert audit_status(config(*sources), board, Metrics(), {}).detection == detection


def test_the_status_counts_what_was_lost() -> None:
    metrics = Metrics()
    for source, why, count in (
        ("audit", "audit_gap", 12), ("web", "audit_gap", 3), ("audit", "audit_incomplete", 2),
        ("kern", "audit_backlog", 59), ("audit", "audit_lost_reset", 61), ("auth", "truncated", 1),
    ):  # fmt: skip
        metrics.lost.labels(source=source, why=why).inc(count)
    board = Board(lambda: 0.0)
    board.set("source:kernel", HealthState.degraded, "closed")

    status = audit_status(config(AUDIT, KERNEL), board, metrics, {})

    assert (status.gap_events, status.incomplete, status.kernel_lost) == (15, 2, 61)
    assert (status.detection, [one.why for one in status.missing]) == ("partial", ["closed"])


def test_more_hosts_than_can_be_followed_are_a_blind_spot() -> None:
    assert blind(AUDIT, KERNEL, audit=Sight(records=True, crowded=True)) == ["gaps"]
    reader, auto = reader_of("auditd"), reader_of("auto")
    lines = [f"node=n{number} {line}" for number in range(MAX_NODES + 1) for line in execve(1, "true")[:1]]
    for each in (reader, auto):
        each.feed(lines_of(*lines))
    assert isinstance(reader, Sighted)
    assert isinstance(auto, Sighted)
    assert reader.sight.crowded
    assert auto.sight.crowded


def test_what_readers_see_reaches_the_tallies() -> None:
    """An audit log whose events never have a title, the log of the kernel, and one of logins."""
    untitled = [line for serial in range(1, 40) for line in execve(serial, "true") if "PROCTITLE" not in line]
    kernel = "Nov 21 11:20:00 vm kernel: [    0.000000] Linux version 6.1"
    logs = {
        "audit": ("auditd", untitled),
        "kern": ("syslog", [kernel]),
        "any": ("auto", [kernel]),
        "auth": ("syslog", []),
    }
    readers = {name: reader_of(fmt) for name, (fmt, _) in logs.items()}
    flow = build_flow(Config(host="vm"), parse_rules({}), readers, Redactor())
    for name, (_, lines) in logs.items():
        readers[name].feed(lines_of(*lines))
        readers[name].tick(math.inf)

    sights = flow.tallies().sights

    assert sights == {
        "audit": Sight(records=True, absent=("PROCTITLE",)),
        "kern": Sight(kernel=True),
        "any": Sight(kernel=True),
        "auth": Sight(),
    }
    assert blind(AUDIT, KERNEL, audit=sights["audit"]) == ["incomplete"]
