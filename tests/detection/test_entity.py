import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.entity import entity_of, entity_text, field_text
from daemon.model import Logsource, Value
from tests.doubles.detection import METRICS, PROCESS, SSHD, make_event


def test_defaults_fit_the_logsource() -> None:
    assert entity_of(make_event({"User": "root"}, source=PROCESS)) == "User=root, host=web1"
    assert entity_of(make_event({"src_ip": "203.0.113.9", "user": "x"}, source=SSHD)) == "src_ip=203.0.113.9"
    assert entity_of(make_event({"src_host": "evil.example"}, source=SSHD)) == "src_host=evil.example"
    assert entity_of(make_event({"user": "bob"}, source=Logsource("linux", "", "sudo"))) == "user=bob"
    lost = make_event({"source": "audit", "why": "backlog"}, source=Logsource("linux", "evidence_loss"))
    assert entity_of(lost) == "source=audit, why=backlog"
    assert entity_of(make_event({"disk.mount": "/var", "disk.percent": 91.0}, source=METRICS)) == "disk.mount=/var"
    gpu = make_event({"gpu.index": "0", "gpu.name": "H100"}, source=Logsource("linux", "gpu_metrics", ""))
    assert entity_of(gpu) == "gpu.index=0"
    assert entity_of(make_event({"cpu.percent": 99.0}, source=METRICS)) == "host=web1"
    assert entity_of(make_event({"exe": "/bin/sh"}, source=Logsource("linux", "", "auditd"))) == "host=web1"


@pytest.mark.parametrize(
    ("service", "fields", "entity"),
    [
        ("auditd", {"User": "root", "Image": "/bin/sh"}, "User=root, host=web1"),
        ("auditd", {"acct": "bob", "addr": "203.0.113.9"}, "acct=bob, host=web1"),
        ("cron", {"user": "bob", "command": "x"}, "user=bob"),
        ("vsftpd", {"src_host": "evil.example"}, "src_host=evil.example"),
        ("Syslog", {"program": "kernel"}, "program=kernel, host=web1"),
        ("guacamole", {"user": "bob", "src_ip": "203.0.113.9"}, "src_ip=203.0.113.9"),
        ("shop", {"user": "bob", "src_ip": None}, "user=bob"),
        ("shop", {"User": "bob", "order": 7}, "User=bob"),
        ("", {"order": 7}, "host=web1"),
    ],
)
def test_who_did_it_comes_before_where_it_was(service: str, fields: dict[str, Value], entity: str) -> None:
    assert entity_of(make_event(fields, source=Logsource("linux", "", service))) == entity


def test_a_process_on_a_gpu_and_a_part_of_a_gpu_are_not_the_gpu() -> None:
    """The worst bug: readings of all of them taken for one thing, which then begins and ends with each reading."""
    gpu: dict[str, Value] = {"gpu.index": "0", "gpu.name": "x"}
    found = [
        entity_of(make_event(gpu | more, source=METRICS))
        for more in ({}, {"gpu.mig": "1"}, {"process.pid": "7", "process.name": "a", "process.user": "u"})
    ]
    assert found == ["gpu.index=0", "gpu.index=0, gpu.mig=1", "gpu.index=0, process.pid=7, process.name=a"]


def test_a_reading_of_an_unknown_thing_is_named_by_its_tags() -> None:
    event = make_event({"sensor.chip": "k10", "sensor.label": "Tctl", "sensor.celsius": 80.0}, source=METRICS)
    assert entity_of(event) == "sensor.chip=k10, sensor.label=Tctl"


def test_the_rule_decides_and_what_is_missing_is_left_out() -> None:
    event = make_event({"User": "root", "Image": "/bin/sh"})
    assert entity_of(event, ("Image", "User")) == "Image=/bin/sh, User=root"
    assert entity_of(event, ("Image", "nothing")) == "Image=/bin/sh"
    assert entity_of(event, ("nothing",)) == "host=web1"


def test_the_event_knows_its_host_and_source() -> None:
    assert field_text(make_event(), "host") == "web1"
    assert field_text(make_event({"host": "other"}), "host") == "other"
    assert field_text(make_event(), "source") == "test"
    assert field_text(make_event({"a": ("x", "y")}), "a") == "x,y"
    assert field_text(make_event({"a": None}), "a") is None


def test_a_value_cannot_pretend_to_be_two() -> None:
    assert entity_text([("User", "root, host=db1")]) != entity_text([("User", "root"), ("host", "db1")])
    assert entity_text([("a", "\x01")]) != entity_text([("a", "\\x01")])
    assert "\n" not in entity_text([("a", "x\ny")])


def test_long_values_are_cut_but_stay_different() -> None:
    one, other = (entity_text([("a", "x" * 5000 + end)]) for end in "ab")
    assert one != other
    assert len(one) < 300


@given(st.lists(st.text(max_size=8), min_size=2, max_size=2), st.lists(st.text(max_size=8), min_size=2, max_size=2))
def test_different_values_never_render_the_same(one: list[str], other: list[str]) -> None:
    texts = [entity_text([("a", values[0]), ("b", values[1])]) for values in (one, other)]
    assert (texts[0] == texts[1]) is (one == other)
