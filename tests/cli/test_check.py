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
