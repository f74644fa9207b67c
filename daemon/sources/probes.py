"""Calls that may never return (a mount whose server is gone), each on a thread of its own, waited for only so long."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

PATIENCE = 1.0
"""Seconds that one call is waited for."""

Result = TypeVar("Result")


class _Answer(Generic[Result]):
    """Room for what a call returned or raised."""

    def __init__(self, read: Callable[[], Result]) -> None:
        self.done = threading.Event()
        self.result: Result | None = None
        self.error: Exception | None = None
        self._read = read

    def fill(self) -> None:
        try:
            self.result = self._read()
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            self.error = error
        self.done.set()


class Probes:
    """Bounded: a call that hangs keeps its one thread, and is not made again until that has ended."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._hung: dict[str, threading.Event] = {}

    @property
    def hung(self) -> list[str]:
        """What did not answer and still does not."""
        self._hung = {what: done for what, done in self._hung.items() if not done.is_set()}
        return sorted(self._hung)

    def ask(self, what: str, read: Callable[[], Result]) -> Result:
        """What `read` returns or raises. TimeoutError where it, or an earlier call of this name, does not end."""
        done = self._hung.get(what)
        if done is not None and not done.is_set():
            raise TimeoutError(f"{what} still does not answer")
        self._hung.pop(what, None)
        answer = _Answer(read)
        threading.Thread(target=answer.fill, name="probe", daemon=True).start()
        if not answer.done.wait(self._patience):
            self._hung[what] = answer.done
            raise TimeoutError(f"{what} does not answer")
        if answer.error is not None:
            raise answer.error
        return answer.result  # type: ignore[return-value]  # without an error there is a result
