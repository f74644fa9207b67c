"""All correlations over the rules that fire. Those that are alike are fed once, whatever they are called.

Two correlations are alike when they ask for the same, of inputs that always fire together, and remember the same. They
go on remembering the same then, so one memory serves both; each has its own rows in the store, so that either can go,
change or come back without the other. What a store gives back may differ (one of them is newer): then they are no
longer alike.
"""

from bisect import insort
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, product
from typing import TypeAlias

from daemon.detection.correlation import Correlator
from daemon.detection.keyed import STEP
from daemon.detection.keying import Keyings
from daemon.detection.rules import Rule
from daemon.detection.rules_correlation import Correlation, by_place
from daemon.model import Anomaly, Event, Snapshot

Rows: TypeAlias = Mapping[str, Sequence[tuple[str, bytes]]]
"""`rule id:revision` → key and value of what is stored for it."""

_MOST_IN_WORDS = 8
"""Rules that a condition in words may name for it to be compared with others."""
_MOST_REMEMBERED = 1024


def owner_of(rule: Rule) -> str:
    """The name under which the memory of a rule is stored."""
    return f"{rule.ref.id}:{rule.revision}"


class Ensemble:
    """`rules` are all rules, each after those it is built upon. Plain ones that share a condition and a logsource fire
    together, and have one number between them, their kin; so do correlations that are alike.
    """

    def __init__(self, rules: Sequence[Rule], max_groups: int, keyings: Keyings) -> None:
        self._rules = [rule for rule in rules if rule.correlation is not None]
        self._order = {rule.ref.id: number for number, rule in enumerate(rules)}
        self._max_groups = max_groups
        self._keyings = keyings
        known: dict[Hashable, int] = {}
        self._plain = {
            rule.ref.id: known.setdefault(_alike(rule), len(known)) for rule in rules if rule.correlation is None
        }
        self._gather({})

    @property
    def evictions(self) -> int:
        """Groups that were forgotten because there were too many."""
        return sum(one.memory.evictions for one in self._correlators)

    def kin_of(self, rule_ids: Iterable[str]) -> frozenset[int]:
        """The kin of plain rules."""
        return frozenset(self._plain[rule_id] for rule_id in rule_ids)

    def feed(self, fired: frozenset[int], event: Event) -> list[Anomaly]:
        """What it means to correlations that plain rules fired on an event: the anomalies, in the order of the rules.
        Correlations are fed in an order in which each comes after those it is built upon.
        """
        kept: Event | None = None
        for number, place in self._asked(fired):
            kept = self._keyings.cleaner.later(event) if kept is None else kept
            told = self._correlators[number].feed(place, event, kept)
            if told is not None:
                return self._go_on(fired, event, kept, (number, place), told)
        return []

    def _go_on(
        self, fired: frozenset[int], event: Event, kept: Event, after: tuple[int, int], anomalies: list[Anomaly]
    ) -> list[Anomaly]:
        """The rest of `feed` after the first input that completed its correlation, which others may be built upon."""
        fired |= {self._kin[after[0]]}
        waiting = sorted({number for kin in fired for number in self._built_upon.get(kin, ()) if number >= after[0]})
        for number in waiting:
            for place, kin in self._inputs[number]:
                fresh = (number, place) > after and kin in fired
                told = self._correlators[number].feed(place, event, kept) if fresh else None
                if told is None:
                    continue
                anomalies += told
                fired |= {self._kin[number]}
                for more in self._built_upon.get(self._kin[number], ()):
                    if more not in waiting:
                        insort(waiting, more)
        return sorted(anomalies, key=lambda one: self._order[one.rule.id]) if len(anomalies) > 1 else anomalies

    def changes(self) -> Iterator[Snapshot]:
        """What changed in memory since the last call, for each rule of its own."""
        return (row for one in self._correlators for row in one.memory.changes())

    def restore(self, rows: Rows) -> list[Snapshot]:
        """Take back what an earlier process stored, before the first event. Returns the rows that cannot be read, as
        gone.
        """
        self._gather(rows)
        gone: list[Snapshot] = []
        for one in self._correlators:
            unreadable = one.memory.restore(rows.get(owner_of(one.rules[0]), ()))
            gone += [Snapshot(STEP, f"{owner_of(rule)}:{key}", None) for rule in one.rules for key in unreadable]
        return gone

    def _asked(self, fired: frozenset[int]) -> Sequence[tuple[int, int]]:
        """The inputs of correlations that are some of these, each as number and place."""
        known = self._known.get(fired)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            numbers = sorted({number for kin in fired for number in self._built_upon.get(kin, ())})
            known = [(number, place) for number in numbers for place, kin in self._inputs[number] if kin in fired]
            self._known[fired] = known
        return known

    def _gather(self, rows: Rows) -> None:
        """Find out which correlations are alike, given what is stored for them."""
        kin = dict(self._plain)
        groups: dict[tuple[Hashable, tuple[int, ...], Hashable], list[Rule]] = {}
        numbers: dict[Hashable, int] = {}
        for rule in self._rules:
            assert rule.correlation is not None
            inputs = tuple(kin[rule_id] for rule_id in rule.correlation.places)
            alike = _shape(rule.correlation), inputs, frozenset(rows.get(owner_of(rule), ()))
            groups.setdefault(alike, []).append(rule)
            kin[rule.ref.id] = len(self._plain) + numbers.setdefault(alike, len(numbers))
        self._correlators = [Correlator(rules, self._max_groups, self._keyings) for rules in groups.values()]
        self._kin = [len(self._plain) + number for number in range(len(groups))]
        self._inputs = [tuple(enumerate(inputs)) for _, inputs, _ in groups]
        self._built_upon: dict[int, list[int]] = {}
        for number, pairs in enumerate(self._inputs):
            for one in dict.fromkeys(one for _, one in pairs):
                self._built_upon.setdefault(one, []).append(number)
        self._known: dict[frozenset[int], list[tuple[int, int]]] = {}


def _alike(rule: Rule) -> Hashable:
    """What plain rules have in common that always fire together."""
    return (id(rule.condition), rule.logsource) if rule.sustain is None else rule.ref.id


def _shape(correlation: Correlation) -> Hashable:
    """What a correlation asks for, but for the names of its inputs."""
    same = by_place(correlation)
    names = dict.fromkeys((*same.group_by, *same.fields))
    fields = tuple(same.field_of(name, place) for name in names for place in dict.fromkeys(same.inputs))
    asked = (
        same.kind,
        same.timespan,
        same.group_by,
        same.fields,
        same.bounds,
        same.percentile,
        same.inputs,
        same.orders,
    )
    return (*asked, fields, _words(correlation))


def _words(correlation: Correlation) -> Hashable:
    """A condition in words: for which of the inputs that may have fired it holds."""
    ids, holds = correlation.places, correlation.holds
    if holds is None or len(ids) > _MOST_IN_WORDS:
        return holds  # a function is like none but itself
    return tuple(holds(set(compress(ids, chosen))) for chosen in product((False, True), repeat=len(ids)))
