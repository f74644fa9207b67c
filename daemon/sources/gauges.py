"""The source that reads the gauges of this host every `interval` seconds: docs/gauges.md lists them.

The pause lies between two readings, so that a clock that jumps or a host that slept causes no burst. Reading happens in
a thread: what hangs must not hang the loop, and is said on the board.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from daemon.config import HostSource
from daemon.sources import Emit
from daemon.sources.aside import read_patiently
from daemon.sources.host_samples import HostSamples
from daemon.telemetry import Board, HealthState, Metrics, Says, log

MIN_INTERVAL = 0.1
"""Seconds; a shorter interval would measure the measuring."""
PATIENCE = 30.0
"""Seconds after which a reading that has not ended is reported."""


class HostGauges:
    """Emits samples until cancelled."""

    def __init__(
        self,
        config: HostSource,
        samples: HostSamples,
        *,
        board: Board,
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[None]],
        patience: float = PATIENCE,
    ) -> None:
        self._config = config
        self._samples = samples
        self._board = board
        self._metrics = metrics
        self._sleep = sleep
        self._patience = patience

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Read every interval until cancelled."""
        self._samples.forget()
        interval = max(MIN_INTERVAL, self._config.interval)
        while True:
            for sample in await read_patiently(partial(self._samples.read, interval), self._patience, self._slow):
                await emit(sample)
                self._metrics.samples.labels(source=self.name).inc()
            hung = self._samples.hung
            self._tell(f"no answer from {', '.join(hung)}" if hung else "")
            await self._sleep(interval)

    def _slow(self) -> None:
        self._tell(f"a reading has taken more than {self._patience:g} s and goes on")

    def _tell(self, trouble: str) -> None:
        state = HealthState.degraded if trouble else HealthState.ok
        if self._board.set(f"source:{self.name}", state, trouble) and trouble:
            log.warning(Says.source_unreadable, source=self.name, detail=trouble)
