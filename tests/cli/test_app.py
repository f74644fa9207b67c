import pytest
from typer.testing import CliRunner

import daemon
from daemon.cli.app import app


def test_the_version_and_the_verbs() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"tellwhy {daemon.__version__}\n"
    text = CliRunner().invoke(app, ["--help"]).stdout
    for verb in ("run", "check", "replay", "doctor", "demo", "rules"):
        assert verb in text


@pytest.mark.parametrize("arguments", [["--help"], ["rules", "--help"]])
def test_no_verb_is_explained_by_half_a_sentence(arguments: list[str]) -> None:
    text = CliRunner().invoke(app, arguments, terminal_width=80).stdout
    assert "..." not in text.replace("[ARGS]...", "")
    assert "…" not in text
