"""The source that follows log files: the thin asynchronous shell around `Trail`.

    wake-up (inotify, or one beat per second) ─▶ sweep: which paths? ─▶ one step of each trail ─▶ emit
                                                      ▲                        │ more to read
                                                      └────────────────────────┘

Being woken is only a hint: every second each path is looked at, whatever inotify said. While lines pour in, the watch
is paused and the files are read every few milliseconds: an event for each line would cost more than the reading.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

from daemon.config import FileSource
from daemon.model import Checkpoint, Lines, Lost, Position
from daemon.sources import Emit
from daemon.sources.discovery import (
    MAX_FILES,
    closed_directory,
    find_directories,
    find_paths,
    fixed_directory,
    is_meant,
)
from daemon.sources.heat import Heat
from daemon.sources.late import ROWS, late_row, owner_of
from daemon.sources.ledger import Ledger
from daemon.sources.obstacle import describe_obstacle
from daemon.sources.openings import Openings, shown
from daemon.sources.tailed_file import Reading
from daemon.sources.trail import Trail
from daemon.sources.wakeups import Wakeups
from daemon.telemetry import Board, HealthState, Metrics, Says, log

BEAT = 1.0
"""Seconds between two looks at everything."""
BEAT_UNWATCHED = 0.25
"""The same where inotify is not available."""
PACE = 0.005
"""Seconds between two reads while lines pour in."""
FEW = 32
"""Up to how many files are all read at that pace; of more, only those that lines pour into."""


class FileTail:
    """Follows the files that `config.path` means. `checkpoints` are the stored ones of this source.

    Bounded: 512 files (further matches are reported on the board), one chunk or one line of `max_line` at a time.
    """

    def __init__(
        self,
        config: FileSource,
        checkpoints: Sequence[Checkpoint],
        *,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        wakeups: Callable[[Callable[[], object]], Wakeups] = Wakeups,
    ) -> None:
        self._config = config
        self._board = board
        self._metrics = metrics
        self._monotonic = monotonic
        self._sleep = sleep
        self._build_wakeups = wakeups
        skipped = metrics.lost.labels(source=config.name, why="nul_bytes").inc
        self._reading = Reading(config.name, config.max_line, now, skipped)
        self._pattern = shown(config.path)
        own = (c for c in checkpoints if is_meant(owner_of(c.position.path), self._pattern))
        # by path; follows what was emitted, so that a second `run` goes on where the first one ended
        self._rows = {c.position.path: c for c in own}
        self._ledger = Ledger()
        self._trails: dict[str, Trail] = {}
        self._first = not self._rows
        self._stored_paths: set[str] = set()
        self._watched: list[str] = []
        self._watched_at = 0.0
        self._too_many = 0
        self._said = HealthState.ok

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Read until cancelled. Raises OSError when a file that is open cannot be read any more."""
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        wake.set()
        watch = self._build_wakeups(lambda: loop.call_soon_threadsafe(wake.set))
        try:
            await self._begin(emit)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(wake, watch), name=f"beat of {self.name}")
                await self._follow(emit, wake, watch)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the supervisor decides by type, and there is only one
        finally:
            watch.stop()
            for trail in self._trails.values():
                trail.close()
            self._trails.clear()

    async def _beat(self, wake: asyncio.Event, watch: Wakeups) -> None:
        while True:
            await self._sleep(BEAT if watch.active else BEAT_UNWATCHED)
            wake.set()
            await asyncio.sleep(0)

    async def _begin(self, emit: Emit) -> None:
        """Load the ledger; at the very first start go to the end of what is there, if so configured."""
        self._ledger = Ledger()
        for row in self._rows.values():
            self._ledger.remember(row)
        self._stored_paths = {owner_of(path) for path in self._rows}
        first, self._first = self._first, False
        if not first or self._config.start == "beginning":
            return
        self._find_trails()
        for trail in self._trails.values():
            for anchor in trail.skip_to_end():
                await self._emit(emit, anchor)
        if not self._rows:
            # nothing there yet: note that we have been here, or what comes while we are down would be skipped
            nowhere = Position(self._pattern, "", 0)
            await self._emit(emit, Lines(self.name, b"", nowhere, Checkpoint(self.name, nowhere)))

    async def _follow(self, emit: Emit, wake: asyncio.Event, watch: Wakeups) -> None:
        heat = Heat(self._monotonic)
        trails: list[Trail] = []
        while True:
            swept = wake.is_set()
            if swept:
                wake.clear()
                trails = self._sweep(watch, watching=not heat.hot)
            moved = [trail for trail in trails if await self._step(trail, emit)]
            if swept:
                self._report()
            if any(trail.more for trail in trails):
                await asyncio.sleep(0)
                continue
            was_hot = heat.hot
            if heat.note(moved=bool(moved)):
                watch.pause()
                trails = trails if len(trails) <= FEW else moved or trails
                await self._sleep(PACE)
            elif was_hot:
                wake.set()  # watch again, and look once more for what came in between
            else:
                await wake.wait()

    async def _step(self, trail: Trail, emit: Emit) -> bool:
        """One step of one trail; True when it brought anything."""
        moved = False
        for item in trail.read():
            await self._emit(emit, item)
            moved = True
        return moved

    async def _emit(self, emit: Emit, item: Lines | Lost) -> None:
        await emit(item)
        if isinstance(item, Lines):
            self._rows[item.checkpoint.position.path] = item.checkpoint

    def _sweep(self, watch: Wakeups, *, watching: bool) -> list[Trail]:
        """Find the files anew; watch their directories."""
        paths = self._find_trails()
        due = self._monotonic() - self._watched_at >= BEAT or paths != self._watched
        if watching and (due or not watch.active):
            self._watched, self._watched_at = paths, self._monotonic()
            watch.watch(find_directories(self._config.path, paths), {*paths, *map(os.path.realpath, paths)})
        return list(self._trails.values())

    def _find_trails(self) -> list[str]:
        """Begin a trail for every path that has none; end those whose file is gone from a glob. Returns the paths."""
        found = find_paths(self._config.path)
        self._too_many = max(0, len(found) - MAX_FILES)
        paths = found[:MAX_FILES]
        for path in [
            path for path, trail in self._trails.items() if trail.missing and trail.idle and path not in paths
        ]:
            del self._trails[path]
            for row in (shown(path), *(late_row(shown(path), number) for number in range(ROWS))):
                self._rows.pop(row, None)
        # those that have a checkpoint come first: they know which rotated files are theirs
        for path in sorted({*paths, *self._stored_paths}, key=lambda path: (shown(path) not in self._rows, path)):
            if path not in self._trails:
                self._trails[path] = self._build_trail(path)
        self._stored_paths.clear()
        return paths

    def _build_trail(self, path: str) -> Trail:
        openings = Openings(path, self._reading, self._ledger)
        return Trail(openings, self._reading, stored=self._rows, monotonic=self._monotonic)

    def _report(self) -> None:
        """Tell the board and the metrics how the source is; log when that changes."""
        trails = self._trails.values()
        self._metrics.source_lag.labels(source=self.name).set(sum(trail.lag() for trail in trails))
        state, detail = self._judge()
        self._board.set(f"source:{self.name}", state, detail)
        if state is self._said:
            return
        said, self._said = self._said, state
        if state is HealthState.degraded:
            log.warning(Says.source_unreadable, source=self.name, detail=detail)
        elif state is HealthState.starting:
            log.info(Says.source_missing, source=self.name, path=self._pattern)
        elif said is HealthState.degraded:
            log.info(Says.source_readable, source=self.name, path=self._pattern)

    def _judge(self) -> tuple[HealthState, str]:
        closed = closed_directory(self._config.path)
        blocked = [(t.path, t.openings.blocked) for t in self._trails.values() if t.openings.blocked is not None]
        if closed is not None:
            blocked.insert(0, (fixed_directory(self._config.path), closed))
        if blocked:
            path, error = blocked[0]
            more = f" (and {len(blocked) - 1} more)" if len(blocked) > 1 else ""
            return HealthState.degraded, describe_obstacle(path, error) + more
        if self._too_many:
            return HealthState.degraded, f"{self._pattern} matches {self._too_many} files more than {MAX_FILES}"
        if all(trail.idle for trail in self._trails.values()):
            return HealthState.starting, f"{self._pattern}: no such file yet, waiting for it"
        return HealthState.ok, ""
