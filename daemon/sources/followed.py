"""What is told of while it matters, and a while after: what a rule fired about must be seen to end."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

LINGER = 600.0
"""Seconds after which what no longer matters is not told of any more."""
MOST = 16
"""Things that are told of at a time."""


class Followed(Generic[Key]):
    """Bounded: of more than `most` things those come first that were told of before."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._until: dict[Key, float] = {}

    def choose(self, wanted: Iterable[Key], at: float) -> list[Key]:
        """Those to tell of at `at` (monotonic seconds): the wanted ones, the most important first, and those that were
        wanted lately.
        """
        self._until = {key: until for key, until in self._until.items() if until >= at}
        asked = dict.fromkeys(wanted)
        for key in asked:
            if key in self._until or len(self._until) < self._most or self._forget_one(asked):
                self._until[key] = at + LINGER
        return list(self._until)

    def _forget_one(self, asked: Iterable[Key]) -> bool:
        """Make room by the one that has not mattered for longest."""
        quiet = self._until.keys() - set(asked)
        if not quiet:
            return False
        del self._until[min(quiet, key=lambda key: self._until[key])]
        return True
