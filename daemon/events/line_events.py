"""What all readers share: whose host a name is, and the events of a line: their ids, their times, how many they are."""

import hashlib
import ipaddress
import math
from collections.abc import Callable, Mapping

import msgspec

from daemon.model import Event, Lines, Logsource, Position, Value

MOST_COPIES = 100
"""Events that one line may become: more than rules count to."""
MOST_FOLDED = 5_000
"""Events that the folded lines of one run may add to it, because anybody who may log can write short lines that claim
to stand for many.
"""


def same_host(name: str, host: str) -> bool:
    """`vm` and `vm.example.org` are one host: a log may name it in another way than we do. "" means this one.

    Two full names are two hosts unless they are equal, and so are two addresses.
    """
    if not name or name == host:
        return True
    short, long = sorted((name.casefold(), host.casefold()), key=len)
    return short == long or (long.partition(".")[0] == short and not _is_address(long))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class LineEvents:
    """Makes events of lines: their id from source, file identity and offset, their time from the log where it can."""

    def __init__(self, source: str, *, host: str, now: Callable[[], float]) -> None:
        self._source = source
        self._host = host
        self._now = now
        self._at: float | None = None
        self._file: tuple[str, str] = ("", "")
        self._room = MOST_FOLDED

    @property
    def latest(self) -> float:
        """The time of the last line that had one; minus infinity before."""
        return -math.inf if self._at is None else self._at

    def begin(self) -> None:
        """A run of lines begins."""
        self._room = MOST_FOLDED

    def moment(self, at: float | None) -> float:
        """The stamp of a line; where it has none, that of the line before it, else the time now."""
        if at is not None:
            self._at = at
        return self._now() if self._at is None else self._at

    def event(
        self,
        lines: Lines,
        offset: int,
        logsource: Logsource,
        text: str,
        *,
        at: float | None = None,
        host: str = "",
        fields: Mapping[str, Value] | None = None,
    ) -> Event:
        """The event of the line at `offset`."""
        position = Position(lines.position.path, lines.position.identity, offset)
        identity = f"{self._source}:{self._hash(lines.position.identity)}:{offset}"
        named = self._host if same_host(host, self._host) else host
        return Event(identity, self.moment(at), named, self._source, logsource, fields or {}, text, position)

    def copies(self, event: Event, times: int) -> list[Event]:
        """The events of a line that stands for `times` messages: all of the line's time, each with an id of its own.

        Each says by `repeat` how many messages the line stands for, and by `repeat_omitted` how many of them are no
        events because of a bound: MOST_COPIES of a line, MOST_FOLDED of a run.
        """
        if times <= 1:
            return [event]
        added = min(times, MOST_COPIES, 1 + self._room) - 1
        self._room -= added
        omitted = times - 1 - added
        fields = {**event.fields, "repeat": times} | ({"repeat_omitted": omitted} if omitted else {})
        ids = (event.id, *(f"{event.id}:{number}" for number in range(1, 1 + added)))
        return [msgspec.structs.replace(event, id=one, fields=fields) for one in ids]

    def _hash(self, identity: str) -> str:
        """Short, and the same after a rename: the identity is of the file, not of its name."""
        if self._file[0] != identity:
            digest = hashlib.blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
            self._file = (identity, digest)
        return self._file[1]
