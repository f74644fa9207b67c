"""`tellwhy check`: is the configuration valid, are the rules, do they find what the samples beside them say, are the
webhooks safe to call, and is it all wise. Touches no network.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.doubled import doubled_logs
from daemon.cli.failing import BAD_INPUT, refuse
from daemon.cli.run import ConfigOption, chosen_config
from daemon.cli.unmapped import unmapped
from daemon.config import Config, default_config, examine_config, find_yaml, locate, read_secret
from daemon.delivery.address_guard import check_url
from daemon.detection.rules import ParsedRules
from daemon.detection.searches import Placeholders
from daemon.detection.wise import unwise
from daemon.loading import build
from daemon.model import Problem, ProblemsError
from daemon.other_records import reads_journal, reads_json
from daemon.preflight import find_problems, read_rules
from daemon.rule_samples import is_as_written, parse_as_written, read_sample_files, run_samples
from daemon.rule_samples.files import is_samples


def webhook_problems(config: Config, path: Path | None, mistaken: Collection[str] = ()) -> list[Problem]:
    """What is wrong with the webhooks' addresses, without resolving or calling them. Those of which a key is `mistaken`
    (`webhooks.0`) are not looked at.
    """
    found = []
    for index, hook in enumerate(config.webhooks):
        if f"webhooks.{index}" in mistaken:
            continue
        try:
            url = read_secret(hook.url_file) if hook.url_file else hook.url
        except ValueError:
            continue  # that it cannot be read is a problem already
        reason = check_url(url, hook.allow_private, hook.allow_ports)
        if reason:
            expected = f"expected an address that may be called ({reason})"
            found.append(_problem(path, ("webhooks", index, "url_file" if hook.url_file else "url"), expected))
    return found


def sample_problems(
    files: Mapping[str, str], samples: Mapping[str, str], placeholders: Placeholders, running: ParsedRules
) -> tuple[list[Problem], int]:
    """What the samples say is wrong with these rules, or the rules with the samples, and how many samples there are.
    `running` is what the rules came to with all that the configuration says of them.
    """
    written = running if is_as_written(running, files) else parse_as_written(files, placeholders)
    results = run_samples(files, samples, written, others=False)
    found = [
        result.problem or Problem(result.path, result.line, result.name, result.wrong)
        for result in results
        if not result.ok
    ]
    return found, len(results)


def unwise_settings(config: Config, path: Path | None) -> list[Problem]:
    """What the configuration may say and should not."""
    found = [
        _problem(
            path,
            ("webhooks", index, "secret_files"),
            "expected a secret, so that receivers can tell our alerts from forged ones",
        )
        for index, hook in enumerate(config.webhooks)
        if hook.format == "standard" and not hook.secret_files
    ]
    found += [
        _problem(path, ("sources", index, "path"), f"expected each log in one source ({log} is read by {other} too)")
        for index, log, other in doubled_logs(config)
    ]
    found += [_problem(path, place, expected) for place, expected in unmapped(config)]
    found += [
        _problem(path, ("rules", "directories", index), f"expected rule files in {place} (*.yml; got none)")
        for index, place in enumerate(config.rules.directories)
        if place != "shipped" and _is_without_rules(Path(place))
    ]
    if not config.sources:
        found.append(_problem(path, ("sources",), "expected at least one source: nothing would be watched"))
    if not config.webhooks:
        found.append(_problem(path, ("webhooks",), "expected at least one webhook: alerts would only be stored"))
    return found


def _is_without_rules(place: Path) -> bool:
    return place.is_dir() and all(map(is_samples, find_yaml(place)))


def _problem(path: Path | None, location: tuple[str | int, ...], expected: str) -> Problem:
    line = locate(path, location) if path is not None else 1
    return Problem(str(path or "(defaults)"), line, ".".join(map(str, location)), expected)


def check(
    config: ConfigOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what is valid but unwise, too.")] = False,
) -> None:
    """Check configuration, rules and samples.

    Every problem is one line `path:line: key: expected …` on stderr, all of them at once: exit code 2. What is valid
    but unwise (a rule that can never match, a webhook without a secret) is a line that begins with `warning:` and
    leaves the exit code at 0; with --strict it is a problem.
    """
    path = chosen_config(config)
    try:
        configured, mistakes = examine_config(path) if path else (default_config(), [])
        files, unread = read_rules(configured, path)
        samples = read_sample_files(
            one for one in configured.rules.directories if one == "shipped" or Path(one).exists()
        )
    except (ProblemsError, OSError) as error:
        refuse(error)
    mistaken = {".".join(one.key.split(".")[:many]) for one in mistakes for many in (1, 2)}
    problems = [*mistakes, *unread, *find_problems(configured, path), *webhook_problems(configured, path, mistaken)]
    rules, warnings, played = ParsedRules(()), [], 0
    if "rules" not in mistaken:  # else they might be others
        rules = build(configured, path, files).rules
        missed, played = sample_problems(files, samples, configured.rules.placeholders, rules)
        problems += [*rules.problems, *missed]
        warnings = _warnings(configured, path, rules, whole=not mistakes)
    _say(problems, warnings, strict=strict)
    sources, hooks = len(configured.sources), len(configured.webhooks)
    counted = f"{len(rules.rules)} rules, {played} samples, {sources} sources, {hooks} webhooks"
    warned = f"; {len(warnings)} warning{'s' if len(warnings) > 1 else ''}, which --strict refuses" if warnings else ""
    typer.echo(f"{path or '(defaults)'}: ok; {counted}{warned}")


def _warnings(config: Config, path: Path | None, rules: ParsedRules, *, whole: bool) -> list[Problem]:
    """What is valid and unwise. Where the configuration is not `whole`, only what is so under any."""
    return [
        *(unwise_settings(config, path) if whole else ()),
        *unwise(rules, json_lines=not whole or reads_json(config), journal=not whole or reads_journal(config)),
    ]


def _say(problems: list[Problem], warnings: list[Problem], *, strict: bool) -> None:
    """Print what is wrong, each once (samples name the problem of a rule that cannot be used once more), and end."""
    refused = list(dict.fromkeys([*problems, *(warnings if strict else [])]))
    for problem in refused:
        typer.echo(str(problem), err=True)
    for problem in dict.fromkeys(() if strict else warnings):
        typer.echo(f"warning: {problem}", err=True)
    if refused:
        raise typer.Exit(BAD_INPUT)
