"""Which files a configured path means at this moment."""

import fnmatch
import glob
import os
from collections.abc import Iterable
from pathlib import Path

from daemon.sources.packed import PACKED

MAX_FILES = 2048
"""How many files one glob may match; each costs a look per second."""


def find_paths(pattern: str) -> list[str]:
    """The paths that a configured path means: itself, or what matches the glob. Compressed files never match."""
    if not is_glob(pattern):
        return [pattern]
    # not Path.glob: it knows no absolute patterns and matches hidden files
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - see above
    return sorted(path for path in found if not path.endswith(PACKED) and not _is_directory(path))


def is_glob(pattern: str) -> bool:
    """Whether it means more than one path; a file of exactly this name is meant literally."""
    return glob.has_magic(pattern) and not os.path.lexists(pattern)


def is_meant(path: str, pattern: str) -> bool:
    """Whether a stored path belongs to the configured one."""
    return path == pattern or fnmatch.fnmatchcase(path, pattern.replace("**/", "*"))


def find_targets(paths: Iterable[str]) -> set[str]:
    """What these paths are in truth, behind links of their own or of a directory on the way."""
    real: dict[str, str] = {}
    found = set()
    for path in paths:
        directory, name = os.path.split(path)
        if directory not in real:
            real[directory] = os.path.realpath(directory)
        found.add(os.path.realpath(path) if os.path.islink(path) else os.path.join(real[directory], name))  # noqa: PTH114, PTH118 - Path costs ten times as much, and this is done for each file each second
    return found


def find_directories(pattern: str, paths: Iterable[str]) -> set[str]:
    """The directories in which a change may concern these paths."""
    found = {os.path.dirname(path) for path in paths}  # noqa: PTH120 - as above
    found.add(fixed_directory(pattern))
    return {directory for directory in found if _is_directory(directory)}


def fixed_directory(pattern: str) -> str:
    """The part of a glob before its first magic character, as a directory."""
    directory = Path(pattern).parent
    while glob.has_magic(str(directory)):
        directory = directory.parent
    return str(directory)


def closed_directory(pattern: str) -> OSError | None:
    """Why a glob cannot be expanded: glob itself says nothing of a directory that it may not list."""
    if not glob.has_magic(pattern):
        return None
    try:
        os.scandir(fixed_directory(pattern)).close()
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None


def _is_directory(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - as above; False for what may not even be looked at
