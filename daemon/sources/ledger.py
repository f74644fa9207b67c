"""Which files a source reads at this moment, and how far it read those that it let go.

A glob may match a log under its old and its new name, or through a link: each file is read by one trail only, and
one that comes back under another name goes on where it was left. Bounded: at most 4096 files that were let go are
remembered, the oldest forgotten first (a forgotten one that still matches would be read again: never lost).
"""

import os
from collections import OrderedDict

from daemon.model import Checkpoint
from daemon.sources.identity import is_same_file, parse_identity
from daemon.sources.tailed_file import TailedFile

BOUND = 4096


class Ledger:
    """Shared by the trails of one source."""

    def __init__(self) -> None:
        self._claimed: set[tuple[int, int]] = set()
        self._left: OrderedDict[int, Checkpoint] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def is_claimed(self, stat: os.stat_result) -> bool:
        """Whether some trail reads this file."""
        return (stat.st_dev, stat.st_ino) in self._claimed

    def claim(self, file: TailedFile) -> None:
        """This file is being read."""
        self._claimed.add(file.id)
        self._left.pop(file.inode, None)

    def release(self, file: TailedFile) -> None:
        """This file is let go; how far it was read is remembered."""
        self._claimed.discard(file.id)
        self._left.pop(file.inode, None)  # whoever had this inode before is gone
        self.remember(file.checkpoint())

    def remember(self, checkpoint: Checkpoint) -> None:
        """Note how far a file was read; of several notes on one inode the furthest counts."""
        identity = parse_identity(checkpoint.position.identity)
        if identity is None:
            return
        known = self._left.pop(identity.inode, checkpoint)
        furthest = max(known, checkpoint, key=lambda note: note.position.offset)
        self._left[identity.inode] = furthest
        while len(self._left) > BOUND:
            self._left.popitem(last=False)

    def recall(self, fd: int) -> int:
        """Where reading of an open file goes on: 0 for one never seen."""
        checkpoint = self._left.get(os.fstat(fd).st_ino)
        if checkpoint is None or not is_same_file(fd, checkpoint):
            return 0
        return checkpoint.position.offset
