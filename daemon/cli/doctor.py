"""`tellwhy doctor`: for each part, ok, or what is wrong and the command that mends it."""

import asyncio
import json
import os
from typing import Annotated

import typer

from daemon.cli.failing import refuse
from daemon.cli.finding import Finding
from daemon.cli.run import ConfigOption, chosen_config
from daemon.loading import look_over
from daemon.model import Problem, ProblemsError
from daemon.telemetry import configure_logging

_MARK = {"ok": "ok   ", "absent": "-    ", "unseen": "?    ", "wrong": "WRONG"}
_CLOSED = "(got: Permission denied)"


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of objects.")] = False,
) -> None:
    """Examine every part; exit code 0 when nothing is wrong, 1 when something is, 2 for a bad configuration.

    What only root may read is marked with `?` for anybody else.
    """
    from daemon.cli.symptoms import examine  # noqa: PLC0415 - needs every client that there is: no other verb shall wait

    configure_logging("error")  # a gauge that is absent is part of what is found, and is not to stand between its lines
    path = chosen_config(config)
    try:
        loaded, problems = look_over(path)
    except (ProblemsError, OSError) as error:
        refuse(error)
    findings = [*map(_finding, problems), *asyncio.run(examine(loaded))]
    if as_json:
        typer.echo(json.dumps([finding.__dict__ for finding in findings], indent=1))
    else:
        typer.echo(f"configuration: {path or 'none, safe defaults'}")
        for finding in findings:
            typer.echo(line(finding))
    raise typer.Exit(any(finding.state == "wrong" for finding in findings))


def _finding(problem: Problem) -> Finding:
    """A file that the configuration names and that cannot be used; secrets are closed to all but root and the unit."""
    if problem.expected.endswith(_CLOSED) and "secret file" in problem.expected and os.geteuid() != 0:
        mend = "sudo tellwhy doctor: root may read it, and systemd hands it to the unit (LoadCredential)"
        return Finding(problem.key, "unseen", problem.expected, mend)
    return Finding(problem.key, "wrong", problem.expected, f"correct {problem.path}, line {problem.line}")


def line(finding: Finding) -> str:
    """A finding for a person."""
    text = f"{_MARK[finding.state]} {finding.part}: {finding.detail}"
    return f"{text}\n      mend it: {finding.mend}" if finding.mend else text
