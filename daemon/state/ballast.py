"""A preallocated file to give back when the disk is full.

On a full disk SQLite in WAL mode cannot even mark a delivery as sent. Releasing the ballast gives it the room to
let deliveries finish while reading is paused.
"""

import contextlib
import os
from pathlib import Path


class Ballast:
    """`size` bytes that are really allocated at `path`, or not there."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    @property
    def held(self) -> bool:
        """Whether the room is still reserved."""
        return self._path.exists()

    def fill(self) -> bool:
        """Reserve the room if it is not; False when the disk has not enough of it."""
        if self._size <= 0 or (self.held and self._path.stat().st_size >= self._size):
            return True
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.posix_fallocate(fd, 0, self._size)
            finally:
                os.close(fd)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give the room back; True when there was some."""
        was_held = self.held
        with contextlib.suppress(OSError):
            self._path.unlink()
        return was_held
