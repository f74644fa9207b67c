"""What NVML says of one GPU → gauges by name. A gauge that a GPU, its driver or a permission does not give is left out.

Names and units of NVML are those of its API reference (docs.nvidia.com/deploy/nvml-api): milliwatts, KB/s, bit masks.
"""

from collections.abc import Callable
from typing import Any

Readings = dict[str, float]

_NOT_GIVEN = (
    "NOT_SUPPORTED",
    "FUNCTION_NOT_FOUND",
    "NO_PERMISSION",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "NO_DATA",
    "DEPRECATED",
)
GONE = ("GPU_IS_LOST", "GPU_NOT_FOUND", "RESET_REQUIRED")
"""What NVML says of a GPU that fell off the bus or must be reset."""

_REASONS = {
    "GpuIdle": "idle",
    "ApplicationsClocksSetting": "setting",
    "SwPowerCap": "power_cap",
    "HwSlowdown": "hardware",
    "SyncBoost": "sync",
    "SwThermalSlowdown": "software_thermal",
    "HwThermalSlowdown": "hardware_thermal",
    "HwPowerBrakeSlowdown": "power_brake",
    "DisplayClockSetting": "display",
}
"""Why a GPU does not run faster: NVML's bits by name, and our gauges `gpu.throttle_NAME` (0 or 1)."""


def read_gauges(nvml: Any, handle: Any) -> tuple[Readings, str]:
    """All gauges that this GPU has, and the last error that was not "there is no such gauge"."""
    values: Readings = {}
    trouble = ""
    for read in _READINGS:
        try:
            values |= read(nvml, handle)
        except nvml.NVMLError as error:
            if is_one_of(nvml, error, *GONE):
                return {"gpu.lost": 1.0}, str(error)
            if not is_one_of(nvml, error, *_NOT_GIVEN):
                trouble = str(error)
        except AttributeError:
            continue  # this version of the bindings has no such function
    return {name: float(value) for name, value in values.items()} | ({"gpu.lost": 0.0} if values else {}), trouble


def read_slow_gauges(nvml: Any, handle: Any) -> Readings:
    """Traffic over PCIe, which NVML measures for 20 ms per direction while we wait."""
    values: Readings = {}
    for direction, name in (("TX", "sent"), ("RX", "received")):
        try:
            kilobytes = nvml.nvmlDeviceGetPcieThroughput(handle, getattr(nvml, f"NVML_PCIE_UTIL_{direction}_BYTES"))
        except (nvml.NVMLError, AttributeError):
            continue
        values[f"gpu.pcie_{name}_bytes_per_second"] = 1000.0 * kilobytes
    return values


def is_one_of(nvml: Any, error: Any, *names: str) -> bool:
    """Whether an NVMLError has one of these names (`GPU_IS_LOST`)."""
    return getattr(error, "value", None) in {getattr(nvml, f"NVML_ERROR_{name}", object()) for name in names}


def text_of(value: Any) -> str:
    """NVML's strings: bytes in older bindings."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _utilization(nvml: Any, handle: Any) -> Readings:
    rates = nvml.nvmlDeviceGetUtilizationRates(handle)
    return {"gpu.utilization_percent": rates.gpu, "gpu.memory_utilization_percent": rates.memory}


def _memory(nvml: Any, handle: Any) -> Readings:
    return memory_values(nvml.nvmlDeviceGetMemoryInfo(handle))


def memory_values(memory: Any) -> Readings:
    """How full a GPU's memory is; nothing for one without memory of its own."""
    if not memory.total:
        return {}
    return {
        "gpu.memory_percent": 100 * memory.used / memory.total,
        "gpu.memory_used_bytes": memory.used,
        "gpu.memory_free_bytes": memory.free,
    }


def _temperature(nvml: Any, handle: Any) -> Readings:
    return {"gpu.temperature_celsius": nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)}


def _headroom(nvml: Any, handle: Any) -> Readings:
    slows_down = nvml.nvmlDeviceGetTemperatureThreshold(handle, nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN)
    now = nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
    return {"gpu.temperature_headroom_celsius": slows_down - now} if slows_down else {}


