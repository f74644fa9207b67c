"""A trail whose file is closed until its turn comes: what was there when it was closed, and whether that changed."""

from daemon.sources.openings import Openings
from daemon.sources.tailed_file import TailedFile


class Parking:
    """One trail's place in the queue. `unread` says that its file held more when it was closed, `looked` whether it
    ever had a turn.
    """

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        self._seen: tuple[int, int, int, int] | None = None
        self.looked = False
        self.unread = False

    @property
    def parked(self) -> bool:
        """Whether the file was closed for others."""
        return self._seen is not None

    def enter(self, file: TailedFile) -> None:
        """This file is being closed."""
        stat = file.stat()
        # by what was read, not by what is there: bytes that came in between would be taken for seen
        self._seen = (*file.id, file.reached, stat.st_mtime_ns)
        self.unread = file.more or stat.st_size > file.reached

    def leave(self, *, opened: bool) -> None:
        """The turn has come, in vain unless `opened`."""
        self._seen = None
        self.unread = self.unread and not opened

    def stirred(self, *, again: bool) -> bool:
        """Whether a path that is not open may have something to read; `again` where the last look was in vain."""
        if self._seen is None or self._openings.blocked is not None:
            return again or not self.looked
        stat = self._openings.glance()
        return stat is None or (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns) != self._seen
