"""A run of audit lines whose whole events were passed at once: where to look up later which lines those had."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from daemon.events.auditd import parse_record
from daemon.model import Position

_NOWHERE = Position("", "", 0)


class Run:
    """The whole events of a run of lines, as far as they were passed, without those that were forgotten."""

    __slots__ = ("_counts", "_data", "_ends", "_first", "_forgotten", "_known", "_last", "_starts")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._counts = [0]  # lines of all events before each, and of all
        self._forgotten = 0
        self._known: dict[int, set[int]] = {}
        self._first, self._last = math.inf, -math.inf

    def __len__(self) -> int:
        """How many events it remembers."""
        return len(self._ends) - self._forgotten

    @property
    def size(self) -> int:
        """Bytes that it keeps."""
        return len(self._data)

    @property
    def lines(self) -> int:
        """How many lines the events have that it remembers."""
        return self._counts[-1] - self._counts[self._forgotten]

    def pass_events(self, start: int, ends: Sequence[int], lines: Sequence[int], at: Sequence[float]) -> None:
        """Events of so many lines stand here, one behind the other from `start` on; their times do not go back."""
        self._starts.append(start)
        self._starts += ends[:-1]
        self._ends += ends
        self._counts += accumulate(lines, initial=self._counts.pop())
        self._first, self._last = min(self._first, at[0]), max(self._last, at[-1])

    def find(self, stamp: str, serial: int, node: str, at: float) -> int | None:
        """The number of an event that it remembers."""
        if not self._first <= at <= self._last or not len(self):
            return None
        key = b"(%s:%d)" % (stamp.encode(), serial)
        found = self._data.find(key, self._starts[self._forgotten], self._ends[-1])
        while found >= 0:
            number = bisect_right(self._starts, found) - 1
            if found < self._ends[number]:
                start = self._starts[number]
                record = parse_record(self._data[start : self._data.index(b"\n", start)], _NOWHERE)
                if record is not None and (record.stamp, record.serial, record.node) == (stamp, serial, node):
                    return number
            found = self._data.find(key, found + 1, self._ends[-1])
        return None

    def is_new(self, number: int, digest: int) -> bool:
        """Whether an event had no record with this digest; it has it from now on."""
        known = self._known.get(number)
        if known is None:
            lines = self._data[self._starts[number] : self._ends[number]].split(b"\n")[:-1]
            records = [parse_record(line, _NOWHERE) for line in lines]
            known = self._known[number] = {record.digest for record in records if record is not None}
        if digest in known:
            return False
        known.add(digest)
        self._counts[number + 1 :] = [count + 1 for count in self._counts[number + 1 :]]
        return True

    def forget(self, lines: int, most: int) -> int:
        """Forget the oldest events, until so many lines are gone or so many events; gives how many events went."""
        before = self._counts[self._forgotten]
        place = bisect_left(self._counts, before + lines, self._forgotten)
        until = min(place, self._forgotten + most, len(self._ends))
        gone, self._forgotten = until - self._forgotten, until
        return gone
