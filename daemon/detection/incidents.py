"""Anomalies → incidents: one per rule, entity and host, and the decision whether to speak of each.

What joins what depends on event times alone, never on when a tick came: replay, live, and a restart in between give the
same incidents. Ticks only tell which incidents have turned quiet. A resolved incident is joined only by what happened
before its end.
"""

import heapq
from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import TypeAlias

from msgspec.structs import replace

from daemon.model import Anomaly, Decision, Incident, IncidentChange, IncidentStatus

_FIRST = 3
_LATEST = 5

_Key: TypeAlias = tuple[str, str, str]


class Incidents:
    """Groups anomalies. Durations are seconds of event time.

    An anomaly within `quiet_after` of the latest of its incident joins it. Of joined ones people hear when the severity
    rose or `repeat_every` has passed since they last heard. At most `max_tracked` incidents can be joined: beyond that
    the one whose latest anomaly is oldest is let go, counted in `evictions`, and handed out closed by the next tick.
    Incidents of `sustained` rules (by id) do not turn quiet: their rule says when they are over.
    """

    def __init__(
        self, *, quiet_after: float, repeat_every: float, max_tracked: int, sustained: Collection[str] = ()
    ) -> None:
        self.evictions = 0
        self.open_count = 0
        self._quiet_after = quiet_after
        self._repeat_every = repeat_every
        self._max_tracked = max_tracked
        self._sustained = frozenset(sustained)
        self._tracked: dict[_Key, Incident] = {}
        self._by_age: list[tuple[float, _Key]] = []  # a heap; an entry counts while it holds the incident's last_at
        self._open_by_age: list[tuple[float, _Key]] = []  # the same, of those that a tick may close
        self._let_go: list[Incident] = []

    def feed(self, anomaly: Anomaly) -> IncidentChange:
        """The incident as this anomaly leaves it, and whether to speak of it."""
        key = (anomaly.rule.id, anomaly.entity, anomaly.host)
        known = self._tracked.get(key)
        if anomaly.ends:
            change = _end(known, anomaly)
        elif known is None or anomaly.at - known.last_at > (0 if _resolved(known) else self._quiet_after):
            change = IncidentChange(_open(anomaly), Decision.first, anomaly)
        else:
            change = self._join(known, anomaly)
        self._track(key, change.incident)
        return change

    def tick(self, now: float) -> list[IncidentChange]:
        """The incidents that have turned quiet by `now` (and those let go since the last tick), closed."""
        changes = [_quiet(incident) for incident in self._let_go]
        self._let_go = []
        while self._open_by_age and now - self._open_by_age[0][0] > self._quiet_after:
            last_at, key = heapq.heappop(self._open_by_age)
            incident = self._tracked.get(key)
            if incident is None or incident.last_at != last_at or not self._may_turn_quiet(incident):
                continue
            changes.append(_quiet(incident))
            self._tracked[key] = changes[-1].incident
            self.open_count -= 1
        return changes

    def restore(self, incidents: Iterable[Incident]) -> None:
        """Go on with incidents as they were stored; of several with the same key the latest counts."""
        for incident in sorted(incidents, key=lambda one: (one.last_at, one.opened_at)):
            self._track((incident.rule.id, incident.entity, incident.host), incident)

    def _join(self, known: Incident, anomaly: Anomaly) -> IncidentChange:
        if anomaly.rule.severity > known.severity:
            decision = Decision.escalated
        elif anomaly.at - known.notified_at >= self._repeat_every:
            decision = Decision.repeated
        else:
            decision = Decision.suppressed
        incident = replace(
            _extended(known, anomaly),
            severity=max(known.severity, anomaly.rule.severity),
            status=known.status if _resolved(known) else IncidentStatus.open,
            count=known.count + 1,
            notified_at=max(known.notified_at, anomaly.at) if decision.notifies else known.notified_at,
        )
        return IncidentChange(incident, decision, anomaly)

    def _may_turn_quiet(self, incident: Incident) -> bool:
        return _is_open(incident) and incident.rule.id not in self._sustained

    def _track(self, key: _Key, incident: Incident) -> None:
        before = self._tracked.get(key)
        self.open_count += _is_open(incident) - (before is not None and _is_open(before))
        self._tracked[key] = incident
        heapq.heappush(self._by_age, (incident.last_at, key))
        if self._may_turn_quiet(incident):
            heapq.heappush(self._open_by_age, (incident.last_at, key))
        while len(self._tracked) > self._max_tracked:
            self._evict()
        self._tidy()

    def _evict(self) -> None:
        last_at, key = heapq.heappop(self._by_age)
        incident = self._tracked.get(key)
        if incident is None or incident.last_at != last_at:
            return
        del self._tracked[key]
        self.evictions += 1
        if _is_open(incident):
            self.open_count -= 1
            self._let_go.append(incident)
            del self._let_go[: -self._max_tracked]

    def _tidy(self) -> None:
        """Rebuild the heaps when most of their entries are outdated, so that a busy incident does not fill them."""
        if len(self._by_age) > 2 * len(self._tracked) + 64:
            self._by_age = [(incident.last_at, key) for key, incident in self._tracked.items()]
            heapq.heapify(self._by_age)
        if len(self._open_by_age) > 2 * self.open_count + 64:
            self._open_by_age = [(one.last_at, key) for key, one in self._tracked.items() if self._may_turn_quiet(one)]
            heapq.heapify(self._open_by_age)


