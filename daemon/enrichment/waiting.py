"""Alerts that wait for their turn at the model: bounded, most urgent first. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from daemon.model import Alert, Gap

ROOM = 5
"""Alerts for each cause, on average: those beyond the first cost memory, but no call."""


class Entry(Struct, frozen=True):
    """An alert whose similar incidents were looked for. Times are monotonic seconds.

    Alerts of one `cause` need one call of the model between them. `attempts` counts calls for this version, over
    restarts; `failure` is what the last one came to; `squeeze` divides the room of the prompt.
    """

    alert: Alert
    attempts: int
    since: float
    cause: str = ""
    not_before: float = 0.0
    failure: Gap | None = None
    squeeze: int = 1

    @property
    def rank(self) -> tuple[int, bool, float]:
        """Greater is more urgent: severity, then what nothing similar explains yet, then the newest."""
        return (self.alert.severity, not self.alert.similar, self.alert.made_at)


class Waiting:
    """At most `bound` causes and `room` alerts, one version of each; beyond that the least urgent have to go."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._entries: dict[str, Entry] = {}

    @property
    def room(self) -> int:
        """How many alerts may wait at most."""
        return ROOM * self._bound

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def holds(self, alert: Alert) -> bool:
        """Whether this very version waits."""
        entry = self._entries.get(alert.id)
        return entry is not None and entry.alert.version == alert.version

    def add(self, entry: Entry) -> list[Entry]:
        """Let it wait, instead of an older version of itself; returns who had to go, which may be `entry`."""
        present = self._entries.get(entry.alert.id)
        if present is not None and present.alert.version > entry.alert.version:
            return []
        self._entries[entry.alert.id] = entry
        if len(self._entries) <= self._bound:
            return []
        gone: list[Entry] = []
        urgency = self._urgency()
        if len(urgency) > self._bound:
            least = min(urgency, key=lambda cause: urgency[cause])
            gone = [one for one in self._entries.values() if one.cause == least]
        elif len(self._entries) > self.room:
            gone = [min(self._entries.values(), key=lambda one: one.rank)]
        for one in gone:
            del self._entries[one.alert.id]
        return gone

    def _urgency(self) -> dict[str, tuple[int, bool, float]]:
        """Each cause is as urgent as its most urgent alert."""
        found: dict[str, tuple[int, bool, float]] = {}
        for one in self._entries.values():
            found[one.cause] = max(found.get(one.cause, one.rank), one.rank)
        return found

    def remove(self, entry: Entry) -> None:
        """Take one out; nothing happens if a newer version has taken its place."""
        if self._entries.get(entry.alert.id) == entry:
            del self._entries[entry.alert.id]

    def most_urgent(self, monotonic: float) -> Entry | None:
        """Who is next of those whose pause is over. It stays until it is removed."""
        ready = [entry for entry in self._entries.values() if entry.not_before <= monotonic]
        return max(ready, key=lambda one: one.rank, default=None)
