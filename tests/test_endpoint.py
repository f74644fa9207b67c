from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from daemon.config import Config
from daemon.endpoint import Process, composing, reading
from daemon.runtime import Surroundings
from tests.doubles.values import T0, an_anomaly

PROCESS = cast("Process", SimpleNamespace(config=Config(host="web-1")))
AROUND = cast("Surroundings", SimpleNamespace(now=lambda: T0, usernames=str))


def test_posted_lines_become_events(repository: Path) -> None:
    read = reading(PROCESS, AROUND)

    events = read("auto", (repository / "examples" / "attack" / "audit.log").read_bytes())

    assert any(event.logsource.category == "process_creation" for event in events)
    with pytest.raises(ValueError, match="expected audit, syslog or JSON lines"):
        read("auto", b"\x00\x01")


def test_a_posted_anomaly_is_redacted_and_explained_by_its_rule() -> None:
    alert = composing(PROCESS, AROUND)(an_anomaly(because="curl -u admin:S3cr3tPw https://x"))

    assert "S3cr3tPw" not in alert.because
    assert alert.explanation.origin == "rules"
