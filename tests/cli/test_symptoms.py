import os
from pathlib import Path

import pytest

from daemon.cli.finding import Finding
from daemon.cli.symptoms import examine
from daemon.config import Config
from daemon.detection import literal_scan
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
        monkeypatch.setattr(literal_scan, "hyperscan", None)
    elif not literal_scan.has_engine():
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


@pytest.mark.parametrize(
    ("kernel", "state", "told"),
    [(True, "ok", "losses are seen"), (False, "absent", "kernel: no log of the kernel is among the sources")],
)
async def test_whether_lost_audit_records_would_be_seen(tmp_path: Path, *, kernel: bool, state: str, told: str) -> None:
    (tmp_path / "audit.log").write_text("type=USER msg=audit(1795252500.100:7): pid=1\n")
    (tmp_path / "kern.log").write_text("Nov 21 11:20:00 vm kernel: [    0.000000] Linux version 6.1\n")
    names = ["audit", "kern"] if kernel else ["audit"]
    config = Config.model_validate(
        {
            "state_directory": str(tmp_path),
            "sources": [{"type": "file", "name": name, "path": str(tmp_path / f"{name}.log")} for name in names],
            "memory": {"mode": "off"},
            "model": {"mode": "off"},
            "api": {"enabled": False},
        }
    )

    found = {finding.part: finding for finding in await examine(Loaded(config, parse_rules({})))}

    finding = found["audit completeness"]
    assert (finding.state, bool(finding.mend)) == (state, not kernel)
    assert finding.detail.startswith(told)


@pytest.mark.parametrize(
    ("said", "printed", "code", "state", "detail"),
    [
        ("", "{}", 0, "ok", "readable"),
        ("", "", 0, "absent", "no entries yet"),
        ("No journal files were found.", "", 0, "absent", "journalctl: No journal files were found."),
        ("Hint: You are currently not seeing messages from other users", "{}", 0, "wrong", "may not read all of the journal"),
        ("Failed to open files: No such file", "", 1, "wrong", "journalctl: Failed to open files: No such file"),
    ],
)  # fmt: skip
async def test_what_journalctl_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, printed: str, code: int, state: str, detail: str
) -> None:
    script = tmp_path / "journalctl"
    script.write_text(f"#!/bin/sh\necho '{said}' >&2\nprintf '%s' '{printed}'\nexit {code}\n", encoding="ascii")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    found = await journal_finding(tmp_path)

    assert found.state == state
    assert detail in found.detail
    assert found.mend.startswith("sudo usermod -aG systemd-journal ") is ("may not" in detail)


async def test_without_journalctl_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await journal_finding(tmp_path)
    assert (found.state, found.mend) == ("wrong", "install systemd, or watch files (type: file)")


async def journal_finding(tmp_path: Path) -> Finding:
    config = Config.model_validate(
        {
            "state_directory": str(tmp_path), "sources": [{"type": "journal"}], "memory": {"mode": "off"},
            "model": {"mode": "off"}, "api": {"enabled": False},
        }
    )  # fmt: skip
    return {one.part: one for one in await examine(Loaded(config, parse_rules({})))}["source journal"]
