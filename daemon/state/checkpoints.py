"""Positions and the memory of the steps: what lets a restart go on at the exact byte, in the exact state."""

import sqlite3
from collections.abc import Iterable

from daemon.model import Checkpoint, Forgotten, Position, Snapshot

CHECKPOINT = 'INSERT OR REPLACE INTO checkpoints (source, path, identity, "offset", marker) VALUES (?, ?, ?, ?, ?)'
SNAPSHOT = "INSERT OR REPLACE INTO snapshots (step, key, value) VALUES (?, ?, ?)"


def save_checkpoints(connection: sqlite3.Connection, checkpoints: Iterable[Checkpoint]) -> None:
    """Replace the position of each (source, path)."""
    connection.executemany(
        CHECKPOINT,
        [(c.source, c.position.path, c.position.identity, c.position.offset, c.marker) for c in checkpoints],
    )


def forget_checkpoints(connection: sqlite3.Connection, forgotten: Iterable[Forgotten]) -> None:
    """Drop the positions of files that are gone."""
    rows = [(gone.source, gone.path) for gone in forgotten]
    connection.executemany("DELETE FROM checkpoints WHERE source = ? AND path = ?", rows)


def load_checkpoints(connection: sqlite3.Connection) -> list[Checkpoint]:
    """Every stored position."""
    rows = connection.execute('SELECT source, path, identity, "offset", marker FROM checkpoints ORDER BY source, path')
    return [
        Checkpoint(source, Position(path, identity, offset), marker) for source, path, identity, offset, marker in rows
    ]


def save_snapshots(connection: sqlite3.Connection, snapshots: Iterable[Snapshot]) -> None:
    """Apply the changes of the steps' memory, in order; a value of None removes the row."""
    for snapshot in snapshots:
        if snapshot.value is None:
            connection.execute("DELETE FROM snapshots WHERE step = ? AND key = ?", (snapshot.step, snapshot.key))
        else:
            connection.execute(SNAPSHOT, (snapshot.step, snapshot.key, snapshot.value))


def load_snapshots(connection: sqlite3.Connection) -> list[Snapshot]:
    """The stored memory of all steps."""
    rows = connection.execute("SELECT step, key, value FROM snapshots ORDER BY step, key")
    return [Snapshot(step, key, value) for step, key, value in rows]
