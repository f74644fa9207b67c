from pathlib import Path

import pytest

from daemon.assembly import host_name
from daemon.config import Config, Webhook
from daemon.runtime import build_sinks


def test_the_configured_name_of_the_host_wins() -> None:
    assert host_name(Config(host="web-1")) == "web-1"
    assert host_name(Config())


def test_a_webhook_whose_secret_cannot_be_used_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not-a-secret")
    hook = Webhook(name="ops", url="https://hooks.example/x", secret_files=(tmp_path / "secret",))

    with pytest.raises(ValueError, match="expected a signing secret"):
        build_sinks([hook])
