"""What the steps of a flow count → Prometheus metrics. Steps are pure: they count, this copies the differences."""

from collections.abc import Mapping

from daemon.events import Sight
from daemon.flow import Flow
from daemon.telemetry import Metrics


class Meters:
    """For one flow; `note` may be called as often as one likes."""

    def __init__(self, metrics: Metrics, flow: Flow) -> None:
        self._metrics = metrics
        self._flow = flow
        self._events: dict[str, int] = {}
        self._unparsed: dict[str, int] = {}
        self._evictions: dict[str, int] = {}
        self.sights: Mapping[str, Sight] = {}
        """What the sources show of lost audit records, when it was last noted."""

    def note(self) -> None:
        """Bring the metrics up to date."""
        tallies = self._flow.tallies()
        self.sights = tallies.sights
        for counter, now, before in (
            (self._metrics.events, tallies.events, self._events),
            (self._metrics.unparsed, tallies.unparsed, self._unparsed),
            (self._metrics.evictions, tallies.evictions, self._evictions),
        ):
            for label, count in now.items():
                counter.labels(label).inc(count - before.get(label, 0))
                before[label] = count
        self._metrics.incidents_open.set(tallies.open_incidents)
