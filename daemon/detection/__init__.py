"""Event → Anomaly → Incident. Pure: no await, no clock, no log, no file.

`rules` parses Sigma (pySigma) and reports every problem with its line; `condition` compiles a parsed condition into
a predicate that can also say in words why it matched; `correlation` and `sustain` keep windows over events;
`engine` routes an event to the rules of its logsource; `incidents` groups anomalies by rule and entity and decides
whether to speak.

`feed(event)` and `tick(now)` are synchronous and deterministic. Windows run on event time. Every keyed state is
bounded, evicts with a count, is handed out as `changes()` and taken back by `restore()`.
"""

from collections.abc import Iterable
from typing import Protocol

from daemon.model import Anomaly, Event, Snapshot


class Detector(Protocol):
    """Events → anomalies."""

    @property
    def evictions(self) -> int:
        """Groups and entities that were let go because memory is bounded, since construction."""
        ...

    def feed(self, event: Event) -> list[Anomaly]:
        """The rules that this event makes fire."""
        ...

    def tick(self, now: float) -> list[Anomaly]:
        """The rules that fire because time passed."""
        ...

    def changes(self) -> list[Snapshot]:
        """What changed in memory since the last call."""
        ...

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back what an earlier process stored; rows of rules that changed or went are ignored."""
        ...
