"""Which files a configured path means at this moment."""

import fnmatch
import glob
import os
from pathlib import Path

from daemon.sources.packed import PACKED

MAX_FILES = 512
"""How many files one glob may match; an open file costs a descriptor."""


def find_paths(pattern: str) -> list[str]:
    """The paths that a configured path means: itself, or what matches the glob. Compressed files never match."""
    if not glob.has_magic(pattern) or os.path.lexists(pattern):
        return [pattern]
    # not Path.glob: it knows no absolute patterns and matches hidden files
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - see above
    return sorted(path for path in found if not path.endswith(PACKED) and not _is_directory(path))


def is_meant(path: str, pattern: str) -> bool:
    """Whether a stored path belongs to the configured one."""
    return path == pattern or fnmatch.fnmatchcase(path, pattern.replace("**/", "*"))


def find_directories(pattern: str, paths: list[str]) -> set[str]:
    """The directories in which a change may concern these paths, those of symbolic links' targets included."""
    found = {str(Path(path).parent) for path in (*paths, *map(os.path.realpath, paths))}
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
    try:
        return Path(path).is_dir()
    except OSError:
        return False  # not even to be looked at: as good as none
