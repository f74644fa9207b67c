"""A loss that several logs tell of is one: what the kernel and auditd say stands in syslog, kern.log and the journal.

A statement is known again by its host and its words (the kernel's hold its count), where another source told it within
a few seconds. What one source tells again and again is told as often; of two that tell the same, the one that tells
more of it counts.

Bounded: 4,096 seconds in which something was told, the oldest forgotten first; it is then told twice, never not at all.
"""

import math
from collections import Counter, OrderedDict
from typing import TypeAlias

from daemon.model import Lost

WITHIN = 5
"""Seconds by which two logs may date one statement differently: one may hold whole seconds, or be written late."""
_MOST = 4096
_STATEMENTS = frozenset({"audit_backlog", "audit_daemon", "auditd_killed"})

_Statement: TypeAlias = tuple[str, str, str]


class ToldLosses:
    """Losses, as they are read → whether each was told by another source before."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[_Statement, int], Counter[str]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._told)

    def again(self, lost: Lost) -> bool:
        """Whether this is only what another source told already."""
        if lost.why not in _STATEMENTS or not math.isfinite(lost.at):
            return False
        statement, second = (lost.host, lost.why, lost.detail), int(lost.at)
        for near in range(second - WITHIN, second + WITHIN + 1):
            told = self._told.get((statement, near), Counter())
            others = (count for source, count in told.items() if source != lost.source)
            if told[lost.source] < max(others, default=0):
                told[lost.source] += 1  # it is that one, and says nothing of a later one
                return True
        if (statement, second) not in self._told:
            self._told[statement, second] = Counter()
            if len(self._told) > _MOST:
                self._told.popitem(last=False)
        self._told[statement, second][lost.source] += 1
        return False
