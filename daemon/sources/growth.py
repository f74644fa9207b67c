"""Counters that only grow → what they grew by, per second: the first reading of a counter gives nothing."""

from collections.abc import Mapping

LONGEST_GAP = 3
"""Intervals between two readings beyond which what lies between them is no rate: the host slept, or we hung."""


class Growth:
    """What counters were at the last reading. Holds one set of counters by name."""

    def __init__(self) -> None:
        self._before: Mapping[str, float] = {}
        self._at = 0.0

    def forget(self) -> None:
        """Begin anew: the next reading gives nothing."""
        self._before = {}

    def since(self, counters: Mapping[str, float], at: float, interval: float) -> tuple[float, dict[str, float]]:
        """(seconds since the last reading, by how much each counter grew). Empty after too long a time, or none;
        without the counters that are new or stepped back, which began anew.
        """
        before, passed = self._before, at - self._at
        self._before, self._at = dict(counters), at
        if not 0 < passed <= LONGEST_GAP * interval + 1:
            return passed, {}
        known = before.keys() & counters.keys()
        return passed, {name: grown for name in known if (grown := counters[name] - before[name]) >= 0}

    def per_second(self, counters: Mapping[str, float], at: float, interval: float) -> dict[str, float]:
        """By how much each counter grew per second."""
        passed, grown = self.since(counters, at, interval)
        return {name: value / passed for name, value in grown.items()}
