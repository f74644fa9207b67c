"""Of another tool's alert we say what that tool said, and nothing that it did not say."""

from typing import Any

import pytest

from daemon.detection.engine import Engine
from daemon.detection.quoting import quoting
from daemon.detection.wording import visible
from daemon.enrichment.redact import Redactor
from daemon.events.jsonl import parse_record
from daemon.events.stamps import Stamps
from daemon.model import Event, Logsource, RuleRef, Value
from tests.doubles.detection import make_event, one_rule, rule_text, sound
from tests.doubles.our_rules import parsed_rules
from tests.doubles.tool_records import FALCO, SURICATA, alertmanager

FALCO_ALERT = Logsource("falco", service="alert")
ATTRIBUTES = "tellwhy:\n    title_from: [rule, name]\n    techniques_from: [tags, labels.mitre]\n"
RULE = one_rule(
    rule_text(
        "    s: {severity: error}\n    condition: s", more=ATTRIBUTES, logsource="{product: falco, service: alert}"
    )
)


def said(fields: dict[str, Value]) -> RuleRef:
    return quoting(RULE, make_event(fields, source=FALCO_ALERT))


@pytest.mark.parametrize(
    ("tags", "techniques", "tactics"),
    [
        (("T1555", "container", "maturity_stable", "mitre_credential_access"), ("T1555",), ("credential-access",)),
        (("mitre_execution", "t1059.004", "T1059"), ("T1059.004", "T1059"), ("execution",)),
        ("T1059, T1105;T1059", ("T1059", "T1105"), ()),
        (("attack.t1071", "attack.command-and-control", "Initial Access"), ("T1071",), ("command-and-control", "initial-access")),
        (("Initial_Access", "TA0001", "PCI_DSS_10.2.7"), (), ("initial-access",)),
        (("T10599", "xT1059", "T1059.04", "T1059.0041", "T\u0661\u0660\u0665\u0669", "container", "network"), (), ()),
        ((), (), ()),
        (None, (), ()),
        (1059, (), ()),
    ],
)  # fmt: skip
def test_techniques_and_tactics_are_those_of_the_event_in_their_one_shape(
    tags: Value, techniques: tuple[str, ...], tactics: tuple[str, ...]
) -> None:
    ref = said({"tags": tags})
    assert (ref.techniques, ref.tactics) == (techniques, tactics)


def test_the_title_ends_with_what_the_tool_calls_it() -> None:
    assert said({"rule": "Read  sensitive\nfile"}).title == "T: Read sensitive file"
    assert said({"rule": " ", "name": ("a", "b")}).title == "T: a"
    assert said({"name": 7}).title == "T: 7"
    assert said({}).title == "T"
    assert said({}).id == RULE.ref.id


def test_what_is_quoted_is_bounded_and_cannot_steer_a_terminal() -> None:
    hostile = said({"rule": "\x1b[31m" + "\u202e" + "x" * 100_000, "tags": tuple(f"T{n}" for n in range(1000, 3000))})
    assert len(hostile.title) < 200
    assert hostile.title == visible(hostile.title)
    assert len(hostile.techniques) == 16


def test_a_rule_that_does_not_ask_for_it_speaks_for_itself() -> None:
    own = one_rule(rule_text("    s: {a: 1}\n    condition: s", more="tags: [attack.t1003]\n"))
    assert quoting(own, make_event({"rule": "x", "tags": ("T1059",)})) is own.ref


def test_techniques_of_the_rule_itself_stand_first() -> None:
    more = "tags: [attack.t1003, attack.impact]\n" + ATTRIBUTES
    ref = quoting(one_rule(rule_text("    s: {a: 1}\n    condition: s", more=more)), make_event({"tags": ("T1059",)}))
    assert (ref.techniques, ref.tactics) == (("T1003", "T1059"), ("impact",))


@pytest.mark.parametrize("more", ["", "    sustain: {for: 0s}\n"])
def test_a_secret_in_what_is_quoted_is_redacted(more: str) -> None:
    text = rule_text("    s: {severity: error}\n    condition: s", more=ATTRIBUTES + more, logsource="{product: falco}")
    engine = Engine(sound(text), redact=Redactor().event)
    (anomaly,) = engine.feed(
        make_event(
            {"severity": "error", "rule": "password=Hunter2Hunter2 used", "tags": ("T1078",)}, source=FALCO_ALERT
        )
    )
    assert "Hunter2" not in anomaly.rule.title
    assert anomaly.rule.title.startswith("T: password=[redacted")
    assert anomaly.rule.techniques == ("T1078",)


OURS = Engine(parsed_rules())


def passed_on(record: dict[str, Any]) -> RuleRef:
    """What our own rules make of a tool's record."""
    parts = parse_record(record, Stamps(lambda: 1000.0, None))
    events = [
        Event(f"e{n}", 1000.0, "web-1", "tools", one.logsource, one.fields, one.text) for n, one in enumerate(parts)
    ]
    anomalies = [anomaly for event in events for anomaly in OURS.feed(event) if anomaly.rule.path.startswith("tools/")]
    (found,) = [anomaly.rule for anomaly in anomalies]
    return found


def test_an_alert_of_falco_states_what_falco_stated() -> None:
    ref = passed_on({**FALCO, "priority": "Critical"})
    assert ref.title == "Falco alert: Terminal shell in container"
    assert (ref.techniques, ref.tactics) == (("T1059",), ("execution",))


def test_an_alert_of_falco_without_tags_states_no_technique() -> None:
    bare = {key: value for key, value in FALCO.items() if key != "tags"}
    ref = passed_on({**bare, "priority": "Warning", "rule": "Read sensitive file untrusted"})
    assert ref.title == "Falco warning: Read sensitive file untrusted"
    assert (ref.techniques, ref.tactics) == ((), ())


def test_a_signature_of_suricata_states_what_its_metadata_states() -> None:
    metadata = {"mitre_technique_id": ["T1190"], "mitre_tactic_name": ["Initial_Access"], "tag": ["T1003"]}
    named = passed_on({**SURICATA, "alert": {**SURICATA["alert"], "metadata": metadata}})
    assert named.title == "Suricata alert of high severity: ET SCAN Possible Nmap User-Agent Observed"
    assert (named.techniques, named.tactics) == (("T1190",), ("initial-access",))
    assert passed_on(SURICATA).techniques == ()


def test_an_alert_of_alertmanager_states_its_name_and_no_technique() -> None:
    ref = passed_on(alertmanager())
    assert ref.title == "Alertmanager alert that is critical: DiskWillFill"
    assert (ref.techniques, ref.tactics) == ((), ())
