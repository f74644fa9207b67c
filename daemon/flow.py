"""The pure half of the program: what a source handed over → incidents changed.

    Lines ─▶ reader ────▶ Event ─▶ detector ─▶ Anomaly ─▶ redact ─▶ incidents ─▶ IncidentChange
    Sample ─▶ baselines ─▶ Event ─┤
    Lost ────────────────▶ Event ─┘

Live, replay and the rules' samples run this same code, so they find the same things. Memory lives in the steps, which
hand out what changed and take it back.
"""

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping

import msgspec
from msgspec import Struct

from daemon.detection import Detector
from daemon.detection.baseline import Baselines
from daemon.detection.incidents import Incidents
from daemon.detection.told_losses import ToldLosses
from daemon.detection.unseen import UnseenTimes
from daemon.events import Output, Reader, Sight, Sighted
from daemon.events.gauges import lost_event, sample_event
from daemon.events.intake import IntakeReader
from daemon.model import Anomaly, Event, Incident, IncidentChange, Lines, Lost, Sample, Snapshot, Unseen


class Outcome(Struct):
    """What one item, or the passing of time, caused."""

    anomalies: list[Anomaly] = []
    changes: list[IncidentChange] = []
    lost: list[Lost] = []
    unseen: list[Unseen] = []


class Tallies(Struct, frozen=True):
    """What the steps counted since they were made: events, unparsed lines, and lines of which no event was made because
    no rule could match, by source; evictions by kind of state; what sources show of lost audit records.
    """

    events: Mapping[str, int]
    left_out: Mapping[str, int]
    unparsed: Mapping[str, int]
    evictions: Mapping[str, int]
    open_incidents: int
    sights: Mapping[str, Sight] = {}


