"""Why a file cannot be read, and the command that mends it."""

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path


def describe_obstacle(path: str, error: OSError) -> str:
    """What hinders us, as one line; for a missing permission with the command that gives it."""
    if error.errno not in {errno.EACCES, errno.EPERM}:
        return f"{path}: {error.strerror or error}"
    user = name_of_user()
    where, need = _closed(path)
    group = _group_that_may(where, need)
    if group:
        return f"{path}: {user} may not read it; run: sudo usermod -aG {shlex.quote(group)} {user} (and restart us)"
    return f"{path}: {user} may not read it; run: sudo setfacl -m u:{user}:{need} {shlex.quote(where)}"


def name_of_user() -> str:
    """The account that we run as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _closed(path: str) -> tuple[str, str]:
    """The first directory on the way that we may not enter, else the file itself; and the permission we need."""
    for directory in reversed(Path(path).parents):
        if not os.access(directory, os.X_OK, effective_ids=True):
            return str(directory), "rx"
    try:
        return path, "rx" if Path(path).is_dir() else "r"
    except OSError:
        return path, "r"


def _group_that_may(path: str, need: str) -> str:
    """The group that may already do what we need (`adm` on Debian); empty when there is none to join."""
    wanted = stat.S_IRGRP if need == "r" else stat.S_IRGRP | stat.S_IXGRP
    try:
        seen = Path(path).stat()
        name = grp.getgrgid(seen.st_gid).gr_name
    except (OSError, KeyError):
        return ""
    return name if seen.st_mode & wanted == wanted and name != "root" else ""
