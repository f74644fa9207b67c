"""Where things lie on this machine: shipped rules, the state directory."""

import os
from collections.abc import Iterable
from pathlib import Path

import daemon

_YAML = {".yml", ".yaml"}


def shipped(name: str) -> Path:
    """A folder shipped with the package (`rules`, `systemd`): inside the wheel, else beside it in a checkout."""
    package = Path(daemon.__file__).parent
    inside = package / "_shipped" / name
    return inside if inside.is_dir() else package.parent / name


def shipped_rules() -> Path:
    """The directory of our own rules."""
    return shipped("rules")


def state_directory(configured: Path | None) -> Path:
    """Where state is kept: as configured, else systemd's, else /var/lib/tellwhy if we may write it, else the user's."""
    if configured is not None:
        return configured
    given = os.environ.get("STATE_DIRECTORY", "")
    if given:
        return Path(given.split(":")[0])
    system = Path("/var/lib/tellwhy")
    if os.access(system if system.exists() else system.parent, os.W_OK):
        return system
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "tellwhy"


def find_rule_files(directory: str) -> list[Path]:
    """Every `.yml`/`.yaml` file below a directory (or a file that is named itself), in order of path.

    `shipped` stands for our own rules. Sample files (`*.samples.yml`) are not rules. Raises OSError for a path that is
    not there.
    """
    top = rules_at(directory)
    if not top.exists():
        message = f"expected a directory of rules or a rule file at {top}"
        raise FileNotFoundError(message)
    found = [top] if top.is_file() and top.suffix in _YAML else find_yaml(top)
    return [path for path in found if not path.stem.endswith(".samples")]


def rules_at(directory: str) -> Path:
    """Where a directory of rules is; `shipped` stands for our own."""
    return shipped_rules() if directory == "shipped" else Path(directory)


def find_yaml(top: Path) -> list[Path]:
    """Every `.yml`/`.yaml` file below a directory, in order of path. What is hidden (a name that begins with a dot, as
    editors, version control and mounted configuration keep beside the real files) is left out, with all below it.
    """
    return [
        path
        for path in sorted(top.rglob("*"))
        if path.suffix in _YAML and not any(part.startswith(".") for part in path.relative_to(top).parts)
        if path.is_file()
    ]


def read_rule_files(directories: Iterable[str]) -> dict[str, str]:
    """Path → text of the rule files in the directories, in order. Raises OSError; text that is not UTF-8 comes with
    replacement characters, for the parser to refuse with its line.
    """
    return {
        str(path): path.read_text(encoding="utf-8", errors="replace")
        for directory in directories
        for path in find_rule_files(directory)
    }
