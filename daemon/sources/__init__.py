"""The world → Lines | Sample | Lost | Forgotten | Handed.

A source runs until it is cancelled; cancellation is its only stop signal and it ends promptly.

* It awaits `emit` for each item: that is the back-pressure. It buffers at most one read and never drops.
* On trouble it raises (`Transient`, or whatever broke). It does not retry, or log and go on: the supervisor
  starts it again, and `run` must stand being called again. What is *normal* is no trouble: a file that is not there
  yet is waited for; one that may not be read is reported on the `Board` (component `source:NAME`, with what mends
  it) and tried again every second.
* It opens what it needs inside `run` and closes it in `finally`.
* It never writes its own checkpoint. The checkpoint travels with the lines and is stored in the same transaction as
  what they caused; on start it gets the stored ones back.
* Loss that it sees (an over-long line, a file truncated or replaced before it was read to its end) is emitted as
  `Lost`.
* Where nothing can resume any more (the file is gone and was read to its end), it emits `Forgotten`, so that positions
  do not pile up.
* Where somebody waits to hear that what lines caused is stored (the intake), it emits them as `Handed`.

Bounded: one read buffer and at most one partial line (`max_line`) per open file.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from msgspec import Struct

from daemon.model import Forgotten, Lines, Lost, Sample


class Handed(Struct, frozen=True):
    """Lines that have no position to be read again from: `stored` is called once what they caused is stored."""

    lines: Lines
    stored: Callable[[], None]

    @property
    def source(self) -> str:
        """Whose lines they are."""
        return self.lines.source


Item: TypeAlias = Lines | Sample | Lost | Forgotten | Handed
Emit: TypeAlias = Callable[[Item], Awaitable[None]]


class Source(Protocol):
    """Anything that reads the world."""

    @property
    def name(self) -> str:
        """The configured name; the label of metrics and health rows."""
        ...

    async def run(self, emit: Emit) -> None:
        """Read until cancelled."""
        ...
