"""The types that go over the wire."""

import inspect
from typing import get_args

import msgspec
import pytest

from daemon.api import shapes
from daemon.model import Severity

SHAPES = [kind for _, kind in inspect.getmembers(shapes, inspect.isclass) if kind.__module__ == shapes.__name__]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda kind: kind.__name__)
def test_every_shape_has_a_schema_in_which_its_fields_are_required(shape: type[msgspec.Struct]) -> None:
    schema = msgspec.json.schema_components([shape], ref_template="{name}")[1][shape.__name__]
    assert schema["description"]
    optional = {"waiting_for"}
    assert set(schema["properties"]) - set(schema["required"]) <= optional


def test_levels_are_the_severities_in_order() -> None:
    assert list(get_args(shapes.Level)) == [severity.name for severity in Severity]


def test_instants_are_declared_as_such() -> None:
    schema = msgspec.json.schema_components([shapes.IncidentShape], ref_template="{name}")[1]["IncidentShape"]
    for name in ("opened_at", "last_at"):
        assert schema["properties"][name] == {"type": "string", "format": "date-time"}
