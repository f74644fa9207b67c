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
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shell.yml").write_text(RULE)
    (tmp_path / "c.yaml").write_text(
        "webhooks:\n  - {name: ops, url: 'https://hooks.example/x'}\n" + f"rules: {{directories: [{tmp_path}/rules]}}\n"
    )

    said = f"{tmp_path}/c.yaml:2: webhooks.0.secret_files: expected a secret"
    warned = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])
    assert warned.exit_code == 0
    assert warned.stderr.startswith(f"warning: {said}")
    assert warned.stdout.endswith("1 warning, which --strict refuses\n")
    done = RUN.invoke(app, ["check", "--strict", "--config", str(tmp_path / "c.yaml")])
    assert done.exit_code == 2
    assert done.stderr.startswith(said)
    assert done.stdout == ""


def test_a_webhook_into_the_house_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "c.yaml").write_text(
        "webhooks:\n  - {name: ops, url: 'http://169.254.169.254/latest'}\n"
        f"rules: {{directories: [{tmp_path}/rules]}}\n"
    )

    done = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])

    assert done.exit_code == 2
    assert "webhooks.0.url: expected an address that may be called" in done.stderr


RULE = """title: A shell
id: 6a1c9b52-8f7d-4a58-9b44-2b9d1f2f0a10
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
    assert done.exit_code == 2
    assert done.stderr.splitlines()[0] == f"{samples}:2: sh: expected at least 1 anomaly (got 0)"


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
    refused = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(refused) == 1
    assert "shell.yml:4: detection.condition" in refused[0]


WINDOWS = RULE.replace("/sh}", "'\\\\bash'}").replace("A shell", "Bash of another world").replace("6a1c", "6a1d")


def test_a_rule_that_can_never_match_here_is_a_warning_and_strict_refuses_it(tmp_path: Path) -> None:
    arguments = rules_beside(tmp_path, "sh")
    (tmp_path / "rules" / "windows.yml").write_text(WINDOWS)

    warned = RUN.invoke(app, arguments)

    assert warned.exit_code == 0
    (said,) = [line for line in warned.stderr.splitlines() if "windows.yml" in line]
    assert said.startswith(f"warning: {tmp_path}/rules/windows.yml:")
    done = RUN.invoke(app, [*arguments, "--strict"])
    assert done.exit_code == 2
    assert said.removeprefix("warning: ") in done.stderr.splitlines()


def test_configuration_rules_and_samples_are_told_at_once(tmp_path: Path) -> None:
    arguments = rules_beside(tmp_path, "ksh")
    (tmp_path / "rules" / "broken.yml").write_text("title: [\n")
    (tmp_path / "rules" / "lonely.samples.yml").write_text(SAMPLES % "sh")
    config = tmp_path / "c.yaml"
    config.write_text(
        f"rules: {{directories: [{tmp_path}/rules, /nowhere]}}\nredaction: {{patterns: ['(']}}\n"
        "webhooks: [{name: ops, url_file: /nowhere/url}, {name: in, url: 'http://169.254.169.254/'}]\n"
    )

    done = RUN.invoke(app, arguments)

    keys = [line.split(": ")[1] for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert done.exit_code == 2
    assert sorted(keys) == sorted(
        [
            "rules.directories.1",
            "redaction.patterns.0",
            "webhooks.0.url_file",
            "(yaml)",
            "sh",
            "(file)",
            "webhooks.1.url",
        ]
    )
    assert f"{tmp_path}/rules/lonely.samples.yml:1: (file): expected a rule file beside it" in done.stderr


def keys_of(stderr: str) -> list[str]:
    return sorted(line.split(": ")[1] for line in stderr.splitlines() if not line.startswith("warning: "))


def test_mistyped_keys_hide_no_file_that_is_wrong(tmp_path: Path) -> None:
    arguments = rules_beside(tmp_path, "ksh")
    (tmp_path / "rules" / "broken.yml").write_text("title: [\n")
    (tmp_path / "short").write_text("short")
    (tmp_path / "c.yaml").write_text(
        f"rules:\n  directories: [{tmp_path}/rules, /nowhere]\nredaction: {{patterns: ['(']}}\nsauces: []\n"
        f"api: {{token_file: {tmp_path}/short, lissten: x}}\nsources: [{{type: gpu, intervall: 5s}}]\n"
        "webhooks: [{name: ops, urll: x}, {name: in, url: 'http://169.254.169.254/', secret_files: [/nowhere/s]}]\n"
    )
    done = RUN.invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert keys_of(done.stderr) == sorted(
        [
            *("sauces", "api.lissten", "sources.0.intervall", "webhooks.0.urll"),
            *("rules.directories.1", "redaction.patterns.0", "api.token_file", "webhooks.1.url"),
            *("webhooks.1.secret_files.0", "(yaml)", "sh"),
        ]
    )


def test_rules_are_not_judged_by_what_the_configuration_may_not_mean(tmp_path: Path) -> None:
    """With a mistake in that section they might be other rules, or filled with other values."""
    arguments = rules_beside(tmp_path, "ksh")
    (tmp_path / "rules" / "windows.yml").write_text(WINDOWS)
    for section in ("directorys: [x], disabled: [A shell]", "placeholders: {a: 5}", "watch: perhaps"):
        (tmp_path / "c.yaml").write_text(f"rules: {{{section}}}\nhosst: a\n")
        done = RUN.invoke(app, arguments)
        assert done.exit_code == 2
        assert [line for line in done.stderr.splitlines() if not line.startswith(f"{tmp_path}/c.yaml:")] == []
        assert len(done.stderr.splitlines()) == 2


def test_a_mistake_elsewhere_makes_no_warning_that_might_be_wrong(tmp_path: Path) -> None:
    rules_beside(tmp_path, "sh")
    (tmp_path / "rules" / "foreign.yml").write_text(FOREIGN)
    (tmp_path / "rules" / "windows.yml").write_text(WINDOWS)
    (tmp_path / "c.yaml").write_text(f"rules: {{directories: [{tmp_path}/rules]}}\nsources: [{{type: fyle}}]\n")
    done = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warned) == 1
    assert "windows.yml" in warned[0]


def test_a_configuration_that_is_none_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("sauces: []\n")
    done = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{tmp_path}/c.yaml:1: sauces: expected a known key")
    assert RUN.invoke(app, ["check", "--config", str(tmp_path / "none.yaml")]).exit_code == 2


MISTYPED = RULE.replace("Image|endswith", "Imge|endswith").replace("A shell", "Mistyped").replace("6a1c", "6a1e")
FOREIGN = RULE.replace("Image|endswith: /sh", "src_ip: 192.0.2.7").replace("A shell", "Foreign").replace("6a1c", "6a1f")


def warnings_of(tmp_path: Path, sources: str) -> list[str]:
    config = tmp_path / "c.yaml"
    config.write_text(f"rules: {{directories: [{tmp_path}/rules]}}\nsources: [{sources}]\n")
    done = RUN.invoke(app, ["check", "--config", str(config)])
    assert done.exit_code == 0, done.stderr
    return [line.removeprefix(f"warning: {tmp_path}/rules/") for line in done.stderr.splitlines() if "/rules/" in line]


def test_a_mistyped_field_is_told_with_its_line_and_what_was_meant(tmp_path: Path) -> None:
    rules_beside(tmp_path, "sh")
    (tmp_path / "rules" / "mistyped.yml").write_text(MISTYPED)
    (tmp_path / "rules" / "foreign.yml").write_text(FOREIGN)
    mistyped = "mistyped.yml:4: detection.selection.Imge: expected a field of process_creation (got Imge) – did you mean Image?"
    foreign = "foreign.yml:4: detection.selection.src_ip: expected a field of process_creation (got src_ip)"

    assert warnings_of(tmp_path, "{type: file, name: audit, path: /nowhere/audit.log}") == [foreign, mistyped]
    assert warnings_of(tmp_path, "{type: file, name: j, path: /nowhere/x.json}") == [mistyped]


def test_a_directory_without_rules_is_told(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lonely.txt").write_text("")
    (tmp_path / "c.yaml").write_text(f"rules: {{directories: [shipped, {tmp_path}/rules]}}\n")
    done = RUN.invoke(app, ["check", "--config", str(tmp_path / "c.yaml")])
    said = (
        f"warning: {tmp_path}/c.yaml:1: rules.directories.1: expected rule files in {tmp_path}/rules (*.yml; got none)"
    )
    assert said in done.stderr.splitlines()
