"""The steps' counts reach the metrics, each difference once."""

from daemon.meters import Meters
from daemon.telemetry import Metrics
from tests.test_flow import SSHD, a_flow, lines


def test_each_difference_is_counted_once_and_a_new_flow_counts_on() -> None:
    metrics = Metrics()

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    for round_ in (1, 2):
        flow = a_flow()
        meters = Meters(metrics, flow)
        flow.feed(lines("".join(SSHD.format(f"{number:03}") for number in range(12)) + "no stamp\n"))
        meters.note()
        meters.note()
        assert value("tellwhy_events_total", source="auth") == 13 * round_
        assert value("tellwhy_unparsed_lines_total", source="auth") == round_
        assert value("tellwhy_evictions_total", state="detection") == 0
        assert value("tellwhy_incidents_open") == 1
