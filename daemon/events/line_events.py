"""What all readers share: whose host a name is, and the event of a line that nothing is known of but its text."""

import hashlib
from collections.abc import Callable, Mapping

from daemon.model import Event, Lines, Logsource, Position, Value


def same_host(name: str, host: str) -> bool:
    """`vm` and `vm.example.org` are one host: a log may name it in another way than we do. "" means this one."""
    return not name or name == host or name.partition(".")[0] == host.partition(".")[0]


class LineEvents:
    """Makes events of lines: their id from source, file identity and offset, their time from the log where it can."""

    def __init__(self, source: str, *, host: str, now: Callable[[], float]) -> None:
        self._source = source
        self._host = host
        self._now = now
        self._at: float | None = None
        self._file: tuple[str, str] = ("", "")

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

    def _hash(self, identity: str) -> str:
        """Short, and the same after a rename: the identity is of the file, not of its name."""
        if self._file[0] != identity:
            digest = hashlib.blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
            self._file = (identity, digest)
        return self._file[1]
