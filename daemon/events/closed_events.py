"""Audit events that are closed: which records they had, so that what comes again is known for it.

Remembered are the newest events, of so many lines. Of those read one by one the digests of their records are kept; of
whole events (`whole_events`) the run of lines they stood in, which is looked through when somebody asks. Nobody asks of
an event that is newer than all before it, and nearly all are.
"""

import math
from collections import OrderedDict, deque
from typing import TypeAlias

from daemon.events.runs import Run

Identity: TypeAlias = tuple[str, str, int]
"""(node, time as written, serial): a serial alone restarts at boot and wraps at 2**32."""

_MOST_NODES = 1024
"""Nodes of which the newest event is remembered; they are the machines of one log."""


class ClosedEvents:
    """Bounded: `limit` lines (longer ones count for more), and the newest event of each of 1024 nodes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._digests: OrderedDict[Identity, set[int]] = OrderedDict()
        self._runs: deque[Run] = deque()
        self._lines = 0
        self._newest: dict[str, tuple[float, int]] = {}
        self._floor = (-math.inf, 0)

    def __len__(self) -> int:
        """How many events are remembered by their records."""
        return len(self._digests)

    def begin_run(self, data: bytes) -> Run:
        """Lines are about to be read, and whole events among them."""
        run = Run(data)
        self._runs.append(run)
        self._lines += run.lines
        self._forget()
        return run

    def is_newest(self, node: str, at: float, serial: int) -> bool:
        """Whether an event would be newer than all of its node before."""
        return (at, serial) > self._newest.get(node, self._floor)

    def note(self, node: str, at: float, serial: int) -> None:
        """An event began. Of nodes that are forgotten the newest event is taken for that of every unknown one."""
        self._newest[node] = (at, serial)
        if len(self._newest) > _MOST_NODES:
            self._floor = max(self._floor, self._newest.pop(next(iter(self._newest))))

    def pass_whole(self, run: Run, end: int, node: str, at: float, serial: int) -> None:
        """A whole event, the newest of its node, ends at `end` of the run."""
        self._newest[node] = (at, serial)
        run.pass_until(end, at)

    def close(self, identity: Identity, digests: set[int]) -> None:
        """An event is closed that had the records with these digests."""
        self._digests[identity] = digests
        self._lines += len(digests)
        self._forget()

    def is_closed(self, identity: Identity, at: float) -> bool:
        """Whether an event was closed before."""
        node, stamp, serial = identity
        if identity in self._digests:
            return True
        if self.is_newest(node, at, serial):
            return False
        for run in self._runs:
            digests = {one.digest for one in run.records(stamp, serial) if one.node == node} if run.holds(at) else None
            if digests:
                self._digests[identity] = digests
                self._lines += len(digests)
                return True
        return False

    def is_new(self, identity: Identity, digest: int) -> bool:
        """Whether a closed event had no such record; it has it from now on."""
        digests = self._digests[identity]
        if digest in digests:
            return False
        digests.add(digest)
        self._lines += 1
        return True

    def _forget(self) -> None:
        while self._lines > self._limit and (self._digests or len(self._runs) > 1):
            if len(self._runs) > 1:
                self._lines -= self._runs.popleft().lines
            else:
                self._lines -= len(self._digests.popitem(last=False)[1])
