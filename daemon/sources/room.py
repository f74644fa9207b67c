"""Whether there is room to unpack a rotated file: what is in the way, and when to try again."""

from collections.abc import Callable

from daemon.sources.packed import NoRoomError, NotYetError

AGAIN = 15.0
"""Seconds between two attempts to unpack where there was no room: each may write and free hundreds of megabytes."""


class Room:
    """`lacks` is why a file that is needed cannot be unpacked, None while nothing is in the way."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.lacks: OSError | None = None
        self._now = now
        self._tried = 0.0

    @property
    def due(self) -> bool:
        """Whether to try (again) now; at once after the clock was set."""
        return self.lacks is None or not 0 <= self._now() - self._tried < AGAIN

    def begin(self) -> None:
        """An attempt begins: nothing is known to be in the way."""
        self.lacks = None

    def note(self, error: NotYetError) -> None:
        """It was in vain."""
        self.lacks = error.reason if isinstance(error, NoRoomError) else None
        self._tried = self._now()
