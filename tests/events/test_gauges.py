"""Readings and losses as events."""

import math

from daemon.events.gauges import lost_event, sample_event
from daemon.model import Logsource, Lost, Sample


def test_a_sample_is_an_event_of_its_category() -> None:
    sample = Sample("host", "host_metrics", 5.0, {"disk.mount": "/var"}, {"disk.percent": 91.2, "odd": math.nan})
    event = sample_event(sample, "vm")
    assert (event.logsource, event.at, event.host) == (Logsource(category="host_metrics"), 5.0, "vm")
    assert event.fields == {"disk.mount": "/var", "disk.percent": 91.2}
    assert event.text == "disk.mount=/var disk.percent=91.2"
    assert event.id == sample_event(sample, "vm").id
    other = Sample("host", "host_metrics", 5.0, {"disk.mount": "/"}, {"disk.percent": 1.0})
    assert sample_event(other, "vm").id != event.id


def test_a_loss_is_an_event() -> None:
    event = lost_event(Lost("audit", "audit_gap", 19, 5.0, "serials 19 to 37"), "vm")
    assert event.logsource == Logsource(category="evidence_loss")
    assert event.fields == {"source": "audit", "why": "audit_gap", "count": 19, "detail": "serials 19 to 37"}
    unknown = lost_event(Lost("audit", "truncated", None, 5.0), "vm")
    assert unknown.fields == {"source": "audit", "why": "truncated"}
    assert unknown.id != event.id
