"""A run of audit lines whose whole events were passed at once: where to look up later which lines those had."""

import math
from collections.abc import Iterator

from daemon.events.auditd import Record, parse_record
from daemon.model import Position

_LONG = 1024
"""Bytes that count as a line, where lines are longer: what is kept is bounded in bytes too."""
_NOWHERE = Position("", "", 0)


class Run:
    """The lines of a run, as far as they were passed, and the times between which they lie."""

    __slots__ = ("_data", "_first", "_last", "_passed", "lines")

    def __init__(self, data: bytes) -> None:
        self.lines = max(data.count(b"\n"), len(data) // _LONG)
        self._data = data
        self._passed = 0
        self._first, self._last = math.inf, -math.inf

    def pass_until(self, end: int, at: float) -> None:
        """An event of this time ends at `end`."""
        self._passed = end
        self._last = max(self._last, at)
        self._first = min(self._first, at)

    def holds(self, at: float) -> bool:
        """Whether an event of this time may be among those that were passed."""
        return self._first <= at <= self._last

    def records(self, stamp: str, serial: int) -> Iterator[Record]:
        """The records of an event among those that were passed."""
        key = b"(%s:%d)" % (stamp.encode(), serial)
        found = self._data.find(key, 0, self._passed)
        while found >= 0:
            start, end = self._data.rfind(b"\n", 0, found) + 1, self._data.index(b"\n", found)
            record = parse_record(self._data[start:end].removesuffix(b"\r"), _NOWHERE)
            if record is not None and (record.stamp, record.serial) == (stamp, serial) and record.kind != "EOE":
                yield record
            found = self._data.find(key, end, self._passed)
