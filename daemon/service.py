"""The process: resources, signals, systemd, reload. It knows nothing of rules, models or webhooks.

    enter   store → memory → endpoint (alive, not ready) → runtime → READY=1
    leave   not ready → runtime drains → endpoint → memory → store

Long-lived: store, endpoint, the watch on rule files, and the memory while its configuration stays the same.
Short-lived: the `Runtime`. Start and reload share one path: everything that can fail is checked before anything that
runs is touched. A start leaves out rules that cannot be used, and says so; a reload with one such rule changes nothing
(`daemon.loading`).
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp

import daemon
from daemon.api.endpoint import Changes, Phase
from daemon.changes import find_changes
from daemon.config import Config, state_directory
from daemon.endpoint import serving
from daemon.loading import Loaded, build, load, refuse
from daemon.loop_lag import LoopLag
from daemon.memories import MemoryKeeper
from daemon.model import ProblemsError, Transient
from daemon.rule_notice import count_unwise, show_rules, tell_rules
from daemon.rules_watch import RuleFiles, RulesWatch
from daemon.runtime import Runtime, Surroundings, load_stored, resume_flow
from daemon.sd_notify import Notifier
from daemon.state.store import SqliteStore
from daemon.supervisor import Supervisor, end
from daemon.telemetry import Board, HealthState, Metrics, Says, log
from daemon.usernames import username

GRACE = 8.0
"""Seconds that a drain may take, of the 10 that a stop may take."""
_HOUSEKEEPING = 60.0
_FORGIVEN = 3 * 86400.0  # a webhook that was taken out by mistake, and put back within this time, misses nothing
_WATCHDOG = 60.0  # without systemd's: how long the pipeline may make no progress
_CHANGING = 120.0  # how long a start, reload or stop may take without progress


class Service:
    """One daemon process. `run` returns its exit code: 0 stopped as asked, 1 a component gave up."""

    def __init__(self, path: Path | None, first: Loaded, notifier: Notifier) -> None:
        self._path = path
        self.config_path = str(path or "")
        self.config = first.config
        self.rules = first.rules
        self.digest = first.digest
        self._notifier = notifier
        self.board = Board(time.time)
        self.metrics = Metrics()
        self.store = SqliteStore(state_directory(first.config.state_directory))
        self.runtime: Runtime | None = None
        self.memories: MemoryKeeper
        self.phase = Phase.starting
        self.ready = asyncio.Event()
        self.started_at = time.time()
        self.reloaded_at = 0.0
        self.stalled = False
        self._one_reload = asyncio.Lock()
        self._rule_warnings = 0
        self._started = first.config
        self._unwanted: set[str] = set()  # what was refused and has not been mended: config, rules

    async def run(self) -> int:
        """Start, run until told to stop, drain. Raises StoreError when the state cannot be used."""
        self.metrics.build_info.labels(version=daemon.__version__).set(1)
        self.store.open()
        self.board.set("store", HealthState.ok)
        if self.store.database.migrated_from is not None:
            log.info(Says.store_migrated, from_schema=self.store.database.migrated_from)
        log.info(Says.started, version=daemon.__version__, state=str(self.store.database.path), pid=os.getpid())
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.store.close)
            around = await stack.enter_async_context(self._surroundings())
            directory = state_directory(self.config.state_directory)
            self.memories = await stack.enter_async_context(MemoryKeeper(around, directory))
            await stack.enter_async_context(serving(self, around))
            stack.enter_context(self._signals())
            beating = around.supervisor.spawn("watchdog", self._beat)
            tidying = around.supervisor.spawn("housekeeping", self._tidy)
            watching = around.supervisor.spawn("rules watch", self._rules_watch().run)
            lagging = around.supervisor.spawn("loop lag", self._lag().run)
            stack.push_async_callback(end, [beating, tidying, watching, lagging])
            return await self._cycle(around)

    async def _cycle(self, around: Surroundings) -> int:
        """One runtime after the other, a new one at each reload."""
        while True:
            runtime = await self._build(around)
            if self.phase is Phase.stopping:  # told so meanwhile
                runtime.stop()
            try:
                drained = await runtime.run(GRACE, self._announce)
            except BaseExceptionGroup as group:
                for error in group.exceptions:
                    log.error(Says.task_gave_up, error=str(error), exc_info=error)
                self._notifier.send(STOPPING=1, STATUS="a component gave up")
                return 1
            self.ready.clear()
            if self.phase is Phase.stopping:
                if drained:
                    log.info(Says.stopped)
                else:
                    log.warning(Says.cut)
                return 0

    async def _build(self, around: Surroundings) -> Runtime:
        config, rules = self.config, self.rules
        self._rule_warnings = await asyncio.to_thread(count_unwise, config, rules)
        tell_rules(rules, self._rule_warnings, self.metrics)
        self._show_rules()
        self._forget_others(config)
        memory = await self.memories.use(config.memory)
        stored = await load_stored(self.store, config)
        flow = await asyncio.to_thread(resume_flow, config, rules, stored, around)
        self.runtime = Runtime(config, flow, stored.checkpoints, around, memory)
        return self.runtime

    def _show_rules(self) -> None:
        show_rules(self.rules, self._rule_warnings, self.board)
        self._unwanted.discard("rules")

    def _forget_others(self, config: Config) -> None:
        """Take what the configuration no longer names off the board."""
        named = {f"source:{source.name}" for source in config.sources}
        named |= {f"webhook:{hook.name}" for hook in config.webhooks}
        for row in self.board.rows():
            if ":" in row.component and row.component not in named:
                self.board.remove(row.component)

    def _announce(self) -> None:
        if "config" not in self._unwanted:
            self.board.set("config", HealthState.ok)
        self.metrics.reload_ok.set(not self._unwanted)
        self.phase = Phase.running if self.phase is Phase.starting else self.phase
        self.ready.set()
        names = ", ".join(source.name for source in self.config.sources)
        self._notifier.send(READY=1, STATUS=f"watching {names or 'nothing'}")
        log.info(Says.ready, sources=names, webhooks=len(self.config.webhooks))

    async def reload(self) -> Changes:
        """Read configuration and rules again; the old ones stay unless everything is right, every rule included. One
        at a time. Windows and incidents of rules that are as they were go on.

        Raises ProblemsError, OSError when the file cannot be read, Transient when the process is about to end.
        """
        async with self._one_reload:
            await self.ready.wait()
            what = "config"
            try:
                loaded = await asyncio.to_thread(load, self._path)
                what = "config" if loaded.config != self.config else "rules"
                refuse(loaded.rules.problems)
            except (ProblemsError, OSError) as error:
                self._refuse(what, error)
                log.error(Says.reload_refused, problems=str(error).splitlines())
                raise
            self._unwanted.clear()
            return await self._swap(loaded)

    async def take_rules(self, found: RuleFiles) -> Changes:
        """Run with changed rule files under the configuration in force: the same as `reload`, with the same errors."""
        async with self._one_reload:
            await self.ready.wait()
            if found.config is not self.config:  # the files of another configuration: they will be looked at again
                return Changes()
            try:
                refuse(found.problems)
                loaded = await asyncio.to_thread(build, found.config, self._path, found.files)
                refuse(loaded.rules.problems)
            except ProblemsError as error:
                self._refuse("rules", error)
                log.error(Says.rules_refused, problems=str(error).splitlines())
                raise
            return await self._swap(loaded)

    def keep_rules(self) -> None:
        """The rule files are those in force again: what was refused is gone."""
        if "rules" in self._unwanted:
            self._show_rules()
            self.metrics.reload_ok.set(not self._unwanted)
            log.info(Says.reloaded, changed=[])

    def _refuse(self, what: str, error: Exception) -> None:
        """Note and show that `config` or `rules` (where the configuration is as it was) are not those in the files."""
        self._unwanted.add(what)
        self.metrics.reload_ok.set(0)
        stays = "the old rules stay" if what == "rules" else "the old configuration stays"
        self.board.set(what, HealthState.degraded, f"{stays}: {error}")

    async def _swap(self, loaded: Loaded) -> Changes:
        """Let a new runtime take over. Nothing here can fail."""
        if self.phase is Phase.stopping:
            raise Transient("about to end")
        changes = find_changes(Loaded(self.config, self.rules), loaded, self._started)
        self.config, self.rules, self.digest = loaded.config, loaded.rules, loaded.digest
        monotonic_usec = time.monotonic_ns() // 1000
        self._notifier.send(RELOADING=1, MONOTONIC_USEC=monotonic_usec)
        self.ready.clear()
        if self.runtime is not None:
            self.runtime.stop()
        await self.ready.wait()
        self.reloaded_at = time.time()
        log.info(Says.reloaded, changed=list(changes.words()))
        return changes

    def stop(self) -> None:
        """Drain and end; a second call does not wait for the drain."""
        again = self.phase is Phase.stopping
        log.info(Says.stopping, cut=again)
        self._notifier.send(STOPPING=1, STATUS="draining")
        if self.runtime is not None:
            self.runtime.stop(cut=again)
        self.phase = Phase.stopping

    def _rules_watch(self) -> RulesWatch:
        return RulesWatch(self, now=time.time, monotonic=time.monotonic, sleep=asyncio.sleep)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self._hup}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _hup(self) -> None:
        async def reload() -> None:
            with contextlib.suppress(ProblemsError, OSError, Transient):  # said and shown; the old configuration stays
                await self.reload()

        if self.runtime is not None and self.phase is Phase.running:
            self._reloading = self._supervisor.spawn("reload", reload)

    @contextlib.asynccontextmanager
    async def _surroundings(self) -> AsyncIterator[Surroundings]:
        self._supervisor = Supervisor(
            board=self.board, metrics=self.metrics, monotonic=time.monotonic, sleep=asyncio.sleep, jitter=random.random
        )
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(trust_env=False, timeout=timeout) as session:
            yield Surroundings(
                store=self.store, board=self.board, metrics=self.metrics, supervisor=self._supervisor,
                session=session, now=time.time, monotonic=time.monotonic, sleep=asyncio.sleep,
                jitter=random.random, usernames=username,
            )  # fmt: skip

    async def _beat(self) -> None:
        """Feed systemd's watchdog, but only with progress: a pipeline that hangs gets us restarted."""
        period, seen, since = self._notifier.watchdog_seconds or _WATCHDOG, -1, time.monotonic()
        while True:
            beats = self.runtime.pipeline.beats if self.runtime else 0
            moved = beats != seen
            if moved:
                seen, since = beats, time.monotonic()
            settled = self.ready.is_set()
            self.stalled = time.monotonic() - since >= (period if settled else _CHANGING)
            if moved or not (settled or self.stalled):
                self._notifier.send(WATCHDOG=1)
            await asyncio.sleep(period / 3)

    def _lag(self) -> LoopLag:
        def work() -> int:
            if self.runtime is None or not self.ready.is_set():
                return time.monotonic_ns()  # a start or reload is work too
            return self.runtime.pipeline.taken

        return LoopLag(self.metrics.loop_lag.observe, work, monotonic=time.monotonic, sleep=asyncio.sleep)

    async def _tidy(self) -> None:
        """Bounds by age and number, the ballast, and a look at the clock."""
        offset = time.time() - time.monotonic()
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            keep, hooks, now = self.config.incidents, self.config.webhooks, time.time()
            await self.store.prune(now - keep.keep, keep.keep_rows)
            await self.store.abandon([hook.name for hook in hooks], now - _FORGIVEN, now)
            self.store.ballast.fill()
            jump, offset = time.time() - time.monotonic() - offset, time.time() - time.monotonic()
            if abs(jump) > _HOUSEKEEPING / 2:
                log.warning(Says.clock_jumped, seconds=round(jump, 1))
