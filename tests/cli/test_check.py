from pathlib import Path

from typer.testing import CliRunner

from daemon.cli.app import app

RUN = CliRunner()


def test_a_valid_configuration_is_counted(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("host: web-1\n")

    done = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])

    assert done.exit_code == 0
    assert "ok;" in done.stdout


def test_unwise_is_refused_only_when_strict(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("webhooks:\n  - {name: ops, url: 'https://hooks.example/x'}\n")

    assert RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")]).exit_code == 0
    done = RUN.invoke(app, ["check", "--strict", "--config", str(tmp_path / "c.yaml")])
    assert done.exit_code == 2
    assert "webhooks.0.secret_files" in done.stderr


def test_a_webhook_into_the_house_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("webhooks:\n  - {name: ops, url: 'http://169.254.169.254/latest'}\n")

    done = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])

    assert done.exit_code == 2
    assert "webhooks.0.url: expected an address that may be called" in done.stderr


RULE = """title: A shell
logsource: {product: linux, category: process_creation}
detection: {selection: {Image|endswith: /sh}, condition: selection}
"""
SAMPLES = """hit:
    - name: sh
      format: json
      lines: '{"Image": "/bin/%s", "CommandLine": "x"}'
miss:
    - name: ls
      format: json
      lines: '{"Image": "/bin/ls", "CommandLine": "x"}'
"""
FILTER = """title: Not ours
logsource: {product: linux, category: process_creation}
filter: {rules: any, selection: {CommandLine: x}, condition: not selection}
"""


def rules_beside(tmp_path: Path, program: str) -> list[str]:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "shell.yml").write_text(RULE)
    (rules / "shell.samples.yml").write_text(SAMPLES % program)
    (tmp_path / "c.yaml").write_text(f"rules: {{directories: [{rules}]}}\n")
    return ["check", "--config", str(tmp_path / "c.yaml")]


def test_a_rule_that_misses_its_sample_is_refused(tmp_path: Path) -> None:
    done = RUN.invoke(app, rules_beside(tmp_path, "ksh"))

    samples = tmp_path / "rules" / "shell.samples.yml"
    assert (done.exit_code, done.stderr) == (2, f"{samples}:2: sh: expected at least 1 anomaly (got 0)\n")


def test_a_filter_of_ones_own_breaks_no_sample(tmp_path: Path) -> None:
    arguments = rules_beside(tmp_path, "sh")
    (tmp_path / "rules" / "ours.yml").write_text(FILTER)

    done = RUN.invoke(app, arguments)

    assert done.exit_code == 0, done.stderr
    assert "2 samples" in done.stdout


def test_a_rule_that_cannot_be_used_is_named_once(tmp_path: Path) -> None:
    arguments = rules_beside(tmp_path, "sh")
    (tmp_path / "rules" / "shell.yml").write_text(RULE.replace("condition: selection", "condition: other"))

    done = RUN.invoke(app, arguments)

    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert "shell.yml:3: detection.condition" in done.stderr
