import json

from daemon.cli.printing import anomaly_json, incident_json, iso
from tests.doubles.values import T0, an_anomaly, an_incident


def test_times_are_iso_in_utc() -> None:
    assert iso(T0 + 0.25) == "2026-11-21T11:20:00.250Z"


def test_an_anomaly_is_one_line_with_its_evidence() -> None:
    text = anomaly_json(an_anomaly())

    assert b"\n" not in text
    row = json.loads(text)
    assert row["position"] == {"path": "/var/log/audit/audit.log", "offset": 100}
    assert row["evidence"][0]["fields"]["User"] == "www-data"


def test_an_incident_says_how_often_and_how_long() -> None:
    row = json.loads(incident_json(an_incident(3, count=7)))

    assert (row["count"], row["severity"], row["status"]) == (7, "high", "open")
