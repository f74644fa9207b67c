"""The lag is what a sleep took too long; it is looked at often while there is work, and seldom otherwise."""

import asyncio

import pytest

from daemon.loop_lag import COARSE, FINE, LoopLag


class Clock:
    """Time that passes only in sleeps, each of which ends late."""

    def __init__(self, late: list[float], work: list[int]) -> None:
        self.at = 100.0
        self.late = late
        self.work = work
        self.slept: list[float] = []
        self.done = 0

    async def sleep(self, seconds: float) -> None:
        if not self.late:
            raise asyncio.CancelledError
        self.slept.append(seconds)
        self.at += seconds + self.late.pop(0)
        self.done += self.work.pop(0)


async def play(clock: Clock) -> list[float]:
    lags: list[float] = []
    with pytest.raises(asyncio.CancelledError):
        await LoopLag(lags.append, lambda: clock.done, monotonic=lambda: clock.at, sleep=clock.sleep).run()
    return lags


async def test_the_lag_is_what_a_sleep_took_too_long() -> None:
    lags = await play(Clock([0.0, 0.25, -0.001], [0, 0, 0]))

    assert lags == pytest.approx([0.0, 0.25, 0.0])


async def test_it_looks_often_from_work_until_a_second_after_it() -> None:
    looks = int(COARSE / FINE)
    clock = Clock([0.0] * 10_000, [*[0] * (looks + 3), 1, *[0] * 9_000, *[0] * 1_000])

    await play(clock)

    fine = [place for place, pause in enumerate(clock.slept) if pause == FINE]
    assert set(clock.slept) == {FINE, COARSE}
    assert looks <= sum(place < looks + 3 for place in fine) <= looks + 1, "a start is work"
    assert looks <= sum(place > looks + 3 for place in fine) <= looks + 1
    assert fine[-1] < 2 * looks + 6, "and then it is left alone"
