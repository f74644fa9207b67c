"""A double of the C library libnvidia-ml.so.1, fed from a recorded file: the real bindings (pynvml) run upon it.

`installed` puts it in the library's place. It answers as NVML's API reference says (docs.nvidia.com/deploy/nvml-api):
return codes, results through pointers, lists whose length is asked for first, handles that nobody looks into. The file's
structure is told in the file itself. `devices` may be changed while it is in use: GPUs that break and go.
"""

import ctypes
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pynvml

RECORDED = Path(__file__).parents[1] / "data" / "nvml" / "two_gpus.json"
SUCCESS, NOT_SUPPORTED, INSUFFICIENT_SIZE, TIMEOUT = 0, 3, 7, 10
LIBRARY_NOT_FOUND, FUNCTION_NOT_FOUND, GPU_IS_LOST, DRIVER_NOT_LOADED = 12, 13, 15, 9


class Nvml:
    """The library. `broken` maps a C function to the return code of every call; `absent` names functions that this
    version of it does not have (with their version, as `nvmlDeviceGetComputeRunningProcesses_v3`).
    """

    def __init__(self, recorded: Path = RECORDED, gpus: int | None = None) -> None:
        self.devices: list[dict[str, Any]] = json.loads(recorded.read_text(encoding="utf-8"))["devices"][:gpus]
        self.broken: dict[str, int] = {}
        self.absent: set[str] = set()
        self.open = 0
        self.registered = 0
        self._handles: dict[int, dict[str, Any]] = {}
        self._kept: list[Any] = []
        self._faults: deque[tuple[dict[str, Any], int]] = deque()
        self._changed = threading.Condition()

    def fault(self, gpu: int, xid: int) -> None:
        """Let the driver tell of a fault."""
        with self._changed:
            self._faults.append((self.devices[gpu], xid))
            self._changed.notify_all()

    def __getattr__(self, name: str) -> Callable[..., int]:
        if not name.startswith("nvml") or name in self.absent:
            raise AttributeError(name)
        plain = re.sub(r"_v\d$", "", name)
        return lambda *args: self._call(plain, args)

    def _call(self, name: str, args: tuple[Any, ...]) -> int:
        if name in self.broken:
            return self.broken[name]
        own = getattr(type(self), f"_{name}", None)
        if own is not None:
            return int(own(self, *args))
        device = self._handles[ctypes.addressof(args[0].contents)]
        numbers = ", ".join(str(arg.value) for arg in args[1:] if _is_number(arg))
        answer = device.get(f"{name}({numbers})", device.get(name, {"error": NOT_SUPPORTED}))
        return _answer(answer, args[1:])

    def _handle(self, device: dict[str, Any], pointer: Any) -> int:
        """Give out a handle: the address of something that only we know."""
        if "nvmlDeviceGetHandleByIndex" in device:
            return int(device["nvmlDeviceGetHandleByIndex"]["error"])
        for address, known in self._handles.items():
            if known is device:
                pointer.contents = pynvml.struct_c_nvmlDevice_t.from_address(address)
                return SUCCESS
        opaque = ctypes.create_string_buffer(8)
        self._kept.append(opaque)
        self._handles[ctypes.addressof(opaque)] = device
        pointer.contents = pynvml.struct_c_nvmlDevice_t.from_address(ctypes.addressof(opaque))
        return SUCCESS

    def _nvmlInitWithFlags(self, _flags: int) -> int:  # noqa: N802 - NVML's name, as all below
        with self._changed:
            self.open += 1
        return SUCCESS

    def _nvmlShutdown(self) -> int:  # noqa: N802
        with self._changed:
            self.open -= 1
            self._changed.notify_all()
        return SUCCESS

    def until_closed(self) -> bool:
        """Wait for threads that still use the library: they must not come upon the next one."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open <= 0, 2)

    def _nvmlDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = len(self.devices)
        return SUCCESS

    def _nvmlDeviceGetHandleByIndex(self, index: Any, handle: Any) -> int:  # noqa: N802
        return self._handle(self.devices[index.value], handle._obj)

    def _nvmlDeviceGetMigDeviceHandleByIndex(self, parent: Any, index: Any, handle: Any) -> int:  # noqa: N802
        parts = self._handles[ctypes.addressof(parent.contents)].get("parts", [])
        return self._handle(parts[index.value], handle._obj) if index.value < len(parts) else 6

    def _nvmlEventSetCreate(self, _events: Any) -> int:  # noqa: N802
        return SUCCESS

    def _nvmlEventSetFree(self, _events: Any) -> int:  # noqa: N802
        return SUCCESS

    def _nvmlDeviceRegisterEvents(self, handle: Any, _types: Any, _events: Any) -> int:  # noqa: N802
        assert ctypes.addressof(handle.contents) in self._handles
        self.registered += 1
        return SUCCESS

    def _nvmlEventSetWait(self, _events: Any, data: Any, timeout: Any) -> int:  # noqa: N802
        with self._changed:
            if not self._faults:
                self._changed.wait(min(0.01, timeout.value / 1000))
            if not self._faults:
                return TIMEOUT
            device, xid = self._faults.popleft()
        data._obj.eventType, data._obj.eventData = pynvml.nvmlEventTypeXidCriticalError, xid
        data._obj.device = next(
            ctypes.cast(address, pynvml.c_nvmlDevice_t) for address, known in self._handles.items() if known is device
        )
        return SUCCESS


def _is_number(arg: Any) -> bool:
    return isinstance(arg, ctypes._SimpleCData) and isinstance(arg.value, int)


def _answer(answer: Any, args: tuple[Any, ...]) -> int:
    """Write an answer where the caller wants it: the return code."""
    results = [arg._obj for arg in args if hasattr(arg, "_obj")]
    if isinstance(answer, list):
        return _fill(answer, results[0], next((arg for arg in args if isinstance(arg, ctypes.Array)), None))
    if isinstance(answer, str):
        args[0].value = answer.encode()
    elif isinstance(answer, dict) and "error" in answer:
        return int(answer["error"])
    elif isinstance(answer, dict) and "out" in answer:
        for result, value in zip(results, answer["out"], strict=True):
            result.value = value
    elif isinstance(answer, dict):
        for name, value in answer.items():
            setattr(results[0], name, value)
    else:
        results[-1].value = answer
    return SUCCESS


def _fill(elements: list[Any], count: Any, array: Any) -> int:
    room, count.value = count.value, len(elements)
    if array is None or room < len(elements):
        return INSUFFICIENT_SIZE if elements else SUCCESS
    for index, element in enumerate(elements):
        if isinstance(element, dict):
            for name, value in element.items():
                setattr(array[index], name, value)
        else:
            array[index] = element
    return SUCCESS


@contextmanager
def installed(library: Nvml) -> Iterator[Nvml]:
    """Pynvml's library is this one inside the block."""
    before = pynvml.nvmlLib
    known = dict(pynvml._nvmlGetFunctionPointer_cache)
    pynvml.nvmlLib = library
    pynvml._nvmlGetFunctionPointer_cache.clear()
    try:
        yield library
        assert library.until_closed()
    finally:
        pynvml.nvmlLib = before
        pynvml._nvmlGetFunctionPointer_cache.clear()
        pynvml._nvmlGetFunctionPointer_cache.update(known)
