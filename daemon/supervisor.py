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


class GaveUpError(Exception):
    """An essential component failed again and again; the process should end with exit code 1."""


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
        """
        failures: deque[float] = deque(maxlen=_FAILURES)
        gave_up, said = False, ""
        while True:
            try:
                await run()
            except Exception as error:
                failures.append(self._monotonic())
                gave_up = gave_up or self._exhausted(failures)
                said = self._record(name, error, said, gave_up=gave_up)
                if gave_up and essential:
                    message = f"{name} failed {_FAILURES} times within {_WITHIN:.0f} s: {error}"
                    raise GaveUpError(message) from error
                await self._sleep(delay(RESTART_SCHEDULE, len(failures) + gave_up, self._jitter))
            else:
                return

    def spawn(self, name: str, run: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        """Keep a component in a task of its own; whoever spawned it cancels it with `end`."""
        return asyncio.create_task(self.keep(name, run), name=name)

    def _exhausted(self, failures: deque[float]) -> bool:
        return len(failures) == _FAILURES and failures[-1] - failures[0] <= _WITHIN

    def _record(self, name: str, error: Exception, said: str, *, gave_up: bool) -> str:
        """Note a failure; the same failure again is logged only when it becomes final. Returns what was said."""
        self._metrics.restarts.labels(component=name).inc()
        detail = f"{type(error).__name__}: {error}"
        self._board.set(name, HealthState.failed if gave_up else HealthState.degraded, detail)
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
