"""Which rules may match which texts: one pass of hyperscan over many texts for the literals of all rules.

A rule is a candidate for a text when all clauses of one of its alternatives have a literal in it. That never misses a
match, because clauses are necessary; what it lets through is judged by the rule itself. Literals, clauses and sets of
clauses that rules share are looked for once, so a rule that resembles others costs nothing more. Of the clauses those
are looked for that tell most in the log at hand; whichever they are, no match is missed.

Texts are compared folded (`folding.fold`), as the rules do. They are UTF-8; what is not, is taken as readers decode it.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType

from daemon.detection.clauses import Alternative, Implied, alternatives_of
from daemon.detection.expression_scan import Parts
from daemon.detection.folding import fold
from daemon.detection.line_spans import lines_around
from daemon.detection.literal_choice import WORTH, compared_in, ordinary_shares, shares_in, telling
from daemon.detection.literal_plan import ALL, FIRST, SECOND, Plan
from daemon.detection.literal_scan import Database, RefusedError, build_database, has_engine, scan, search
from daemon.detection.nodes import Node

_SAMPLE = 1 << 16
"""Bytes of text from which on a text is a sample of the log."""
_BUSY = 20.0
"""Literals found per text above which the choice of clauses may have aged."""
_PATIENCE = 1 << 26
"""Bytes of text between two choices."""


class Prefilter:
    """`nodes` are the conditions of rules, by number. `everything` tells that all texts must be looked at: some rule
    (`always`) may match without any literal, or there is no engine to find them.

    Should the engine refuse, every text is a candidate for every rule. So is it, with `patient`, until enough of the
    log was seen to choose by: for a log in which little happens, nothing is ever made ready.

    `also` are literals that make a text a candidate by themselves; `expressions` are what hyperscan is to look for in
    the place of some literals (`implied` may return names of things that are no literals); `worth` says by number how
    much more a candidate for a rule costs than a literal that is found; `tidy` is called whenever what finds literals
    was made, which leaves some MiB of the heap free.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        implied: Implied,
        *,
        also: Iterable[str] = (),
        expressions: Mapping[str, bytes] = MappingProxyType({}),
        worth: Sequence[float] = (),
        patient: bool = False,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        self._tidy = tidy
        self._worth = [*worth, *[WORTH] * (len(nodes) + 1 - len(worth))]
        self._expressions = expressions
        self._alternatives: dict[Alternative, list[int]] = {}
        needed = {id(node): alternatives_of(node, implied) for node in {id(node): node for node in nodes}.values()}
        for number, node in enumerate(nodes):
            for alternative in needed[id(node)]:
                self._alternatives.setdefault(alternative, []).append(number)
        if also:
            self._alternatives.setdefault(frozenset({frozenset(map(fold, also))}), []).append(len(nodes))
        self._all = tuple(range(len(nodes)))
        unconditional = self._alternatives.pop(frozenset(), [])
        self.always = tuple(unconditional) if has_engine() else self._all
        self.everything = bool(self.always)
        self._idle = not self._alternatives or not has_engine()
        self._hopeless = False
        self._parts = Parts()
        self._plan: Plan | None = None
        self._databases: dict[str, Database | None] = {}
        self._young: tuple[bytes, int] | None = (b"", 0) if patient and not self._idle else None
        self._chosen_at: int | None = None
        self._seen = 0

    def find(self, text: bytes, ends: Sequence[int], numbers: Sequence[int] = ()) -> dict[int, tuple[int, ...]]:
        """`text` holds texts one after the other, that of `numbers[i]` (else i) up to `ends[i]`; one whose number
        comes again goes on there. The numbers of those texts for which rules are candidates, and these rules by number
        (beside those that are always).
        """
        numbers = numbers or range(len(ends))
        foreign: list[int] = []
        if not text.isascii():
            parts = [_folded(text[start:end]) for start, end in zip((0, *ends), ends, strict=False)]
            text, ends = b"".join(parts), list(accumulate(map(len, parts)))
            foreign = [number for number, part in zip(numbers, parts, strict=True) if not part.isascii()]
        hits, plan = self._scan(text, len(ends)), self._plan
        judged: dict[int, tuple[int, ...]] = {}
        if plan is not None:
            masks = dict.fromkeys(foreign, plan.unsaid)
            _note(masks, hits, ends, numbers, plan)
            places = [place for place, number in enumerate(numbers) if number in masks]
            few = [text[ends[place - 1] if place else 0 : ends[place]] for place in places]
            these = [numbers[place] for place in places]
            if len(ends) > 1:
                hits = self._look(b"\n" + b"".join(few), SECOND)
                _note(masks, hits, list(accumulate(map(len, few), initial=1))[1:], these, plan)
            judged = _judged(plan, masks, few, these)
        return dict.fromkeys(numbers, self._all) if self._is_blind else judged

    def find_one(self, text: bytes) -> tuple[int, ...]:
        """The rules that are candidates for one text: as `find` says of it, and those of whose literals all are there.
        An expression is not looked for: what a rule is asked about a single text costs no more than that.
        """
        database, plan = self._databases.get(ALL), self._plan
        if database is None or plan is None or self._hopeless or not text.isascii():
            return self.find(text, (len(text),)).get(0, ())
        masks, mask = plan.masks, 0

        def note(literal: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            nonlocal mask
            mask |= masks[literal]

        try:
            search(database, text, note)
        except RefusedError:
            self._hopeless = True
            return self._all
        return plan.told(mask | plan.unsaid)[0] if mask else ()

    def lines(self, text: bytes) -> list[int]:
        """Where the candidates among the lines of a text that ends with a newline begin, in their order."""
        text = b"\n" + text  # so that a word of its own may begin the first line, too
        if not text.isascii():
            ends = list(accumulate([len(line) + 1 for line in text.split(b"\n")[:-1]]))
            return [ends[number - 1] - 1 for number in sorted(self.find(text, ends)) if number]
        hits, plan = self._scan(text, None), self._plan
        found: list[int] = []
        if plan is not None and hits:
            spans, masks = lines_around(text, hits, plan.masks)
            few = [text[start:end] for start, end in spans]
            ends = list(accumulate(map(len, few), initial=1))
            for literal, end in self._look(b"\n" + b"".join(few), SECOND):
                masks[bisect_left(ends, end) - 1] |= plan.masks[literal]
            judged = zip(spans, masks, few, strict=True)
            found = [start - 1 for (start, _), mask, line in judged if plan.settled(mask, line)]
        return [one.start() for one in re.finditer(b"\n", text[:-1])] if self._is_blind else found

    @property
    def _is_blind(self) -> bool:
        return self._hopeless or self._young is not None

    def _scan(self, text: bytes, texts: int | None) -> list[tuple[int, int]]:
        """(literal by number, where it ends) of what is found in so many texts (None: they are lines). Of more than one
        text only the rarest clause of each alternative is looked for: all without it need no second look.
        """
        if not text or self._idle or self._hopeless:
            return []
        self._seen += len(text)
        look = ALL if texts == 1 else FIRST
        if self._young is not None:
            self._young = (self._young[0] + text, self._young[1] + _count(text, texts))
            if len(self._young[0]) < _SAMPLE:
                return []
            (sample, count), self._young = self._young, None
            self._try_to_choose(sample, count, look)
        elif self._plan is None or (self._chosen_at is None and len(text) >= _SAMPLE):
            self._try_to_choose(text, _count(text, texts), look)
        found = self._look(text, look)
        patient = self._chosen_at is None or self._seen - self._chosen_at <= _PATIENCE
        if not patient and len(found) > _BUSY * _count(text, texts):
            self._try_to_choose(text, _count(text, texts), look)
            found = self._look(text, look)
        return found

    def _look(self, text: bytes, look: str) -> list[tuple[int, int]]:
        if self._hopeless or self._plan is None:
            return []
        try:
            return scan(self._database(self._plan, look), text)
        except RefusedError:
            self._hopeless = True
            return []

    def _database(self, plan: Plan, look: str) -> "Database | None":
        """What finds the names of a look. None for none."""
        if look not in self._databases:
            numbers = plan.numbers(look)
            self._databases[look] = self._compiled(plan, numbers) if numbers else None
        return self._databases[look]

    def _compiled(self, plan: Plan, numbers: Sequence[int]) -> "Database":
        return build_database(plan.names, numbers, self._expressions)

    def _try_to_choose(self, text: bytes, texts: int, look: str) -> None:
        """Choose the clauses to look for by how often they occur in a text, if it is long enough to be a sample."""
        shares = self._shares(text, texts)
        try:
            self._choose_by(shares, (ALL,) if look == ALL else (FIRST, SECOND))
        except RefusedError:  # literals are too many for it, or it does not know this processor
            self._hopeless = True
        self._tidy()

    def _shares(self, text: bytes, texts: int) -> Mapping[str, float]:
        """In which share of texts each literal stands of which there is a choice."""
        compared = {one for found in self._alternatives for one in compared_in(found)}
        if len(text) < _SAMPLE:
            return ordinary_shares(compared)
        self._chosen_at = self._seen
        return shares_in(text, texts, compared)

    def _choose_by(self, shares: Mapping[str, float], looks: Sequence[str]) -> None:
        """Look for the clauses that tell most by these shares. Raises RefusedError."""
        worths = [max(self._worth[number] for number in numbers) for numbers in self._alternatives.values()]
        chosen = [telling(one, shares, worth) for one, worth in zip(self._alternatives, worths, strict=True)]
        self._plan, self._databases = Plan(self._alternatives, chosen, self._parts), {}
        for look in looks:
            self._database(self._plan, look)


def _judged(
    plan: Plan, masks: Mapping[int, int], texts: Sequence[bytes], numbers: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """What was found in texts with these numbers → the rules that are candidates for them, where there are any."""
    judged: dict[int, tuple[int, ...]] = {}
    asked: dict[int, list[bytes]] = {}
    for number, mask in masks.items():
        rules, more = plan.told(mask)
        if more:
            asked[number] = []
        elif rules:
            judged[number] = rules
    if asked:
        for text, number in zip(texts, numbers, strict=True):
            if number in asked:
                asked[number].append(text)
        settled = {number: plan.settled(masks[number], b"\n".join(parts)) for number, parts in asked.items()}
        judged |= {number: rules for number, rules in settled.items() if rules}
    return judged


def _note(
    masks: dict[int, int], hits: Iterable[tuple[int, int]], ends: Sequence[int], numbers: Sequence[int], plan: Plan
) -> None:
    """Add to the masks of texts what was found in them."""
    tells = plan.masks
    before, upto, number = 0, 0, 0
    for literal, end in hits:
        if not before < end <= upto:  # mostly it is in the same text as the one before
            place = bisect_left(ends, end)
            before, upto, number = ends[place - 1] if place else 0, ends[place], numbers[place]
        masks[number] = masks.get(number, 0) | tells[literal]


def _count(text: bytes, texts: int | None) -> int:
    return text.count(b"\n") if texts is None else texts


def _folded(text: bytes) -> bytes:
    if text.isascii():
        return text.lower()
    return fold(text.decode("utf-8", "backslashreplace")).encode("utf-8", "surrogatepass")
