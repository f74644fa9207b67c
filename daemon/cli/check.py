"""`tellwhy check`: is the configuration valid, are the rules, do they find what the samples beside them say, are the
webhooks safe to call. Touches no network.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.failing import BAD_INPUT, refuse
from daemon.cli.run import ConfigOption, chosen_config
from daemon.config import Config, locate, read_rule_files, read_secret
from daemon.delivery.address_guard import check_url
from daemon.model import Problem, ProblemsError
from daemon.rule_samples import run_samples
from daemon.service import load


def webhook_problems(config: Config, path: Path | None) -> list[Problem]:
    """What is wrong with the webhooks' addresses, without resolving or calling them."""
    found = []
    for index, hook in enumerate(config.webhooks):
        url = read_secret(hook.url_file) if hook.url_file else hook.url
        reason = check_url(url, hook.allow_private, hook.allow_ports)
        if reason:
            expected = f"expected an address that may be called ({reason})"
            found.append(_problem(path, ("webhooks", index, "url_file" if hook.url_file else "url"), expected))
    return found


def sample_problems(files: Mapping[str, str]) -> tuple[list[Problem], int]:
    """What the samples beside these rule files say is wrong, and how many samples there are. Raises OSError."""
    beside = {path: Path(path).with_suffix(f".samples{Path(path).suffix}") for path in files}
    samples = {
        str(path): path.read_text(encoding="utf-8", errors="replace") for path in beside.values() if path.is_file()
    }
    results = run_samples(files, samples)
    found = [
        result.problem or Problem(result.path, result.line, result.name, result.wrong)
        for result in results
        if not result.ok
    ]
    return found, len(results)


def unwise(config: Config, path: Path | None) -> list[Problem]:
    """What works but is not wise: only `--strict` refuses it."""
    found = [
        _problem(
            path,
            ("webhooks", index, "secret_files"),
            "expected a secret, so that receivers can tell our alerts from forged ones",
        )
        for index, hook in enumerate(config.webhooks)
        if hook.format == "standard" and not hook.secret_files
    ]
    if not config.sources:
        found.append(_problem(path, ("sources",), "expected at least one source: nothing would be watched"))
    if not config.webhooks:
        found.append(_problem(path, ("webhooks",), "expected at least one webhook: alerts would only be stored"))
    return found


def _problem(path: Path | None, location: tuple[str | int, ...], expected: str) -> Problem:
    line = locate(path, location) if path is not None else 1
    return Problem(str(path or "(defaults)"), line, ".".join(map(str, location)), expected)


def check(
    config: ConfigOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Also refuse what is valid but unwise.")] = False,
) -> None:
    """Check configuration and rules; every problem is one line `path:line: key: expected …`, exit code 2."""
    path = chosen_config(config)
    shown = str(path or "(defaults)")
    try:
        loaded = load(path)
        missed, samples = sample_problems(read_rule_files(loaded.config.rules.directories))
        problems = [*loaded.rules.problems, *missed, *webhook_problems(loaded.config, path)]
    except (ProblemsError, OSError, ValueError) as error:
        refuse(error)
    if strict:
        problems.extend(unwise(loaded.config, path))
    for problem in dict.fromkeys(problems):  # samples name the problem of a rule that cannot be used once more
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(BAD_INPUT)
    sources, hooks = len(loaded.config.sources), len(loaded.config.webhooks)
    counted = f"{len(loaded.rules.rules)} rules, {samples} samples, {sources} sources, {hooks} webhooks"
    typer.echo(f"{shown}: ok; {counted}")
