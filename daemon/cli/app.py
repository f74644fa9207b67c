"""The verbs of the command line, in one list."""

from typing import Annotated

import typer

import daemon
from daemon.cli import check, demo, doctor, replay, rules, run

app = typer.Typer(
    name="tellwhy",
    help="Alerts that say why, from your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tellwhy {daemon.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Alerts that say why, from your own machine."""


app.command("run", short_help="Run the daemon; SIGHUP reloads configuration and rules.")(run.run)
app.command("check")(check.check)
app.command("replay")(replay.replay)
app.add_typer(rules.app, name="rules")
app.command("doctor", short_help="Examine every part; exit code 1 when something is wrong.")(doctor.doctor)
app.command("demo", short_help="Play an attack against a real daemon, and see its alerts.")(demo.demo)
