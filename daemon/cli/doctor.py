"""`tellwhy doctor`: for each part, ok, or what is wrong and the command that mends it."""

import asyncio
import json
from typing import Annotated

import typer

from daemon.cli.failing import refuse
from daemon.cli.run import ConfigOption, chosen_config
from daemon.cli.symptoms import Finding, examine
from daemon.loading import load
from daemon.model import ProblemsError

_MARK = {"ok": "ok   ", "absent": "-    ", "wrong": "WRONG"}


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of objects.")] = False,
) -> None:
    """Examine every part; exit code 0 when nothing is wrong, 1 when something is, 2 for a bad configuration."""
    path = chosen_config(config)
    try:
        loaded = load(path)
    except (ProblemsError, OSError) as error:
        refuse(error)
    findings = asyncio.run(examine(loaded))
    if as_json:
        typer.echo(json.dumps([finding.__dict__ for finding in findings], indent=1))
    else:
        typer.echo(f"configuration: {path or 'none, safe defaults'}")
        for finding in findings:
            typer.echo(line(finding))
    raise typer.Exit(any(finding.state == "wrong" for finding in findings))


def line(finding: Finding) -> str:
    """A finding for a person."""
    text = f"{_MARK[finding.state]} {finding.part}: {finding.detail}"
    return f"{text}\n      mend it: {finding.mend}" if finding.mend else text
