import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.app import app
from daemon.cli.doctor import line
from daemon.cli.finding import Finding
from tests.doubles.unprivileged import as_nobody, open_directory


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


SIGNED = """\
state_directory: {0}/state
sources: []
model: {{mode: 'off'}}
api: {{enabled: false}}
webhooks:
  - {{name: siem, url: https://alerts.example/in, secret_files: [{0}/secrets/siem]}}
  - {{name: chat, url_file: {0}/secrets/chat, format: slack}}
"""


def examine(config: Path) -> tuple[int, dict[str, tuple[str, str]]]:
    done = CliRunner().invoke(app, ["doctor", "--json", "--config", str(config)])
    return done.exit_code, {row["part"]: (row["state"], row["detail"]) for row in json.loads(done.stdout)}


def test_a_secret_that_is_missing_hides_no_other_part(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(SIGNED.format(tmp_path))

    code, rows = examine(tmp_path / "c.yaml")

    assert code == 1
    assert rows["webhooks.0.secret_files.0"][0] == "wrong"
    assert f"expected a readable secret file at {tmp_path}/secrets/siem" in rows["webhooks.0.secret_files.0"][1]
    assert rows["webhooks.1.url_file"][0] == "wrong"
    assert {"rules", "store", "webhook siem", "endpoint"} <= rows.keys()


def test_a_secret_that_is_closed_to_this_user_is_said_to_be_unseen() -> None:
    """As the unit's user, for whom /etc/tellwhy/secrets is closed: systemd hands secrets over."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to act as somebody else")
    with open_directory() as directory:
        (directory / "secrets").mkdir(mode=0o700)
        (directory / "secrets/siem").write_text("whsec_" + "A" * 44)
        (directory / "c.yaml").write_text(SIGNED.format(directory))
        (directory / "state").mkdir()
        (directory / "state").chmod(0o777)

        with as_nobody():
            _, rows = examine(directory / "c.yaml")

    assert rows["webhooks.0.secret_files.0"][0] == "unseen"
    assert rows["store"][0] == "ok"
