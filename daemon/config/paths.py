"""Where things lie on this machine: shipped rules, the state directory."""

import os
from collections.abc import Iterable
from pathlib import Path

import daemon


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


def read_rule_files(directories: Iterable[str]) -> dict[str, str]:
    """Path → text of every `.yml`/`.yaml` file below the directories (or of a file named itself), in order of path.

    `shipped` stands for our own rules. Sample files (`*.samples.yml`) are not rules. Raises OSError for a path that is
    not there; text that is not UTF-8 comes with replacement characters, for the parser to refuse with its line.
    """
    found: dict[str, str] = {}
    for directory in directories:
        top = shipped_rules() if directory == "shipped" else Path(directory)
        if not top.exists():
            message = f"expected a directory of rules or a rule file at {top}"
            raise FileNotFoundError(message)
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.suffix in {".yml", ".yaml"} and not path.stem.endswith(".samples") and path.is_file():
                found[str(path)] = path.read_text(encoding="utf-8", errors="replace")
    return found
