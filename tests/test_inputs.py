"""What a configuration makes of its sources of records."""

from pathlib import Path
from typing import Any, get_args

import pytest

from daemon.config import Config, FileSource, IntakeSource, JournalSource, Mapping, load_config
from daemon.config.inputs import Shape
from daemon.enrichment.redact import Redactor
from daemon.events.intake import IntakeReader
from daemon.events.journal_reader import JournalReader
from daemon.events.jsonl import Shaping
from daemon.events.text_readers import JsonReader
from daemon.inputs import build_intake, build_readers, shaping_of, token_of
from daemon.telemetry import Board
from tests.doubles.tool_records import alertmanager, an_alertmanager_alert


def a_config(tmp_path: Path, **changes: Any) -> Config:
    (tmp_path / "token").write_text("t" * 40, encoding="ascii")
    sources = (
        FileSource(type="file", name="eve", path="/var/log/eve.json", format="json", preset="suricata"),
        JournalSource(type="journal"),
        IntakeSource(type="intake", name="tools", token_file=tmp_path / "token"),
    )
    return Config(host="web-1", sources=sources, **changes)


def test_each_source_of_records_has_its_reader(tmp_path: Path) -> None:
    readers = build_readers(a_config(tmp_path), Redactor(), {}, now=lambda: 0.0, usernames=lambda _: "")
    assert {name: type(reader) for name, reader in readers.items()} == {
        "eve": JsonReader, "journal": JournalReader, "tools": IntakeReader,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "preset", "product"),
    [
        ({}, "auto", None), ({"preset": "falco"}, "falco", None), ({"mapping": {"fields": {"a": "b"}}}, "generic", "linux"),
        ({"preset": "falco", "mapping": {"fields": {"a": "b"}}}, "falco", ""),
        ({"preset": "falco", "mapping": {"product": "mine"}}, "falco", "mine"),
    ],
)  # fmt: skip
def test_a_mapping_without_a_preset_is_of_no_tool(options: dict[str, Any], preset: str, product: str | None) -> None:
    source = FileSource.model_validate({"type": "file", "name": "x", "path": "/x", "format": "jsonl", **options})
    shaping = shaping_of(source)
    assert shaping.preset == preset
    assert (None if shaping.mapping is None else shaping.mapping.product) == product
    assert isinstance(shaping, Shaping)


def test_an_intake_has_a_token_of_its_own_or_that_of_the_api(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    own = config.sources[2]
    assert isinstance(own, IntakeSource)
    assert token_of(own, config) == "t" * 40
    (tmp_path / "api").write_text("a" * 40, encoding="ascii")
    shared = IntakeSource(type="intake", name="shared")
    config = Config.model_validate({"sources": [shared], "api": {"token_file": tmp_path / "api"}})
    assert token_of(shared, config) == "a" * 40
    port = build_intake(shared, config, board=Board(lambda: 0.0), now=lambda: 0.0, nonce=lambda: "n")
    assert (port.name, port.token, port.max_body, port.rate) == ("shared", "a" * 40, 1_048_576, 500)
    assert port.find_fault(5) == "a JSON object"
    assert (port.weigh({"a": 1}), port.weigh(alertmanager(*[an_alertmanager_alert()] * 3))) == (1, 3)
    assert "t" * 40 not in repr(Mapping())


def test_the_example_of_other_tools_is_valid_and_names_every_preset(repository: Path) -> None:
    config = load_config(repository / "examples" / "other-tools.yaml")
    presets = {source.preset for source in config.sources if isinstance(source, FileSource | IntakeSource)}
    assert presets == set(get_args(Shape)) - {"alertmanager"}  # which posts, and is known by its shape
    assert {type(source) for source in config.sources} == {FileSource, JournalSource, IntakeSource}
