"""A machine of its own that systemd-nspawn boots from our /usr, with the shipped unit in it."""

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

COMMAND = "/opt/tellwhy/bin/tellwhy run --config /etc/tellwhy/config.yaml"
_ENVIRONMENT = "PYTHONPATH=/opt/source:/opt/site LD_LIBRARY_PATH=/opt/python/lib PYTHONDONTWRITEBYTECODE=1"
_BOOT = """[Unit]
Wants=dbus.socket tellwhy.service
After=dbus.socket tellwhy.service
[Service]
Type=oneshot
{steps}
ExecStart=systemctl poweroff --force
"""


def needs(name: str) -> str:
    """The path of a program, or a skip."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs {name} (.ci/debian-packages.sh installs it)")
    return path


def unit_running(repository: Path, arguments: str) -> str:
    """The shipped unit, with `python ARGUMENTS` of this checkout in place of the installed command."""
    text = (repository / "systemd" / "tellwhy.service").read_text(encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    start = f"Environment={_ENVIRONMENT}\nExecStart=/opt/python/bin/python{version} {arguments}"
    assert f"ExecStart={COMMAND}" in text
    return text.replace(f"ExecStart={COMMAND}", start).replace("Restart=always", "Restart=no")


def boot(repository: Path, shared: Path, unit: str, steps: str, binds: Mapping[Path, str]) -> str:
    """Boot, start the unit, run the `ExecStart=` lines of `steps`, power off; returns the unit's journal.

    `shared` is /probe inside. Skips where that is not possible.
    """
    nspawn = needs("systemd-nspawn")
    if os.getuid() != 0:
        pytest.skip("needs root to boot a container")
    shared.chmod(0o755)
    (shared / "tellwhy.service").write_text(unit, encoding="utf-8")
    keep = "ExecStart=/bin/sh -c 'journalctl -u tellwhy -o cat --no-pager > /probe/journal'"
    (shared / "boot.service").write_text(_BOOT.format(steps=f"{steps}\n{keep}"), encoding="utf-8")
    all_binds = {
        repository: "/opt/source",
        Path(site.getsitepackages()[0]): "/opt/site",
        Path(sys.base_prefix): "/opt/python",
        shared / "tellwhy.service": "/etc/systemd/system/tellwhy.service",
        shared / "boot.service": "/etc/systemd/system/boot.service",
        repository / "systemd" / "tellwhy.sysusers": "/etc/sysusers.d/tellwhy.conf",
        **binds,
    }
    command = [nspawn, "--directory=/", "--volatile=yes", "--boot", "--register=no", "--keep-unit", "--quiet"]
    command += ["--private-network"]  # or our ports would be the host's
    command += [f"--bind={shared}:/probe", *(f"--bind-ro={host}:{inside}" for host, inside in all_binds.items())]
    command += ["systemd.unit=boot.service", "systemd.firstboot=off", "systemd.mask=systemd-firstboot.service"]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=150)
    if not (shared / "journal").is_file():
        pytest.skip(f"systemd-nspawn cannot boot here: {done.stderr[-200:]!r}")
    return (shared / "journal").read_text(encoding="utf-8")


def an_audit_log(directory: Path) -> Path:
    """A directory as Debian's auditd keeps it: for root and the group adm."""
    directory.mkdir()
    log = directory / "audit.log"
    log.write_text("type=DAEMON_START\n", encoding="ascii")
    for path, mode in ((log, 0o640), (directory, 0o750)):
        shutil.chown(path, 0, "adm")
        path.chmod(mode)
    return directory
