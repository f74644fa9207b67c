"""The rules that look at events of one logsource, and which of them are worth asking about an event."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from daemon.detection.clauses import shows_all
from daemon.detection.matchers import Test
from daemon.detection.nodes import Node
from daemon.detection.prefilter import Prefilter
from daemon.detection.rules import Rule
from daemon.detection.sustain import Sustainer
from daemon.detection.view import View

_Asked: TypeAlias = tuple[Test, int]
"""A condition and its number."""

FEW = 12
"""Rules that are asked as fast as they are chosen from."""
_WORTH_IT = 64
"""Events after which building a prefilter (some 50 ms) pays."""


_MOST_REMEMBERED = 1024


class Matched(Struct, frozen=True):
    """The rules that hold for an event, in their order; those that speak, and the `kin` of all (see ensemble)."""

    rules: tuple[Rule, ...]
    loud: tuple[Rule, ...]
    kin: frozenset[int]


class Route:
    """`plain` are the rules of single events, `sustained` those that want to see every one.

    `build` makes the prefilter of conditions; None where every rule is to be asked about every event. `kin_of` tells of
    rule ids what correlations know them by.
    """

    def __init__(
        self,
        plain: Sequence[Rule],
        sustained: Sequence[Sustainer],
        build: Callable[[tuple[Node, ...]], Prefilter] | None,
        kin_of: Callable[[Sequence[str]], frozenset[int]] = lambda _ids: frozenset(),
    ) -> None:
        places: dict[int, list[int]] = {}
        for place, rule in enumerate(plain):
            places.setdefault(id(rule.condition), []).append(place)
        conditions = [(plain[alike[0]].condition, tuple(alike)) for alike in places.values()]
        asked = [(condition, alike) for condition, alike in conditions if condition is not None]
        self.sustained = tuple(sustained)
        self._rules = tuple(plain)
        self._kin_of = kin_of
        self._alike = [alike for _, alike in asked]
        self._asked: tuple[_Asked, ...] = tuple((condition.test, number) for number, (condition, _) in enumerate(asked))
        self._known: dict[tuple[int, ...], Matched] = {}
        self._nodes = tuple(condition.node for condition, _ in asked)
        self._build = build if len(asked) > FEW else None
        self._prefilter: Prefilter | None = None
        self._events = 0

    def __bool__(self) -> bool:
        return bool(self._asked or self.sustained)

    def matching(self, view: View) -> Matched:
        """The rules that hold for an event, in their order."""
        if self._build is None:
            return self._held(self._asked, view)
        prefilter = self._prefilter
        if prefilter is None:
            self._events += 1
            if self._events > _WORTH_IT:
                self._prefilter = self._build(self._nodes)
            return self._held(self._asked, view)
        found = prefilter.find_one(view.everything.encode("utf-8", "backslashreplace"))
        asked = self._asked
        chosen = sorted({*found, *prefilter.always}) if prefilter.always else found
        return self._held([asked[number] for number in chosen], view)

    def _held(self, asked: Sequence[_Asked], view: View) -> Matched:
        """The rules of those conditions that hold: rules that are alike share one, which is asked once."""
        held = tuple([number for test, number in asked if test(view)])
        known = self._known.get(held)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[held] = self._matched(held)
        return known

    def _matched(self, held: Sequence[int]) -> Matched:
        rules = tuple(self._rules[place] for place in sorted(place for number in held for place in self._alike[number]))
        return Matched(
            rules, tuple(rule for rule in rules if rule.fires), self._kin_of([rule.ref.id for rule in rules])
        )


def build_prefilter(nodes: tuple[Node, ...]) -> Prefilter:
    """A prefilter for events, whose text shows every value."""
    return Prefilter(nodes, shows_all)
