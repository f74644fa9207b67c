"""Memory by key: bounded, least recently used first to go, handed out as what changed and taken back exactly.

A row is msgpack of (turn, value). The turn is a counter of uses: with it the order of eviction survives a restart too.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Generic, TypeVar

import msgspec

from daemon.model import Snapshot

STEP = "detection"
_LONGEST_KEY = 200
Kept = TypeVar("Kept")


def key_of(values: Sequence[str | None]) -> str:
    """Values as one key: different values, different keys, and never a long one."""
    known = tuple(values)
    return _known_key(known) if sum([len(one or "") for one in known]) <= _LONGEST_KEY else _key(known)


def _key(values: tuple[str | None, ...]) -> str:
    key = json.dumps(values, ensure_ascii=True)
    return key if len(key) <= _LONGEST_KEY else sha256(key.encode("ascii")).hexdigest()


_known_key = lru_cache(maxsize=4096)(_key)


class Keyed(Generic[Kept]):
    """At most `limit` values of one kind, stored under prefix + key. `evictions` counts those that had to go.

    `settle` makes a value ready to be stored. Several prefixes are several owners, who remember the same: each value is
    stored for each of them, and one that had to go is lost to each.
    """

    def __init__(
        self, kind: type[Kept], limit: int, *prefixes: str, settle: Callable[[Kept], None] | None = None
    ) -> None:
        self.evictions = 0
        self._settle = settle
        self._prefixes = prefixes
        self._limit = limit
        self._turn = 0
        self._rows: OrderedDict[str, tuple[int, Kept]] = OrderedDict()
        self._changed: dict[str, None] = {}
        self._decoder = msgspec.msgpack.Decoder(tuple[int, kind])  # type: ignore[valid-type] # the kind is a parameter
        self._encoder = msgspec.msgpack.Encoder()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Kept | None:
        """The value, None when there is none."""
        row = self._rows.get(key)
        return row[1] if row is not None else None

    def put(self, key: str, value: Kept) -> None:
        """Keep a value; the one that was not used for longest gives way."""
        self._turn += 1
        rows = self._rows
        rows[key] = (self._turn, value)
        rows.move_to_end(key)
        self._changed[key] = None
        if len(rows) > self._limit:
            self._evict()

    def drop(self, key: str) -> None:
        """Forget a value."""
        if self._rows.pop(key, None) is not None:
            self._changed[key] = None

    def changes(self) -> list[Snapshot]:
        """The rows that changed since the last call; None for those that are gone."""
        changed, self._changed = self._changed, {}
        rows = [(key, self._encoded(key)) for key in changed]
        return [Snapshot(STEP, prefix + key, row) for prefix in self._prefixes for key, row in rows]

    def restore(self, rows: Iterable[tuple[str, bytes]]) -> list[str]:
        """Take back stored rows. Returns the keys of rows that cannot be read."""
        unreadable: list[str] = []
        read: list[tuple[str, tuple[int, Kept]]] = []
        for key, row in rows:
            try:
                read.append((key, self._decoder.decode(row)))
            except msgspec.DecodeError:
                unreadable.append(key)
        self._rows = OrderedDict(sorted(read, key=lambda item: item[1][0]))
        self._turn = max((turn for turn, _ in self._rows.values()), default=0)
        self._evict()
        return unreadable

    def _evict(self) -> None:
        while len(self._rows) > self._limit:
            key, _ = self._rows.popitem(last=False)
            self._changed[key] = None
            self.evictions += len(self._prefixes)

    def _encoded(self, key: str) -> bytes | None:
        row = self._rows.get(key)
        if row is not None and self._settle is not None:
            self._settle(row[1])
        return self._encoder.encode(row) if row is not None else None
