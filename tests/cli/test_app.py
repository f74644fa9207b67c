from typer.testing import CliRunner

import daemon
from daemon.cli.app import app


def test_the_version_and_the_verbs() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"tellwhy {daemon.__version__}\n"
    text = CliRunner().invoke(app, ["--help"]).stdout
    for verb in ("run", "check", "replay", "doctor", "demo", "rules"):
        assert verb in text
