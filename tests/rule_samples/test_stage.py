"""A sample on its own clock: what the readers, the rules and the grouping get to see."""

from collections.abc import Mapping
from typing import Any

import pytest

from daemon.detection.rules import parse_rules
from daemon.flow import Outcome
from daemon.model import Anomaly
from daemon.rule_samples.reading import Step
from daemon.rule_samples.stage import HOST, START, Stage

ANY = {
    "any.yml": """title: Any line
logsource: {product: linux, service: syslog}
detection: {selection: {Message|contains: x}, condition: selection}
---
title: Any record
logsource: {product: linux, service: auditd}
detection: {selection: {type|exists: true}, condition: selection}
---
title: Any program
logsource: {product: linux, category: process_creation}
detection: {selection: {Image|exists: true}, condition: selection}
---
title: Any object
logsource: {product: linux, service: app}
detection: {selection: {a|exists: true}, condition: selection}
---
title: Full
logsource: {product: linux, category: host_metrics}
detection: {selection: {disk.percent|gte: 90}, condition: selection}
---
title: Loss
logsource: {product: linux, category: evidence_loss}
detection: {selection: {why|exists: true}, condition: selection}
"""
}


def play(*steps: Step, rules: Mapping[str, str] = ANY) -> list[Outcome]:
    parsed = parse_rules(rules)
    assert parsed.problems == ()
    return list(Stage(parsed).play(steps))


def anomalies(*steps: Step) -> list[Anomaly]:
    return [anomaly for outcome in play(*steps) for anomaly in outcome.anomalies]


def test_time_passes_between_steps_and_repetitions() -> None:
    step = Step("syslog", "$SYSLOG web-1 app[1]: x", repeat=3, every=10.0)
    later = Step("syslog", "$SYSLOG web-1 app[1]: x", after=60.0)
    assert [anomaly.at - START for anomaly in anomalies(step, later)] == [0, 10, 20, 80]


@pytest.mark.parametrize(
    ("fmt", "line", "title"),
    [
        ("syslog", "$SYSLOG web-1 app[1]: x", "Any line"),
        ("syslog", "$ISO web-1 app[1]: x", "Any line"),
        ("json", '{"time": "${ISO}", "service": "app", "a": 1}', "Any object"),
        ("auditd", "type=USER_END msg=$AUDIT: pid=1", "Any record"),
    ],
)
def test_stamps_are_filled_in_for_each_format(fmt: str, line: str, title: str) -> None:
    (anomaly,) = anomalies(Step(fmt, line))
    assert (anomaly.rule.title, anomaly.at, anomaly.host) == (title, START, HOST)


def test_the_records_of_a_step_are_one_event_and_steps_are_several() -> None:
    start = (
        'type=SYSCALL msg=$AUDIT: arch=c000003e syscall=59 success=yes pid=7 ppid=1 uid=0 exe="/usr/bin/id"${GS}UID="eve"\n'
        'type=EXECVE msg=$AUDIT: argc=1 a0="id"\ntype=PROCTITLE msg=$AUDIT: proctitle="id"\n'
    )
    found = [anomaly for anomaly in anomalies(Step("auditd", start, repeat=2)) if anomaly.rule.title == "Any program"]
    assert len({anomaly.events[0].id for anomaly in found}) == 2
    assert [anomaly.events[0].fields["User"] for anomaly in found] == ["eve", "eve"]


def test_serials_have_no_gaps_even_when_other_formats_lie_between() -> None:
    audit, other = Step("auditd", "type=USER_END msg=$AUDIT: pid=1"), Step("syslog", "$SYSLOG web-1 app: x", after=9.0)
    assert not [one for one in anomalies(audit, other, audit, other, audit) if one.rule.title == "Loss"]


def test_an_event_without_an_end_is_closed_by_time_and_at_the_end() -> None:
    open_end = Step("auditd", "type=SYSCALL msg=$AUDIT: arch=c000003e syscall=1 pid=7")
    later = Step("syslog", "$SYSLOG web-1 app: x", after=5.0)
    assert [anomaly.rule.title for anomaly in anomalies(open_end, later)] == ["Any record", "Any line"]
    assert [anomaly.rule.title for anomaly in anomalies(open_end)] == ["Any record"]


def test_readings_and_losses() -> None:
    part: dict[str, Any] = {"category": "host_metrics", "tags": {"disk.mount": "/srv"}, "values": {"disk.percent": 91}}
    full, loss = anomalies(Step("sample", sample=part), Step("lost", lost={"source": "a", "why": "gap", "count": 2}))
    assert (full.rule.title, full.entity, full.at) == ("Full", "disk.mount=/srv", START)
    assert (loss.rule.title, loss.events[0].fields["count"], loss.at) == ("Loss", 2, START)


def test_quiet_incidents_end_while_time_passes() -> None:
    line = Step("syslog", "$SYSLOG web-1 app[1]: x")
    outcomes = play(line, Step("syslog", "$SYSLOG web-1 app[1]: y", after=7 * 86400.0))
    changes = [change for outcome in outcomes for change in outcome.changes]
    assert [change.decision.name for change in changes] == ["first", "quiet"]


def test_secrets_are_redacted_as_live() -> None:
    (anomaly,) = anomalies(Step("syslog", "$SYSLOG web-1 app[1]: x password=hunter2"))
    assert "hunter2" not in str(anomaly.events)
