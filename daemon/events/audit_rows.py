"""Lines of an audit log taken apart at once: whole events and other lines, one behind the other, in columns.

What is asked of every event (that it is in order) is asked of columns, a run at a time, because asking each event takes
longer than finding it.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import le, lt

from daemon.events.audit_nodes import FORWARD
from daemon.events.audit_shape import MARK, SHAPE, Shape, are_names

_ALONE, _STAMP, _SERIAL, _SAID, _NAMES, _ARGC, _SADDR, _PATHS = map(
    Shape._fields.index, ("alone", "stamp", "serial", "said", "names", "argc", "saddr", "paths")
)
_OPTIONAL = _PATHS - _SADDR
_LONGEST = 8192
"""Bytes of an event beyond which it is read record by record: what is remembered of parts (by `audit_shape` and
`whole_text`, some thousand each) is bounded by it.
"""


class Rows:
    """What SHAPE finds in whole lines, in columns: `nodes` as they are written, `at` and `serials`, `ends` in bytes and
    `lines` by number of the row. `calls` are the numbers of system calls, `others` of what is no whole event.
    """

    def __init__(self, data: bytes) -> None:
        self.found: list[tuple[bytes, ...]] = SHAPE.findall(data)
        found = self.found
        sizes = [len(row[0]) for row in found]
        self.ends = list(accumulate(sizes))
        self.nodes = [row[1] for row in found]
        self.calls = [number for number, row in enumerate(found) if not row[_ALONE]]
        stamps = [row[_STAMP] for row in found]
        odd = {said for said in {row[_NAMES] for row in found} if len(said) > _LONGEST or not are_names(said)}
        self.others: frozenset[int] = frozenset()
        too_long = max(sizes, default=0) > _LONGEST
        if odd or too_long or b"" in stamps or MARK in b"".join([row[_SAID] for row in found]):
            self.others = frozenset(
                number
                for number, row in enumerate(found)
                if not row[_STAMP] or row[_NAMES] in odd or MARK in row[_SAID] or sizes[number] > _LONGEST
            )
        self.at = [float(stamp or b"0") for stamp in stamps]
        self.serials = [int(row[_SERIAL] or b"0") for row in found]
        self.lines = [1] * len(found)
        for number in self.calls:
            self.lines[number] = _lines_of(found[number])
        self._breaks = self._find_breaks()

    def __len__(self) -> int:
        return len(self.found)

    def start(self, number: int) -> int:
        """Where a row begins, in bytes."""
        return self.ends[number - 1] if number else 0

    def end_of_run(self, first: int) -> int:
        """The number behind the last of the rows from `first` on that each follow the one before them: whole events of
        one node, the serial larger by less than a reboot, the time not earlier.
        """
        place = bisect_right(self._breaks, first)
        return self._breaks[place] if place < len(self._breaks) else len(self)

    def end_of_others(self, first: int) -> int:
        """The number behind the last of the rows from `first` on that are no whole events; `first` may be one."""
        last = first + 1
        while last in self.others:
            last += 1
        return last

    def calls_of(self, first: int, last: int) -> list[int]:
        """The numbers of system calls among these rows."""
        return self.calls[bisect_left(self.calls, first) : bisect_left(self.calls, last)]

    def _find_breaks(self) -> list[int]:
        at, serials, nodes = self.at, self.serials, self.nodes
        if not self.others and len(set(nodes)) < 2:  # noqa: PLR2004 - all of one node, or nothing
            near = not serials or serials[-1] - serials[0] < FORWARD
            if near and all(map(lt, serials, serials[1:])) and all(map(le, at, at[1:])):
                return []
        others = self.others
        return [
            number
            for number in range(1, len(self))
            if nodes[number] != nodes[number - 1]
            or not 0 < serials[number] - serials[number - 1] < FORWARD
            or at[number] < at[number - 1]
            or number in others
            or number - 1 in others
        ]


def _lines_of(row: tuple[bytes, ...]) -> int:
    """The lines of a call, told by what was found in it, which is faster than to count them; 1 of any other line."""
    if not row[_STAMP]:
        return 1
    records = _OPTIONAL - row[_SADDR:_PATHS].count(b"")
    return 2 + (row[_ARGC] != b"") + records + row[_PATHS].count(b"\n")
