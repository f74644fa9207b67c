import json

import msgspec
import pytest

from daemon.cli.printing import anomaly_json, incident_json
from tests.doubles.values import T0, an_anomaly, an_incident


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (T0 + 0.25, "2026-11-21T11:20:00.250Z"),
        (-62135647200.0, "1970-01-01T00:00:00.000Z"),
        (99999999999.5, "5138-11-16T09:46:39.500Z"),
        (1e18, "9999-12-31T23:59:59.000Z"),
        (float("nan"), "1970-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_iso_in_utc_and_a_time_outside_the_calendar_hides_nothing(at: float, shown: str) -> None:
    anomaly = msgspec.structs.replace(an_anomaly(), at=at)
    incident = msgspec.structs.replace(an_incident(3), opened_at=at, last_at=at)

    row = json.loads(incident_json(incident))

    assert json.loads(anomaly_json(anomaly))["time"] == shown
    assert (row["opened_at"], row["last_at"]) == (shown, shown)


def test_an_anomaly_is_one_line_with_its_evidence() -> None:
    text = anomaly_json(an_anomaly())

    assert b"\n" not in text
    row = json.loads(text)
    assert row["position"] == {"path": "/var/log/audit/audit.log", "offset": 100}
    assert row["evidence"][0]["fields"]["User"] == "www-data"


def test_an_incident_says_how_often_and_how_long() -> None:
    row = json.loads(incident_json(an_incident(3, count=7)))

    assert (row["count"], row["severity"], row["status"]) == (7, "high", "open")
