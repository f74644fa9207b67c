"""GPU gauges through the real bindings: units, and what a GPU, a driver or a permission does not give."""

import pynvml
import pytest

from daemon.sources.gpu_reading import is_one_of, read_gauges, read_slow_gauges, text_of
from tests.doubles.nvml import GPU_IS_LOST, Nvml


def gauges(index: int = 0) -> tuple[dict[str, float], str]:
    return read_gauges(pynvml, pynvml.nvmlDeviceGetHandleByIndex(index))


def test_all_gauges_in_their_units(nvml: Nvml) -> None:
    values, trouble = gauges()
    assert trouble == ""
    assert {name: value for name, value in values.items() if not name.startswith("gpu.throttle_")} == {
        "gpu.utilization_percent": 97.0, "gpu.memory_utilization_percent": 40.0, "gpu.memory_percent": 25.0,
        "gpu.memory_used_bytes": 21380202496.0, "gpu.memory_free_bytes": 64140607488.0,
        "gpu.temperature_celsius": 71.0, "gpu.temperature_headroom_celsius": 16.0, "gpu.power_watts": 345.6,
        "gpu.power_limit_watts": 700.0, "gpu.power_percent": pytest.approx(49.371, abs=0.001),
        "gpu.sm_clock_mhz": 1980.0, "gpu.memory_clock_mhz": 2619.0, "gpu.ecc_uncorrected_errors": 2.0,
        "gpu.ecc_corrected_errors": 31.0, "gpu.ecc_uncorrected_errors_ever": 5.0, "gpu.ecc_corrected_errors_ever": 77.0,
        "gpu.remapped_rows": 3.0, "gpu.remapped_rows_pending": 0.0, "gpu.remapping_failed": 0.0,
        "gpu.pcie_replays": 4.0, "gpu.mig_enabled": 0.0, "gpu.lost": 0.0,
    }  # fmt: skip
    throttled = {name for name, value in values.items() if name.startswith("gpu.throttle_") and value}
    assert throttled == {"gpu.throttle_power_cap"}


def test_older_gpus_retire_pages(nvml: Nvml) -> None:
    values, _ = gauges(1)
    assert (values["gpu.retired_pages"], values["gpu.retired_pages_pending"]) == (1.0, 1.0)
    assert "gpu.remapped_rows" not in values
    assert "gpu.utilization_percent" not in values, "a GPU that is split does not tell it"


@pytest.mark.parametrize("code", [2, 3, 4, 6, 13])
def test_a_gauge_that_is_not_given_is_left_out_without_complaint(nvml: Nvml, code: int) -> None:
    nvml.broken = {"nvmlDeviceGetPowerUsage": code, "nvmlDeviceGetMigMode": code}
    values, trouble = gauges()
    assert not {"gpu.power_watts", "gpu.power_percent", "gpu.mig_enabled"} & values.keys()
    assert "gpu.power_limit_watts" in values
    assert trouble == ""


def test_another_error_is_told_and_costs_one_gauge(nvml: Nvml) -> None:
    nvml.broken = {"nvmlDeviceGetUtilizationRates": 999}
    values, trouble = gauges()
    assert "gpu.memory_percent" in values
    assert trouble == "Unknown Error"


def test_a_gpu_that_is_lost_tells_only_that(nvml: Nvml) -> None:
    nvml.devices[0]["nvmlDeviceGetPowerUsage"] = {"error": GPU_IS_LOST}
    assert gauges() == ({"gpu.lost": 1.0}, "GPU is lost")


def test_a_driver_older_than_the_names_of_today(nvml: Nvml) -> None:
    nvml.absent = {"nvmlDeviceGetCurrentClocksEventReasons"}
    nvml.devices[0]["nvmlDeviceGetCurrentClocksThrottleReasons"] = 64 | 32
    values, _ = gauges()
    throttled = {name for name, value in values.items() if name.startswith("gpu.throttle_") and value}
    assert throttled == {"gpu.throttle_hardware_thermal", "gpu.throttle_software_thermal"}


def test_bindings_without_a_function_and_a_gpu_without_memory_of_its_own(nvml: Nvml) -> None:
    class Old:
        def __getattr__(self, name: str) -> object:
            if name == "nvmlDeviceGetEnforcedPowerLimit":
                raise AttributeError(name)
            return getattr(pynvml, name)

    nvml.devices[0]["nvmlDeviceGetMemoryInfo"] = {"total": 0, "free": 0, "used": 0}
    values, trouble = read_gauges(Old(), pynvml.nvmlDeviceGetHandleByIndex(0))
    assert not {"gpu.power_limit_watts", "gpu.memory_percent"} & values.keys()
    assert trouble == ""


def test_traffic_is_in_bytes(nvml: Nvml) -> None:
    assert read_slow_gauges(pynvml, pynvml.nvmlDeviceGetHandleByIndex(0)) == {
        "gpu.pcie_sent_bytes_per_second": 1_200_000.0, "gpu.pcie_received_bytes_per_second": 3_400_000.0
    }  # fmt: skip
    assert read_slow_gauges(pynvml, pynvml.nvmlDeviceGetHandleByIndex(1)) == {}


def test_names_of_errors_and_of_gpus() -> None:
    assert is_one_of(pynvml, pynvml.NVMLError(15), "GPU_IS_LOST")
    assert not is_one_of(pynvml, OSError(), "GPU_IS_LOST", "NO_SUCH_NAME")
    assert text_of(b"Tesla K80") == text_of("Tesla K80") == "Tesla K80"
