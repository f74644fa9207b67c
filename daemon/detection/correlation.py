"""Sigma correlation rules: events that mean something only together, per group, in windows on event time."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from daemon.detection.cleaning import Cleaner
from daemon.detection.entity import entity_of, entity_text, field_text
from daemon.detection.firing import build_anomaly
from daemon.detection.keyed import Keyed, key_of
from daemon.detection.measures import measure_of, numbers_of, read_number
from daemon.detection.rules import Rule
from daemon.detection.rules_correlation import COUNTS, MEASURES, Correlation
from daemon.detection.view import texts_of
from daemon.detection.windows import Entry, Window, build_pattern, feed_window, keep_evidence, most_kept
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
    """One correlation rule over all of its groups, of which it remembers at most `max_groups`."""

    def __init__(self, rule: Rule, max_groups: int, cleaner: Cleaner = _AS_IT_IS) -> None:
        assert rule.correlation is not None
        self._cleaner = cleaner
        self.rule = rule
        self.inputs = tuple(dict.fromkeys(rule.correlation.inputs))
        self.memory = Keyed(f"{rule.ref.id}:{rule.revision}:", Window, max_groups, self._settle)
        self._correlation = correlation = rule.correlation
        self._pattern = build_pattern(correlation)
        self._asked: dict[str, tuple[str, ...]] = {}
        self._groups: dict[str, tuple[tuple[str, str], ...]] = {}
        self._measures = correlation.kind in MEASURES
        self._reads = self._measures or correlation.kind == "value_count"
        counted = correlation.kind in {*COUNTS, *MEASURES}
        self._evidence = _EVIDENCE if counted else min(max(_EVIDENCE, len(correlation.inputs)), _MOST_EVIDENCE)

    def feed(self, rule_id: str, event: Event, kept: Event | None = None) -> Anomaly | None:
        """A rule that this one is built upon fired on an event: the anomaly that this completes, if any. `kept` is
        the event as it may be remembered, where that is known already (see Cleaner.later).
        """
        fields = self._cleaner.fields_of(event, self._fields_of(rule_id))
        value = self._value(rule_id, fields)
        if value is None:
            return None
        group = self._group(rule_id, fields)
        key = key_of([found for _, found in group])
        window = self.memory.get(key) or Window([])
        kept = self._cleaner.later(event) if kept is None else kept
        entry = Entry(event.at, value, kept)
        fired = feed_window(window, entry, self._pattern, self._correlation.timespan)
        anomaly = None if fired is None else self._anomaly(fired, group, self._cleaner.settle(kept))
        keep_evidence(window.entries, event.at, self._correlation.timespan, self._evidence)
        self.memory.put(key, window)
        return anomaly

    def _settle(self, window: Window) -> None:
        """Clean the events that a window keeps, before it is stored."""
        for entry in window.entries:
            if entry.event is not None:
                entry.event = self._cleaner.settle(entry.event)

    def _fields_of(self, rule_id: str) -> tuple[str, ...]:
        """The fields of an event that are asked for where this rule fired."""
        known = self._asked.get(rule_id)
        if known is None:
            names = dict.fromkeys((*self._correlation.group_by, *self._correlation.fields))
            asked = (self._correlation.field_of(name, rule_id) for name in names)
            known = self._asked[rule_id] = tuple(dict.fromkeys(asked))
        return known

    def _value(self, rule_id: str, event: Event) -> str | None:
        """What the event counts as. One without the field whose values are counted, or without a number in the field
        that is measured, does not count.
        """
        if not self._reads:
            return rule_id
        names = [self._correlation.field_of(name, rule_id) for name in self._correlation.fields]
        if self._measures:
            measured = read_number(texts_of(event.fields.get(names[0])))
            return None if measured is None else repr(measured)
        values = [field_text(event, name) for name in names]
        return None if None in values else key_of(values)

    def _group(self, rule_id: str, event: Event) -> list[tuple[str, str | None]]:
        """The group's fields by the names in `group-by`; events without one of them are a group of their own."""
        pairs = self._groups.get(rule_id)
        if pairs is None:
            names = self._correlation.group_by
            pairs = self._groups[rule_id] = tuple((name, self._correlation.field_of(name, rule_id)) for name in names)
        return [(name, field_text(event, field)) for name, field in pairs]

    def _anomaly(self, fired: list[Entry], group: list[tuple[str, str | None]], event: Event) -> Anomaly:
        known = [(name, value) for name, value in group if value is not None]
        if self.rule.entity or not known:
            entity = entity_of(event, self.rule.entity or ("host",))
        else:
            entity = entity_text(known)
        events = [self._cleaner.settle(entry.event) for entry in fired if entry.event is not None]
        chosen = events if len(events) <= self._evidence else [events[0], *events[1 - self._evidence :]]
        because = say_correlation(self._correlation, fired, entity_text(known))
        anomaly = build_anomaly(self.rule.ref, entity, because, chosen)
        return msgspec.structs.replace(anomaly, at=event.at, host=event.host, source=event.source)


def say_correlation(correlation: Correlation, fired: Iterable[Entry], group: str) -> str:
    """Why a correlation fired, in words."""
    entries = list(fired)
    within = f"within {duration(correlation.timespan)}" + (f" by {group}" if group else "")
    if correlation.kind in {*COUNTS, *MEASURES}:
        either = " or ".join(dict.fromkeys(quoted(title) for title in correlation.titles))
        words = _LIMIT if correlation.kind in COUNTS else {**_LIMIT, "lt": "less than {}"}
        limits = ", ".join(words[operator].format(number(limit)) for operator, limit in correlation.bounds)
        return f"{_say_found(correlation, entries)}{either} {within} (threshold {limits})"
    known = dict(zip(correlation.inputs, correlation.titles, strict=True))
    fired_ids = [entry.value for entry in entries]
    ordered = correlation.kind == "temporal_ordered"
    told = fired_ids if ordered else [rule_id for rule_id in correlation.inputs if rule_id in fired_ids]
    titles = [quoted(known[rule_id]) for rule_id in told]
    runs = [(title, len(list(run))) for title, run in groupby(titles)]
    said = (" then " if ordered else " and ").join(title if many == 1 else f"{many} × {title}" for title, many in runs)
    return f"{said} {within}" + (f" ({correlation.expression})" if correlation.expression else "")


def _say_found(correlation: Correlation, entries: Sequence[Entry]) -> str:
    """What was counted or measured, up to the rules that it was found in."""
    least = "at least " if len(entries) > most_kept(correlation) // 2 else ""  # there may have been more, let go
    fields = ", ".join(correlation.fields)
    if correlation.kind in MEASURES:
        found = measure_of(correlation.kind, correlation.percentile)(numbers_of(entries))
        name = _MEASURE.get(correlation.kind) or f"percentile {number(correlation.percentile)}"
        return f"{name} of {fields} {number(found or 0.0)} in {least}{len(entries)} × "
    if fields:
        return f"{least}{len(entries)} different values of {fields} in "
    return f"{least}{len(entries)} × "
