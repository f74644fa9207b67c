"""The fields of readings (`host_metrics`, `gpu_metrics`): gauges, what is derived of each, tags, and words.

Pure data. What each gauge is stands in docs/gauges.md; tests/test_fields.py holds these names to that page, and
tests/test_gauge_names.py the page to what the samplers read.
"""

from collections.abc import Mapping

_BY_CATEGORY = {
    "host_metrics": {
        "cpu": "percent max_core_percent system_percent iowait_percent steal_percent",
        "load": "1 5 15 1_per_core",
        "pressure": ("cpu_percent memory_percent io_percent cpu_full_percent memory_full_percent io_full_percent"),
        "memory": "percent available_bytes major_faults_per_second oom_kills",
        "swap": "percent used_bytes free_bytes in_pages_per_second out_pages_per_second",
        "disk": (
            "percent free_bytes inodes_free inodes_percent read_bytes_per_second written_bytes_per_second "
            "operations_per_second latency_ms busy_percent queue_length"
        ),
        "net": (
            "received_bytes_per_second sent_bytes_per_second received_packets_per_second sent_packets_per_second "
            "errors_per_second drops_per_second utilization_percent connections_established connections_syn_sent "
            "connections_syn_received connections_fin_wait connections_time_wait connections_close_wait "
            "connections_closing connections_listening connections_to_pools listen_overflows_per_second "
            "listen_drops_per_second backlog_drops_per_second syn_drops_per_second syn_cookies_per_second "
            "retransmits_per_second conntrack_connections conntrack_percent"
        ),
        "process": (
            "count threads running blocked zombies forks_per_second cpu_percent memory_bytes own_threads age_seconds "
            "connections_to_pools"
        ),
        "files": "open percent",
        "temperature": "celsius headroom_celsius",
        "uptime": "seconds",
        "clock": "jump_seconds",
        "units": "failed",
    },
    "gpu_metrics": {
        "gpu": (
            "count lost utilization_percent memory_utilization_percent memory_percent memory_used_bytes "
            "memory_free_bytes temperature_celsius temperature_headroom_celsius power_watts power_limit_watts "
            "power_percent fan_percent sm_clock_mhz memory_clock_mhz throttle_idle throttle_setting throttle_sync "
            "throttle_display throttle_power_cap throttle_power_brake throttle_hardware throttle_software_thermal "
            "throttle_hardware_thermal ecc_corrected_errors ecc_uncorrected_errors ecc_corrected_errors_ever "
            "ecc_uncorrected_errors_ever retired_pages retired_pages_pending remapped_rows remapped_rows_pending "
            "remapping_failed pcie_replays pcie_received_bytes_per_second pcie_sent_bytes_per_second mig_enabled "
            "processes xid"
        ),
        "process": (
            "gpu_memory_bytes gpu_memory_percent gpu_utilization_percent gpu_compute age_seconds connections_to_pools"
        ),
    },
}
GAUGES: Mapping[str, frozenset[str]] = {
    category: frozenset(f"{of}.{name}" for of, names in things.items() for name in names.split())
    for category, things in _BY_CATEGORY.items()
}
DERIVED = ("delta", "rate", "zscore", "shift", "spike")
"""What stands beside each gauge, after a dot; and `seconds_to_zero` beside those that run out."""
ENDINGS = (*(f".{kind}" for kind in DERIVED), ".seconds_to_zero")
RUNNING_OUT = frozenset(
    {"disk.free_bytes", "disk.inodes_free", "memory.available_bytes", "swap.free_bytes", "gpu.memory_free_bytes"}
)
TAGS: Mapping[str, frozenset[str]] = {
    "host_metrics": frozenset(
        {
            *("disk.mount", "disk.device", "net.interface", "temperature.chip"),
            *("process.pid", "process.name", "process.user"),
        }
    ),
    "gpu_metrics": frozenset(
        {"gpu.index", "gpu.name", "gpu.uuid", "gpu.mig", "process.pid", "process.name", "process.user"}
    ),
}
WORDS: Mapping[str, frozenset[str]] = {
    "host_metrics": frozenset(
        {
            *("top.cpu", "top.memory", "top.io", "top.files", "top.processes", "top.zombies", "process.command"),
            "units.failed_names",
        }
    ),
    "gpu_metrics": frozenset({"top.gpu", "process.command"}),
}
"""What a reading carries for people; no rule is meant to look at it, and one that does is not mistyped."""


def metric_fields(category: str) -> frozenset[str]:
    """Every field that readings of a category may have."""
    gauges = GAUGES[category]
    derived = {f"{gauge}.{kind}" for gauge in gauges for kind in DERIVED}
    ends = {f"{gauge}.seconds_to_zero" for gauge in gauges & RUNNING_OUT}
    return gauges | derived | ends | TAGS[category] | WORDS[category]
