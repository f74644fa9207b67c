"""All trails of one source: which paths there are, whose turn it is, what is remembered of files that are gone.

Bounded: 2048 paths and 256 more (of too many those written last are followed, any other only until it is read to its
end), `most_open` open files among them, the rows of 256 files that are gone and were perhaps not read to their end.
With more paths than may be open, those with something to read take turns: who was looked at longest ago comes first,
and whoever has read for a while makes room.
"""

import resource
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from daemon.model import Checkpoint, Forgotten, Lines, Lost
from daemon.sources.discovery import MAX_FILES, find_paths, is_meant
from daemon.sources.late import LINGER, ROWS, late_row, owner_of
from daemon.sources.ledger import Ledger
from daemon.sources.openings import Openings, shown
from daemon.sources.resume import absent
from daemon.sources.tailed_file import Reading
from daemon.sources.trail import Trail

REMEMBERED = 24 * 3600.0
"""Seconds for which a row is kept whose file is not there: a directory may come back."""
RESERVED = 128
"""Descriptors that are left to everything but logs."""
_ENOUGH = 16_384
GONE = 256
"""How many such rows are kept."""


class Trails:
    """The trails of the source with this pattern. `checkpoints` are the stored ones of this source.

    `gone` is what is to be said of files that are gone; whoever says it empties it. `waiting` is how many paths still
    wait for their turn; `stuck` says that none of them got one, as those that are open may not be closed yet.
    """

    def __init__(
        self,
        pattern: str,
        reading: Reading,
        checkpoints: Iterable[Checkpoint],
        *,
        monotonic: Callable[[], float],
        most_open: int,
    ) -> None:
        self._path = pattern
        self._pattern = shown(pattern)
        self._reading = reading
        self._monotonic = monotonic
        self._most_open = most_open
        own = (c for c in checkpoints if is_meant(owner_of(c.position.path), self._pattern))
        # by path; follows what was emitted, so that a second `run` goes on where the first one ended
        self._rows = {c.position.path: c for c in own}
        self._ledger = Ledger(most_open)
        self._trails: dict[str, Trail] = {}
        self._turns: dict[str, int] = {}
        self._turn = 0
        self._unannounced: list[Trail] = []
        self._looked_at: float | None = None
        self._resumed = False  # what has no row then came while we were down
        self._stored: set[str] = set()
        self._aside: set[str] = set()  # paths that are there, and were read to their end before others were written
        self.too_many = 0
        self.waiting = 0
        self.stuck = False
        self.gone: list[Lost | Forgotten] = []

    @property
    def crowd(self) -> int:
        """How many files there are beyond those that may be open at once."""
        return max(0, sum(trail.missing_for is None for trail in self._trails.values()) - self._most_open)

    @property
    def first(self) -> bool:
        """Whether nothing is known of this source: it never ran, or stored nothing."""
        return not self._rows

    def __iter__(self) -> Iterator[Trail]:
        return iter(tuple(self._trails.values()))

    def begin(self) -> None:
        """Go on from the rows, as a new process would."""
        self._ledger = Ledger(self._most_open)
        for row in self._rows.values():
            self._ledger.remember(row)
        self._stored = {owner_of(path) for path in self._rows}
        self._looked_at = None
        self._resumed = not self.first

    def begin_at_end(self) -> Iterator[Lines]:
        """At the very first start: go behind what is there."""
        self.find()
        for trail in self:
            yield from trail.skip_to_end()
            if self._ledger.room <= 0:
                trail.park()

    def mark(self) -> Lines:
        """A row of the glob itself: we have been here, and what comes from now on is new even if we are down."""
        return absent(self._pattern, self._reading)

    def note(self, item: Lines | Lost) -> None:
        """This was taken: its checkpoint is where we would go on."""
        if isinstance(item, Lines):
            self._rows[item.checkpoint.position.path] = item.checkpoint

    def close(self) -> None:
        """Let go of everything."""
        for trail in self:
            trail.close()
        self._trails.clear()
        self._turns.clear()
        self._ledger.close()

    def lag(self) -> int:
        """Bytes written but not yet read."""
        return sum(trail.lag() for trail in self)

    # which paths there are

    def find(self) -> list[str]:
        """Begin a trail for every path that has none; forget those whose file is gone. Returns the paths."""
        found = find_paths(self._path)
        self.too_many = max(0, len(found) - MAX_FILES)
        paths = sorted(_newest(found)) if self.too_many else found
        self._forget_gone(set(paths))
        self._set_aside(set(found).difference(paths))
        back = self._aside.intersection(paths) | self._aside.difference(found)
        self._aside -= back
        known = self._stored.difference(paths, [self._pattern]) | back
        # those that have a checkpoint come first: they know which rotated files are theirs
        for path in sorted(known.union(paths), key=lambda path: (shown(path) not in self._rows, path)):
            if path not in self._trails and len(self._trails) < MAX_FILES + GONE:
                self._trails[path] = self._build(path)
        self._stored = known - self._trails.keys()
        self._looked_at = self._reading.now()
        return paths

    def _set_aside(self, left_out: set[str]) -> None:
        """Follow no longer what others were written after, once it is read: its row says where to go on."""
        for path in left_out & self._trails.keys():
            trail = self._trails[path]
            read = (trail.parking.parked or trail.park()) and not trail.parking.stirred(again=False)
            if read or (trail.settled and shown(path) not in self._rows):
                trail.close()
                del self._trails[path]
                self._turns.pop(path, None)
                self._aside |= {path} if read else set()
        quiet = {path for path in left_out & self._stored if not self._grew(path)}
        self._stored -= quiet
        self._aside |= quiet

    def _grew(self, path: str) -> bool:
        """Whether there is more than the row of a path says was read."""
        row = self._rows.get(path)
        return row is None or Openings(path, self._reading, self._ledger).waiting(row) > 0

    def _build(self, path: str) -> Trail:
        openings = Openings(path, self._reading, self._ledger)
        openings.appeared = self._resumed or self._looked_at is not None
        return Trail(
            openings,
            self._reading,
            stored=self._rows,
            monotonic=self._monotonic,
            alone=path == self._path,
            absent_at=self._looked_at,
        )

    def _forget_gone(self, paths: set[str]) -> None:
        gone = [
            trail
            for path, trail in self._trails.items()
            if trail.missing_for is not None and trail.idle and path not in paths
        ]
        for trail in gone:
            if _missing_for(trail) >= LINGER and trail.openings.has_directory():
                self._say_unread(trail)
        kept = sorted((trail for trail in gone if not trail.settled), key=_missing_for)
        for trail in gone:
            if trail.settled or _missing_for(trail) >= REMEMBERED or trail in kept[GONE:]:
                self._forget(trail.path)

    def _forget(self, path: str) -> None:
        self._say_unread(self._trails.pop(path))
        self._turns.pop(path, None)
        for row in (shown(path), *(late_row(shown(path), number) for number in range(ROWS))):
            if self._rows.pop(row, None) is not None:
                self.gone.append(Forgotten(self._reading.source, row))

    def _say_unread(self, trail: Trail) -> None:
        if trail.parking.unread:
            trail.parking.unread = False
            detail = f"{shown(trail.path)} was deleted before its turn came to be read"
            self.gone.append(Lost(self._reading.source, "deleted", None, self._reading.now(), detail))

    # whose turn it is

    def choose(self, *, again: bool) -> list[Trail]:
        """The trails to be read now: all of them, or as many as may have a file open.

        `again` asks those once more that could not be opened.
        """
        trails = self._trails.values()
        held = sum(trail.held for trail in trails)
        wanting = [
            trail for trail in trails if trail.idle and trail.missing_for is None and trail.parking.stirred(again=again)
        ]
        room = self._most_open - held - len(wanting)
        self.waiting = 0
        if room < 0:
            room = self._make_room(-room)
            wanting.sort(key=lambda trail: self._turns.get(trail.path, 0))
            self.waiting = max(0, -room)
            new = [trail for trail in wanting[len(wanting) - self.waiting :] if not trail.parking.looked]
            self._unannounced = [trail for trail in new if shown(trail.path) not in self._rows]
            wanting = wanting[: len(wanting) - self.waiting]
        self.stuck = self.waiting > 0 and not wanting
        chosen = [trail for trail in trails if trail.held or trail.missing_for is not None]
        self._turn += 1
        self._turns.update((trail.path, self._turn) for trail in wanting)
        return [*chosen, *wanting]

    def announce(self) -> Iterator[Lines]:
        """Where reading will begin of those that never had a turn, and have to wait: by then the file may be rotated,
        and we another process.
        """
        waiting, self._unannounced = self._unannounced, []
        for trail in waiting:
            file = trail.openings.open_present() if trail.settled else None
            if file is not None:
                anchor = file.anchor()
                trail.openings.close(file)
                yield anchor

    def _make_room(self, lacking: int) -> int:
        """Park those that have been open longest; how many are still lacking, below 0."""
        for trail in sorted(self, key=lambda trail: self._turns.get(trail.path, 0)):
            if lacking <= 0:
                break
            lacking -= trail.held > 0 and trail.park()
        return -lacking


def _missing_for(trail: Trail) -> float:
    return trail.missing_for or 0.0


def _newest(paths: Sequence[str]) -> list[str]:
    """Of too many files those that were written last: old ones will hardly grow."""

    def written_at(path: str) -> float:
        try:
            return Path(path).stat().st_mtime
        except OSError:
            return 0.0

    return sorted(paths, key=written_at, reverse=True)[:MAX_FILES]


def share_of_descriptors(sources: int, limit: int | None = None) -> int:
    """How many files each of so many sources may have open, with room left for the store, endpoint and webhooks.

    `limit` is that of the process (RLIMIT_NOFILE), unless given.
    """
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if limit is None else limit
    limit = min(limit, _ENOUGH) if limit >= 0 else _ENOUGH  # -1 is no limit
    return max(2, (limit - min(RESERVED, limit // 2)) // max(1, sources))
