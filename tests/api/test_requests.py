"""What clients may send."""

from typing import Any

import msgspec
import pytest

from daemon.api.requests import AnomalyBody, IncidentsQuery, NoParameters, Question


@pytest.mark.parametrize("shape", [IncidentsQuery, Question, AnomalyBody])
def test_every_field_says_what_it_expects_and_unknown_ones_are_refused(shape: type[Any]) -> None:
    schema = msgspec.json.schema_components([shape], ref_template="{name}")[1][shape.__name__]
    assert schema["additionalProperties"] is False
    for name, field in schema["properties"].items():
        assert field.get("description"), name


def test_nothing_means_nothing() -> None:
    assert msgspec.json.decode(b"{}", type=NoParameters) == NoParameters()
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"force": true}', type=NoParameters)


def test_the_defaults_show_everything() -> None:
    assert IncidentsQuery() == IncidentsQuery(limit=50, before="", severity="informational", status="", rule="", q="")


def test_a_body_has_at_most_fifty_events() -> None:
    events: list[dict[str, str]] = [{"a": "b"}] * 50
    assert len(msgspec.convert({"events": events}, AnomalyBody).events) == 50
    with pytest.raises(msgspec.ValidationError, match="<= 50"):
        msgspec.convert({"events": [*events, {}]}, AnomalyBody)


def test_lines_are_one_text_or_several() -> None:
    assert msgspec.convert({"lines": "a\nb"}, AnomalyBody).lines == "a\nb"
    assert msgspec.convert({"lines": ["a", "b"]}, AnomalyBody).lines == ("a", "b")
