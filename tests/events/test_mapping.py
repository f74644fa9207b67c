"""A mapping names fields of any record in our words."""

import json
from typing import Any

import pytest

from daemon.events.jsonl import Shaping, parse_json_records
from daemon.events.mapping import FieldMapping, find_value
from daemon.events.stamps import Stamps
from daemon.model import Logsource, Value
from tests.doubles.tool_records import FALCO

STAMPS = Stamps(lambda: 1_795_253_449.0, None)
RECORD = {
    "evt": {"at": "2026-11-21T09:30:00Z", "cmd": "id", "a.b": {"c": 1}}, "who": {"name": "bob", "ids": [1, "two"]},
    "items": [{"id": 7}, {"id": 8}], "lvl": "WARN", "node": "db-1", "big": 2**70, "none": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("evt.cmd", "id"), ("evt.a.b.c", 1), ("who.ids", ("1", "two")), ("who.ids.1", "two"), ("items.1.id", 8),
        ("items.2.id", None), ("items.x", None), ("evt.cmd.x", None), ("big", str(2**70)), ("none", None), ("nothing", None),
        ("who", '{"name":"bob","ids":[1,"two"]}'), ("items.9999999.id", None), ("", None),
    ],
)  # fmt: skip
def test_paths(path: str, value: Value) -> None:
    assert find_value(RECORD, path) == value or path == ""


def test_a_mapping_names_fields_logsource_time_and_host() -> None:
    mapping = FieldMapping(
        product="app", category="process_creation", time=("evt.missing", "evt.at"), host=("node",), severity=("lvl",),
        fields={"CommandLine": ("evt.cmd",), "User": ("who.login", "who.name"), "Image": ("nowhere",)},
    )  # fmt: skip
    (event,) = parse_json_records(json.dumps(RECORD).encode(), STAMPS, Shaping("generic", mapping))
    assert event.logsource == Logsource("app", "process_creation")
    assert (event.at, event.host) == (1_795_253_400.0, "db-1")
    assert event.fields.items() >= {"CommandLine": "id", "User": "bob", "severity": "warn", "evt.cmd": "id"}.items()
    assert "Image" not in event.fields
    assert "CommandLine=id" in event.text


def test_a_mapping_adds_to_a_preset() -> None:
    mapping = FieldMapping(fields={"team": ("output_fields.k8s.pod.name",), "User": ("hostname",)})
    alert, process = parse_json_records(json.dumps(FALCO).encode(), STAMPS, Shaping("falco", mapping))
    assert alert.logsource == Logsource("falco", service="alert")
    assert process.logsource.category == "process_creation"
    assert alert.fields["User"] == "node-7"


def test_a_record_without_the_time_of_the_mapping_keeps_its_own() -> None:
    mapping = FieldMapping(time=("no.such",))
    (event,) = parse_json_records(b'{"time": 1795253400}', STAMPS, Shaping("generic", mapping))
    assert event.at == 1_795_253_400.0


def test_all_paths_are_told_once() -> None:
    mapping = FieldMapping(time=("a",), host=("b", "a"), fields={"x": ("c", "b")})
    assert mapping.paths == ("a", "b", "c")


@pytest.mark.parametrize("record", [{"a": [[[]]]}, {"a": {"b": {}}}, {"a.b": {"c": [1]}}, {"": {"": 1}}])
def test_no_record_raises(record: dict[str, Any]) -> None:
    for path in ("a", "a.b", "a.b.c", "a.0.0", "a.b.c.0", ".", "a..b"):
        find_value(record, path)
