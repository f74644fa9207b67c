"""Whatever somebody does to a rule, it is a problem in words or a rule that works, and never stops the others."""

import random  # noqa: TID251 - seeded, and so the same every time
import re
from typing import Any

import pytest
import yaml

from daemon.detection.engine import Engine
from daemon.detection.rules import parse_rules
from daemon.detection.wise import unwise
from daemon.model import Logsource
from tests.doubles.detection import METRICS, PROCESS, SSHD, make_event, rule_text
from tests.doubles.mutated_yaml import mutated
from tests.doubles.our_rules import rule_files

DOCUMENTS: list[dict[str, Any]] = [data for text in rule_files().values() for data in yaml.safe_load_all(text)]
CORRELATIONS = [data for data in DOCUMENTS if "correlation" in data]
EVENTS = [
    make_event({"Image": "/bin/sh", "CommandLine": "sh -c x", "User": None, "ProcessId": 5}, text="a b"),
    make_event({"action": "login_failed", "src_ip": "203.0.113.1", "user": ("a", "b")}, source=SSHD, text="Failed"),
    make_event({"type": "EXECVE", "a0": "sh", "a1": ""}, source=Logsource(service="auditd"), text="type=EXECVE"),
    make_event({"cpu.percent": 99.0, "disk.percent": float("nan")}, source=METRICS),
]
GOOD = rule_text("    s: {Image|endswith: /sh}\n    condition: s")
PYTHON = re.compile(
    r"object has no|NoneType|unhashable|not iterable|not subscriptable|<class|Traceback|unsupported operand"
)


@pytest.mark.parametrize("seed", range(8))
def test_one_change_of_a_rule_of_ours(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a test, not a secret
    for _ in range(40):
        text = yaml.safe_dump_all(
            [mutated(rng.choice(DOCUMENTS), rng), mutated(rng.choice(CORRELATIONS), rng), rng.choice(DOCUMENTS)],
            allow_unicode=True,
        )
        parsed = parse_rules({"a.yml": text, "good.yml": GOOD}, placeholders={"a": ("1", "*")})
        assert "good.yml" in {rule.ref.path for rule in parsed.rules}, text
        told = [*parsed.problems, *unwise(parsed, json_lines=False, journal=False), *unwise(parsed)]
        assert [one for one in told if not one.expected.startswith("expected ") or PYTHON.search(one.expected)] == []
        engine = Engine(parsed)
        assert all(isinstance(engine.feed(event), list) for event in EVENTS)


@pytest.mark.parametrize("rules", ["5", "{a: 1}", "[5]", "[[a]]", "null", "''", "true", "[]"])
@pytest.mark.parametrize("condition", ["a and b", "{gte: 2}", "null", "5"])
@pytest.mark.parametrize("kind", ["temporal", "temporal_ordered", "event_count"])
def test_rules_of_a_correlation_that_are_none(kind: str, rules: str, condition: str) -> None:
    text = f"title: C\ncorrelation: {{type: {kind}, rules: {rules}, timespan: 5m, condition: {condition}}}\n"
    parsed = parse_rules({"c.yml": text, "good.yml": GOOD})
    assert [rule.ref.path for rule in parsed.rules] == ["good.yml"]
    assert parsed.problems
    assert all(one.expected.startswith("expected ") for one in parsed.problems)
    assert not any(PYTHON.search(one.expected) for one in parsed.problems)


def test_a_bad_header_of_a_correlation_is_told_once() -> None:
    text = "title: C\nid: [x]\ncorrelation: {type: event_count, rules: a, timespan: 5m, condition: {gte: 2}}\n"
    (problem,) = parse_rules({"c.yml": text}).problems
    assert problem.key == "id"


def test_events_of_every_kind_are_fed() -> None:
    assert {event.logsource for event in EVENTS} >= {PROCESS, SSHD, METRICS}
