"""Which rules may match which texts: one pass of hyperscan over many texts for the literals of all rules.

A rule is a candidate for a text when all clauses of one of its alternatives have a literal in it. That never misses a
match, because clauses are necessary; what it lets through is judged by the rule itself. Literals, clauses and sets of
clauses that rules share are looked for once, so a rule that resembles others costs nothing more. Of the clauses those
are looked for that tell most in the log at hand; whichever they are, no match is missed.

Texts are compared folded (`folding.fold`), as the rules do. They are UTF-8; what is not, is taken as readers decode it.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType

from daemon.detection.clauses import EXPRESSION, Alternative, Implied, alternatives_of
from daemon.detection.folding import fold
from daemon.detection.line_spans import lines_around
from daemon.detection.literal_choice import WORTH, count_shares, ordinary_shares, telling
from daemon.detection.literal_scan import Database, RefusedError, build_database, has_engine, scan
from daemon.detection.nodes import Node

_MOST_REMEMBERED = 4096
_SAMPLE = 1 << 16
"""Bytes of text from which on a text is a sample of the log."""
_LARGEST = 1 << 18
"""Bytes of it in pieces of which is counted."""
_PIECE = 1 << 12
_BUSY = 20.0
"""Literals found per text above which the choice of clauses may have aged."""
_PATIENCE = 1 << 26
"""Bytes of text between two choices."""
_ALL, _RAREST, _OTHERS = "all", "rarest", "others"


class Prefilter:
    """`nodes` are the conditions of rules, by number. `everything` tells that all texts must be looked at: some rule
    (`always`) may match without any literal, or there is no engine to find them.

    Should the engine refuse, every text is a candidate for every rule.

    `also` are literals that make a text a candidate by themselves; `expressions` are what hyperscan is to look for in
    the place of some literals (`implied` may return names of things that are no literals); `worth` says by number how
    much more a candidate for a rule costs than a literal that is found; `tidy` is called whenever what finds literals
    was made, which leaves tens of MiB of the heap free.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        implied: Implied,
        *,
        also: Iterable[str] = (),
        expressions: Mapping[str, bytes] = MappingProxyType({}),
        worth: Sequence[float] = (),
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
        self._literals = sorted({one for found in self._alternatives for clause in found for one in clause})
        self._masks: list[int] = []
        self._unscanned = 0
        self._scannable = True
        self._hopeless = False
        self._wanted: dict[int, list[int]] = {}
        self._known: dict[int, tuple[int, ...]] = {}
        self._names: list[str] = []
        self._rarest: set[str] = set()
        self._databases: dict[str, Database | None] = {}
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
        text = text.lower()
        hits = self._scan(text, len(ends))
        masks = dict.fromkeys(foreign, self._unscanned)  # expressions say nothing of these
        self._note(masks, hits, ends, numbers)
        if len(ends) > 1:
            places = [place for place, number in enumerate(numbers) if number in masks]
            few = [text[ends[place - 1] if place else 0 : ends[place]] for place in places]
            hits = self._look(b"\n" + b"".join(few), _OTHERS)
            self._note(
                masks, hits, list(accumulate(map(len, few), initial=1))[1:], [numbers[place] for place in places]
            )
        if self._hopeless:
            return dict.fromkeys(numbers, self._all)
        candidates = {number: self._candidates(mask) for number, mask in masks.items()}
        return {number: rules for number, rules in candidates.items() if rules}

    def _note(
        self, masks: dict[int, int], hits: Iterable[tuple[int, int]], ends: Sequence[int], numbers: Sequence[int]
    ) -> None:
        for literal, end in hits:
            number = numbers[bisect_left(ends, end)]
            masks[number] = masks.get(number, 0) | self._masks[literal]

    def find_one(self, text: bytes) -> tuple[int, ...]:
        """The rules that are candidates for one text: as `find` says of it."""
        database = self._databases.get(_ALL)
        if database is None or self._hopeless or not text.isascii():
            return self.find(text, (len(text),)).get(0, ())
        masks, mask = self._masks, 0

        def note(literal: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            nonlocal mask
            mask |= masks[literal]

        try:
            database.scan(text.lower(), note)
        except RefusedError:
            self._hopeless = True
            return self._all
        return self._candidates(mask) if mask else ()

    def lines(self, text: bytes) -> list[int]:
        """Where the candidates among the lines of a text that ends with a newline begin, in their order."""
        text = b"\n" + text  # so that a word of its own may begin the first line, too
        if not text.isascii():
            ends = list(accumulate([len(line) + 1 for line in text.split(b"\n")[:-1]]))
            return [ends[number - 1] - 1 for number in sorted(self.find(text, ends)) if number]
        text = text.lower()
        spans, masks = lines_around(text, self._scan(text, None), self._masks)
        few = b"\n" + b"".join([text[start:end] for start, end in spans])
        ends = list(accumulate([end - start for start, end in spans], initial=1))
        for literal, end in self._look(few, _OTHERS):
            masks[bisect_left(ends, end) - 1] |= self._masks[literal]
        if self._hopeless:
            return [found.start() for found in re.finditer(b"\n", text[:-1])]
        return [start - 1 for (start, _), mask in zip(spans, masks, strict=True) if self._candidates(mask)]

    def _scan(self, text: bytes, texts: int | None) -> list[tuple[int, int]]:
        """(literal by number, where it ends) of what is found in so many texts (None: they are lines). Of more than one
        text only the rarest clause of each alternative is looked for: all without it need no second look.
        """
        if not text or not self._literals or self._hopeless or not has_engine():
            return []
        self._seen += len(text)
        which = _ALL if texts == 1 else _RAREST
        if not self._names or (self._chosen_at is None and len(text) >= _SAMPLE):
            self._try_to_choose(text, texts)
        found = self._look(text, which)
        patient = self._chosen_at is None or self._seen - self._chosen_at <= _PATIENCE
        if not patient and len(found) > _BUSY * (text.count(b"\n") if texts is None else texts):
            self._try_to_choose(text, texts)
            found = self._look(text, which)
        return found

    def _look(self, text: bytes, which: str) -> list[tuple[int, int]]:
        try:
            return [] if self._hopeless else scan(self._database(which), text)
        except RefusedError:
            self._hopeless = True
            return []

    def _database(self, which: str) -> "Database | None":
        """What finds the literals chosen: all of them, those of the rarest clauses, or the others. None for none."""
        if which not in self._databases:
            rare = [name in self._rarest for name in self._names]
            numbers = [n for n, one in enumerate(rare) if which == _ALL or one == (which == _RAREST)]
            self._databases[which] = self._compiled(numbers) if numbers else None
        return self._databases[which]

    def _try_to_choose(self, text: bytes, texts: int | None) -> None:
        try:
            self._choose(text, texts)
        except RefusedError:  # even literals are too many for it, or it does not know this processor
            self._hopeless = True

    def _choose(self, text: bytes, texts: int | None) -> None:
        """Choose the clauses to look for by how often they occur in a text, if it is long enough to be a sample."""
        shares = ordinary_shares(self._literals)
        kinds = (_ALL,) if texts == 1 else (_RAREST, _OTHERS)
        if len(text) < _SAMPLE:
            self._choose_by(shares, kinds)
            return
        texts = text.count(b"\n") if texts is None else texts
        self._chosen_at = self._seen
        step = max(2 * _PIECE, 2 * _PIECE * len(text) // _LARGEST)
        sample = b"".join([text[start : start + _PIECE] for start in range(0, len(text), step)])
        sampled = texts * len(sample) / len(text)
        several = {one for found in self._alternatives if len(found) > 1 for clause in found for one in clause}
        plain = [one for one in several if not one.startswith(EXPRESSION) and one not in self._expressions]
        shares |= count_shares(plain, sample, sampled)
        self._choose_clauses(shares)
        self._choose_by(shares | self._counted(sample, sampled), kinds)

    def _counted(self, sample: bytes, texts: float) -> dict[str, float]:
        """In which share of the texts of a sample each expression stands, about: none is taken for impossible."""
        numbers = [number for number, name in enumerate(self._names) if name.startswith(EXPRESSION)]
        try:
            found = scan(self._compiled(numbers) if numbers else None, sample)
        except RefusedError:
            self._scannable = False  # an expression is too much for it: literals alone will do
            return {}
        counts = Counter(number for number, _ in found)
        return {self._names[number]: (counts[number] + 0.1) / texts for number in numbers}

    def _choose_by(self, shares: Mapping[str, float], kinds: Iterable[str]) -> None:
        """Look for the clauses that tell most by these shares."""
        self._choose_clauses(shares)
        try:
            for which in kinds:
                self._database(which)
        except RefusedError:
            if not self._scannable:
                raise
            self._scannable = False
            self._choose_by(shares, kinds)

    def _choose_clauses(self, shares: Mapping[str, float]) -> None:
        usable = [one if self._scannable else _literal_only(one) for one in self._alternatives]
        worths = [max(self._worth[number] for number in numbers) for numbers in self._alternatives.values()]
        chosen = [telling(one, shares, worth) for one, worth in zip(usable, worths, strict=True)]
        looked_for = {literal for clauses in chosen for clause in clauses for literal in clause}
        bits: dict[frozenset[str], int] = {}
        self._wanted, self._known = {}, {}
        self._databases, self._rarest = {}, {literal for clauses in chosen for literal in clauses[0]}
        for clauses, alternative, numbers in zip(chosen, usable, self._alternatives.values(), strict=True):
            mask = 0
            for clause in (*clauses, *(one for one in alternative if one <= looked_for)):  # what is free
                mask |= 1 << bits.setdefault(clause, len(bits))
            self._wanted.setdefault(mask, []).extend(numbers)
        masks: dict[str, int] = {}
        for clause, bit in bits.items():
            for literal in clause:
                masks[literal] = masks.get(literal, 0) | 1 << bit
        self._names, self._masks = list(masks), list(masks.values())
        self._unscanned = sum(1 << bit for clause, bit in bits.items() if _is_scanned(clause))

    def _candidates(self, mask: int) -> tuple[int, ...]:
        known = self._known.get(mask)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = {number for wanted, rules in self._wanted.items() if wanted & mask == wanted for number in rules}
            known = self._known[mask] = tuple(sorted(found))
        return known

    def _compiled(self, numbers: Sequence[int]) -> "Database":
        database = build_database(self._names, numbers, self._expressions)
        self._tidy()
        return database


def _folded(text: bytes) -> bytes:
    if text.isascii():
        return text.lower()
    return fold(text.decode("utf-8", "backslashreplace")).encode("utf-8", "surrogatepass")


def _literal_only(alternative: Alternative) -> Alternative:
    return frozenset(clause for clause in alternative if not _is_scanned(clause))


def _is_scanned(clause: Iterable[str]) -> bool:
    return any(one.startswith(EXPRESSION) for one in clause)
