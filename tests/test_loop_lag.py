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


async def test_it_looks_often_from_the_first_work_until_a_second_after_the_last() -> None:
    looks = int(COARSE / FINE)
    clock = Clock([0.0] * (looks + 8), [0, 1, *[0] * 4, 1, *[0] * (looks + 1)])

    await play(clock)

    assert clock.slept[:2] == [COARSE, COARSE]
    assert set(clock.slept[2 : 5 + looks]) == {FINE}
    assert clock.slept[-1] == COARSE
