"""Whether lines pour in: then looking often is cheaper than being woken for each of them."""

from collections.abc import Callable

BUSY = 100
"""Reads with lines within one second that make a source hot."""
QUIET = 40
"""Reads without any line after which it is no longer."""


class Heat:
    """Counts the reads of one source. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since = monotonic()
        self._busy = 0
        self._quiet = 0
        self.hot = False

    def note(self, *, moved: bool) -> bool:
        """Count one read that brought lines, or did not; True while hot."""
        if self._monotonic() - self._since >= 1.0:
            self._since = self._monotonic()
            self._busy = 0
        self._busy += moved
        self._quiet = 0 if moved else self._quiet + 1
        if self.hot and self._quiet >= QUIET:
            self.hot = False
            self._busy = 0
        elif self._busy >= BUSY:
            self.hot = True
        return self.hot
