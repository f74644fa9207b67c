import os
from pathlib import Path

import pytest

from daemon.cli.symptoms import examine
from daemon.config import Config
from daemon.detection import prefilter
from daemon.detection.rules import parse_rules
from daemon.loading import Loaded
from tests.doubles.unprivileged import as_nobody, open_directory


async def test_a_missing_audit_log_and_no_rules_are_wrong(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "state_directory": str(tmp_path),
            "sources": [{"type": "file", "name": "audit", "path": str(tmp_path / "audit.log"), "format": "auditd"}],
            "memory": {"mode": "off"},
            "model": {"mode": "off"},
            "api": {"enabled": False},
        }
    )

    found = {finding.part: finding for finding in await examine(Loaded(config, parse_rules({})))}

    assert found["source audit"].state == "wrong"
    assert "auditd" in found["source audit"].mend
    assert found["rules"].state == "wrong"
    assert found["store"].state == "ok"


@pytest.mark.parametrize("name", ["audit.log", "*.log"])
async def test_what_lies_in_a_closed_directory_is_told_apart_from_what_is_not_there(name: str) -> None:
    with open_directory() as directory:
        closed = directory / "closed"
        closed.mkdir(mode=0o700)
        (closed / "audit.log").write_text("x\n")
        config = Config.model_validate(
            {
                "state_directory": str(closed / "state" / "tellwhy"),
                "sources": [{"type": "file", "name": "audit", "path": str(closed / name), "format": "auditd"}],
                "memory": {"mode": "off"},
                "model": {"mode": "off"},
                "api": {"enabled": False},
            }
        )
        if os.geteuid() != 0:
            closed.chmod(0)
        with as_nobody():
            found = {finding.part: finding for finding in await examine(Loaded(config, parse_rules({})))}
        closed.chmod(0o700)

    assert found["source audit"].state == "wrong"
    assert "may not read it" in found["source audit"].detail
    assert (found["store"].state, found["store"].detail) == ("wrong", f"{closed} may not be written")


@pytest.mark.parametrize(
    ("wanted", "there", "state", "said", "mend"),
    [
        (True, True, "ok", "leaves out", ""),
        (True, False, "absent", "every rule looks at every line, slower", "pip install hyperscan"),
        (False, True, "absent", "rules.prefilter is false", ""),
        (False, False, "absent", "rules.prefilter is false", ""),
    ],
)
async def test_reading_slowly_is_said_and_is_no_fault(
    wanted: bool, there: bool, state: str, said: str, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not there:
        monkeypatch.setattr(prefilter, "hyperscan", None)
    elif not prefilter.has_engine():
        pytest.skip("there is no hyperscan for this machine")
    config = Config.model_validate(
        {
            "state_directory": str(tmp_path),
            "sources": [],
            "rules": {"prefilter": wanted},
            "memory": {"mode": "off"},
            "model": {"mode": "off"},
            "api": {"enabled": False},
        }
    )

    (found,) = [each for each in await examine(Loaded(config, parse_rules({}))) if each.part == "prefilter"]

    assert found.state == state
    assert said in found.detail
    assert found.mend.startswith(mend)
    assert bool(found.mend) == bool(mend)
