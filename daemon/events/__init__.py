"""Lines | Sample → Event | Lost. Pure: no await, no clock, no log, no file.

A reader turns what one source hands over into events in Sigma's field names. `feed` takes a whole run of lines;
`tick(now)` closes what only time can close (an audit event whose last record never came). Bad input is an output
(`Lost`, or a count in `unparsed`), never an exception. Time is taken from the records.

Memory: whatever a reader keeps between calls (records of unfinished audit events, the process table) is bounded,
evicted with a count, and handed out as `changes()` so that it is stored in the transaction of the lines that
caused it, and given back by `restore()`.
"""

from collections.abc import Iterable
from typing import Protocol, TypeAlias

from daemon.model import Event, Lines, Lost, Snapshot

Output: TypeAlias = Event | Lost


class Reader(Protocol):
    """Lines of one source → events."""

    unparsed: int
    """Lines that were not understood, since construction. They still become events, with the text alone."""

    @property
    def evictions(self) -> int:
        """What was let go before its time because memory is bounded, since construction."""
        ...

    def feed(self, lines: Lines) -> list[Output]:
        """The events that these lines complete."""
        ...

    def tick(self, now: float) -> list[Output]:
        """The events that are complete because time passed."""
        ...

    def changes(self) -> list[Snapshot]:
        """What changed in memory since the last call."""
        ...

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; rows of other steps are ignored."""
        ...
