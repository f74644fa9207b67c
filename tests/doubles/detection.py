"""Events and rules for tests of detection, in one line each."""

from collections.abc import Mapping
from typing import Any

from daemon.detection.condition import Condition
from daemon.detection.correlation import Correlator
from daemon.detection.rules import ParsedRules, Rule, parse_rules
from daemon.model import Anomaly, Event, Logsource, RuleRef, Severity, Value

PROCESS = Logsource("linux", "process_creation", "")
SSHD = Logsource("linux", "", "sshd")
METRICS = Logsource("linux", "host_metrics", "")


def make_event(
    fields: Mapping[str, Value] | None = None,
    *,
    at: float = 1000.0,
    source: Logsource = PROCESS,
    text: str = "",
    host: str = "web1",
    event_id: str = "",
) -> Event:
    """An event; its id is made of its content unless given."""
    values = dict(fields or {})
    return Event(event_id or f"e{at}:{sorted(values.items(), key=str)}:{text}", at, host, "test", source, values, text)


class Alone:
    """A correlation of one rule, fed by the ids of the rules that it is built upon."""

    def __init__(self, rule: Rule, limit: int = 100) -> None:
        assert rule.correlation is not None
        self._places = {rule_id: place for place, rule_id in enumerate(rule.correlation.places)}
        self._correlator = Correlator([rule], limit)
        self.memory = self._correlator.memory

    def feed(self, rule_id: str, event: Event) -> Anomaly | None:
        """The anomaly that the event completes, if any; a rule that it is not built upon means nothing to it."""
        place = self._places.get(rule_id)
        found = self._correlator.feed(place, event) if place is not None else None
        return None if found is None else found[0]


def rule_text(
    detection: str, *, more: str = "", logsource: str = "{product: linux, category: process_creation}"
) -> str:
    """A whole rule around a detection section that is already indented by four."""
    return (
        f"title: T\nid: 11111111-1111-4111-8111-111111111111\n{more}logsource: {logsource}\ndetection:\n{detection}\n"
    )


def one_rule(text: str) -> Rule:
    """The one rule of a text that must be sound."""
    parsed = sound(text)
    assert len(parsed.rules) == 1
    return parsed.rules[0]


def sound(text: str) -> ParsedRules:
    """A text that must be sound."""
    return sound_files({"t.yml": text})


def sound_files(files: Mapping[str, str]) -> ParsedRules:
    """Path → text of rule files that must be sound."""
    parsed = parse_rules(files)
    assert parsed.problems == ()
    return parsed


def condition_of(detection: str) -> Condition:
    """The compiled condition of a detection section (indented by four)."""
    condition = one_rule(rule_text(detection)).condition
    assert condition is not None
    return condition


def item(key: str, value: str) -> Condition:
    """The condition of one `field|modifiers: value`."""
    return condition_of(f"    s:\n        {key}: {value}\n    condition: s")


def make_anomaly(
    at: float = 1000.0, *, entity: str = "User=root", level: Severity = Severity.medium, **other: Any
) -> Anomaly:
    """An anomaly with one event."""
    rule = RuleRef(other.pop("rule", "r1"), "T", level)
    events = (make_event(at=at),)
    anomaly_id = other.pop("anomaly_id", f"an_{rule.id}_{entity}_{at}")
    return Anomaly(anomaly_id, rule, at, "web1", "test", entity, other.pop("because", f"b{at}"), events, **other)
