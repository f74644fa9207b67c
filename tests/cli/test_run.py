from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli import run
from daemon.cli.app import app


def test_a_bad_configuration_stops_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("graze: 1\n")

    done = CliRunner().invoke(app, ["run", "--config", str(tmp_path / "c.yaml")])

    assert done.exit_code == 2
    assert done.stderr == f"{tmp_path}/c.yaml:1: graze: expected a known key\n"


def test_the_standard_file_is_used_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "STANDARD_CONFIG", tmp_path / "config.yaml")

    assert run.chosen_config(None) is None
    (tmp_path / "config.yaml").touch()
    assert run.chosen_config(None) == tmp_path / "config.yaml"
    assert run.chosen_config(Path("/mine")) == Path("/mine")
