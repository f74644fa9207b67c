"""Lines | Sample → Event | Lost. Pure: no await, no clock, no log, no file.

A reader turns what one source hands over into events in Sigma's field names. `feed` takes a whole run of lines;
`tick(now)` closes what only time can close (an audit event whose last record never came). Bad input is an output
(`Lost`, or a count in `unparsed`), never an exception. Time is taken from the records.

Memory: whatever a reader keeps between calls (records of unfinished audit events, the process table) is bounded,
evicted with a count, and handed out as `changes()` so that it is stored in the transaction of the lines that
caused it, and given back by `restore()`.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from daemon.model import Event, Lines, Lost, Snapshot

Output: TypeAlias = Event | Lost


class Selector(Protocol):
    """Says of texts, before events are made of them, whether any rule may match. It may say yes too often, never no.

    A text shows what the events would have as `daemon.events.shown` describes.
    """

    everything: bool
    """Whether it would say yes to any text: then it need not be asked."""

    def find(self, text: bytes, ends: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Container[str]]:
        """`text` holds texts (UTF-8) one after the other, that of `numbers[i]` up to `ends[i]`; one that comes again
        goes on there. The numbers of those in which a rule may find something, each with the categories of the events
        in which (empty: records themselves).
        """
        ...

    def lines(self, text: bytes) -> list[int]:
        """Where the candidates begin among the lines of a text that ends with a newline, in their order."""
        ...


class Sight(Struct, frozen=True):
    """What a source shows of losses of audit records: whether audit records come, which kinds of records some node does
    not write (so that nobody sees when they are lost), whether the kernel is heard, and whether more nodes write than
    can be followed.
    """

    records: bool = False
    absent: tuple[str, ...] = ()
    kernel: bool = False
    crowded: bool = False


@runtime_checkable
class Sighted(Protocol):
    """A reader that knows what it sees of losses."""

    @property
    def sight(self) -> Sight:
        """What it has seen until now."""
        ...


class Reader(Protocol):
    """Lines of one source → events."""

    unparsed: int
    """Lines that were not understood, since construction. They still become events, with the text alone."""

    left_out: int
    """Lines that became no event because a selector said that no rule could match them, since construction."""

    @property
    def latest(self) -> float:
        """The time of the last line read, event or not; minus infinity before."""
        ...

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
