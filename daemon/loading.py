"""Configuration and rules, read and checked together: what a start and a reload begin with.

A start is forgiving: a rule that cannot be used is reported and left out, because a host that is watched by all other
rules is better off than one that is not watched. A reload is not: with one problem anywhere, be it in one rule, nothing
is swapped, because what runs is known to be right and somebody is there to mend what is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from daemon.config import Config, default_config, examine_config, locate
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.model import Problem, ProblemsError
from daemon.preflight import find_problems, read_rules

_ELSEWHERE = "(configuration)"  # how the rules, which know no files but their own, name the configuration


@dataclass(frozen=True)
class Loaded:
    """A configuration and its rules, checked. `digest` tells the texts of rule files from any others."""

    config: Config
    rules: ParsedRules
    digest: str = ""


def load(path: Path | None) -> Loaded:
    """Read and check configuration and rules. Raises ProblemsError with everything that is wrong, OSError when the
    configuration file cannot be read.

    A rule that cannot be used is among `rules.problems` and left out. A start goes on without it; a reload refuses it.
    """
    loaded, problems = look_over(path)
    refuse(problems)
    return loaded


def look_over(path: Path | None) -> tuple[Loaded, list[Problem]]:
    """As `load`, but what is wrong with files beside a valid configuration (secrets, rules) is given back."""
    config, mistakes = examine_config(path) if path else (default_config(), [])
    files, problems = read_rules(config, path)
    problems += find_problems(config, path)
    if mistakes:
        refuse([*mistakes, *problems])
    return build(config, path, files), problems


def refuse(problems: Sequence[Problem]) -> None:
    """Raise ProblemsError if there are any."""
    if problems:
        raise ProblemsError(tuple(problems))


def build(config: Config, path: Path | None, files: Mapping[str, str]) -> Loaded:
    """A checked configuration with the texts of its rule files. Raises nothing: problems are in the rules."""
    parsed = parse_rules(files, config.rules.disabled, config.rules.placeholders)
    problems = tuple(_at_home(problem, path) for problem in parsed.problems)
    return Loaded(config, replace(parsed, problems=problems), digest_of(files))


def digest_of(files: Mapping[str, str], *others: str) -> str:
    """A hash of paths and texts in their order (and of other texts beside them)."""
    found = sha256()
    for text in (part for pair in files.items() for part in pair):
        found.update(b"%d:" % len(text))
        found.update(text.encode("utf-8", "surrogatepass"))
    for text in others:
        found.update(b"-%d:" % len(text))
        found.update(text.encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def _at_home(problem: Problem, path: Path | None) -> Problem:
    """A problem that the rules have with the configuration, at its place in the file."""
    if problem.path != _ELSEWHERE:
        return problem
    line = locate(path, tuple(problem.key.split("."))) if path is not None else 1
    return replace(problem, path=str(path or "(defaults)"), line=line)
