"""Where an earlier process left a path → the files to go on with.

A checkpoint is matched by identity, in this order: the file at the path; a file beside it (rotated while we were down);
a copy beside it (`copytruncate` while we were down). If none fits, what is there is new and read from its start, and
what the old file may have held unread is lost, and said.

What a file system cannot tell, however it is asked (each is said as `Lost`, as far as it can be noticed at all):

* A checkpoint of a file of which nothing was read holds the inode and no content. Packed or copied while we are down,
  the file is not found again; and if it was empty after all, the loss that is said was none.
* A file truncated, refilled, and then packed while we are down holds nothing of what the checkpoint knows.
* A file filled and truncated between two looks, of which nothing had been read, looks like one that stayed empty.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from daemon.model import Checkpoint, Lines, Lost, Position
from daemon.sources.identity import parse_identity
from daemon.sources.openings import Openings
from daemon.sources.tailed_file import Reading, TailedFile
from daemon.telemetry import Says, log


class Resumed(NamedTuple):
    """What to read: the present file, and before it its unread predecessors (oldest first)."""

    file: TailedFile | None
    old: list[TailedFile]
    lost: Lost | None


def resume(
    openings: Openings, reading: Reading, row: Checkpoint, drained: Collection[Checkpoint] = ()
) -> Resumed | None:
    """Match the checkpoint of a path; `drained` are those of the files that were there before.

    None while nothing can be said: the path is empty or blocked, and no rotated file fits (try again later).
    Raises NotYetError while a file that is needed cannot be unpacked, Transient out of descriptors.
    """
    file = openings.open_present(row)
    if file is None and openings.blocked is not None:
        return None
    try:
        old, found = ([], True) if _goes_on(file, row) else _find_rest(openings, row, drained)
    except BaseException:
        if file is not None:
            openings.close(file)  # all or nothing: it is tried again
        raise
    if file is None and not old:
        return None
    lost = None if found or parse_identity(row.position.identity) is None else _loss(reading, row, (*old, file))
    return Resumed(file, old, lost)


def absent(name: str, reading: Reading) -> Lines:
    """A checkpoint that says: at this moment there was nothing at the path, so whatever is there later is all new."""
    nowhere = Position(name, "", 0)
    return Lines(reading.source, b"", nowhere, Checkpoint(reading.source, nowhere, f"{reading.now():.3f}"))


def _absent_since(row: Checkpoint) -> float | None:
    try:
        return None if row.position.identity else float(row.marker)
    except ValueError:
        return None  # written before 0.3, which noted no moment


def _goes_on(file: TailedFile | None, row: Checkpoint) -> bool:
    identity = parse_identity(row.position.identity)
    if file is None or identity is None:
        return False
    return file.inode == identity.inode and file.offset >= row.position.offset


def _find_rest(openings: Openings, row: Checkpoint, drained: Collection[Checkpoint]) -> tuple[list[TailedFile], bool]:
    since = _absent_since(row)
    if since is not None:
        return openings.open_since(since), True
    old, found = openings.find(row, copy=False)
    if not found:
        old, found = openings.find(row, copy=True)
    if found:
        return old, True
    rewritten = openings.find_rewritten(row)
    if rewritten:
        return rewritten, False
    # nothing was read of it, or it is gone; but what followed its predecessor is it, or came after it
    after = openings.find_after(drained)
    return after, bool(after) and not row.position.offset


def _loss(reading: Reading, row: Checkpoint, files: Iterable[TailedFile | None]) -> Lost:
    identity = parse_identity(row.position.identity)
    same = identity is not None and identity.inode in {file.inode for file in files if file is not None}
    path, offset = row.position.path, row.position.offset
    log.warning(Says.file_replaced, source=reading.source, path=path, read_before=offset)
    detail = f"{path} is not the file that was read up to byte {offset}; what followed there cannot be known"
    return Lost(reading.source, "truncated" if same else "replaced", None, reading.now(), detail)
