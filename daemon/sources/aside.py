"""Blocking readings beside the event loop, on threads that a stop never waits for: a driver or a mount may hang."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def read_patiently(read: Callable[[], Result], patience: float, slow: Callable[[], None]) -> Result:
    """As `read_aside`; `slow` is called when it takes more than `patience` seconds. It is waited for all the same:
    another reading beside one that hangs would hang too, and threads would pile up.
    """
    reading = read_aside(read)
    await asyncio.wait({reading}, timeout=patience)
    if not reading.done():
        slow()
    return await reading


def read_aside(read: Callable[[], Result]) -> asyncio.Future[Result]:
    """What `read` returns or raises, to be awaited. Cancelling leaves the thread behind; it ends with its call, or with
    us.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def work() -> None:
        result, failure = None, None
        try:
            result = read()
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="reading", daemon=True).start()
    return future
