"""What a pipeline does to the store, without a flow: each item's lines and its checkpoint in one transaction."""

from pathlib import Path

from daemon.model import Checkpoint, Forgotten, Lines, Lost, Snapshot
from daemon.sources import Item
from daemon.state import Commit
from daemon.state.store import SqliteStore


class LineStore:
    """A real `SqliteStore` that also holds the lines, as rows of its own. `kill` forgets what was not committed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.store = SqliteStore(directory, ballast_bytes=0)
        self.store.open()
        self._waiting: list[Item] = []
        self._number = 0
        self.lost: list[Lost] = []

    async def emit(self, item: Item) -> None:
        """Take one item and store it at once."""
        self.take(item)
        await self.commit()

    def take(self, item: Item) -> None:
        """Take one item; `commit` stores it."""
        self._waiting.append(item)

    async def commit(self) -> None:
        """Store all that was taken, whole."""
        waiting, self._waiting = self._waiting, []
        rows: dict[str, Checkpoint] = {}
        gone: dict[str, Forgotten] = {}
        lines = []
        for item in waiting:
            if isinstance(item, Lines):
                rows[item.checkpoint.position.path] = item.checkpoint
                gone.pop(item.checkpoint.position.path, None)
                lines += [line for _, line in item.split()]
            elif isinstance(item, Forgotten):
                gone[item.path] = item
                rows.pop(item.path, None)
            elif isinstance(item, Lost):
                self.lost.append(item)
        kept = tuple(Snapshot("lines", f"{self._number + number:09}", line) for number, line in enumerate(lines))
        self._number += len(lines)
        await self.store.commit(
            Commit(at=1.0, checkpoints=tuple(rows.values()), forgotten=tuple(gone.values()), snapshots=kept)
        )

    async def lines(self) -> list[bytes]:
        """Every line that was ever stored, in that order."""
        return [snapshot.value or b"" for snapshot in await self.store.snapshots()]

    async def checkpoints(self) -> list[Checkpoint]:
        """The stored positions."""
        return await self.store.checkpoints()

    def kill(self) -> None:
        """What was not committed is gone; the file is opened anew."""
        self._waiting.clear()
        self.store.close()
        self.store = SqliteStore(self._directory, ballast_bytes=0)
        self.store.open()

    def close(self) -> None:
        """Close the store."""
        self.store.close()
