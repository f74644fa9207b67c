"""`tellwhy rules` as a user runs it: output, errors, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daemon.cli.app import app
from daemon.config import read_rule_files, shipped_rules

RULE = """title: {title}
id: 0000000{digit}-0000-4000-8000-000000000000
logsource: {{product: linux, service: syslog}}
detection: {{selection: {{Message|contains: {word}}}, condition: selection}}
"""
SAMPLES = """hit:
    - {name: the word, format: syslog, lines: '$SYSLOG web-1 app: alpha'}
miss:
    - {name: another word, format: syslog, lines: '$SYSLOG web-1 app: beta'}
"""
KEYS = ["id", "title", "level", "logsource", "techniques", "author", "path", "enabled"]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A rule with samples, and a configuration that names its directory."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "alpha.yml").write_text(RULE.format(title="Alpha", digit="a", word="alpha"))
    (tmp_path / "rules" / "alpha.samples.yml").write_text(SAMPLES)
    (tmp_path / "c.yaml").write_text(f"rules: {{directories: [{tmp_path}/rules], disabled: [Alpha]}}\n")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def listed(done: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_ours_are_listed_with_exactly_the_documented_keys() -> None:
    done = run("list", "--json", "--rules", "shipped")
    found = listed(done)
    assert (done.exit_code, done.stderr) == (0, "")
    assert all(list(one) == KEYS and list(one["logsource"]) == ["product", "category", "service"] for one in found)
    assert {one["path"] for one in found} == set(read_rule_files(["shipped"]))
    titles = {one["title"]: one for one in found}
    assert titles["SSH brute force from one address"]["logsource"]["service"] == "sshd"
    assert titles["SSH login failed"]["enabled"] is True


def test_all_public_rules_are_listed_and_named_by_what_they_are(shared_data: Path) -> None:
    done = run("list", "--json", "--rules", shared_data / "sigma-rules")
    found = listed(done)
    assert (done.exit_code, done.stderr, len(found)) == (0, "", 248)
    assert all(one["author"] and one["logsource"]["product"] == "linux" for one in found)


def test_directories_given_stand_in_place_of_the_configured(top: Path) -> None:
    (top / "other").mkdir()
    (top / "other" / "beta.yml").write_text(RULE.format(title="Beta", digit="b", word="beta"))
    config = ("--config", top / "c.yaml")

    configured, other = run("list", "--json", *config), run("list", "--json", *config, "--rules", top / "other")
    both = run("list", "--json", *config, "--rules", top / "other", "--rules", top / "rules" / "alpha.yml")

    assert [(one["title"], one["enabled"]) for one in listed(configured)] == [("Alpha", False)]
    assert [(one["title"], one["enabled"]) for one in listed(other)] == [("Beta", True)]
    assert [(one["title"], one["enabled"]) for one in listed(both)] == [("Beta", True), ("Alpha", False)]
    assert (configured.stderr, other.stderr, both.stderr) == ("", "", "")


def test_a_rule_that_cannot_be_used_is_said_and_the_others_are_listed(top: Path) -> None:
    broken = top / "rules" / "broken.yml"
    broken.write_text(RULE.format(title="Broken", digit="c", word="x").replace("contains", "contain"))
    for arguments in (["list"], ["list", "--json"], ["show", "alpha"]):
        done = run(*arguments, "--config", top / "c.yaml")
        assert done.exit_code == 0
        assert done.stderr.startswith(f"{broken}:4: detection.selection.Message|contain: expected a known modifier")
        assert "Alpha" in done.stdout
        assert "Broken" not in done.stdout


def test_a_pipe_gets_whole_lines(top: Path) -> None:
    long = "A title that is much longer than eighty characters, so that any terminal would have to wrap it somewhere"
    (top / "rules" / "long.yml").write_text(RULE.format(title=long, digit="d", word="x"))

    lines = run("list", "--config", top / "c.yaml").stdout.splitlines()

    (row,) = [line for line in lines if long in line]
    assert row.split()[-1] == "0000000d-0000-4000-8000-000000000000"
    assert lines[0].split() == ["title", "level", "looks", "at", "techniques", "state", "id"]
    assert len(lines) == 4
    assert "\x1b" not in "".join(lines)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", ["0000000a-0000-4000-8000-000000000000", "0000000A", "Alpha", "alpha"])
def test_a_rule_is_shown_by_any_of_its_names(top: Path, name: str) -> None:
    done = run("show", name, "--config", top / "c.yaml")
    assert done.exit_code == 0
    assert done.stdout.startswith("Alpha\n  id          0000000a-0000-4000-8000-000000000000\n")
    assert 'fires on    Message contains "alpha"' in done.stdout
    assert "samples     hit  the word (alpha.samples.yml:2)" in done.stdout
    assert "state       off" in done.stdout
    shown = json.loads(run("show", name, "--json", "--config", top / "c.yaml").stdout)
    assert list(shown)[:8] == KEYS
    assert shown["condition"] == 'Message contains "alpha"'
    assert [one["kind"] for one in shown["samples"]] == ["hit", "miss"]


def test_samples_that_cannot_be_read_are_said_where_the_rule_is_shown(top: Path) -> None:
    samples = top / "rules" / "alpha.samples.yml"
    samples.write_text("hit: [x]\n")
    done = run("show", "alpha", "--config", top / "c.yaml")
    assert done.exit_code == 0
    assert done.stderr.startswith(f"{samples}:1: ")


def test_who_is_meant_is_asked_back(top: Path) -> None:
    (top / "rules" / "beta.yml").write_text(RULE.format(title="Beta", digit="b", word="beta"))
    config = ("--config", top / "c.yaml")
    unknown, many, none = run("show", "alfa", *config), run("show", "0000", *config), run("show", "zzz", *config)
    assert [done.exit_code for done in (unknown, many, none)] == [2, 2, 2]
    assert unknown.stderr.endswith("(got 'alfa') – did you mean “Alpha”?\n")
    assert many.stderr.startswith("expected one rule (got 0000, which is any of: Alpha 0000000a-")
    assert none.stderr.endswith("(got 'zzz'); `tellwhy rules list` shows them all\n")


def test_samples_that_hold_and_a_rule_that_has_none(top: Path) -> None:
    (top / "rules" / "beta.yml").write_text(RULE.format(title="Beta", digit="b", word="beta"))
    done = run("test", "--config", top / "c.yaml")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{top}/rules/beta.yml:1: Beta: no samples",
        "2 samples of 2 rules: all hold; 1 rule without samples",
    ]


def test_a_sample_that_does_not_hold_is_exit_code_1(top: Path) -> None:
    samples = top / "rules" / "alpha.samples.yml"
    samples.write_text(SAMPLES.replace("alpha", "hush"))
    for path in ((), (samples,), (top / "rules",), (top / "rules" / "alpha.yml",)):
        done = run("test", *path, "--config", top / "c.yaml")
        assert done.exit_code == 1
        assert done.stderr == f"{samples}:2: the word: expected at least 1 anomaly (got 0)\n"
        assert done.stdout == "2 samples of 1 rule: 1 does not hold\n"


def test_bad_input_is_exit_code_2_and_the_rest_is_played(top: Path) -> None:
    lonely = top / "rules" / "lonely.samples.yml"
    lonely.write_text(SAMPLES)
    done = run("test", "--config", top / "c.yaml")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"{lonely}:1: (file): expected a rule file beside it")
    assert done.stdout == "2 samples of 1 rule: all hold; 1 problem\n"
    played = json.loads(run("test", "--json", "--config", top / "c.yaml").stdout)
    assert [one["ok"] for one in played["results"]] == [True, True]
    assert len(played["problems"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--rules", "/nowhere"],
        ["show", "x", "--rules", "/nowhere"],
        ["test", "--rules", "/nowhere"],
        ["test", "/nowhere/a.yml"],
        ["list", "--config", "/nowhere/c.yaml"],
        ["test", "--config", "/nowhere/c.yaml"],
    ],
)
def test_what_is_not_there_is_bad_input_in_words(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_rules_at_all_is_bad_input(tmp_path: Path) -> None:
    done = run("list", "--rules", tmp_path)
    assert done.exit_code == 2
    assert done.stderr == f"expected Sigma rules in {tmp_path} (got none that can be used)\n"
    assert run("test", tmp_path).exit_code == 2


def test_the_public_rules_have_no_samples_and_that_is_no_failure(shared_data: Path) -> None:
    done = run("test", shared_data / "sigma-rules", "--rules", shared_data / "sigma-rules")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [
        "… and 228 more rules without samples",
        "0 samples of 248 rules: nothing was tried; 248 rules without samples",
    ]


def test_ours_hold() -> None:
    done = run("test", shipped_rules() / "host", "--rules", "shipped")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.endswith(" rules: all hold\n")
