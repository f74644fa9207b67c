"""Literals and expressions, each with a number, looked for in one pass of hyperscan over a text.

Bounded: what hyperscan makes of the patterns. Making it takes tens of MiB for a moment, which the allocator keeps.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from daemon.detection.clauses import EXPRESSION, WORD_OF_ITS_OWN

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
    """What finds the names with these numbers: literals, or those that stand for one of `expressions`.

    Raises RefusedError for what the engine does not take.
    """
    patterns = [expressions.get(names[number]) or pattern_of(names[number]) for number in numbers]
    database = hyperscan.Database()
    database.compile(expressions=patterns, ids=list(numbers), elements=len(patterns), flags=[0] * len(patterns))
    return database


def scan(database: "Database | None", text: bytes) -> list[tuple[int, int]]:
    """(number, where it ends) of each occurrence; nothing where there is no database."""
    found: list[tuple[int, int]] = []
    note = found.append
    if database is None:
        return found
    database.scan(text, lambda literal, _start, end, _flags, _context: note((literal, end)))
    return found


def pattern_of(name: str) -> bytes:
    """A literal as hyperscan is to look for it."""
    if name.startswith(EXPRESSION):
        return name.removeprefix(EXPRESSION).encode()
    if name.startswith(WORD_OF_ITS_OWN):
        return b"[^a-z0-9_/.-]" + pattern_of(name.removeprefix(WORD_OF_ITS_OWN)) + b"[^a-z0-9_/-]"
    return b"".join(b"\\x%02x" % byte for byte in name.encode("utf-8", "backslashreplace"))
