"""Event → anomalies: which rules look at an event, and what becomes of those that match.

Which rules see which events is in `routing`: a rule for a service or for all of Linux, having no category, sees only
log lines: not what is synthesised from them (process_creation, file_event …) and not readings. So a rule for all of
Linux looks at every line whatever its service, and a process start is judged once, not once more as its audit record.
"""

from collections.abc import Callable, Iterable

from daemon.detection.cleaning import Cleaner
from daemon.detection.ensemble import Ensemble, owner_of
from daemon.detection.entity import entity_of
from daemon.detection.firing import build_anomaly, evidence, kept_words
from daemon.detection.keyed import STEP
from daemon.detection.keying import Keyings
from daemon.detection.nodes import Node
from daemon.detection.prefilter import Prefilter
from daemon.detection.quoting import quoting
from daemon.detection.route import Route, build_prefilter
from daemon.detection.routing import sees
from daemon.detection.rules import ParsedRules, Rule
from daemon.detection.sustain import Sustainer
from daemon.detection.view import View
from daemon.model import Anomaly, Event, Incident, Logsource, RuleRef, Snapshot

_MOST_ROUTES = 1024


class Engine:
    """All rules over one stream of events (a Detector).

    `redact` cleans an event before it is cut to what windows and anomalies keep (and the store with them).
    `prefilter` chooses the rules that are asked about an event by the literals that they need; without it all are.
    Bounded: `max_groups` groups or entities per stateful rule, the least recently used going first (`evictions`).
    """

    def __init__(
        self,
        parsed: ParsedRules,
        *,
        max_groups: int = 10_000,
        redact: Callable[[Event], Event] = lambda event: event,
        prefilter: bool = True,
    ) -> None:
        self._redact = redact
        self.rules: tuple[RuleRef, ...] = tuple(rule.ref for rule in parsed.rules)
        self._plain = [rule for rule in parsed.rules if rule.condition is not None and rule.sustain is None]
        self._sustainers = [Sustainer(rule, max_groups, redact) for rule in parsed.rules if rule.sustain is not None]
        self._watchers = {one.rule.ref.id: one for one in self._sustainers}
        self._ensemble = Ensemble(parsed.rules, max_groups, Keyings(Cleaner(redact)))
        self._routes: dict[Logsource, Route] = {}
        self._prefilters = prefilter
        self._known: dict[tuple[int, ...], Prefilter] = {}
        stateful = (rule for rule in parsed.rules if rule.correlation is not None or rule.sustain is not None)
        self._owners = [owner_of(rule) for rule in stateful]
        self._gone: list[Snapshot] = []

    def sustained(self, incident: Incident, now: float) -> bool:
        """Whether a rule here says itself when the incident is over; false once it forgot, or is not what it was."""
        watcher = self._watchers.get(incident.rule.id)
        return watcher is not None and watcher.watches(incident, now)

    @property
    def evictions(self) -> int:
        """Groups and entities that were forgotten because there were too many."""
        return self._ensemble.evictions + sum(one.memory.evictions for one in self._sustainers)

    def feed(self, event: Event) -> list[Anomaly]:
        """The rules that this event makes fire, those of single events first."""
        route = self._routes.get(event.logsource) or self._route(event.logsource)
        if not route:
            return []
        view = View(event)
        matched, sustained = route.matching(view), route.sustained
        if not matched.rules and not sustained:
            return []
        anomalies = self._singles(matched.loud, view, self._redact(event)) if matched.loud else []
        fired = matched.kin
        for sustainer in sustained:
            anomaly = sustainer.feed(view)
            if anomaly is not None:
                if not anomaly.ends:
                    fired |= self._ensemble.kin_of([anomaly.rule.id])
                if sustainer.rule.fires:
                    anomalies.append(anomaly)
        return anomalies + self._ensemble.feed(fired, event)

    def tick(self, now: float) -> list[Anomaly]:  # noqa: ARG002 - the contract's; nothing here waits for the clock
        """Nothing: windows and sustained conditions run on event time alone, so that replay and live agree."""
        return []

    def changes(self) -> list[Snapshot]:
        """See Detector. Rows that `restore` could not use are handed out as gone."""
        gone, self._gone = self._gone, []
        return [*gone, *(row for one in self._sustainers for row in one.memory.changes()), *self._ensemble.changes()]

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """See Detector. Call it once, before the first event."""
        rows: dict[str, list[tuple[str, bytes]]] = {owner: [] for owner in self._owners}
        for snapshot in snapshots:
            if snapshot.step != STEP or snapshot.value is None:
                continue
            rule_id, _, rest = snapshot.key.partition(":")
            revision, _, key = rest.partition(":")
            if f"{rule_id}:{revision}" in rows:
                rows[f"{rule_id}:{revision}"].append((key, snapshot.value))
            else:
                self._gone.append(Snapshot(STEP, snapshot.key, None))
        for one in self._sustainers:
            owner = owner_of(one.rule)
            self._gone += [Snapshot(STEP, f"{owner}:{key}", None) for key in one.memory.restore(rows[owner])]
        self._gone += self._ensemble.restore(rows)

    def _singles(self, rules: Iterable[Rule], view: View, clean: Event) -> list[Anomaly]:
        """What is found and said is of the whole event; what is kept of it is cut."""
        anomalies, shown = [], View(clean)
        for rule in rules:
            assert rule.condition is not None
            kept = evidence(clean, rule.condition.fields)
            because = kept_words(rule.condition.because(view, shown), view.event, self._redact)
            entity = entity_of(view.event, rule.entity)
            anomalies.append(build_anomaly(quoting(rule, clean), entity, because, (kept,)))
        return anomalies

    def _route(self, source: Logsource) -> Route:
        if len(self._routes) >= _MOST_ROUTES:
            self._routes.clear()  # services are names of programs, and those may be anything
        plain = [rule for rule in self._plain if sees(rule.logsource, source)]
        sustained = [one for one in self._sustainers if sees(one.rule.logsource, source)]
        build = self._prefilter if self._prefilters else None
        route = self._routes[source] = Route(plain, sustained, build, self._ensemble.kin_of)
        return route

    def _prefilter(self, nodes: tuple[Node, ...]) -> Prefilter:
        """Many logsources have the same rules, so they share what chooses among them."""
        key = tuple(map(id, nodes))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = build_prefilter(nodes)
        return known