class Flow:
    """Readers by source name, one detector, one grouping step."""

    def __init__(
        self,
        readers: Mapping[str, Reader],
        detector: Detector,
        incidents: Incidents,
        *,
        redact: Callable[[Anomaly], Anomaly],
        host: str,
        baselines: Baselines | None = None,
    ) -> None:
        self._readers = readers
        self._detector = detector
        self._incidents = incidents
        self._redact = redact
        self._host = host
        self._baselines = Baselines() if baselines is None else baselines
        self._told = ToldLosses()
        self._unseen = UnseenTimes()
        self._events: Counter[str] = Counter()
        self._reached = 0.0  # event time; a loss without a time of its own happened after it

    @property
    def latest(self) -> float:
        """The newest time of a line read, whether it became an event or not; minus infinity before."""
        return max((reader.latest for reader in self._readers.values()), default=-math.inf)

    def repeats(self, source: str, request: str) -> int:
        """How many records of a request to an intake, which was just read, were known already."""
        reader = self._readers.get(source)
        return reader.repeats_of(request) if isinstance(reader, IntakeReader) else 0

    def tallies(self) -> Tallies:
        """What the steps counted until now."""
        return Tallies(
            events=dict(self._events),
            left_out={source: reader.left_out for source, reader in self._readers.items()},
            unparsed={source: reader.unparsed for source, reader in self._readers.items()},
            evictions={
                "events": sum(reader.evictions for reader in self._readers.values()),
                "detection": self._detector.evictions,
                "incidents": self._incidents.evictions,
                **({"unseen": self._unseen.evictions} if self._unseen.evictions else {}),
                **({"baselines": self._baselines.evictions} if self._baselines.evictions else {}),
            },
            open_incidents=self._incidents.open_count,
            sights={source: one.sight for source, one in self._readers.items() if isinstance(one, Sighted)},
        )

    def read(self, item: Lines | Sample | Lost) -> list[Output]:
        """The events in what a source handed over."""
        if isinstance(item, Lost):
            return [item]
        if isinstance(item, Sample):
            return self._read_sample(item)
        try:
            return self._readers[item.source].feed(item)
        except Exception as error:  # noqa: BLE001 - a bug met by one line must not blind us to all others: it is a loss, and said
            lines, detail = item.data.count(b"\n"), f"{type(error).__name__}: {error}"
            return [Lost(item.source, "reader_error", lines, self._reached, detail)]

    def _read_sample(self, sample: Sample) -> list[Output]:
        try:
            return [sample_event(sample, self._host, self._baselines.feed(sample, self._host))]
        except Exception as error:  # noqa: BLE001 - as in `read`; the reading itself is not lost
            lost = Lost(sample.source, "baseline_error", 1, sample.at, f"{type(error).__name__}: {error}")
            return [lost, sample_event(sample, self._host)]

    def finish(self, source: str, now: float) -> list[Output]:
        """The events of one source that are complete because time passed."""
        try:
            return self._readers[source].tick(now)
        except Exception as error:  # noqa: BLE001 - as in `read`
            return [Lost(source, "reader_error", None, self._reached, f"{type(error).__name__}: {error}")]

    def detect(self, outputs: Iterable[Output]) -> Outcome:
        """Run the rules over events; losses become events too, and are listed."""
        outcome = Outcome(anomalies=[], changes=[], lost=[])
        for output in outputs:
            if isinstance(output, Lost):
                if self._told.again(output):
                    continue
                outcome.lost.append(output)
                event: Event = lost_event(output, self._host)
                self._unseen.note(output, event.host)
            else:
                event = output
            self._events[event.source] += 1
            self._reached = max(self._reached, event.at)
            self._evaluate(event, outcome)
        outcome.unseen = self._unseen.fresh()
        return outcome

    def _evaluate(self, event: Event, outcome: Outcome) -> None:
        try:
            anomalies = self._detector.feed(event)
        except Exception as error:  # noqa: BLE001 - a bug met by one event must not blind us to all others: it is a loss, and said
            outcome.lost.append(Lost(event.source, "rule_error", 1, event.at, f"{type(error).__name__}: {error}"))
            return
        for anomaly in anomalies:
            self._group(anomaly, outcome)

    def feed(self, item: Lines | Sample | Lost) -> Outcome:
        """Everything that one item causes."""
        return self.detect(self.read(item))

    def tick(self, now: float, behind: Container[str] = ()) -> Outcome:
        """Everything that the passing of time causes, live; `now` is the clock. For the sources that are `behind`
        (there are lines of them to feed) it does not pass.
        """
        outputs = [output for source in self._readers if source not in behind for output in self.finish(source, now)]
        outcome = self.detect(outputs)
        self._advance(now, outcome)
        return outcome

    def advance(self, now: float) -> Outcome:
        """What the passing of event time causes in replay, where readers run ahead of the rules."""
        outcome = Outcome(anomalies=[], changes=[], lost=[])
        self._advance(now, outcome)
        return outcome

    def _advance(self, now: float, outcome: Outcome) -> None:
        for anomaly in self._detector.tick(now):
            self._group(anomaly, outcome)
        outcome.changes.extend(self._incidents.tick(now))

    def changes(self) -> tuple[Snapshot, ...]:
        """What changed in the memory of the steps since the last call."""
        found = [snapshot for reader in self._readers.values() for snapshot in reader.changes()]
        return (*found, *self._detector.changes(), *self._baselines.changes(), *self._unseen.changes())

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Give the steps back what an earlier process stored."""
        stored = list(snapshots)
        for reader in self._readers.values():
            reader.restore(stored)
        self._detector.restore(stored)
        self._baselines.restore(stored)
        self._unseen.restore(stored)

    def resume(self, incidents: Iterable[Incident]) -> None:
        """Give the grouping step the incidents of an earlier process, oldest first."""
        self._incidents.restore(incidents)

    def _group(self, anomaly: Anomaly, outcome: Outcome) -> None:
        try:
            clean = self._redact(anomaly)
        except Exception as error:  # noqa: BLE001 - what cannot be cleaned is left out; that it happened is told all the same
            outcome.lost.append(Lost(self._host, "redaction_error", 1, anomaly.at, f"{type(error).__name__}: {error}"))
            clean = msgspec.structs.replace(anomaly, because="(could not be redacted)", entity="", events=())
        outcome.anomalies.append(clean)
        change = self._incidents.feed(clean)
        if change.decision.notifies:
            change = msgspec.structs.replace(change, gaps=self._unseen.gaps(change.incident))
        outcome.changes.append(change)
        outcome.changes.extend(self._incidents.released())
