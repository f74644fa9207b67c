"""Faults are fetched with the GPU that had them, also of one that is gone; none is lost in silence."""

import asyncio

import pynvml
import pytest

from daemon.sources.gpu_faults import MOST, Fault, Faults
from tests.doubles.clock import settle
from tests.doubles.nvml import GPU_IS_LOST, Nvml

UUID = "GPU-6c6f0e5a-0000-4000-8000-00000000000"


def start(faults: Faults) -> str:
    return faults.start([pynvml.nvmlDeviceGetHandleByIndex(index) for index in (0, 1)])


async def until(faults: Faults, count: int) -> list[Fault]:
    found: list[Fault] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found += faults.fetch()[0]
            await settle(1)
    return found


async def closed(nvml: Nvml) -> None:
    async with asyncio.timeout(5):
        while nvml.open:
            await settle(1)


async def test_a_fault_is_told_with_its_gpu_and_time(nvml: Nvml) -> None:
    faults = Faults(pynvml, lambda: 7.0)
    assert start(faults) == ""
    nvml.broken = {"nvmlDeviceGetUUID": GPU_IS_LOST}
    nvml.fault(1, 79)
    nvml.fault(0, 13)
    assert await until(faults, 2) == [Fault(7.0, f"{UUID}1", 79), Fault(7.0, f"{UUID}0", 13)]
    assert faults.fetch() == ([], 0)
    faults.stop()
    await closed(nvml)


async def test_a_storm_is_bounded_and_what_had_no_room_is_counted(nvml: Nvml) -> None:
    faults = Faults(pynvml, lambda: 7.0)
    for number in range(MOST + 20):
        nvml.fault(0, number)
    start(faults)
    async with asyncio.timeout(5):
        while nvml._faults:
            await settle(1)
    faults.stop()
    await closed(nvml)
    found, left_out = faults.fetch()
    assert (len(found), left_out, found[-1].xid) == (MOST, 20, MOST + 19)


@pytest.mark.parametrize("function", ["nvmlEventSetCreate", "nvmlDeviceRegisterEvents", "nvmlInitWithFlags"])
def test_where_we_may_not_wait_it_says_why(nvml: Nvml, function: str) -> None:
    nvml.broken = {function: 3}
    assert start(Faults(pynvml, lambda: 7.0)) == "Not Supported"
    assert nvml.open == 0


async def test_a_wait_that_fails_ends_it_and_says_why(nvml: Nvml) -> None:
    faults = Faults(pynvml, lambda: 7.0)
    start(faults)
    nvml.broken = {"nvmlEventSetWait": GPU_IS_LOST}
    await closed(nvml)
    assert faults.ended == "GPU is lost"
