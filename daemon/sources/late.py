"""Drained predecessors of a path: held a little longer, each under a checkpoint row of its own.

A writer may go on in a rotated file until it is told to open the new one. And whoever matches a rotated file under its
new name (a glob, the next start) must know how far it was read, after the row of the path has moved on. So the last
eight drained files keep rows `PATH#rotated0` to `PATH#rotated7`.

No two of these rows speak of one inode: a file of a deleted one's number (of an empty file nothing but the number is
known) would be matched by both, and the staler one would have its lines read again. So a drained file takes the row
that holds its inode already, else an unused one, else that of the file drained longest ago.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.identity import parse_identity
from daemon.sources.openings import Openings
from daemon.sources.tailed_file import CutShortError, TailedFile

LINGER = 5.0
"""Seconds that a drained file is held for late writers, counted from the last line that it brought, or from when a copy
of it was last seen in the making: by it the copy is known."""
ROWS = 8
"""How many drained files are remembered, and held at once."""

_ROW = re.compile(r"#rotated\d$")


def late_row(name: str, number: int) -> str:
    """The path under which the checkpoint of a drained predecessor is stored."""
    return f"{name}#rotated{number}"


def owner_of(row: str) -> str:
    """The path to which a row belongs."""
    return _ROW.sub("", row)


class LateFiles:
    """The drained predecessors of one path. Bounded: eight are held; the ninth pushes the first one out."""

    def __init__(self, openings: Openings, stored: Mapping[str, Checkpoint], monotonic: Callable[[], float]) -> None:
        self._openings = openings
        self._monotonic = monotonic
        self._held: dict[int, tuple[TailedFile, float]] = {}
        rows = ((number, stored.get(late_row(openings.name, number))) for number in range(ROWS))
        # as they are stored; those to be used again first come first
        self._rows = {number: row for number, row in rows if row is not None}
        self._resumed = False
        self.more = False

    @property
    def rows(self) -> list[Checkpoint]:
        """The rows, as they were when each file was drained."""
        return list(self._rows.values())

    @property
    def files(self) -> list[TailedFile]:
        """Those that are open."""
        return [file for file, _ in self._held.values()]

    def resume(self) -> None:
        """Hold again, once, those that an earlier process drained: they may have grown while nobody looked."""
        if self._resumed:
            return
        self._resumed = True
        for number, row in self._rows.items():
            file = self._openings.open_late(row)
            if file is not None:
                self._held[number] = file, self._monotonic() + LINGER
        # a row whose file is gone is the first to be used again, then those of the files longest silent
        self._rows = dict(sorted(self._rows.items(), key=lambda pair: self._written_at(pair[0])))

    def _written_at(self, number: int) -> int:
        held = self._held.get(number)
        return 0 if held is None else held[0].stat().st_mtime_ns

    def add(self, file: TailedFile) -> Iterator[Lines | Lost]:
        """Hold a drained file, and store its row."""
        number = self._choose(file.inode)
        before = self._held.pop(number, None)
        if before is not None:
            yield from self._openings.let_go(before[0])
        file.key = late_row(self._openings.name, number)
        self._held[number] = file, self._monotonic() + LINGER
        self._rows.pop(number, None)
        self._rows[number] = file.checkpoint()
        yield file.anchor()

    def _choose(self, inode: int) -> int:
        for number, row in self._rows.items():
            identity = parse_identity(row.position.identity)
            # a file that is held keeps its inode: an equal one is of another device then, behind a switched link
            if number not in self._held and identity is not None and identity.inode == inode:
                return number
        unused = (number for number in range(ROWS) if number not in self._rows)
        return next(unused, next(iter(self._rows), 0))

    def read(self) -> Iterator[Lines | Lost]:
        """What late writers wrote; files that were silent for long enough are let go."""
        self.more = False
        for number, (file, until) in list(self._held.items()):
            before = file.offset
            try:
                yield from file.read()
            except CutShortError:
                del self._held[number]
                self._openings.close(file)
                continue
            self.more = self.more or file.more
            if file.offset != before or file.copied:
                file.copied = False
                self._held[number] = file, self._monotonic() + LINGER
            elif self._monotonic() >= until:
                del self._held[number]
                yield from self._openings.let_go(file)

    def close(self) -> None:
        """Let go of all, with nothing said."""
        close_all(self._openings, self.files)
        self._held.clear()


def close_all(openings: Openings, files: Iterable[TailedFile]) -> None:
    """Close files; the ledger remembers how far they were read."""
    for file in files:
        openings.close(file)
