"""How often a reading that costs is taken: the more it costs, the less often.

A pass over all processes takes a third of a millisecond on a small host and a third of a second on one with ten
thousand; a table of sockets may have a hundred thousand rows. So each such reading is timed, and the next one waits
until what it cost is a small share of the time since.
"""

import time
from collections.abc import Callable
from typing import TypeVar

SHARE = 1 / 300
"""Part of a core that one reading may take, over time."""
LONGEST = 600.0
"""Seconds after which a reading is taken again whatever it cost."""

Result = TypeVar("Result")


class Pace:
    """Takes a reading when it is due. `spent` is the CPU time of the calling thread in seconds; `least` the shortest
    time in seconds between two readings.
    """

    def __init__(self, least: float = 0.0, spent: Callable[[], float] = time.thread_time) -> None:
        self._least = least
        self._spent = spent
        self._due: float | None = None

    def due(self, at: float) -> bool:
        """Whether the reading may be taken at `at` (monotonic seconds)."""
        return self._due is None or at >= self._due

    def take(self, at: float, read: Callable[[], Result]) -> Result:
        """What `read` returns or raises; what it cost decides when the next one is due."""
        before = self._spent()
        try:
            return read()
        finally:
            cost = max(0.0, self._spent() - before)
            self._due = at + max(self._least, min(LONGEST, cost / SHARE))
