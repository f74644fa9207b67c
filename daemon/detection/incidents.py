"""Anomalies → incidents: one per rule, entity and host, and the decision whether to speak of each.

What joins what depends on event times alone, never on when a tick came: replay, live, and a restart in between give the
same incidents. Ticks only tell which incidents have turned quiet. A resolved incident is joined only by what happened
before its end.

Dates may be wrong. What is dated far from an incident, before it or after it, is an incident of its own beside it: a
wrong date never speaks for the present, and one ahead of the clock turns quiet as if it had happened when it came.
"""

import heapq
from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

from msgspec.structs import replace

from daemon.model import Anomaly, Decision, Incident, IncidentChange, IncidentStatus

_FIRST = 3
_LATEST = 5
_SIDE_BY_SIDE = 4
"""Incidents of one rule, entity and host that can be joined at the same time: the present one and some wrong dates."""

_Key: TypeAlias = tuple[str, str, str]


class Incidents:
    """Groups anomalies. Durations are seconds of event time.

    An anomaly within `quiet_after` of the latest of an incident, before or after it, joins it. Of joined ones people
    hear when the severity rose or `repeat_every` has passed since they last heard. At most `max_tracked` incidents can
    be joined: beyond that the one whose latest anomaly is oldest is let go, and handed out closed by `released` (or the
    next tick); `evictions` counts those of whose rule, entity and host nothing is left. So a bound makes people hear of
    an entity again, never not at all. `sustained(incident, now)` tells whether the incident's rule itself will say when
    it is over: until it does not, the incident does not turn quiet.
    """

    def __init__(
        self,
        *,
        quiet_after: float,
        repeat_every: float,
        max_tracked: int,
        sustained: Callable[[Incident, float], bool] = lambda _incident, _now: False,
    ) -> None:
        self.evictions = 0
        self.open_count = 0
        self._quiet_after = quiet_after
        self._repeat_every = repeat_every
        self._max_tracked = max_tracked
        self._sustained = sustained
        self._tracked: dict[str, Incident] = {}
        self._by_key: dict[_Key, list[Incident]] = {}  # those of one key, by age
        self._by_age: list[tuple[float, str]] = []  # a heap; an entry counts while it holds the incident's last_at
        self._open_by_age: list[tuple[float, str, int]] = []  # those that a tick may close; by when they were last seen
        self._fresh: dict[str, None] = {}  # joined or opened since the last tick
        self._let_go: list[Incident] = []

    def feed(self, anomaly: Anomaly) -> IncidentChange:
        """The incident as this anomaly leaves it, and whether to speak of it."""
        beside = self._by_key.get((anomaly.rule.id, anomaly.entity, anomaly.host), [])
        if anomaly.ends:
            change = _end(_ended(beside, anomaly.at), anomaly)
        else:
            reached = [one for one in beside if self._reaches(one, anomaly.at)]
            change = self._join(_nearest(reached, anomaly.at), anomaly) if reached else self._first(anomaly)
        self._track(change.incident)
        return change

    def released(self) -> list[IncidentChange]:
        """The open incidents that were let go since the last call, closed. Ask after each `feed`: they pile up."""
        gone, self._let_go = self._let_go, []
        return [_quiet(incident) for incident in gone]

    def tick(self, now: float) -> list[IncidentChange]:
        """The incidents that have turned quiet by `now` (and those let go and not yet `released`), closed."""
        changes = self.released()
        self._age(now)
        while self._open_by_age and now - self._open_by_age[0][0] > self._quiet_after:
            entry = heapq.heappop(self._open_by_age)
            if not self._counts(entry):
                continue
            incident = self._tracked[entry[1]]
            if self._sustained(incident, now):
                heapq.heappush(self._open_by_age, (now, incident.id, incident.count))
                continue
            changes.append(_quiet(incident))
            self._put(changes[-1].incident)
        return changes

    def restore(self, incidents: Iterable[Incident]) -> None:
        """Go on with incidents as they were stored."""
        for incident in sorted(incidents, key=_by_time):
            self._track(incident)

    def _reaches(self, known: Incident, at: float) -> bool:
        return -self._quiet_after <= at - known.last_at <= (0 if _resolved(known) else self._quiet_after)

    def _first(self, anomaly: Anomaly) -> IncidentChange:
        opened = _open(anomaly)
        known = self._tracked.get(opened.id)  # what is read once more, long after, is nothing new
        return self._join(known, anomaly) if known is not None else IncidentChange(opened, Decision.first, anomaly)

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

    def _track(self, incident: Incident) -> None:
        self._put(incident)
        heapq.heappush(self._by_age, (incident.last_at, incident.id))
        if _is_open(incident):
            self._fresh[incident.id] = None
        beside = self._by_key[_key(incident)]
        if len(beside) > _SIDE_BY_SIDE:
            self._drop(beside[0])
        while len(self._tracked) > self._max_tracked:
            self._evict()
        self._tidy()

    def _put(self, incident: Incident) -> None:
        """Keep an incident in place of what was known of it."""
        beside = self._by_key.setdefault(_key(incident), [])
        before = self._tracked.get(incident.id)
        if before is not None:
            beside.remove(before)
        insort(beside, incident, key=_by_time)
        self.open_count += _is_open(incident) - (before is not None and _is_open(before))
        self._tracked[incident.id] = incident

    def _evict(self) -> None:
        last_at, incident_id = heapq.heappop(self._by_age)
        incident = self._tracked.get(incident_id)
        if incident is not None and incident.last_at == last_at:
            self._drop(incident)
            self.evictions += _key(incident) not in self._by_key

    def _drop(self, incident: Incident) -> None:
        key = _key(incident)
        del self._tracked[incident.id]
        self._by_key[key].remove(incident)
        if not self._by_key[key]:
            del self._by_key[key]
        self._fresh.pop(incident.id, None)
        if _is_open(incident):
            self.open_count -= 1
            self._let_go.append(incident)

    def _age(self, now: float) -> None:
        """From when on what came since the last tick is silent: its own time, unless that is far ahead of the clock."""
        for incident_id in self._fresh:
            incident = self._tracked[incident_id]
            seen_at = incident.last_at if incident.last_at - now <= self._quiet_after else now
            heapq.heappush(self._open_by_age, (seen_at, incident_id, incident.count))
        self._fresh.clear()

    def _counts(self, entry: tuple[float, str, int]) -> bool:
        incident = self._tracked.get(entry[1])
        return incident is not None and incident.count == entry[2] and _is_open(incident)

    def _tidy(self) -> None:
        """Rebuild the heaps when most of their entries are outdated, so that a busy incident does not fill them."""
        if len(self._by_age) > 2 * len(self._tracked) + 64:
            self._by_age = [(incident.last_at, incident.id) for incident in self._tracked.values()]
            heapq.heapify(self._by_age)
        if len(self._open_by_age) > 2 * self.open_count + 64:
            self._open_by_age = [entry for entry in self._open_by_age if self._counts(entry)]
            heapq.heapify(self._open_by_age)


def _key(incident: Incident) -> _Key:
    return incident.rule.id, incident.entity, incident.host


def _by_time(incident: Incident) -> tuple[float, float, str]:
    return incident.last_at, incident.opened_at, incident.id


def _nearest(known: Iterable[Incident], at: float) -> Incident:
    """The one whose latest anomaly is nearest in time; of two as near, the later."""
    return min(known, key=lambda one: (abs(at - one.last_at), -one.last_at, one.id))


def _ended(beside: Sequence[Incident], at: float) -> Incident | None:
    """What an end at `at` is the end of: the latest before it, else (its date was wrong) the first after it."""
    before = [one for one in beside if one.last_at <= at]
    return before[-1] if before else next(iter(beside), None)


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
