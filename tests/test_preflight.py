"""A valid configuration that does not fit this machine is refused with all its problems and their lines."""

from pathlib import Path

import pytest

from daemon.config import default_config, load_config
from daemon.preflight import find_problems, read_rules

CONFIG = """\
rules:
  directories:
    - shipped
    - {top}/none
redaction:
  patterns: ['(', 'x*', 'fine']
api:
  token_file: {top}/short
memory:
  mode: server
  api_key_file: {top}/missing
webhooks:
  - name: ops
    url_file: {top}/missing
    secret_files:
      - {top}/short
    allow_private: [10.0.0.0/8, nonsense]
"""


def test_all_problems_at_once_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too-short")
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(top=tmp_path))
    config = load_config(path)

    found = [(problem.line, problem.key, problem.expected.split(" (")[0]) for problem in find_problems(config, path)]

    missing = f"expected a readable secret file at {tmp_path / 'missing'}"
    assert found == [
        (6, "redaction.patterns.0", "expected an RE2 expression"),
        (6, "redaction.patterns.1", "expected an expression that does not match the empty text"),
        (8, "api.token_file", f"expected a token of at least 32 characters in {tmp_path / 'short'}"),
        (11, "memory.api_key_file", missing),
        (14, "webhooks.0.url_file", missing),
        (16, "webhooks.0.secret_files.0", "expected a signing secret: whsec_ and then base64 of 24 to 64 random bytes"),
        (17, "webhooks.0.allow_private.1", "allow_private: expected an address or range such as 10.0.0.0/8"),
    ]


def test_directories_that_can_be_read_are_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(top=tmp_path))

    files, problems = read_rules(load_config(path), path)

    assert files
    assert [str(problem) for problem in problems] == [
        f"{path}:4: rules.directories.1: expected a directory of rules or a rule file at {tmp_path / 'none'}"
    ]


def test_the_defaults_fit() -> None:
    assert find_problems(default_config(), None) == []


def test_a_token_of_an_intake_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too-short", encoding="ascii")
    path = tmp_path / "config.yaml"
    path.write_text(f"sources:\n  - type: intake\n    token_file: {tmp_path}/short\n", encoding="utf-8")

    (problem,) = find_problems(load_config(path), path)

    assert (problem.line, problem.key) == (3, "sources.0.token_file")
    assert "at least 32 characters" in problem.expected


@pytest.mark.parametrize("token", ["t" * 32 + "\n" + "u" * 32, "t" * 32 + " x", "t" * 32 + "\u00e9"])
def test_a_token_that_no_header_can_carry_is_refused_before_every_request_fails(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token, encoding="utf-8")
    path = tmp_path / "config.yaml"
    path.write_text(f"sources:\n  - type: intake\n    token_file: {tmp_path}/token\n", encoding="utf-8")
    (problem,) = find_problems(load_config(path), path)
    assert str(problem) == (
        f"{path}:3: sources.0.token_file: expected one token in {tmp_path}/token: visible ASCII characters without "
        "blanks between them"
    )
