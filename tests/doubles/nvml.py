"""NVML as the gauges use it: GPUs that a test can set, break and take away. Error numbers are those of nvml.h."""

from types import SimpleNamespace
from typing import Any


class Nvml:
    """A module-like double of pynvml. `broken` maps a function to the error number that it raises."""

    NVML_ERROR_INVALID_ARGUMENT = 2
    NVML_ERROR_NOT_SUPPORTED = 3
    NVML_ERROR_NO_PERMISSION = 4
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_LIBRARY_NOT_FOUND = 12
    NVML_ERROR_FUNCTION_NOT_FOUND = 13
    NVML_ERROR_GPU_IS_LOST = 15
    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_SM = 1
    NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 1
    NVML_VOLATILE_ECC = 0

    class NVMLError(Exception):
        """As pynvml.NVMLError: carries the number."""

        def __init__(self, value: int) -> None:
            super().__init__(f"NVML error {value}")
            self.value = value

    def __init__(self, gpus: int = 1) -> None:
        self.gpus = gpus
        self.broken: dict[str, int] = {}
        self.names: list[str | bytes] = ["NVIDIA H100"] * gpus
        self.memory = SimpleNamespace(total=1000, used=250)
        self.open = 0

    def _call(self, name: str, handle: int | None = None) -> None:
        for key in (name, f"{name} {handle}"):
            if key in self.broken:
                raise self.NVMLError(self.broken[key])

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's name, as all below
        """Begin."""
        self._call("nvmlInit")
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        """End."""
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        """How many GPUs."""
        self._call("nvmlDeviceGetCount")
        return self.gpus

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        """One GPU."""
        self._call("nvmlDeviceGetHandleByIndex", index)
        return index

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:  # noqa: N802
        """Its name."""
        return self.names[handle]

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        """Its unique id."""
        return f"GPU-{handle}"

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        """Percent of time in which a kernel ran, or memory was accessed."""
        self._call("nvmlDeviceGetUtilizationRates", handle)
        return SimpleNamespace(gpu=97, memory=40)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        """Bytes."""
        self._call("nvmlDeviceGetMemoryInfo", handle)
        return self.memory

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:  # noqa: N802
        """Degrees Celsius."""
        assert sensor == self.NVML_TEMPERATURE_GPU
        self._call("nvmlDeviceGetTemperature", handle)
        return 71

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        """Milliwatts."""
        self._call("nvmlDeviceGetPowerUsage", handle)
        return 345_600

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:  # noqa: N802
        """Milliwatts."""
        self._call("nvmlDeviceGetEnforcedPowerLimit", handle)
        return 700_000

    def nvmlDeviceGetFanSpeed(self, handle: int) -> int:  # noqa: N802
        """Percent."""
        self._call("nvmlDeviceGetFanSpeed", handle)
        return 30

    def nvmlDeviceGetClockInfo(self, handle: int, clock: int) -> int:  # noqa: N802
        """MHz."""
        assert clock == self.NVML_CLOCK_SM
        self._call("nvmlDeviceGetClockInfo", handle)
        return 1980

    def nvmlDeviceGetTotalEccErrors(self, handle: int, error: int, counter: int) -> int:  # noqa: N802
        """Number of errors."""
        assert (error, counter) == (self.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, self.NVML_VOLATILE_ECC)
        self._call("nvmlDeviceGetTotalEccErrors", handle)
        return 2
