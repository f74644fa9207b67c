"""Keep a named task running: restart with backoff, and give up loudly."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from daemon.backoff import RESTART_SCHEDULE, delay
from daemon.model import Transient
from daemon.telemetry import Board, HealthState, Metrics, Says, log

_FAILURES = 5
_WITHIN = 60.0
_HEALTHY_AFTER = 60.0
"""Seconds that a component runs after a failure until it counts as well again."""


class GaveUpError(Exception):
    """An essential component failed again and again; the process should end with exit code 1."""


class _Row:
    """What the supervisor itself put on the board about one component, so that it can take it back."""

    def __init__(self, board: Board, name: str) -> None:
        self._board = board
        self._name = name
        self._detail: str | None = None
        self._known = False

    def show(self, state: HealthState, detail: str) -> None:
        if not self._ours():
            self._known = self._board.get(self._name) is not None
        self._detail = detail
        self._board.set(self._name, state, detail)

    def take_back(self) -> None:
        """The component is well; what it said of itself meanwhile stays. One that never says anything has no row."""
        if self._ours() and self._known:
            self._board.set(self._name, HealthState.ok)
        self.withdraw()

    def withdraw(self) -> None:
        """Nobody runs the component any more: what it never said of itself is not left standing."""
        if self._ours() and not self._known:
            self._board.remove(self._name)
        self._detail = None

    def _ours(self) -> bool:
        row = self._board.get(self._name)
        return row is not None and self._detail is not None and row.detail == self._detail


class Supervisor:
    """Remembers the times of at most five recent failures per kept task."""

    def __init__(
        self,
        *,
        board: Board,
        metrics: Metrics,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
    ) -> None:
        self._board = board
        self._metrics = metrics
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter

    async def keep(self, name: str, run: Callable[[], Awaitable[None]], *, essential: bool = False) -> None:
        """Run until it returns or is cancelled; on failure restart after a pause.

        Five failures within a minute: an essential component raises GaveUpError, any other is marked failed on the
        board and tried again at the longest pause, for ever: a log that cannot be read today may be tomorrow.
        Whoever returns, or runs for a minute after a failure, is well again: the board no longer shows that failure,
        and the next one is the first.
        """
        row = _Row(self._board, name)
        try:
            await self._keep(name, run, row, essential=essential)
        except asyncio.CancelledError:
            row.withdraw()
            raise
        row.take_back()

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]], row: _Row, *, essential: bool) -> None:
        failures: deque[float] = deque(maxlen=_FAILURES)
        gave_up, said = False, ""
        while True:
            started = self._monotonic()
            try:
                await self._watched(run, row, ill=bool(failures))
            except Exception as error:
                if failures and self._monotonic() - started >= _HEALTHY_AFTER:
                    failures.clear()
                    gave_up, said = False, ""
                failures.append(self._monotonic())
                gave_up = gave_up or self._exhausted(failures)
                said = self._record(name, error, said, row, gave_up=gave_up)
                if gave_up and essential:
                    message = f"{name} failed {_FAILURES} times within {_WITHIN:.0f} s: {error}"
                    raise GaveUpError(message) from error
                await self._sleep(delay(RESTART_SCHEDULE, len(failures) + gave_up, self._jitter))
            else:
                return

    async def _watched(self, run: Callable[[], Awaitable[None]], row: _Row, *, ill: bool) -> None:
        """Run; take back what was shown of the last failure once the component has run for long enough."""
        if not ill:
            await run()
            return
        healing = asyncio.create_task(self._heal(row), name="healing")
        try:
            await run()
        finally:
            await end([healing])

    async def _heal(self, row: _Row) -> None:
        await self._sleep(_HEALTHY_AFTER)
        row.take_back()

    def spawn(self, name: str, run: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        """Keep a component in a task of its own; whoever spawned it cancels it with `end`."""
        return asyncio.create_task(self.keep(name, run), name=name)

    def _exhausted(self, failures: deque[float]) -> bool:
        return len(failures) == _FAILURES and failures[-1] - failures[0] <= _WITHIN

    def _record(self, name: str, error: Exception, said: str, row: _Row, *, gave_up: bool) -> str:
        """Note a failure; the same failure again is logged only when it becomes final. Returns what was said."""
        self._metrics.restarts.labels(component=name).inc()
        detail = f"{type(error).__name__}: {error}"
        row.show(HealthState.failed if gave_up else HealthState.degraded, detail)
        unexpected = not isinstance(error, Transient | OSError)
        if gave_up:
            if not said.startswith("gave up"):
                log.error(Says.task_gave_up, component=name, error=detail, exc_info=error if unexpected else None)
            return f"gave up {detail}"
        if detail != said:
            log.warning(Says.task_restarted, component=name, error=detail, exc_info=error if unexpected else None)
            return detail
        return said


async def end(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    """Cancel tasks and wait until they are gone. What they raise on the way out is theirs, not ours."""
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    for task in waiting:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
