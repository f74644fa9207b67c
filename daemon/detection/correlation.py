"""Sigma correlation rules: events that mean something only together, per group, in windows on event time."""

from collections.abc import Iterable
from itertools import groupby

import msgspec

from daemon.detection.entity import entity_of, entity_text, field_text
from daemon.detection.firing import build_anomaly, evidence
from daemon.detection.keyed import Keyed, key_of
from daemon.detection.rules import Rule
from daemon.detection.rules_correlation import Correlation
from daemon.detection.windows import Entry, Window, build_pattern, feed_window, keep_evidence, most_kept
from daemon.detection.wording import duration, number, quoted
from daemon.model import Anomaly, Event

_EVIDENCE = 5
_MOST_EVIDENCE = 16
_THRESHOLD = {
    "gte": "threshold {}",
    "gt": "threshold more than {}",
    "lte": "threshold at most {}",
    "lt": "threshold fewer than {}",
    "eq": "threshold exactly {}",
    "neq": "threshold other than {}",
}


class Correlator:
    """One correlation rule over all of its groups, of which it remembers at most `max_groups`."""

    def __init__(self, rule: Rule, max_groups: int) -> None:
        assert rule.correlation is not None
        self.rule = rule
        self.inputs = tuple(dict.fromkeys(rule.correlation.inputs))
        self.memory = Keyed(f"{rule.ref.id}:{rule.revision}:", Window, max_groups)
        self._correlation = correlation = rule.correlation
        self._pattern = build_pattern(correlation)
        counted = correlation.kind in {"event_count", "value_count"}
        self._evidence = _EVIDENCE if counted else min(max(_EVIDENCE, len(correlation.inputs)), _MOST_EVIDENCE)

    def feed(self, rule_id: str, event: Event) -> Anomaly | None:
        """A rule that this one is built upon fired on an event: the anomaly that this completes, if any."""
        value = self._value(rule_id, event)
        if value is None:
            return None
        group = self._group(rule_id, event)
        key = key_of([found for _, found in group])
        window = self.memory.get(key) or Window([])
        entry = Entry(event.at, value, evidence(event))
        fired = feed_window(window, entry, self._pattern, self._correlation.timespan)
        anomaly = None if fired is None else self._anomaly(fired, group, event)
        keep_evidence(window.entries, event.at, self._correlation.timespan, self._evidence)
        self.memory.put(key, window)
        return anomaly

    def _value(self, rule_id: str, event: Event) -> str | None:
        """What the event counts as. One without the field whose values are counted does not count."""
        if self._correlation.kind != "value_count":
            return rule_id
        names = [self._correlation.field_of(name, rule_id) for name in self._correlation.fields]
        values = [field_text(event, name) for name in names]
        return None if None in values else key_of(values)

    def _group(self, rule_id: str, event: Event) -> list[tuple[str, str | None]]:
        """The group's fields by the names in `group-by`; events without one of them are a group of their own."""
        names = self._correlation.group_by
        return [(name, field_text(event, self._correlation.field_of(name, rule_id))) for name in names]

    def _anomaly(self, fired: list[Entry], group: list[tuple[str, str | None]], event: Event) -> Anomaly:
        known = [(name, value) for name, value in group if value is not None]
        if self.rule.entity or not known:
            entity = entity_of(event, self.rule.entity or ("host",))
        else:
            entity = entity_text(known)
        events = [entry.event for entry in fired if entry.event is not None]
        chosen = events if len(events) <= self._evidence else [events[0], *events[1 - self._evidence :]]
        because = say_correlation(self._correlation, fired, entity_text(known))
        anomaly = build_anomaly(self.rule.ref, entity, because, chosen)
        return msgspec.structs.replace(anomaly, at=event.at, host=event.host, source=event.source)


def say_correlation(correlation: Correlation, fired: Iterable[Entry], group: str) -> str:
    """Why a correlation fired, in words."""
    entries = list(fired)
    within = f"within {duration(correlation.timespan)}" + (f" by {group}" if group else "")
    present = {entry.value for entry in entries}
    if correlation.kind in {"event_count", "value_count"}:
        either = " or ".join(dict.fromkeys(quoted(title) for title in correlation.titles))
        threshold = _THRESHOLD[correlation.operator].format(number(correlation.count))
        fields = ", ".join(correlation.fields)
        least = "at least " if len(entries) > most_kept(correlation) // 2 else ""  # there may have been more, let go
        what = f"{len(entries)} × " if not fields else f"{len(entries)} different values of {fields} in "
        return f"{least}{what}{either} {within} ({threshold})"
    ordered = correlation.kind == "temporal_ordered"
    named = zip(correlation.inputs, correlation.titles, strict=True)
    titles = [quoted(title) for rule_id, title in named if ordered or rule_id in present]
    runs = [(title, len(list(run))) for title, run in groupby(titles)]
    said = (" then " if ordered else " and ").join(title if many == 1 else f"{many} × {title}" for title, many in runs)
    return f"{said} {within}" + (f" ({correlation.expression})" if correlation.expression else "")
