"""`tellwhy check`: is the configuration valid, are the rules, are the webhooks safe to call. Touches no network."""

from typing import Annotated

import typer

from daemon.cli.failing import BAD_INPUT, refuse
from daemon.cli.run import ConfigOption, chosen_config
from daemon.config import Config, read_secret
from daemon.delivery.address_guard import check_url
from daemon.enrichment.redact import Redactor
from daemon.model import Problem, ProblemsError
from daemon.service import load


def webhook_problems(config: Config, path: str) -> list[Problem]:
    """What is wrong with the webhooks' addresses, without resolving or calling them."""
    found = []
    for index, hook in enumerate(config.webhooks):
        url = read_secret(hook.url_file) if hook.url_file else hook.url
        reason = check_url(url, hook.allow_private, hook.allow_ports)
        if reason:
            expected = f"expected an address that may be called ({reason})"
            found.append(Problem(path, 1, f"webhooks.{index}.url", expected))
    return found


def unwise(config: Config, path: str) -> list[Problem]:
    """What works but is not wise: only `--strict` refuses it."""
    found = [
        Problem(
            path,
            1,
            f"webhooks.{index}.secret_files",
            "expected a secret, so that receivers can tell our alerts from forged ones",
        )
        for index, hook in enumerate(config.webhooks)
        if hook.format == "standard" and not hook.secret_files
    ]
    if not config.sources:
        found.append(Problem(path, 1, "sources", "expected at least one source: nothing would be watched"))
    if not config.webhooks:
        found.append(Problem(path, 1, "webhooks", "expected at least one webhook: alerts would only be stored"))
    return found


def check(
    config: ConfigOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Also refuse what is valid but unwise.")] = False,
) -> None:
    """Check configuration and rules; every problem is one line `path:line: key: expected …`, exit code 2."""
    path = chosen_config(config)
    shown = str(path or "(defaults)")
    try:
        loaded = load(path)
        problems = [*loaded.rules.problems, *webhook_problems(loaded.config, shown)]
        Redactor(loaded.config.redaction.patterns)
    except (ProblemsError, OSError, ValueError) as error:
        refuse(error)
    if strict:
        problems.extend(unwise(loaded.config, shown))
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(BAD_INPUT)
    count = len(loaded.rules.rules)
    typer.echo(
        f"{shown}: ok; {count} rules, {len(loaded.config.sources)} sources, {len(loaded.config.webhooks)} webhooks"
    )
