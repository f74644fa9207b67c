"""Sigma correlation rules: events that mean something only together, per group, in windows on event time."""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from daemon.detection.cleaning import Cleaner
from daemon.detection.entity import entity_of, entity_text
from daemon.detection.firing import build_anomaly
from daemon.detection.keyed import Keyed
from daemon.detection.keying import Group, Keyings, is_read
from daemon.detection.measures import measure_of, numbers_of
from daemon.detection.rules import Rule
from daemon.detection.rules_correlation import COUNTS, MEASURES, Correlation, by_place
from daemon.detection.windows import Found, Window, build_pattern, feed_window, keep_evidence, most_kept, new_window
from daemon.detection.wording import duration, number, quoted
from daemon.model import Anomaly, Event

_AS_IT_IS = Cleaner(lambda event: event)
_EVIDENCE = 5
_MOST_EVIDENCE = 16
_LIMIT = {
    "gte": "{}",
    "gt": "more than {}",
    "lte": "at most {}",
    "lt": "fewer than {}",
    "eq": "exactly {}",
    "neq": "other than {}",
}
_MEASURE = {"value_sum": "sum", "value_avg": "average", "value_median": "median"}


class Correlator:
    """One correlation over all of its groups, of which it remembers at most `max_groups`, in the name of `rules`: those
    that ask for the same of the same (see `ensemble`), so that all that differs is what they are called.
    """

    def __init__(self, rules: Sequence[Rule], max_groups: int, keyings: Keyings | None = None) -> None:
        correlation = rules[0].correlation
        assert correlation is not None
        self.rules = tuple(rules)
        prefixes = [f"{rule.ref.id}:{rule.revision}:" for rule in rules]
        self.memory = Keyed(Window, max_groups, *prefixes, settle=self._settle)
        self._loud = [rule for rule in rules if rule.fires]
        self._timespan = correlation.timespan
        self._pattern = build_pattern(by_place(correlation))
        keyings = Keyings(_AS_IT_IS) if keyings is None else keyings
        self._cleaner = keyings.cleaner
        self._reads = tuple(
            (str(place), keyings.of(correlation, rule_id)) for place, rule_id in enumerate(correlation.places)
        )
        self._counts_as_it_is = not is_read(correlation)
        counted = correlation.kind in {*COUNTS, *MEASURES}
        self._evidence = _EVIDENCE if counted else min(max(_EVIDENCE, len(correlation.inputs)), _MOST_EVIDENCE)

    def feed(self, place: int, event: Event, kept: Event | None = None) -> list[Anomaly] | None:
        """Input number `place` fired on an event: the anomalies that this completes, one for each rule that speaks;
        None when it completes nothing. `kept` is the event as it may be remembered, where that is known already (see
        Cleaner.later).
        """
        name, keying = self._reads[place]
        read = keying.read(event)
        value = name if self._counts_as_it_is else read.value
        if value is None:
            return None
        known = self.memory.get(read.key)
        window = new_window() if known is None else known
        kept = self._cleaner.later(event) if kept is None else kept
        found = feed_window(window, event.at, value, self._pattern, self._timespan, kept)
        anomalies = None if found is None else self._anomalies(found, read.group, kept)
        if len(window.shown) > self._evidence:
            keep_evidence(window, event.at, self._timespan, self._evidence)
        self.memory.put(read.key, window)
        return anomalies

    def _settle(self, window: Window) -> None:
        """Clean the events that a window keeps, before it is stored."""
        window.events[:] = map(self._cleaner.settle, window.events)

    def _anomalies(self, found: Found, group: Group, kept: Event) -> list[Anomaly]:
        if not self._loud:
            return []
        event = self._cleaner.settle(kept)
        events = [self._cleaner.settle(one) for one in found.events]
        chosen = events if len(events) <= self._evidence else [events[0], *events[1 - self._evidence :]]
        chosen = chosen or [event]  # what fired may be older than all that is shown, where dates are wrong
        return [_anomaly(rule, found.values, chosen, group, event) for rule in self._loud]


def _anomaly(rule: Rule, values: Sequence[str], events: Sequence[Event], group: Group, event: Event) -> Anomaly:
    assert rule.correlation is not None
    known = [(name, value) for name, value in group if value is not None]
    entity = entity_of(event, rule.entity or ("host",)) if rule.entity or not known else entity_text(known)
    because = say_correlation(rule.correlation, values, entity_text(known))
    anomaly = build_anomaly(rule.ref, entity, because, events)
    return msgspec.structs.replace(anomaly, at=event.at, host=event.host, source=event.source)


def say_correlation(correlation: Correlation, values: Sequence[str], group: str) -> str:
    """Why a correlation fired, in words; `values` is what its entries count as."""
    within = f"within {duration(correlation.timespan)}" + (f" by {group}" if group else "")
    if correlation.kind in {*COUNTS, *MEASURES}:
        either = " or ".join(dict.fromkeys(quoted(title) for title in correlation.titles))
        words = _LIMIT if correlation.kind in COUNTS else {**_LIMIT, "lt": "less than {}"}
        limits = ", ".join(words[operator].format(number(limit)) for operator, limit in correlation.bounds)
        return f"{_say_found(correlation, values)}{either} {within} (threshold {limits})"
    titles_of = dict(zip(correlation.inputs, correlation.titles, strict=True))
    fired_ids = [correlation.places[int(value)] for value in values]
    ordered = correlation.kind == "temporal_ordered"
    told = fired_ids if ordered else [rule_id for rule_id in correlation.inputs if rule_id in fired_ids]
    titles = [quoted(titles_of[rule_id]) for rule_id in told]
    runs = [(title, len(list(run))) for title, run in groupby(titles)]
    said = (" then " if ordered else " and ").join(title if many == 1 else f"{many} × {title}" for title, many in runs)
    return f"{said} {within}" + (f" ({correlation.expression})" if correlation.expression else "")


def _say_found(correlation: Correlation, values: Sequence[str]) -> str:
    """What was counted or measured, up to the rules that it was found in."""
    least = "at least " if len(values) > most_kept(correlation) // 2 else ""  # there may have been more, let go
    fields = ", ".join(correlation.fields)
    if correlation.kind in MEASURES:
        found = measure_of(correlation.kind, correlation.percentile)(numbers_of(values))
        name = _MEASURE.get(correlation.kind) or f"percentile {number(correlation.percentile)}"
        return f"{name} of {fields} {number(found or 0.0)} in {least}{len(values)} × "
    if fields:
        return f"{least}{len(values)} different values of {fields} in "
    return f"{least}{len(values)} × "
