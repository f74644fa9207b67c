"""Candidate selection: which texts readers need not make events of, because no rule can match them.

The literals that rules need (detection) meet what a reader's text shows of the fields of events (events). Making it
ready costs some 100 ms per format; it is worth that for a log, not for the few lines of a sample.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from daemon.detection.clauses import WORD_OF_ITS_OWN, Implied
from daemon.detection.literal_choice import WORTH
from daemon.detection.matchers import Leaf
from daemon.detection.nodes import AllOf, AnyOf, Node
from daemon.detection.prefilter import Prefilter
from daemon.detection.routing import sees
from daemon.detection.rules import ParsedRules, Rule
from daemon.events import Selector
from daemon.events.shown import ACTIVITY, AUDIT_EXPRESSIONS, SYSLOG_SPECIAL, WORD, audit_shows, syslog_shows
from daemon.garbage import give_back
from daemon.model import Logsource

_OF_RECORDS = 100.0
_MOST_REMEMBERED = 4096
_AUDIT = (
    Logsource(service="auditd"),
    Logsource(category="process_creation"),
    Logsource(category="file_event"),
    Logsource(category="network_connection"),
)


def build_selectors(rules: ParsedRules, *, patient: bool = False) -> Mapping[str, Selector]:
    """A selector for each format of which most lines mean nothing to any rule: `auditd` and `syslog`. With `patient`
    they say yes to everything until they have seen 64 KiB of the log, by which they choose what to look for.

    A format whose every event a sustained rule wants to see has none.
    """
    plain = [rule for rule in rules.rules if rule.condition is not None]
    audit = [rule for rule in plain if any(sees(rule.logsource, source) for source in _AUDIT)]
    lines = [rule for rule in plain if _sees_lines(rule.logsource)]
    makers: dict[str, Callable[[], Selector]] = {
        "auditd": lambda: Selection(
            audit,
            Prefilter(
                _nodes(audit), audit_shows, expressions=AUDIT_EXPRESSIONS, worth=_worth(audit), patient=patient,
                tidy=give_back,
            ),
        ),
        "syslog": lambda: Selection(
            lines,
            Prefilter(
                _nodes(lines), _words(syslog_shows), also=SYSLOG_SPECIAL, worth=_worth(lines), patient=patient,
                tidy=give_back,
            ),
        ),
    }  # fmt: skip
    few = [name for name, about in (("auditd", audit), ("syslog", lines)) if not any(rule.sustain for rule in about)]
    return _Selectors({name: makers[name] for name in few})


class _Selectors(Mapping[str, Selector]):
    """Each made when it is first asked for: a log of one format needs no other."""

    def __init__(self, makers: Mapping[str, Callable[[], Selector]]) -> None:
        self._makers = makers
        self._made: dict[str, Selector] = {}

    def __getitem__(self, name: str) -> Selector:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class Selection:
    """A prefilter for readers (a Selector): it names categories of events instead of rules."""

    def __init__(self, rules: Sequence[Rule], prefilter: Prefilter) -> None:
        self.everything = prefilter.everything
        self.lines = prefilter.lines
        self._find = prefilter.find
        self._categories = [*(rule.logsource.category for rule in rules), ""]  # the last is that of `also`
        self._known: dict[tuple[int, ...], frozenset[str]] = {}

    def find(self, text: bytes, ends: Sequence[int], numbers: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """See Selector."""
        return {number: self._named(rules) for number, rules in self._find(text, ends, numbers).items()}

    def _named(self, rules: tuple[int, ...]) -> frozenset[str]:
        known = self._known.get(rules)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[rules] = frozenset(self._categories[rule] for rule in rules)
        return known


def _worth(rules: list[Rule]) -> list[float]:
    """An event of several records costs more to make than what they add up to."""
    return [WORTH if rule.logsource.category else _OF_RECORDS for rule in rules]


def _words(shows: Implied) -> Implied:
    """The same, with the prefilter's name for words."""

    def implied(field: str | None, literal: str, way: str) -> frozenset[str] | None:
        found = shows(field, literal, way)
        return None if found is None else frozenset(one.replace(WORD, WORD_OF_ITS_OWN) for one in found)

    return implied


def _sees_lines(source: Logsource) -> bool:
    """Whether a rule may look at a line of syslog, whose services may be anything."""
    return not source.category and source.product in {"", "linux"} and source.service != "auditd"


def _nodes(rules: list[Rule]) -> list[Node]:
    found = [(rule.logsource.category, rule.condition.node) for rule in rules if rule.condition is not None]
    return [_of_activity(node) if category else node for category, node in found]


def _of_activity(node: Node) -> Node:
    """The condition with its keywords named as what they search: the text of an event that several records make."""
    if isinstance(node, AllOf | AnyOf):
        return replace(node, parts=tuple(map(_of_activity, node.parts)))
    return replace(node, field=ACTIVITY) if isinstance(node, Leaf) and node.field is None else node
