"""Since when there is nothing at a path, and when to look for it elsewhere again."""

from collections.abc import Callable

AGAIN = 30.0
"""Seconds between two searches, for a file that is not at its path, among those beside it."""


class Absence:
    """`last` is the wall-clock time at which there was last nothing (None: not known); whoever uses it up clears it."""

    def __init__(self, monotonic: Callable[[], float], now: Callable[[], float], last: float | None = None) -> None:
        self._monotonic = monotonic
        self._now = now
        self._since: float | None = None
        self._searched: float | None = None
        self.last = last

    @property
    def seconds(self) -> float | None:
        """For how long there has been nothing; None while there is something."""
        return None if self._since is None else self._monotonic() - self._since

    def begin(self) -> bool:
        """There is nothing; True when that is new."""
        self.last = self._now()
        if self._since is not None:
            return False
        self._since = self._monotonic()
        return True

    def end(self) -> None:
        """There is something, or it cannot be told."""
        self._since = self._searched = None

    @property
    def due(self) -> bool:
        """Whether to search now: at once, and then every half minute, as every search lists a directory."""
        return self._searched is None or self._monotonic() - self._searched >= AGAIN

    def note_search(self) -> None:
        """Nothing was found; of no consequence while there is something at the path."""
        self._searched = self._monotonic() if self._since is not None else None
