"""The source that follows log files: the thin asynchronous shell around `Trail`.

    wake-up (inotify, or one beat per second) ─▶ sweep: which paths? ─▶ one step of each trail ─▶ emit
                                                      ▲                        │ more to read
                                                      └────────────────────────┘

Being woken is only a hint: every second each path is looked at, whatever inotify said. While lines pour in, the watch
is paused and the files are read every few milliseconds: an event for each line would cost more than the reading.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain

from daemon.config import FileSource
from daemon.model import Checkpoint, Lines, Lost
from daemon.sources import Emit
from daemon.sources.aside import read_aside
from daemon.sources.discovery import (
    MAX_FILES,
    closed_directory,
    find_directories,
    find_targets,
    fixed_directory,
    is_glob,
)
from daemon.sources.heat import Heat
from daemon.sources.obstacle import describe_obstacle
from daemon.sources.openings import shown
from daemon.sources.tailed_file import Reading
from daemon.sources.trail import Trail
from daemon.sources.trails import Trails
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
TURN = 16
"""After so many files the event loop gets a turn."""


class FileTail:
    """Follows the files that `config.path` means. `checkpoints` are the stored ones of this source.

    Bounded: `most_open` files at once and 2048 in all (what is beyond is reported on the board), one chunk or one line
    of `max_line` at a time.
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
        most_open: int = 512,
    ) -> None:
        self._config = config
        self._board = board
        self._metrics = metrics
        self._monotonic = monotonic
        self._sleep = sleep
        self._build_wakeups = wakeups
        skipped = metrics.lost.labels(source=config.name, why="nul_bytes").inc
        reading = Reading(config.name, config.max_line, now, skipped)
        self._pattern = shown(config.path)
        self._trails = Trails(config.path, reading, checkpoints, monotonic=monotonic, most_open=most_open)
        self._first = self._trails.first
        self._unpacking = False
        self._most_open = most_open
        self._watched: list[str] = []
        self._watched_at = 0.0
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
            self._board.remove(f"turns:{self.name}")
            watch.stop()
            self._trails.close()

    async def _beat(self, wake: asyncio.Event, watch: Wakeups) -> None:
        """Wake the reader; and measure what is unread here, as the reader may be waiting for room in the pipeline."""
        while True:
            await self._sleep(BEAT if watch.active else BEAT_UNWATCHED)
            if not self._unpacking:
                self._metrics.source_lag.labels(source=self.name).set(self._trails.lag())
            wake.set()
            await asyncio.sleep(0)

    async def _begin(self, emit: Emit) -> None:
        """Go on from the rows; at the very first start from the end of what is there, if so configured."""
        self._trails.begin()
        if not self._first:
            return
        if self._config.start == "end":
            for anchor in self._trails.begin_at_end():
                await self._emit(emit, anchor)
        if is_glob(self._config.path):
            await self._emit(emit, self._trails.mark())
        self._first = False

    async def _follow(self, emit: Emit, wake: asyncio.Event, watch: Wakeups) -> None:
        heat = Heat(self._monotonic)
        trails: list[Trail] = []
        while True:
            swept = wake.is_set()
            if swept:
                wake.clear()
                await self._sweep(emit, watch, watching=not heat.hot)
            if swept or self._trails.waiting:
                trails = await self._choose(emit, again=swept)
            moved = await self._read(trails, emit)
            if swept:
                self._report()
            if self._trails.waiting or any(trail.more for trail in trails):
                await (self._sleep(PACE) if self._trails.stuck and not moved else asyncio.sleep(0))
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

    async def _choose(self, emit: Emit, *, again: bool) -> list[Trail]:
        """Those whose turn it is; where the others will begin is stored."""
        trails = self._trails.choose(again=again)
        for anchor in self._trails.announce():
            await self._emit(emit, anchor)
        return trails

    async def _read(self, trails: Sequence[Trail], emit: Emit) -> list[Trail]:
        """One step of each; those that brought anything."""
        moved = []
        for number, trail in enumerate(trails, 1):
            if await self._step(trail, emit):
                moved.append(trail)
            if number % TURN == 0:
                await asyncio.sleep(0)
        return moved

    async def _step(self, trail: Trail, emit: Emit) -> bool:
        """One step of one trail; True when it brought anything."""
        moved = False
        items = trail.read()
        if trail.may_take_long():
            items = await self._read_aside(items)
        for item in items:
            await self._emit(emit, item)
            moved = True
        return moved

    async def _read_aside(self, items: Iterator[Lines | Lost]) -> Iterator[Lines | Lost]:
        """Begin a step that may have to unpack a rotated file; the event loop goes on meanwhile."""
        self._unpacking = True
        reading = read_aside(lambda: next(items, None))
        try:
            first = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await asyncio.wait({reading})  # it works with our files, which are closed next
            reading.exception()  # of no interest any more
            raise
        finally:
            self._unpacking = False
        return chain(() if first is None else (first,), items)

    async def _emit(self, emit: Emit, item: Lines | Lost) -> None:
        await emit(item)
        self._trails.note(item)

    async def _sweep(self, emit: Emit, watch: Wakeups, *, watching: bool) -> None:
        """Find the files anew; watch their directories (at once: what comes in between would be seen a second late)."""
        paths = self._trails.find()
        due = self._monotonic() - self._watched_at >= BEAT or paths != self._watched
        if watching and (due or not watch.active):
            self._watched, self._watched_at = paths, self._monotonic()
            both = find_targets(paths).union(paths)
            watch.watch(find_directories(self._config.path, both), both)
        await asyncio.sleep(0)  # of thousands of files this took a while, and so does what follows
        while self._trails.gone:
            await emit(self._trails.gone.pop(0))

    def _report(self) -> None:
        """Tell the board and the metrics how the source is; log when that changes."""
        self._report_turns()
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

    def _report_turns(self) -> None:
        """A row of its own: late, but every file is read, so the source itself is well."""
        crowd = self._trails.crowd
        if not crowd:
            self._board.remove(f"turns:{self.name}")
            return
        detail = f"{self._pattern} matches {crowd} files more than the {self._most_open} that may be open"
        detail += ": they are read in turn; raise LimitNOFILE, or match fewer"
        if self._board.set(f"turns:{self.name}", HealthState.degraded, detail):
            log.warning(Says.files_take_turns, source=self.name, detail=detail)

    def _judge(self) -> tuple[HealthState, str]:
        closed = closed_directory(self._config.path)
        blocked = [(t.path, t.openings.hindrance) for t in self._trails if t.openings.hindrance is not None]
        if closed is not None:
            blocked.insert(0, (fixed_directory(self._config.path), closed))
        if blocked:
            path, error = blocked[0]
            more = f" (and {len(blocked) - 1} more)" if len(blocked) > 1 else ""
            return HealthState.degraded, describe_obstacle(path, error) + more
        if self._trails.too_many:
            detail = (
                f"{self._pattern} matches {self._trails.too_many} files more than {MAX_FILES}: the oldest are left out"
            )
            return HealthState.degraded, detail
        if all(trail.idle and not trail.parking.parked for trail in self._trails):
            return HealthState.starting, f"{self._pattern}: no such file yet, waiting for it"
        return HealthState.ok, ""
