"""`tellwhy run`: the daemon."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from daemon import garbage
from daemon.cli.failing import refuse
from daemon.loading import load
from daemon.model import ProblemsError
from daemon.sd_notify import Notifier
from daemon.side_thread import prefer_the_loop
from daemon.state.database import StoreError
from daemon.telemetry import Says, configure_logging, log

STANDARD_CONFIG = Path("/etc/tellwhy/config.yaml")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help=f"The configuration file; {STANDARD_CONFIG} if it exists, else safe defaults."),
]


def chosen_config(config: Path | None) -> Path | None:
    """The configuration file to use: the given one, else the standard one if it is there, else none (defaults)."""
    if config is not None:
        return config
    try:
        return STANDARD_CONFIG if STANDARD_CONFIG.is_file() else None
    except PermissionError:  # an ordinary user, and not meant for them
        return None


def run(config: ConfigOption = None) -> None:
    """Run the daemon until SIGTERM; SIGHUP reloads configuration and rules."""
    from daemon.service import Service  # noqa: PLC0415 - half of what there is: no other verb shall wait for it

    path = chosen_config(config)
    try:
        loaded = load(path)
    except (ProblemsError, OSError) as error:
        refuse(error)
    configure_logging(loaded.config.log.level, loaded.config.log.format)
    if path is None:
        log.info(Says.config_defaulted, looked_for=str(STANDARD_CONFIG))

    garbage.settle()
    prefer_the_loop()

    async def main() -> int:
        return await Service(path, loaded, Notifier()).run()

    try:
        code = asyncio.run(main())
    except StoreError as error:
        log.error(Says.store_refused, error=str(error))
        raise typer.Exit(1) from error
    raise typer.Exit(code)
