"""`tellwhy demo`: the whole main job on this machine, with nothing else needed.

The real daemon tails two logs to which a realistic attack is appended, twice, and posts signed alerts to the demo's own
receiver, which prints them. The second wave must come with the first one as a similar incident.
"""

import asyncio
import signal
from typing import Annotated

import typer
from rich.console import Console

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # also where a script's shell told us to ignore the first


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the daemon running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Play an attack against a real daemon in a temporary directory and print the alerts that come of it."""
    raise typer.Exit(asyncio.run(_perform(keep=keep)))


async def _perform(*, keep: bool) -> int:
    """The exit code. A signal ends the daemon and removes the directory before we end."""
    from daemon.cli.demo.play import Play  # noqa: PLC0415 - brings a whole receiver along: no other verb shall wait for it

    loop = asyncio.get_running_loop()
    caught: list[int] = []
    async with asyncio.TaskGroup() as group:
        play = group.create_task(Play(Console(highlight=False)).run(keep=keep))

        def end(number: int) -> None:
            caught.append(number)
            play.cancel()

        for number in _ENDS:
            loop.add_signal_handler(number, end, number)
    if not play.cancelled():
        return play.result()
    return 0 if keep and caught == [signal.SIGINT] else 128 + caught[0]
