"""Audit events that are closed: which records they had, so that what comes again is known for it.

Remembered are the newest events, of so many lines, the oldest going first whatever way they were read. Of those read
one by one the digests of their records are kept; of whole events (`whole_events`) the run of lines they stood in, which
is looked through when somebody asks. Nobody asks of an event that is newer than all before it, and nearly all are.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from daemon.events.runs import Run

Identity: TypeAlias = tuple[str, str, int]
"""(node, time as written, serial): a serial alone restarts at boot and wraps at 2**32."""

_MOST_NODES = 1024
"""Nodes of which the newest event is remembered; they are the machines of one log."""
_LONG = 1024
"""Bytes for each line that is remembered that runs may keep: lines longer than this are forgotten sooner."""


class _Closed(Struct, gc=False):
    """The digests of the records of an event, and how many whole events were passed before it was closed."""

    digests: set[int]
    passed: int


class ClosedEvents:
    """Bounded: `limit` lines, `limit` KiB of runs, and the newest event of each of 1024 nodes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._digests: OrderedDict[Identity, _Closed] = OrderedDict()
        self._runs: deque[Run] = deque()
        self._lines = 0
        self._size = 0
        self._passed = 0
        self._forgotten = 0
        self._newest: dict[str, tuple[float, int]] = {}
        self._floor = (-math.inf, 0)

    def __len__(self) -> int:
        """How many events are remembered by their records."""
        return len(self._digests)

    def begin_run(self, data: bytes) -> Run:
        """Lines are about to be read, and whole events among them."""
        run = Run(data)
        if self._runs and not len(self._runs[-1]):
            self._size -= self._runs.pop().size  # nothing of it is remembered
        self._runs.append(run)
        self._size += run.size
        while self._size > self._limit * _LONG and len(self._runs) > 1:
            self._forget_run()
        return run

    def is_newest(self, node: str, at: float, serial: int) -> bool:
        """Whether an event would be newer than all of its node before."""
        return (at, serial) > self._newest.get(node, self._floor)

    def note(self, node: str, at: float, serial: int) -> None:
        """An event began. Of nodes that are forgotten the newest event is taken for that of every unknown one."""
        self._newest[node] = (at, serial)
        if len(self._newest) > _MOST_NODES:
            self._floor = max(self._floor, self._newest.pop(next(iter(self._newest))))

    def pass_run(
        self,
        run: Run,
        start: int,
        ends: Sequence[int],
        lines: Sequence[int],
        at: Sequence[float],
        newest: tuple[str, int],
    ) -> None:
        """Whole events of one node stand in the last run that began, one behind the other from `start` on. The last is
        the `newest` (node, serial).
        """
        node, serial = newest
        self._newest[node] = (at[-1], serial)
        run.pass_events(start, ends, lines, at)
        self._passed += len(ends)
        self._lines += sum(lines)
        self._forget()

    def close(self, identity: Identity, digests: set[int]) -> None:
        """An event is closed that had the records with these digests."""
        self._digests[identity] = _Closed(digests, self._passed)
        self._lines += len(digests)
        self._forget()

    def is_closed(self, identity: Identity, at: float) -> bool:
        """Whether an event was closed before."""
        node, _, serial = identity
        if identity in self._digests:
            return True
        return not self.is_newest(node, at, serial) and self._find(identity, at) is not None

    def is_new(self, identity: Identity, at: float, digest: int) -> bool:
        """Whether a closed event had no such record; it has it from now on."""
        closed = self._digests.get(identity)
        if closed is not None:
            if digest in closed.digests:
                return False
            closed.digests.add(digest)
        else:
            found = self._find(identity, at)
            if found is None or not found[0].is_new(found[1], digest):
                return False
        self._lines += 1
        return True

    def _find(self, identity: Identity, at: float) -> tuple[Run, int] | None:
        node, stamp, serial = identity
        for run in self._runs:
            number = run.find(stamp, serial, node, at)
            if number is not None:
                return run, number
        return None

    def _forget(self) -> None:
        """Forget the oldest events: those closed one by one before the whole events that were passed after them."""
        while self._lines > self._limit:
            first = next(iter(self._digests.values()), None)
            if first is not None and first.passed <= self._forgotten:
                self._lines -= len(self._digests.popitem(last=False)[1].digests)
            elif not self._forget_events(math.inf if first is None else first.passed - self._forgotten):
                return

    def _forget_events(self, most: float) -> bool:
        """Forget the oldest whole events, at most so many; false if there are none."""
        for run in self._runs:
            before = run.lines
            gone = run.forget(self._lines - self._limit, int(min(most, len(run))))
            self._lines -= before - run.lines
            self._forgotten += gone
            if gone:
                self._forget_empty()
                return True
        return False

    def _forget_empty(self) -> None:
        while len(self._runs) > 1 and not len(self._runs[0]):
            self._forget_run()

    def _forget_run(self) -> None:
        run = self._runs.popleft()
        self._size -= run.size
        self._lines -= run.lines
        self._forgotten += len(run)
