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


def test_what_made_a_reading_so_is_told_and_not_searched() -> None:
    """Keywords search the text: a process may call itself anything."""
    words = ("97 % of a core, pid 7 of alice: xmrig",)
    sample = Sample("host", "host_metrics", 5.0, {}, {"cpu.percent": 97.0}, {"top.cpu": words})
    event = sample_event(sample, "vm")
    assert event.fields == {"top.cpu": words, "cpu.percent": 97.0}
    assert event.text == "cpu.percent=97.0"
    assert event.id == sample_event(Sample("host", "host_metrics", 5.0, {}, {"cpu.percent": 97.0}), "vm").id


def test_a_loss_is_an_event() -> None:
    event = lost_event(Lost("audit", "audit_gap", 19, 5.0, "serials 19 to 37"), "vm")
    assert event.logsource == Logsource(category="evidence_loss")
    assert event.fields == {"source": "audit", "why": "audit_gap", "count": 19, "detail": "serials 19 to 37"}
    unknown = lost_event(Lost("audit", "truncated", None, 5.0), "vm")
    assert unknown.fields == {"source": "audit", "why": "truncated"}
    assert unknown.id != event.id


def test_what_was_derived_is_a_field_and_no_text_and_never_hides_a_reading() -> None:
    sample = Sample("host", "host_metrics", 5.0, {"disk.mount": "/"}, {"disk.percent": 91.0})

    event = sample_event(sample, "web-1", {"disk.percent.zscore": 7.1, "disk.percent": 0.0})

    assert event.fields == {"disk.mount": "/", "disk.percent": 91.0, "disk.percent.zscore": 7.1}
    assert event.text == "disk.mount=/ disk.percent=91.0"
