"""What is read beside the loop comes back, errors too, and a reading that hangs keeps nobody from ending."""

import asyncio
import subprocess
import sys
import threading

import pytest

from daemon.sources.aside import read_aside, read_patiently

HANGS = """
import asyncio, contextlib, threading
from daemon.sources.aside import read_aside

async def main():
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await read_aside(threading.Event().wait)

asyncio.run(main())
print("ended")
"""


async def test_the_result_is_of_another_thread() -> None:
    assert await read_aside(threading.get_ident) != threading.get_ident()


async def test_an_error_is_raised_where_it_is_awaited() -> None:
    def read() -> int:
        return 1 // 0

    with pytest.raises(ZeroDivisionError):
        await read_aside(read)


async def test_a_result_that_comes_after_nobody_waits_is_dropped() -> None:
    go, done = threading.Event(), threading.Event()

    def read() -> None:
        go.wait()
        done.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await read_aside(read)
    go.set()
    done.wait()
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_slow_reading_is_told_of_and_waited_for() -> None:
    go, told = threading.Event(), []

    def slow() -> None:
        told.append("slow")
        go.set()

    assert await read_patiently(go.wait, 0.01, slow) is True
    assert told == ["slow"]


async def test_a_quick_reading_is_not_told_of() -> None:
    told: list[str] = []
    assert await read_patiently(lambda: 7, 10.0, lambda: told.append("slow")) == 7
    assert told == []


def test_a_reading_that_hangs_keeps_no_process_alive() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
