"""Rule files that change while we run (`rules.watch`) → rules taken, once the files have been quiet.

    inotify, or every 3 s ─▶ look: paths and texts ─▶ other than those in force? ─▶ quiet for 1 s ─▶ take

Looking is the truth, inotify (watchdog) only wakes. What is taken is exactly what was read and found quiet, so that a
file is never taken halfway through being written, as long as whoever writes it does not pause for a second. Changed
times without changed texts change nothing. What was refused is not tried again until a file changes once more.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from os import stat_result
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from daemon.config import Config, find_rule_files
from daemon.loading import digest_of
from daemon.model import Problem, ProblemsError, Transient
from daemon.preflight import read_rules
from daemon.sources.wakeups import Wakeups

PERIOD = 3.0
"""Seconds between two looks when nothing wakes us."""
QUIET = 1.0
"""Seconds for which all rule files must stand still before they are read as rules."""
_STEP = 0.25
_FRESH = 2.0  # a file written so shortly before it was read may have been written again in the same tick of its clock


class RuleFiles(Struct, frozen=True):
    """The texts of all rule files under one configuration; `problems` are directories that could not be read."""

    config: Config
    files: dict[str, str]
    problems: tuple[Problem, ...]
    digest: str


class Process(Protocol):
    """What the watch asks of the process."""

    config: Config
    config_path: str
    digest: str

    async def take_rules(self, found: RuleFiles) -> object:
        """Run with these rules. Raises ProblemsError; then the rules in force stay, and why is said and shown."""
        ...

    def keep_rules(self) -> None:
        """The files are again those of the rules in force: what was said of a refusal is over."""
        ...


class Settling:
    """When something that changes has stood still for `quiet` seconds; each state is told once."""

    def __init__(self, quiet: float) -> None:
        self._quiet = quiet
        self._seen = self._told = ""
        self._since = 0.0

    def feed(self, seen: str, at: float) -> bool:
        """What is seen now. True when it is to be taken: unchanged for long enough, and not told before."""
        if seen != self._seen:
            self._seen, self._told, self._since = seen, "", at
        if self._told == seen or at - self._since < self._quiet:
            return False
        self._told = seen
        return True

    @property
    def settled(self) -> bool:
        """Whether nothing is waited for."""
        return self._told == self._seen

    def rest(self, seen: str) -> None:
        """Nothing is to be taken."""
        self._seen = self._told = seen


class RulesWatch:
    """Watches the rule files that the configuration of the process names, while it says so. Remembers their stats."""

    def __init__(
        self,
        process: Process,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._process = process
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._settling = Settling(QUIET)
        self._woken = asyncio.Event()
        self._last: RuleFiles | None = None
        self._stats: dict[str, tuple[int, ...]] = {}
        self._stale = True

    async def run(self) -> None:
        """Look and take until cancelled."""
        loop = asyncio.get_running_loop()
        wakeups = Wakeups(lambda: loop.call_soon_threadsafe(self._woken.set))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(), name="beat of the rules watch")
                await self._follow(wakeups)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the supervisor decides by type, and there is only one
        finally:
            wakeups.stop()

    async def _beat(self) -> None:
        while True:
            self._woken.set()
            await self._sleep(PERIOD)

    async def _follow(self, wakeups: Wakeups) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            if not self._process.config.rules.watch:
                wakeups.pause()
                continue
            await self._look(wakeups)
            while not self._settling.settled:  # however much goes on meanwhile
                await self._sleep(_STEP)
                await self._look(wakeups)

    async def _look(self, wakeups: Wakeups) -> None:
        found = await asyncio.to_thread(self._read, self._process.config)
        paths = [Path(path) for path in found.files]
        wakeups.watch(_directories(found.config, paths), map(str, paths))
        if found.config is not self._process.config:  # reloaded meanwhile
            self._settling.rest(found.digest)
        elif found.digest == self._process.digest:
            self._settling.rest(found.digest)
            self._process.keep_rules()
        elif self._settling.feed(found.digest, self._monotonic()):
            with contextlib.suppress(ProblemsError, Transient):  # said and shown; the rules in force stay
                await self._process.take_rules(found)

    def _read(self, config: Config) -> RuleFiles:
        """The files as they are; texts are read only when a stat says that they may have changed."""
        stats = _stats_of(config.rules.directories)
        last, fresh = self._last, self._now() - _FRESH
        known = bool(stats) and stats == self._stats and not self._stale
        self._stats, self._stale = stats, any(one[0] / 1e9 > fresh for one in stats.values())
        if known and last is not None and last.config is config:
            return last
        files, problems = read_rules(config, Path(self._process.config_path) if self._process.config_path else None)
        self._last = RuleFiles(config, files, tuple(problems), digest_of(files, *map(str, problems)))
        return self._last


def _stats_of(directories: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Path → what tells that a file was written; empty where something could not be looked at."""
    try:
        return {str(path): _marks(path.stat()) for one in directories for path in find_rule_files(one)}
    except OSError:
        return {}


def _marks(stat: stat_result) -> tuple[int, ...]:
    return stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_dev


def _directories(config: Config, paths: Iterable[Path]) -> list[str]:
    """Every directory in which a change may matter: those of the files, and those named, even while they are empty."""
    named = {Path(one) for one in config.rules.directories if Path(one).is_dir()}
    return sorted({str(path) for path in named | {path.parent for path in paths}})
