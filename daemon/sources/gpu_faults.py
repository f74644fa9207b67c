"""Faults that the driver tells of the moment they happen (Xid events), waited for on a thread of their own.

docs.nvidia.com/deploy/xid-errors names the numbers. Absent where the driver does not let us wait (some containers and
virtual GPUs); the kernel's log has them too.
"""

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from msgspec import Struct

from daemon.sources.gpu_reading import is_one_of, text_of

MOST = 256
"""Faults that wait to be fetched; of more, the oldest are counted and left out."""
_TURN = 1000
"""Milliseconds of one wait, after which is looked whether to end."""


class Fault(Struct, frozen=True):
    """One Xid event of one GPU (by its unique id)."""

    at: float
    uuid: str
    xid: int


class Faults:
    """Collects faults from `start` until `stop`."""

    def __init__(self, nvml: Any, now: Callable[[], float]) -> None:
        self._nvml = nvml
        self._now = now
        self._found: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._left_out = 0
        self._ending = threading.Event()
        self._uuids: dict[int | None, str] = {}
        self.ended = ""

    def start(self, handles: Iterable[Any]) -> str:
        """Begin to wait for faults of these GPUs: why that is not possible, empty when it is."""
        nvml, registered, why = self._nvml, 0, "there is no GPU"
        try:
            nvml.nvmlInit()  # NVML counts them: it stays open for the thread until that has ended
        except nvml.NVMLError as error:
            return str(error)
        try:
            events = nvml.nvmlEventSetCreate()
        except (nvml.NVMLError, AttributeError) as error:
            nvml.nvmlShutdown()
            return str(error)
        for handle in handles:
            try:
                nvml.nvmlDeviceRegisterEvents(handle, nvml.nvmlEventTypeXidCriticalError, events)
                self._uuids[_address(handle)] = text_of(nvml.nvmlDeviceGetUUID(handle))
                registered += 1
            except nvml.NVMLError as error:
                why = str(error)
        if not registered:
            self._close(events)
            return why
        threading.Thread(target=self._wait, args=(events,), name="gpu faults", daemon=True).start()
        return ""

    def stop(self) -> None:
        """The thread ends within a second by itself; a driver that hangs is left behind with it."""
        self._ending.set()

    def fetch(self) -> tuple[list[Fault], int]:
        """What happened since the last call, and how many more there were that had no room."""
        with self._lock:
            found, left_out = list(self._found), self._left_out
            self._found.clear()
            self._left_out = 0
        return found, left_out

    def _wait(self, events: Any) -> None:
        nvml = self._nvml
        while not self._ending.is_set():
            try:
                self._keep(nvml.nvmlEventSetWait_v2(events, _TURN))
            except nvml.NVMLError as error:
                if not is_one_of(nvml, error, "TIMEOUT"):
                    self.ended = str(error)
                    break
        self._close(events)

    def _close(self, events: Any) -> None:
        with suppress(self._nvml.NVMLError):
            self._nvml.nvmlEventSetFree(events)
        with suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()

    def _keep(self, event: Any) -> None:
        if not event.eventType & self._nvml.nvmlEventTypeXidCriticalError:
            return
        uuid = self._uuids.get(_address(event.device), "")  # asked now, a GPU that is lost would not tell
        with self._lock:
            if len(self._found) >= MOST:
                self._found.popleft()
                self._left_out += 1
            self._found.append(Fault(self._now(), uuid, int(event.eventData)))


def _address(handle: Any) -> int | None:
    """What a handle points to: NVML gives the same one for a GPU each time."""
    return ctypes.cast(handle, ctypes.c_void_p).value
