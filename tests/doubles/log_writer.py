"""Who writes the logs: in bursts, with lines cut in two, through rotations."""

import asyncio
import random  # noqa: TID251 - seeded bursts
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.doubles.attack_stream import Written


def rename(path: Path) -> None:
    """As auditd and logrotate do: path.1 becomes path.2, path becomes path.1, a new file is made."""
    _shift(path)
    path.rename(f"{path}.1")
    path.touch()


def copytruncate(path: Path) -> None:
    """As logrotate does with `copytruncate`: the file stays, its content moves."""
    _shift(path)
    shutil.copy2(path, f"{path}.1")
    with path.open("r+b") as log:
        log.truncate()


def _shift(path: Path) -> None:
    for number in range(8, 0, -1):
        old = Path(f"{path}.{number}")
        if old.exists():
            old.rename(f"{path}.{number + 1}")


class LogWriter:
    """Writes `pieces` to `SOURCE.log` in `top`, never further than `allow`ed.

    `turns`: at which number of written lines which log is rotated, and how.
    """

    def __init__(
        self,
        top: Path,
        pieces: list[Written],
        *,
        seed: int,
        turns: Mapping[int, tuple[str, Callable[[Path], None]]],
    ) -> None:
        self._top = top
        self._random = random.Random(seed)  # noqa: S311 - a test that can be repeated
        self._turns = dict(turns)
        self._pieces = pieces
        self._allowed = 0
        self._more = asyncio.Event()
        self.written = 0
        self.rotated = 0

    def allow(self, lines: int) -> None:
        """Write on, up to this many lines in all."""
        self._allowed = lines
        self._more.set()

    async def run(self) -> None:
        """Until everything is written."""
        for burst in self._bursts():
            for piece in burst:
                while self.written >= self._allowed:
                    self._more.clear()
                    await self._more.wait()
                await self._write(piece)
            await asyncio.sleep(self._random.uniform(0, 0.08))

    def _bursts(self) -> Iterator[list[Written]]:
        start = 0
        while start < len(self._pieces):
            size = self._random.choice((1, 3, 10, 40))
            yield self._pieces[start : start + size]
            start += size

    async def _write(self, piece: Written) -> None:
        path = self._top / f"{piece.source}.log"
        cut = len(piece.data)
        if self._random.random() < 0.02:
            cut = self._random.randrange(1, len(piece.data))
        for part in (piece.data[:cut], piece.data[cut:]):
            with path.open("ab") as log:
                log.write(part)
            if cut < len(piece.data):
                await asyncio.sleep(self._random.uniform(0, 0.15))
        self.written += piece.lines
        for at in [at for at in self._turns if at <= self.written]:
            source, turn = self._turns.pop(at)
            turn(self._top / f"{source}.log")
            self.rotated += 1
