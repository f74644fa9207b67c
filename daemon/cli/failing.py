"""Bad input ends with a sentence and exit code 2, output that cannot be written with one and exit code 1."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import typer

BAD_INPUT = 2
UNWRITABLE = 1
_OF_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE})


def explain(error: Exception | str) -> str:
    """What is wrong, for a person."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: expected a readable file (got: {error.strerror})"
    return str(error)


def refuse(error: Exception | str) -> NoReturn:
    """Print what is wrong on stderr and exit with 2."""
    typer.echo(explain(error), err=True)
    raise typer.Exit(BAD_INPUT)


def write_out(data: bytes, *, flush: bool = False) -> None:
    """Write to stdout; where that cannot be, end with a sentence and 1. Raises BrokenPipeError when nobody reads on."""
    try:
        sys.stdout.buffer.write(data)
        if flush:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _give_up(error)
        raise typer.Exit(UNWRITABLE) from error


def guard(command: Callable[[], None]) -> NoReturn:
    """Run the command line to its end. What it could not print, then or when it left, is said in one sentence; a pipe
    that nobody reads any more is no mistake, and nothing is said of it.
    """
    code: str | int | None = 0
    try:
        command()
    except SystemExit as ended:
        code = ended.code
    except OSError as error:
        if error.filename is not None or error.errno not in _OF_OUTPUT:
            raise
        code = _give_up(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _give_up(error)
    raise SystemExit(code)


def _give_up(error: OSError) -> int:
    """Say it, and let nothing more be tried when Python leaves."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        with suppress(OSError):
            typer.echo(f"tellwhy: cannot write the output: {error.strerror}", err=True)
    return UNWRITABLE