def _power(nvml: Any, handle: Any) -> Readings:
    return {"gpu.power_watts": nvml.nvmlDeviceGetPowerUsage(handle) / 1000}


def _power_limit(nvml: Any, handle: Any) -> Readings:
    limit = nvml.nvmlDeviceGetEnforcedPowerLimit(handle)
    return {"gpu.power_limit_watts": limit / 1000}


def _power_share(nvml: Any, handle: Any) -> Readings:
    limit = nvml.nvmlDeviceGetEnforcedPowerLimit(handle)
    return {"gpu.power_percent": 100 * nvml.nvmlDeviceGetPowerUsage(handle) / limit} if limit else {}


def _fan(nvml: Any, handle: Any) -> Readings:
    return {"gpu.fan_percent": nvml.nvmlDeviceGetFanSpeed(handle)}


def _sm_clock(nvml: Any, handle: Any) -> Readings:
    return {"gpu.sm_clock_mhz": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)}


def _memory_clock(nvml: Any, handle: Any) -> Readings:
    return {"gpu.memory_clock_mhz": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)}


def _throttling(nvml: Any, handle: Any) -> Readings:
    try:
        mask = nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
    except (nvml.NVMLError, AttributeError):  # a driver older than 535, or bindings
        mask = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
    known = {name: getattr(nvml, f"nvmlClocksThrottleReason{reason}", 0) for reason, name in _REASONS.items()}
    return {f"gpu.throttle_{name}": float(bool(mask & bit)) for name, bit in known.items() if bit}


def _ecc(kind: str, counter: str, gauge: str) -> Callable[[Any, Any], Readings]:
    def read(nvml: Any, handle: Any) -> Readings:
        error, since = getattr(nvml, f"NVML_MEMORY_ERROR_TYPE_{kind}"), getattr(nvml, f"NVML_{counter}_ECC")
        return {gauge: nvml.nvmlDeviceGetTotalEccErrors(handle, error, since)}

    return read


def _retired(nvml: Any, handle: Any) -> Readings:
    causes = (
        nvml.NVML_PAGE_RETIREMENT_CAUSE_MULTIPLE_SINGLE_BIT_ECC_ERRORS,
        nvml.NVML_PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR,
    )
    pages = [len(list(nvml.nvmlDeviceGetRetiredPages(handle, cause))) for cause in causes]
    return {"gpu.retired_pages": sum(pages)}


def _retiring(nvml: Any, handle: Any) -> Readings:
    return {"gpu.retired_pages_pending": nvml.nvmlDeviceGetRetiredPagesPendingStatus(handle)}


def _remapped(nvml: Any, handle: Any) -> Readings:
    corrected, uncorrected, pending, failed = nvml.nvmlDeviceGetRemappedRows(handle)
    return {
        "gpu.remapped_rows": corrected + uncorrected,
        "gpu.remapped_rows_pending": bool(pending),
        "gpu.remapping_failed": bool(failed),
    }


def _replays(nvml: Any, handle: Any) -> Readings:
    return {"gpu.pcie_replays": nvml.nvmlDeviceGetPcieReplayCounter(handle)}


def _mig(nvml: Any, handle: Any) -> Readings:
    return {"gpu.mig_enabled": nvml.nvmlDeviceGetMigMode(handle)[0]}


_READINGS = (
    _utilization, _memory, _temperature, _headroom, _power, _power_limit, _power_share, _fan, _sm_clock, _memory_clock,
    _throttling,
    _ecc("UNCORRECTED", "VOLATILE", "gpu.ecc_uncorrected_errors"),
    _ecc("CORRECTED", "VOLATILE", "gpu.ecc_corrected_errors"),
    _ecc("UNCORRECTED", "AGGREGATE", "gpu.ecc_uncorrected_errors_ever"),
    _ecc("CORRECTED", "AGGREGATE", "gpu.ecc_corrected_errors_ever"),
    _retired, _retiring, _remapped, _replays, _mig,
)  # fmt: skip
