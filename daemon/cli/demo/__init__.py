"""`tellwhy demo`: the whole main job on this machine, with nothing else needed.

The real daemon tails two logs to which a realistic attack is appended, twice, and posts signed alerts to the demo's own
receiver, which prints them. The second wave must come with the first one as a similar incident.
"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from daemon.cli.demo.play import Play


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the daemon running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Play an attack against a real daemon in a temporary directory and print the alerts that come of it."""
    console = Console(highlight=False)
    try:
        code = asyncio.run(Play(console).run(keep=keep))
    except KeyboardInterrupt:
        code = 0 if keep else 130
    raise typer.Exit(code)
