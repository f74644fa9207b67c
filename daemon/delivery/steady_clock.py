"""A clock that a step of the wall clock cannot hold back."""

from collections.abc import Callable


class SteadyClock:
    """Never below what it showed, nor below what it was told to have reached by sleeping. UTC seconds, or ahead."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._reached = now()

    def now(self) -> float:
        """The wall clock, unless that was set back."""
        self._reached = max(self._reached, self._now())
        return self._reached

    def reach(self, at: float) -> None:
        """It is `at` by now, or later."""
        self._reached = max(self._reached, at)
