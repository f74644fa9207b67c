from pathlib import Path

from daemon.cli.symptoms import examine
from daemon.config import Config
from daemon.detection.rules import parse_rules
from daemon.service import Loaded


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
