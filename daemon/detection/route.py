"""The rules that look at events of one logsource, and which of them are worth asking about an event."""

from collections.abc import Callable, Sequence

from daemon.detection.clauses import shows_all
from daemon.detection.matchers import Test
from daemon.detection.nodes import Node
from daemon.detection.prefilter import Prefilter
from daemon.detection.rules import Rule
from daemon.detection.sustain import Sustainer
from daemon.detection.view import View

FEW = 12
"""Rules that are asked as fast as they are chosen from."""
_WORTH_IT = 64
"""Events after which building a prefilter (some 50 ms) pays."""


class Route:
    """`plain` are the rules of single events, `sustained` those that want to see every one.

    `build` makes the prefilter of conditions; None where every rule is to be asked about every event.
    """

    def __init__(
        self,
        plain: Sequence[Rule],
        sustained: Sequence[Sustainer],
        build: Callable[[tuple[Node, ...]], Prefilter] | None,
    ) -> None:
        conditions = [(rule.condition, rule) for rule in plain if rule.condition is not None]
        self.sustained = tuple(sustained)
        self._asked: tuple[tuple[Test, Rule], ...] = tuple((condition.test, rule) for condition, rule in conditions)
        self._nodes = tuple(condition.node for condition, _ in conditions)
        self._build = build if len(conditions) > FEW else None
        self._prefilter: Prefilter | None = None
        self._events = 0

    def __bool__(self) -> bool:
        return bool(self._asked or self.sustained)

    def matching(self, view: View) -> list[Rule]:
        """The rules that hold for an event, in their order."""
        if self._build is None:
            return [rule for test, rule in self._asked if test(view)]
        prefilter = self._prefilter
        if prefilter is None:
            self._events += 1
            if self._events > _WORTH_IT:
                self._prefilter = self._build(self._nodes)
            return [rule for test, rule in self._asked if test(view)]
        found = prefilter.find_one(view.everything.encode("utf-8", "backslashreplace"))
        asked = self._asked
        chosen = sorted({*found, *prefilter.always}) if prefilter.always else found
        return [rule for test, rule in [asked[number] for number in chosen] if test(view)]


def build_prefilter(nodes: tuple[Node, ...]) -> Prefilter:
    """A prefilter for events, whose text shows every value."""
    return Prefilter(nodes, shows_all)
