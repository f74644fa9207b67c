"""What a valid configuration still gets wrong about this machine: files not to be read, secrets not to be used.

Looked at before anything starts or a reload touches anything; all problems at once, each with its line. No network.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from daemon.config import Config, IntakeSource, Webhook, locate, read_rule_files, read_secret
from daemon.delivery.address_guard import parse_networks
from daemon.delivery.signature import parse_secret
from daemon.enrichment.redact import Redactor
from daemon.model import Problem

_TOKEN_LENGTH = 32
_VISIBLE = re.compile(r"[\x21-\x7e]+")
Location = tuple[str | int, ...]
Given = TypeVar("Given")


def read_rules(config: Config, path: Path | None) -> tuple[dict[str, str], list[Problem]]:
    """The text of all rule files, and the directories that could not be read."""
    files: dict[str, str] = {}
    problems = []
    for index, directory in enumerate(config.rules.directories):
        try:
            files |= read_rule_files([directory])
        except OSError as error:
            said = (
                str(error) if error.strerror is None else f"expected to read {error.filename} (got: {error.strerror})"
            )
            problems.append(_problem(path, ("rules", "directories", index), said))
    return files, problems


def find_problems(config: Config, path: Path | None) -> list[Problem]:
    """Everything but the rules. `path` is where the configuration was read from, None for the defaults."""
    found: list[tuple[Location, str]] = [
        (("redaction", "patterns", n), _said(Redactor, [p])) for n, p in enumerate(config.redaction.patterns)
    ]
    if config.api.token_file is not None:
        found.append((("api", "token_file"), _said(_check_token, config.api.token_file)))
    for index, source in enumerate(config.sources):
        if isinstance(source, IntakeSource) and source.token_file is not None:
            found.append((("sources", index, "token_file"), _said(_check_token, source.token_file)))
    if config.memory.api_key_file is not None:
        found.append((("memory", "api_key_file"), _said(read_secret, config.memory.api_key_file)))
    for index, hook in enumerate(config.webhooks):
        found.extend((("webhooks", index, *rest), said) for rest, said in _look_at(hook))
    return [_problem(path, location, said) for location, said in found if said]


def _look_at(hook: Webhook) -> Iterator[tuple[Location, str]]:
    if hook.url_file is not None:
        yield ("url_file",), _said(read_secret, hook.url_file)
    for number, file in enumerate(hook.secret_files):
        yield ("secret_files", number), _said(_check_secret, file)
    for number, network in enumerate(hook.allow_private):
        yield ("allow_private", number), _said(parse_networks, [network])


def _check_secret(path: Path) -> None:
    try:
        parse_secret(read_secret(path))
    except ValueError as error:
        raise ValueError(f"{error} in {path}" if str(path) not in str(error) else str(error)) from error


def _check_token(path: Path) -> None:
    token = read_secret(path)
    if len(token) < _TOKEN_LENGTH:
        raise ValueError(f"expected a token of at least {_TOKEN_LENGTH} characters in {path} (got {len(token)})")
    if not _VISIBLE.fullmatch(token):  # no header carries anything else
        raise ValueError(f"expected one token in {path}: visible ASCII characters without blanks between them")


def _said(check: Callable[[Given], object], given: Given) -> str:
    try:
        check(given)
    except ValueError as error:
        return str(error)
    return ""


def _problem(path: Path | None, location: Iterable[str | int], said: str) -> Problem:
    keys = tuple(location)
    line = locate(path, keys) if path is not None else 1
    return Problem(str(path or "(defaults)"), line, ".".join(map(str, keys)), said)
