"""Bad input ends with a sentence and exit code 2."""

from typing import NoReturn

import typer

BAD_INPUT = 2


def explain(error: Exception | str) -> str:
    """What is wrong, for a person."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: expected a readable file (got: {error.strerror})"
    return str(error)


def refuse(error: Exception | str) -> NoReturn:
    """Print what is wrong on stderr and exit with 2."""
    typer.echo(explain(error), err=True)
    raise typer.Exit(BAD_INPUT)
