"""A clock that stands still until a test moves it: wall time, monotonic time and sleep, in step or torn apart."""

import asyncio
import heapq
import itertools

_TURNS = 50
"""Loop turns that a woken task gets to come to its next wait; no I/O of ours needs more without a socket."""


async def settle(turns: int = _TURNS) -> None:
    """Let every task that can run, run."""
    for _ in range(turns):
        await asyncio.sleep(0)


class ManualTime:
    """`now`, `monotonic` and `sleep` for constructors; `advance` and `jump` for tests.

    `slept` lists every duration that was asked for. A cancelled sleeper is forgotten.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._fell_asleep = asyncio.Event()
        self.slept: list[float] = []

    def now(self) -> float:
        """UTC seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._monotonic

    @property
    def sleepers(self) -> int:
        """How many tasks sleep."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Return once the test has advanced by `seconds`."""
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        self._fell_asleep.set()
        await future

    async def asleep(self, count: int = 1) -> None:
        """Wait until at least `count` tasks sleep (for tests whose tasks also do real I/O)."""
        while self.sleepers < count:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()

    def jump(self, seconds: float) -> None:
        """Set the wall clock by `seconds`, as an administrator or NTP does; monotonic time does not move."""
        self._now += seconds

    async def advance(self, seconds: float) -> None:
        """Let time pass: sleepers wake in the order of their deadlines, each at its own moment."""
        end = self._monotonic + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            deadline, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._to(deadline)
            future.set_result(None)
            await settle()
        self._to(end)
        await settle()

    def _to(self, monotonic: float) -> None:
        passed = max(0.0, monotonic - self._monotonic)
        self._monotonic += passed
        self._now += passed
