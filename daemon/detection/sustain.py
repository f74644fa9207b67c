"""Rules that fire only when their condition has held for a while, and say when it is over.

Time is that of the events. A sample that does not carry what the condition reads says nothing; missing samples do not
count as holding: after a gap of more than three intervals the while begins anew. What has fired stays so until samples
have shown the condition not to hold for `resolve_after`; a silence alone ends nothing. But dates may be wrong and what
is measured may go: a sample from far before the latest, or from long after it, begins anew, and so do several in a row
from a little before it.
"""

from collections.abc import Callable
from math import inf

from msgspec import Struct

from daemon.detection.entity import entity_of
from daemon.detection.firing import build_anomaly, evidence, kept_words
from daemon.detection.keyed import Keyed, key_of
from daemon.detection.quoting import quoting
from daemon.detection.rules import Rule
from daemon.detection.view import View
from daemon.detection.wording import duration
from daemon.model import Anomaly, Event, Incident

_EDGE = 1e-6
_GAP = 3
_STEP_BACK = 3600.0
"""Seconds. A sample older than the latest by less is late and left aside; by more, the latest had a wrong date."""
_LATE = 3
"""So many late samples one after the other are not late: the clock was set back."""
_STALE = 86_400.0
"""Seconds without a sample after which what has fired is forgotten: what was measured is gone."""


class Hold(Struct):
    """One entity for which the condition holds, or has fired. `interval` is 0 until two samples were seen."""

    since: float
    seen: float
    first: Event
    interval: float = 0.0
    fired: bool = False
    clear_since: float | None = None
    late: int = 0


class Sustainer:
    """One sustained rule over all entities, of which it remembers at most `max_groups` (only those that hold).

    `redact` cleans what it keeps of events and says of them.
    """

    def __init__(self, rule: Rule, max_groups: int, redact: Callable[[Event], Event] = lambda event: event) -> None:
        assert rule.condition is not None
        assert rule.sustain is not None
        self.rule = rule
        self._redact = redact
        self.memory = Keyed(Hold, max_groups, f"{rule.ref.id}:{rule.revision}:")
        self._condition = rule.condition
        self._sustain = rule.sustain
        self._reads = rule.condition.gauges or rule.condition.fields

    def feed(self, view: View) -> Anomaly | None:
        """One sample of the rule's logsource: the anomaly that it completes or ends, if any."""
        holds = self._condition.test(view)
        if not holds and self._reads and self._reads.isdisjoint(view.fields):
            return None
        entity = entity_of(view.event, self.rule.entity)
        key = key_of([view.event.host, entity])
        hold = self.memory.get(key)
        if hold is not None and _is_late(hold, view.event.at):
            return None
        return self._held(view, entity, key, hold) if holds else self._clear(view.event, entity, key, hold)

    def watches(self, incident: Incident, now: float) -> bool:
        """Whether what opened an incident of this rule has fired and not ended, so that its end will be told."""
        hold = self.memory.get(key_of([incident.host, incident.entity]))
        if hold is None or not hold.fired or now - hold.seen > _STALE:
            return False
        return hold.since - _EDGE <= incident.last_at <= hold.seen + _EDGE

    def _held(self, view: View, entity: str, key: str, hold: Hold | None) -> Anomaly | None:
        event = view.event
        if hold is None or _is_broken(hold, event.at):
            hold = Hold(event.at, event.at, self._kept(event))
        elif self._is_gap(hold, event.at) and not hold.fired:
            hold.since, hold.first = event.at, self._kept(event)
        self._tick(hold, event.at)
        hold.clear_since = None
        self.memory.put(key, hold)
        if hold.fired or event.at - hold.since < self._sustain.hold - _EDGE:
            return None
        hold.fired = True
        clean = self._redact(event)
        words = kept_words(self._condition.because(view, View(clean)), event, self._redact)
        because = f"{words} for {duration(self._sustain.hold)}" if self._sustain.hold else words
        last = self._kept(event)
        events = (last,) if hold.first.id == last.id else (hold.first, last)
        return build_anomaly(quoting(self.rule, clean), entity, because, events)

    def _clear(self, event: Event, entity: str, key: str, hold: Hold | None) -> Anomaly | None:
        if hold is None:
            return None
        if not hold.fired:
            self.memory.drop(key)
            return None
        if _is_broken(hold, event.at):
            hold.seen, hold.clear_since = event.at, None
        self._tick(hold, event.at)
        if hold.clear_since is None:
            hold.clear_since = event.at
        if event.at - hold.clear_since < self._sustain.resolve_after - _EDGE:
            self.memory.put(key, hold)
            return None
        self.memory.drop(key)
        lasting = self._sustain.resolve_after
        because = f"no longer: {self._condition}" + (f", for {duration(lasting)}" if lasting else "")
        return build_anomaly(quoting(self.rule, self._redact(event)), entity, because, (self._kept(event),), ends=True)

    def _kept(self, event: Event) -> Event:
        return evidence(self._redact(event), self._condition.fields)

    def _is_gap(self, hold: Hold, at: float) -> bool:
        """More than three intervals without a sample; while no interval is known, more than the rule's `for`."""
        return at - hold.seen > (_GAP * hold.interval or self._sustain.hold) + _EDGE

    def _tick(self, hold: Hold, at: float) -> None:
        """Learn the interval: by at most a factor of two per sample, so that one outlier changes little."""
        spacing, known = at - hold.seen, hold.interval
        if spacing > 0:
            hold.interval = min(max(spacing, known / 2), known * 2) if known else spacing
        hold.seen = at


def _is_late(hold: Hold, at: float) -> bool:
    """Whether a sample is to be left aside. What was seen last is forgotten when too many are."""
    if not hold.seen - _STEP_BACK <= at < hold.seen:
        hold.late = 0
        return False
    hold.late += 1
    if hold.late < _LATE:
        return True
    hold.late, hold.seen = 0, inf
    return False


def _is_broken(hold: Hold, at: float) -> bool:
    """Whether a sample is so far from the latest that they do not belong to one while."""
    return not -_STEP_BACK <= at - hold.seen <= _STALE
