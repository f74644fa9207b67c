"""Where an earlier process left a path → the files to go on with.

A checkpoint is matched by identity, in this order: the file at the path; a file beside it (rotated while we were down);
a copy beside it (`copytruncate` while we were down). If none fits, what is there is new and read from its start, and
what the old file may have held unread is lost, and said.
"""

from collections.abc import Iterable
from typing import NamedTuple

from daemon.model import Checkpoint, Lost
from daemon.sources.identity import parse_identity
from daemon.sources.openings import Openings
from daemon.sources.tailed_file import Reading, TailedFile
from daemon.telemetry import Says, log


class Resumed(NamedTuple):
    """What to read: the present file, its unread predecessors (oldest first), the one held for late writers."""

    file: TailedFile | None
    old: list[TailedFile]
    late: TailedFile | None
    lost: Lost | None


def resume(openings: Openings, reading: Reading, row: Checkpoint | None, late_row: Checkpoint | None) -> Resumed | None:
    """Match the checkpoint of a path and that of its drained predecessor.

    None while nothing can be said: the path is empty or blocked, and no rotated file fits (try again later).
    """
    file = openings.open_present(row)
    if file is None and openings.blocked is not None:
        return None
    old: list[TailedFile] = []
    lost: Lost | None = None
    if row is not None and not _goes_on(file, row):
        old, found = _find_rest(openings, row)
        if not found and (file is not None or old) and parse_identity(row.position.identity) is not None:
            lost = _loss(reading, row, (*old, file))
    if file is None and not old:
        return None
    late = openings.open_late(late_row) if late_row is not None else None
    return Resumed(file, old, late, lost)


def _goes_on(file: TailedFile | None, row: Checkpoint) -> bool:
    identity = parse_identity(row.position.identity)
    if file is None or identity is None:
        return False
    return file.inode == identity.inode and file.offset == row.position.offset


def _find_rest(openings: Openings, row: Checkpoint) -> tuple[list[TailedFile], bool]:
    old, found = openings.find(row, copy=False)
    if not found:
        old, found = openings.find(row, copy=True)
    if not found:
        return openings.find_rewritten(row), False
    return old, found


def _loss(reading: Reading, row: Checkpoint, files: Iterable[TailedFile | None]) -> Lost:
    identity = parse_identity(row.position.identity)
    same = identity is not None and identity.inode in {file.inode for file in files if file is not None}
    path, offset = row.position.path, row.position.offset
    log.warning(Says.file_replaced, source=reading.source, path=path, read_before=offset)
    detail = f"{path} is not the file that was read up to byte {offset}; what followed there cannot be known"
    return Lost(reading.source, "truncated" if same else "replaced", None, reading.now(), detail)