def _is_open(incident: Incident) -> bool:
    return incident.status is IncidentStatus.open


def _resolved(incident: Incident) -> bool:
    """Whether its rule said that it is over. One that a tick closed may still be joined by a late anomaly."""
    return bool(incident.anomalies) and incident.anomalies[-1].ends


def _open(anomaly: Anomaly) -> Incident:
    digest = sha256(f"{anomaly.rule.id}\x1f{anomaly.entity}\x1f{anomaly.id}".encode("utf-8", "surrogatepass"))
    return Incident(
        id=f"inc_{digest.hexdigest()[:24]}",
        rule=anomaly.rule,
        entity=anomaly.entity,
        host=anomaly.host,
        source=anomaly.source,
        severity=anomaly.rule.severity,
        status=IncidentStatus.open,
        opened_at=anomaly.at,
        last_at=anomaly.at,
        count=1,
        because=anomaly.because,
        first_event=anomaly.events[0].id if anomaly.events else "",
        last_event=anomaly.events[-1].id if anomaly.events else "",
        anomalies=(anomaly,),
        notified_at=anomaly.at,
    )


def _extended(known: Incident, anomaly: Anomaly) -> Incident:
    """The incident with one anomaly more: its span, its latest reason, and the first and latest anomalies.

    An end stays the last of them: it marks the incident as resolved.
    """
    events, end = anomaly.events, known.anomalies[-1:] if _resolved(known) else ()
    earlier, later = anomaly.at < known.opened_at, anomaly.at >= known.last_at
    anomalies = (*known.anomalies[: len(known.anomalies) - len(end)], anomaly, *end)
    if len(anomalies) > _FIRST + _LATEST:
        anomalies = anomalies[:_FIRST] + anomalies[-_LATEST:]
    return replace(
        known,
        rule=anomaly.rule,
        opened_at=min(known.opened_at, anomaly.at),
        last_at=max(known.last_at, anomaly.at),
        because=known.because if end else anomaly.because,
        first_event=events[0].id if earlier and events else known.first_event,
        last_event=events[-1].id if later and events and not end else known.last_event,
        anomalies=anomalies,
    )


def _end(known: Incident | None, anomaly: Anomaly) -> IncidentChange:
    """A rule said that it is over. When the incident is no longer known, people still hear that it ended."""
    if known is not None and _resolved(known):
        return IncidentChange(known, Decision.suppressed, anomaly)
    base = _extended(known, anomaly) if known is not None else replace(_open(anomaly), count=0)
    incident = replace(base, status=IncidentStatus.closed, notified_at=max(base.notified_at, anomaly.at))
    return IncidentChange(incident, Decision.resolved, anomaly)


def _quiet(incident: Incident) -> IncidentChange:
    return IncidentChange(replace(incident, status=IncidentStatus.closed), Decision.quiet)
