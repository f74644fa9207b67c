"""Bad input ends with a sentence and exit code 2."""

from typing import NoReturn

import typer

BAD_INPUT = 2


def refuse(error: Exception | str) -> NoReturn:
    """Print what is wrong on stderr and exit with 2."""
    text = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: expected a readable file (got: {error.strerror})"
    typer.echo(text, err=True)
    raise typer.Exit(BAD_INPUT)
