"""What is read and what happened: lines, samples, losses, events, and where they were."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

Value: TypeAlias = str | int | float | bool | tuple[str, ...] | None
"""What a field of an event may hold; a tuple is a field with several values, any of which may match."""


class Position(Struct, frozen=True, gc=False):
    """A place in a file: its path, which file that was (`device:inode:fingerprint`), and a byte offset."""

    path: str
    identity: str
    offset: int


class Checkpoint(Struct, frozen=True, gc=False):
    """How far a source has been read: the next byte to read, and a hash of the bytes just before it."""

    source: str
    position: Position
    marker: str = ""


class Forgotten(Struct, frozen=True):
    """A file is gone and was read to its end: reading will never resume there, so its checkpoint goes too."""

    source: str
    path: str


class Lines(Struct, frozen=True):
    """A run of whole lines of one file, each with its newline: what a source hands over.

    `position.offset` is where `data` starts; `checkpoint` is where reading resumes once all of it is stored.
    """

    source: str
    data: bytes
    position: Position
    checkpoint: Checkpoint

    def split(self) -> Iterator[tuple[int, bytes]]:
        """Each line without its newline (a carriage return before it goes too), with its byte offset in the file."""
        offset = self.position.offset
        for line in self.data.split(b"\n")[:-1]:
            yield offset, line.removesuffix(b"\r")
            offset += len(line) + 1


class Sample(Struct, frozen=True):
    """Readings of one thing (the host, a mount, an interface, a GPU) at one moment.

    `category` is the Sigma logsource category (`host_metrics`, `gpu_metrics`); `tags` name the thing
    (`disk.mount: /var`), `values` are its gauges (`disk.percent: 91.2`). `context` says in words what made them so at
    that moment (`top.cpu`: the busiest processes): it is told, and no rule is meant to look at it.
    """

    source: str
    category: str
    at: float
    tags: Mapping[str, str]
    values: Mapping[str, float]
    context: Mapping[str, tuple[str, ...]] = {}


class Lost(Struct, frozen=True):
    """Input that we know we did not see; `count` is None where the number cannot be known.

    It lies between `since` (None: not known) and `at`, when it was noticed. `host` is a node's name, "" for this host.
    """

    source: str
    why: str
    count: int | None
    at: float
    detail: str = ""
    since: float | None = None
    host: str = ""


class Logsource(Struct, frozen=True, gc=False):
    """Sigma's logsource of an event: which rules may look at it."""

    product: str = "linux"
    category: str = ""
    service: str = ""


class Event(Struct, frozen=True):
    """One thing that happened, in Sigma's field names.

    `id` is derived from the record (never from a counter or the clock), so a second reading gives the same id.
    `text` is the whole decoded record: what Sigma keywords search.
    """

    id: str
    at: float
    host: str
    source: str
    logsource: Logsource
    fields: Mapping[str, Value]
    text: str
    position: Position | None = None


class Snapshot(Struct, frozen=True):
    """One changed piece of a step's memory; `value` None means that it is gone."""

    step: str
    key: str
    value: bytes | None
