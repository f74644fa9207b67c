import json
from pathlib import Path

from typer.testing import CliRunner

from daemon.cli.app import app
from daemon.cli.doctor import line
from daemon.cli.symptoms import Finding


def test_every_part_is_examined(tmp_path: Path) -> None:
    (tmp_path / "a.log").touch()
    (tmp_path / "c.yaml").write_text(
        f"state_directory: {tmp_path}/state\nsources: [{{type: file, name: a, path: {tmp_path}/a.log}}]\n"
        "model: {mode: 'off'}\napi: {enabled: false}\n"
    )

    done = CliRunner().invoke(app, ["doctor", "--json", "--config", str(tmp_path / "c.yaml")])

    rows = {row["part"]: row["state"] for row in json.loads(done.stdout)}
    assert done.exit_code == 0
    assert list(rows) == [
        "source a", "gpu", "rules", "prefilter", "store", "memory", "embedding", "model", "webhooks", "endpoint",
    ]  # fmt: skip
    assert (rows["source a"], rows["rules"], rows["model"]) == ("ok", "ok", "absent")


def test_what_is_wrong_comes_with_what_mends_it() -> None:
    assert line(Finding("model", "wrong", "down", "ollama serve")).endswith("mend it: ollama serve")
