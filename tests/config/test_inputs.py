"""The journal, intakes and mappings as they stand in the configuration."""

from pathlib import Path
from typing import Any

import pytest

from daemon.config import FileSource, IntakeSource, JournalSource, load_config
from daemon.model import ProblemsError


def load(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(ProblemsError) as error:
        load(tmp_path, text)
    return str(error.value.problems[0]).removeprefix(f"{tmp_path}/")


def test_a_journal(tmp_path: Path) -> None:
    config = load(
        tmp_path, "sources:\n  - {type: journal, units: [ssh.service], matches: [_UID=0], fields: [CONTAINER_TAG]}\n"
    )
    (source,) = config.sources
    assert isinstance(source, JournalSource)
    assert (source.name, source.start, source.units, source.directory) == ("journal", "end", ("ssh.service",), None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("units: [--file=/x]", "expected units such as ssh.service (got '--file=/x')"),
        ("units: [-u]", "expected units such as ssh.service (got '-u')"),
        ("matches: [--vacuum-size=1]", "expected matches such as _TRANSPORT=kernel (got '--vacuum-size=1')"),
        ("matches: [_UID]", "expected matches such as _TRANSPORT=kernel (got '_UID')"),
        ("matches: ['_UID=']", "expected matches such as _TRANSPORT=kernel (got '_UID=')"),
        ("fields: ['a,b']", "expected fields such as CONTAINER_NAME (got 'a,b')"),
        ("directory: var/log", "expected an absolute path as directory (got 'var/log')"),
        ("directory: /a, files: [/b]", "expected directory or files, not both"),
        ("unit: [x]", "expected a known key – did you mean units?"),
        ("start: now", "expected 'end' or 'beginning' (got 'now')"),
    ],
)  # fmt: skip
def test_what_would_become_an_option_of_journalctl_is_refused(tmp_path: Path, options: str, expected: str) -> None:
    assert problem(tmp_path, f"sources:\n  - {{type: journal, {options}}}\n").endswith(expected)


MAPPED = """
sources:
  - type: file
    name: app
    path: /var/log/app.json
    format: {fmt}
    mapping:
      product: app
      service: login
      time: [event.created, "@timestamp"]
      host: host.name
      severity: level
      fields:
        CommandLine: process.command_line
        User: [user.name, user.id]
"""


@pytest.mark.parametrize("fmt", ["json", "jsonl", "ndjson"])
def test_a_mapping_of_lines_of_json(tmp_path: Path, fmt: str) -> None:
    (source,) = load(tmp_path, MAPPED.format(fmt=fmt)).sources
    assert isinstance(source, FileSource)
    assert (source.format, source.preset) == ("json", "auto")
    assert source.mapping is not None
    assert source.mapping.host == ("host.name",)
    assert source.mapping.fields == {"CommandLine": ("process.command_line",), "User": ("user.name", "user.id")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MAPPED.format(fmt="syslog"), "expected format: json beside mapping (got format: syslog)"),
        (MAPPED.format(fmt="json").replace("level", "'.level'"), "expected paths such as event.user.name for severity (got ['.level'])"),
        (MAPPED.format(fmt="json").replace("process.command_line", "[]"), "expected paths such as event.user.name for CommandLine (got [])"),
        (MAPPED.format(fmt="json").replace("severity:", "severty:"), "expected a known key – did you mean severity?"),
        (MAPPED.format(fmt="json").replace("mapping:", "preset: flaco\n    mapping:"), "(got 'flaco')"),
        ("sources: [{type: file, name: a, path: /a, preset: falco}]", "expected format: json beside preset (got format: auto)"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be(tmp_path: Path, text: str, expected: str) -> None:
    assert problem(tmp_path, text).endswith(expected)


def test_an_intake_needs_a_token_and_the_endpoint(tmp_path: Path) -> None:
    good = load(tmp_path, "sources: [{type: intake, token_file: intake-token}]\n")
    assert isinstance(good.sources[0], IntakeSource)
    assert load(tmp_path, "sources: [{type: intake}]\napi: {token_file: api-token}\n").sources[0].name == "intake"
    assert problem(tmp_path, "host: web-1\nsources:\n  - type: journal\n  - type: intake\n    name: tools\n").endswith(
        ":4: sources.1.token_file: expected a token_file for the intake tools (or api.token_file)"
    )
    closed = "sources: [{type: intake, token_file: x}]\napi:\n  enabled: false\n"
    assert ":3: api.enabled: expected api.enabled: true for the intake intake" in problem(tmp_path, closed)
    assert "did you mean token_file?" in problem(tmp_path, "sources: [{type: intake, token_fle: x}]\n")
