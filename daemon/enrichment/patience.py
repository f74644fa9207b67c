"""Two ways not to fall over: call a busy store again, and let one alert's bug be that alert's alone."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from daemon.model import Transient
from daemon.telemetry import Says, log

T = TypeVar("T")


class Patience:
    """A store's `Transient` means that nothing was written: waits `pause` seconds and calls again, for as long as it
    takes, because what else could be done needs the store too.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]], *, pause: float = 1.0) -> None:
        self._sleep = sleep
        self._pause = pause
        self._paused = False

    async def store(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the store returns. Raises whatever is not Transient."""
        while True:
            try:
                done = await call()
            except Transient as error:
                if not self._paused:
                    log.warning(Says.enrichment_paused, why=error.why, detail=error.detail)
                self._paused = True
                await self._sleep(self._pause)
            else:
                self._paused = False
                return done


async def sheltered(work: Callable[[], Awaitable[T]]) -> T | Exception:
    """What comes of it, an exception included. Whoever calls says what it was and goes on without this one alert."""
    try:
        return await work()
    except Exception as error:  # noqa: BLE001 - an unforeseen bug in one alert must not keep explanations from all others
        return error
