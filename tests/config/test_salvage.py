"""What is right in a configuration with mistakes is kept, in its place; what is wrong is left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import Config, FileSource, GpuSource, IntakeSource
from daemon.config.salvage import salvage

MISTAKEN: list[tuple[dict[Any, Any], str, object]] = [
    ({"api": {"listen": "127.0.0.1:1", "lissten": 5}}, "api.listen", "127.0.0.1:1"),
    ({"api": {"listen": "0.0.0.0:80"}}, "api.listen", "127.0.0.1:8787"),
    ({"api": 7, "host": "a"}, "host", "a"),
    ({"rules": {"directories": ["/a"], "watch": "perhaps"}}, "rules.directories", ("/a",)),
    ({"rules": {"directories": ["/a", 5], "watch": True}}, "rules.watch", True),
    ({"rules": {"directories": ["/a", 5]}}, "rules.directories", ("shipped",)),
    ({"model": {"queue": 0, "name": "m"}}, "model.name", "m"),
    ({"redaction": {"patterns": "x"}, "log": {"level": "info", "colour": 1}}, "log.level", "info"),
    ({"sauces": [], 5: {}, "host": "b"}, "host", "b"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "key", "value"), MISTAKEN)
def test_what_is_right_is_kept_and_what_is_wrong_has_its_default(data: dict[str, Any], key: str, value: object) -> None:
    found: Any = salvage(data)
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value


def test_sources_and_webhooks_keep_their_places() -> None:
    found = salvage(
        {
            "sources": [
                {"type": "fyle", "name": "a"},
                {"type": "file", "name": "b", "path": "/b", "formaat": "json"},
                7,
                {"type": "intake", "name": "c", "rate": 0, "token_file": "/c"},
            ],
            "webhooks": [{"name": "a"}, {"name": "b", "url": "https://b.example/", "secret_files": ["/s", 5]}, {}],
        }
    )
    one, two, three, four = found.sources
    assert isinstance(one, GpuSource)
    assert isinstance(two, FileSource)
    assert two.path == "/b"
    assert isinstance(three, GpuSource)
    assert isinstance(four, IntakeSource)
    assert (str(four.token_file), four.rate) == ("/c", 500)
    assert [hook.name for hook in found.webhooks] == ["mistaken", "b", "mistaken"]
    assert found.webhooks[1].secret_files == ()


@pytest.mark.parametrize(
    "odd", [float("nan"), {float("nan"): 1}, {None: float("nan")}, [float("nan")], {"a": {"b": []}}]
)
def test_what_equals_nothing_does_not_keep_it_from_ending(odd: object) -> None:
    data = dict.fromkeys(Config.model_fields, odd)
    assert salvage({**data, "sources": [odd, {"type": "file", "name": odd, "path": "/b"}]}).host == ""
    assert salvage({"api": {"listen": odd, "enabled": False}}).api.enabled is False


def test_what_was_given_is_left_as_it_is() -> None:
    data = {"api": {"lissten": 1}, "sources": [{"type": "gpu", "x": 1}]}
    salvage(data)
    assert data == {"api": {"lissten": 1}, "sources": [{"type": "gpu", "x": 1}]}


def test_two_of_one_name_are_both_looked_at() -> None:
    twice = {"type": "gpu", "name": "g"}
    assert len(salvage({"sources": [twice, twice]}).sources) == 2


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*Config.model_fields, "name", "type"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*Config.model_fields, "other"]), VALUES))
def test_whatever_stands_there_a_whole_configuration_comes_of_it(data: dict[str, Any]) -> None:
    found = salvage(data)
    assert all(hasattr(found, name) for name in Config.model_fields)
    for name in ("sources", "webhooks"):
        if isinstance(data.get(name), list):
            assert len(getattr(found, name)) == len(data[name])
