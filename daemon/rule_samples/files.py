"""Where samples lie: beside their rules, `NAME.samples.yml` with `NAME.yml`."""

from collections.abc import Iterable
from pathlib import Path

from daemon.config import find_yaml, rules_at

_SUFFIXES = (".yml", ".yaml")


def is_samples(path: Path) -> bool:
    """Whether a file is named as samples are."""
    return path.suffix in _SUFFIXES and path.stem.endswith(".samples")


def read_sample_files(places: Iterable[str]) -> dict[str, str]:
    """Path → text of every sample file below the directories, or beside a rule file that is named itself, in order.

    Those without a rule are among them, for `run_samples` to say so; `shipped` stands for our own rules. Text that is
    not UTF-8 comes with replacement characters, for the reader to refuse with its line. Raises OSError.
    """
    return {str(path): path.read_text(encoding="utf-8", errors="replace") for place in places for path in _found(place)}


def _found(place: str) -> list[Path]:
    top = rules_at(place)
    if top.is_dir():
        return [path for path in find_yaml(top) if is_samples(path)]
    beside = top if is_samples(top) else top.with_suffix(f".samples{top.suffix}")
    return [beside] if beside.is_file() else []
