"""How late the event loop is: by how much a short sleep ends after its time.

Whoever waits for the loop (the endpoint, a webhook's deadline, the watchdog) waits so much longer. It is looked at
often only while there is work to be late by: an idle daemon is not woken for it more than once a second.
"""

from collections.abc import Awaitable, Callable

FINE = 0.005
"""Seconds between two looks while lines come in."""
COARSE = 1.0
"""Seconds between two looks otherwise, and for how long after a start or work the looks stay fine."""


class LoopLag:
    """`note` is told the lag in seconds; `work` is a number that grows with the work done."""

    def __init__(
        self,
        note: Callable[[float], None],
        work: Callable[[], int],
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._note = note
        self._work = work
        self._monotonic = monotonic
        self._sleep = sleep

    async def run(self) -> None:
        """Look until cancelled."""
        done = self._work()
        worked = self._monotonic()
        while True:
            began = self._monotonic()
            pause = FINE if began - worked < COARSE else COARSE
            await self._sleep(pause)
            now = self._monotonic()
            self._note(max(0.0, now - began - pause))
            if self._work() != done:
                done, worked = self._work(), now
