"""The shipped unit, as systemd understands it: clean, hardened, and the daemon's needs work inside its sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.machine import COMMAND, an_audit_log, boot, needs, unit_running

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture
def unit(repository: Path, tmp_path: Path) -> Path:
    """The unit with a command that exists here."""
    text = (repository / "systemd" / "tellwhy.service").read_text(encoding="utf-8")
    assert text.count(f"ExecStart={COMMAND}\n") == 1
    written = tmp_path / "tellwhy.service"
    written.write_text(text.replace(COMMAND, sys.executable), encoding="utf-8")
    return written


def test_systemd_has_nothing_to_say_about_the_unit(unit: Path) -> None:
    done = run(needs("systemd-analyze"), "verify", "--man=no", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_exposure_is_at_most_one_and_a_half(unit: Path) -> None:
    done = run(needs("systemd-analyze"), "security", "--no-pager", "--offline=true", "--threshold=15", unit)
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level for tellwhy.service: 1." in done.stdout


def test_the_user_is_made_without_a_shell(repository: Path, tmp_path: Path) -> None:
    sysusers = needs("systemd-sysusers")
    (tmp_path / "etc").mkdir()
    done = run(sysusers, f"--root={tmp_path}", repository / "systemd" / "tellwhy.sysusers")
    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / "etc" / "passwd").read_text(encoding="utf-8").splitlines()
    name, _, uid, gid, _, home, shell = line.split(":")
    assert (name, home, shell) == ("tellwhy", "/var/lib/tellwhy", "/usr/sbin/nologin")
    assert 0 < int(uid) < 1000
    assert 0 < int(gid) < 1000


def test_the_configuration_is_roots_and_the_secrets_are_nobody_elses(repository: Path, tmp_path: Path) -> None:
    sysusers, tmpfiles = needs("systemd-sysusers"), needs("systemd-tmpfiles")
    if os.getuid() != 0:
        pytest.skip("needs root to give files away")
    etc = tmp_path / "etc"
    (etc / "tellwhy").mkdir(parents=True)
    (etc / "tellwhy" / "config.yaml").write_text("", encoding="utf-8")
    run(sysusers, f"--root={tmp_path}", repository / "systemd" / "tellwhy.sysusers")
    group = int((etc / "passwd").read_text(encoding="utf-8").split(":")[3])
    done = run(tmpfiles, f"--root={tmp_path}", "--create", repository / "systemd" / "tellwhy.tmpfiles")
    assert done.returncode == 0, done.stderr
    found = {
        path.relative_to(etc).as_posix(): (path.stat().st_mode & 0o777, path.stat().st_uid, path.stat().st_gid)
        for path in etc.rglob("tellwhy*/**/*")
    }
    assert found["tellwhy/config.yaml"] == (0o640, 0, group)
    assert found["tellwhy/rules"] == (0o750, 0, group)
    assert found["tellwhy/secrets"] == (0o700, 0, 0)


EXERCISE = """
import ctypes, mmap, sys
assert ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) == 0, "PR_SET_MDWE needs Linux 6.3"
try:
    mmap.mmap(-1, 4096, prot=7)
except PermissionError:
    {body}
"""


@pytest.mark.model
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "import torch; torch.backends.mkldnn.enabled = False; "
            "from daemon.enrichment.embedding import load; print(load().size)",
            id="oneDNN off",
        ),
        pytest.param(
            "from daemon.enrichment.embedding import load; print(load().size)",
            id="as shipped",
        ),
    ],
)
def test_the_memorys_model_needs_no_memory_that_becomes_executable(repository: Path, body: str) -> None:
    """MemoryDenyWriteExecute=yes, by its prctl (PR_SET_MDWE, Linux 6.3), without systemd."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 3):
        pytest.skip("needs Linux 6.3")
    done = subprocess.run(
        [sys.executable, "-c", EXERCISE.format(body=body)],
        check=False,
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "384\n"), done.stderr[-500:]


@pytest.fixture(scope="module")
def sandbox(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the probe could do as `tellwhy.service`, in a machine of its own."""
    shared = tmp_path_factory.mktemp("sandbox")
    text = unit_running(repository, "/opt/source/tests/system/sandbox_probe.py")
    text = text.replace("# LoadCredential=api-token:", "LoadCredential=api-token:")
    (shared / "api-token").write_text("x" * 40, encoding="ascii")
    (shared / "api-token").chmod(0o600)
    binds = {
        shared / "api-token": "/etc/tellwhy/secrets/api-token",
        an_audit_log(shared / "audit"): "/var/log/audit",
    }
    journal = boot(
        repository, shared, text, "ExecStart=/bin/sh -c 'systemctl show tellwhy > /probe/show'", binds
    )  # fmt: skip
    (line,) = [line for line in journal.splitlines() if line.startswith("{")] or [f"no report: {journal}"]
    report: dict[str, Any] = json.loads(line)
    report["show"] = dict(row.split("=", 1) for row in (shared / "show").read_text(encoding="utf-8").splitlines())
    return report


def test_the_unit_starts_and_says_that_it_is_ready(sandbox: dict[str, Any]) -> None:
    assert (sandbox["show"]["ActiveState"], sandbox["show"]["SubState"]) == ("active", "running")
    assert sandbox["show"]["MemoryMax"] == str(2 << 30)


def test_the_daemon_has_no_capability_and_cannot_get_one(sandbox: dict[str, Any]) -> None:
    status = dict(line.split(":\t", 1) for line in sandbox["status"].splitlines() if ":\t" in line)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert sandbox["uid"] != 0
    assert 0 not in sandbox["groups"]


@pytest.mark.parametrize(
    "what",
    ["read shadow", "write usr", "write etc", "executable memory", "raw socket", "new namespace"],
)
def test_what_an_intruder_would_do_is_refused(sandbox: dict[str, Any], what: str) -> None:
    assert str(sandbox[what]).startswith("refused: ")


def test_what_the_daemon_does_works(sandbox: dict[str, Any]) -> None:
    assert sandbox["read audit log"] == "type=DAEMON_START\n"
    assert sandbox["read journal"] == ["systemd", ""]
    assert sandbox["write state"] == 1
    assert sandbox["credential"] == "x" * 40
    assert sandbox["listen"] == "listening"
    assert sandbox["child"] == 0


def test_the_sandbox_hides_no_gauge(sandbox: dict[str, Any]) -> None:
    """Systemd is asked by a child, processes of other users are seen, the kernel's counters are readable."""
    gauges = sandbox["gauges"]
    wanted = {
        *(
            "cpu.percent",
            "load.1",
            "memory.percent",
            "disk.percent",
            "disk.inodes_percent",
            "process.count",
            "uptime.seconds",
        ),
        *(
            "process.zombies",
            "process.forks_per_second",
            "files.percent",
            "net.connections_established",
            "units.failed",
        ),
        *("clock.jump_seconds", "net.listen_overflows_per_second", "top.memory", "top.processes"),
    }
    assert sorted(wanted - gauges.keys()) == [], sandbox["units"]
    assert gauges["process.count"] >= 2, "systemd is another user's"


@pytest.mark.model
def test_the_memorys_worker_runs_inside(sandbox: dict[str, Any]) -> None:
    assert sandbox["remember"] == [1, pytest.approx(1.0, abs=0.5)], sandbox["remember"]
