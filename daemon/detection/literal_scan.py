"""Literals, each with a number, looked for in one pass of hyperscan over a text.

Case of ASCII letters does not count. Databases are for lists of texts (`HS_MODE_VECTORED`), which hyperscan makes in a
fifth of the time and without the tens of MiB that one for single blocks takes: for those it builds an automaton of all
literals besides, for texts of up to 70 bytes (`smallwrite` in its source).

Bounded: what hyperscan makes of the patterns.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from daemon.detection.clauses import WORD_OF_ITS_OWN

try:
    import hyperscan
except ImportError:  # no wheel for every machine: then there are no candidates, and every rule looks at every text
    hyperscan = None  # type: ignore[assignment,unused-ignore]

Database: TypeAlias = "hyperscan.Database"
RefusedError: type[Exception] = getattr(hyperscan, "error", NotImplementedError)
"""What the engine raises for what it does not take."""


def has_engine() -> bool:
    """Whether there is something here that finds literals; without it everything is a candidate."""
    return hyperscan is not None


def build_database(names: Sequence[str], numbers: Sequence[int], expressions: Mapping[str, bytes]) -> Database:
    """What finds the names with these numbers: literals, or those that stand for something simple in `expressions`.

    Raises RefusedError for what the engine does not take.
    """
    patterns = [expressions.get(names[number]) or pattern_of(names[number]) for number in numbers]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_VECTORED)
    flags = [hyperscan.HS_FLAG_CASELESS] * len(patterns)
    database.compile(expressions=patterns, ids=list(numbers), elements=len(patterns), flags=flags)
    return database


def scan(database: "Database | None", text: bytes) -> list[tuple[int, int]]:
    """(number, where it ends) of each occurrence; nothing where there is no database."""
    found: list[tuple[int, int]] = []
    note = found.append
    if database is None:
        return found
    search(database, text, lambda literal, _start, end, _flags, _context: note((literal, end)))
    return found


def search(database: "Database", text: bytes, note: Callable[[int, int, int, int, object], bool | None]) -> None:
    """Call `note` with the number of each occurrence, something, where it ends and more. Raises RefusedError."""
    database.scan([text], note)  # type: ignore[type-var] # its stub knows only of texts, not of lists of them


def pattern_of(name: str) -> bytes:
    """A literal as hyperscan is to look for it."""
    if name.startswith(WORD_OF_ITS_OWN):
        return b"[^a-z0-9_/.-]" + pattern_of(name.removeprefix(WORD_OF_ITS_OWN)) + b"[^a-z0-9_/-]"
    return b"".join(b"\\x%02x" % byte for byte in name.encode("utf-8", "backslashreplace"))
