"""Units of systemd that failed: asked of `systemctl` in a child, because its own protocol would be a library's worth.

Absent where systemd does not run (sd_booted(3)) or does not answer.
"""

import subprocess
from pathlib import Path

from daemon.sources.host_processes import Context
from daemon.sources.host_reading import Readings
from daemon.sources.openings import shown

BOOTED = Path("/run/systemd/system")
COMMAND = ("systemctl", "list-units", "--state=failed", "--no-legend", "--plain", "--no-pager", "--full")
PATIENCE = 5.0
"""Seconds that the child may take."""
_NAMED = 8
"""Units that are named."""
_MOST = 1 << 20
_SAID = 200


def read_units(booted: Path = BOOTED, command: tuple[str, ...] = COMMAND) -> tuple[Readings, Context]:
    """How many failed, and which. OSError where systemd does not run or does not answer."""
    if not booted.is_dir():
        message = "systemd does not run here"
        raise FileNotFoundError(message)
    environment = {
        "LC_ALL": "C",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SYSTEMD_COLORS": "0",
    }
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, env=environment
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode("utf-8", "replace").strip()[:_SAID]
        raise OSError(f"systemctl: {said or error}") from error
    rows = done.stdout[:_MOST].decode("utf-8", "backslashreplace").splitlines()
    names = [shown(words[0]) for row in rows if (words := row.split())]
    more = (f"and {len(names) - _NAMED} more",) if len(names) > _NAMED else ()
    return {"units.failed": float(len(names))}, {"units.failed_names": (*names[:_NAMED], *more)} if names else {}
