"""What Alertmanager never sends is told to who made it up; what it sends is taken."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.alertmanager import count_alerts, find_misshape, is_meant, is_notification
from daemon.events.jsonl import Shaping, parse_record
from daemon.events.stamps import Stamps
from tests.doubles.tool_records import FALCO, KUBERNETES, SURICATA, alertmanager, an_alertmanager_alert

STAMPS = Stamps(lambda: 1_795_253_449.0, None)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def changed(path: str, value: Any) -> dict[str, Any]:
    """A notification of two alerts with another value at a path; `...` takes the key away."""
    record = copy.deepcopy(alertmanager(an_alertmanager_alert(), an_alertmanager_alert(name="Other")))
    place: Any = record
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return record


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_what_it_sends_is_well_made(status: str) -> None:
    record = alertmanager(an_alertmanager_alert(status))
    assert is_meant(record)
    assert is_notification(record)
    assert find_misshape(record) == ""


@pytest.mark.parametrize("path", ["receiver", "groupLabels", "groupKey", "version", "alerts.0.annotations", "alerts.1.fingerprint"])  # fmt: skip
@pytest.mark.parametrize("value", [..., None])
def test_what_nobody_needs_may_be_missing(path: str, value: Any) -> None:
    record = changed(path, value)
    assert is_notification(record)
    assert find_misshape(record) == ""


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("alerts", "x", "alerts: a list of alerts (got a text)"),
        ("alerts", {"0": {}}, "alerts: a list of alerts (got an object)"),
        ("alerts", None, "alerts: a list of alerts (got null)"),
        ("alerts", ..., "alerts: a list of alerts (got nothing)"),
        ("alerts.0", 5, "alerts.0: an object with labels and status (got a number)"),
        ("alerts.1.labels", ..., "alerts.1.labels: an object of texts (got nothing)"),
        ("alerts.1.labels", None, "alerts.1.labels: an object of texts (got null)"),
        ("alerts.1.labels", ["a"], "alerts.1.labels: an object of texts (got a list)"),
        ("alerts.1.labels", {}, "alerts.1.labels: an object with a label in it (got an empty one)"),
        ("alerts.1.labels.severity", 3, "alerts.1.labels: an object of texts (got a number in it)"),
        ("alerts.1.labels.severity", True, "alerts.1.labels: an object of texts (got true or false in it)"),
        ("alerts.1.labels.severity", None, "alerts.1.labels: an object of texts (got null in it)"),
        ("alerts.0.annotations", "x", "alerts.0.annotations: an object of texts (got a text)"),
        ("alerts.0.annotations.summary", {"a": 1}, "alerts.0.annotations: an object of texts (got an object in it)"),
        ("alerts.0.status", ..., "alerts.0.status: firing or resolved (got nothing)"),
        ("alerts.0.status", "Firing!", "alerts.0.status: firing or resolved (got another text)"),
        ("alerts.0.status", ["firing"], "alerts.0.status: firing or resolved (got a list)"),
        ("alerts.0.startsAt", 1795253449, "alerts.0.startsAt: a text (got a number)"),
        ("alerts.0.fingerprint", 1.5, "alerts.0.fingerprint: a text (got a number)"),
        ("receiver", ["x"], "receiver: a text (got a list)"),
        ("status", {"a": 1}, "status: a text (got an object)"),
        ("groupLabels", "x", "groupLabels: an object of texts (got a text)"),
        ("commonLabels.a", 5, "commonLabels: an object of texts (got a number in it)"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place_and_no_value(path: str, value: Any, fault: str) -> None:
    record = changed(path, value)
    assert is_meant(record)
    assert find_misshape(record) == fault


def test_several_faults_are_named_at_once_and_not_thousands() -> None:
    record = alertmanager(*[an_alertmanager_alert() for _ in range(3000)])
    for alert in record["alerts"]:
        del alert["labels"]
    assert find_misshape(record).split("; ") == [
        f"alerts.{n}.labels: an object of texts (got nothing)" for n in range(5)
    ]


def test_a_short_one_made_by_hand_is_one_too() -> None:
    """What people try first with curl: it fires, or they are told what is missing."""
    alert = {"status": "firing", "labels": {"alertname": "Test"}}
    for record in ({"version": "4", "alerts": [alert]}, {"status": "firing", "alerts": [alert]}):
        assert find_misshape(record) == ""
        (found,) = parse_record(record, STAMPS, Shaping())
        assert (found.logsource.product, found.fields["alertname"]) == ("alertmanager", "Test")


def test_who_speaks_its_language_with_words_of_their_own_is_understood() -> None:
    """Grafana: numbers stand beside the labels, and the version is another."""
    own = {
        "values": {"B": 22.5, "C": 1},
        "valueString": "[ var='B' ]",
        "silenceURL": "",
        "dashboardURL": "",
        "panelURL": "",
    }
    record = alertmanager(an_alertmanager_alert() | own) | {
        "version": "1",
        "orgId": 1,
        "title": "x",
        "state": "alerting",
    }
    assert find_misshape(record) == ""
    assert is_notification(record)


@pytest.mark.parametrize(
    "record",
    [FALCO, SURICATA, KUBERNETES, {"a": 1}, {"alerts": []}, {"alerts": "x"}, {"status": "firing", "severity": "critical"},
     {"receiver": "x", "status": "firing"}, {"version": "4"}, {"alerts": [{"labels": 5}], "status": "open"}],
)  # fmt: skip
def test_records_of_others_are_not_meant_as_one(record: dict[str, Any]) -> None:
    assert not is_meant(record)
    assert not is_notification(record)


def test_a_file_is_read_as_far_as_it_can_be() -> None:
    record = changed("alerts.1.labels.severity", 3)
    record["alerts"].append("x")
    assert [one.fields["severity"] for one in parse_record(record, STAMPS, Shaping())] == ["critical", "3"]


@pytest.mark.parametrize(
    ("record", "events"),
    [(alertmanager(), 1), (alertmanager(*[an_alertmanager_alert()] * 7), 7), (FALCO, 1), (5, 1), (None, 1),
     ({"alerts": [1, 2, 3]}, 1), (alertmanager() | {"alerts": []}, 1), (alertmanager() | {"alerts": "xyz"}, 1)],
)  # fmt: skip
def test_each_alert_of_a_notification_is_an_event(record: Any, events: int) -> None:
    assert count_alerts(record) == events


MARKS = ["receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "groupKey", "version"]


@given(st.dictionaries(st.sampled_from(MARKS), ANY, min_size=3), st.lists(ANY, max_size=3))
def test_whatever_is_in_it_is_said_to_be_wrong_or_read(record: dict[str, Any], alerts: list[Any]) -> None:
    for one in (record, {**record, "alerts": alerts}):
        if find_misshape(one) or not is_meant(one):
            continue
        assert len(parse_record(one, STAMPS, Shaping("alertmanager"))) == len(one["alerts"])


@given(st.lists(st.sampled_from(MARKS), unique=True))
def test_more_marks_never_make_it_less_of_one(names: list[str]) -> None:
    meant = [is_meant(dict.fromkeys(names[:count], "")) for count in range(len(names) + 1)]
    assert meant == sorted(meant)
