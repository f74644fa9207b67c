"""Which rules may match which texts: one pass of hyperscan over many texts for the literals of all rules.

A rule is a candidate for a text when all clauses of one of its alternatives have a literal in it. That never misses a
match, because clauses are necessary; what it lets through is judged by the rule itself. Literals, clauses and sets of
clauses that rules share are looked for once, so a rule that resembles others costs nothing more. Of the clauses those
are looked for that tell most in the log at hand; whichever they are, no match is missed.

Texts are compared folded (`folding.fold`), as the rules do. They are UTF-8; what is not, is taken as readers decode it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType

from daemon.detection.clauses import EXPRESSION, WORD_OF_ITS_OWN, Alternative, Implied, alternatives_of
from daemon.detection.folding import fold
from daemon.detection.literal_choice import UNCOUNTED, WORTH, ordinary_shares, telling
from daemon.detection.nodes import Node

try:
    import hyperscan
except ImportError:  # no wheel for every machine: then there are no candidates, and every rule looks at every text
    hyperscan = None  # type: ignore[assignment,unused-ignore]

_MOST_REMEMBERED = 4096
_SAMPLE = 1 << 16
"""Bytes of text from which on a text is a sample of the log."""
_LARGEST = 1 << 18
"""Bytes of it in pieces of which is counted."""
_PIECE = 1 << 15
_BUSY = 20.0
"""Literals found per text above which the choice of clauses may have aged."""
_PATIENCE = 1 << 26
"""Bytes of text between two choices."""


def has_engine() -> bool:
    """Whether there is something here that finds literals; without it everything is a candidate."""
    return hyperscan is not None


class Prefilter:
    """`nodes` are the conditions of rules, by number. `everything` tells that all texts must be looked at: some rule
    (`always`) may match without any literal, or there is no engine to find them.

    Should the engine refuse, every text is a candidate for every rule.

    `also` are literals that make a text a candidate by themselves; `expressions` are what hyperscan is to look for in
    the place of some literals (`implied` may return names of things that are no literals); `worth` says by number how
    much more a candidate for a rule costs than a literal that is found.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        implied: Implied,
        *,
        also: Iterable[str] = (),
        expressions: Mapping[str, bytes] = MappingProxyType({}),
        worth: Sequence[float] = (),
    ) -> None:
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
        self._database: hyperscan.Database | None = None
        self._chosen_at: int | None = None
        self._seen = 0

    def find(self, text: bytes, ends: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """`text` holds texts one after the other, number i up to `ends[i]`. The numbers of those texts for which rules
        are candidates, and these rules by number (beside those that are always).
        """
        foreign: list[int] = []
        if not text.isascii():
            parts = [_folded(text[start:end]) for start, end in zip((0, *ends), ends, strict=False)]
            text, ends = b"".join(parts), list(accumulate(map(len, parts)))
            foreign = [place for place, part in enumerate(parts) if not part.isascii()]
        hits = self._scan(text.lower(), len(ends))
        masks = dict.fromkeys(foreign, self._unscanned)  # expressions say nothing of these
        for literal, end in hits:
            place = bisect_left(ends, end)
            masks[place] = masks.get(place, 0) | self._masks[literal]
        candidates = {place: self._candidates(mask) for place, mask in masks.items()}
        if self._hopeless:
            return dict.fromkeys(range(len(ends)), self._all)
        return {place: rules for place, rules in candidates.items() if rules}

    def find_one(self, text: bytes) -> tuple[int, ...]:
        """The rules that are candidates for one text: as `find` says of it."""
        if self._database is None or not text.isascii():
            return self.find(text, (len(text),)).get(0, ())
        masks, mask = self._masks, 0

        def note(literal: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            nonlocal mask
            mask |= masks[literal]

        self._database.scan(text.lower(), note)
        return self._candidates(mask) if mask else ()

    def lines(self, text: bytes) -> list[int]:
        """Where the candidates among the lines of a text that ends with a newline begin, in their order."""
        if not text.isascii():
            ends = list(accumulate(len(line) + 1 for line in text.split(b"\n")[:-1]))
            return [ends[number - 1] if number else 0 for number in sorted(self.find(text, ends))]
        masks: dict[int, int] = {}
        for literal, end in self._scan(text.lower(), text.count(b"\n")):
            start = text.rfind(b"\n", 0, end - 1) + 1  # the last character found may be the newline itself
            masks[start] = masks.get(start, 0) | self._masks[literal]
        if self._hopeless:
            return [0, *(found.end() for found in re.finditer(b"\n", text[:-1]))]
        return sorted(start for start, mask in masks.items() if self._candidates(mask))

    def _scan(self, text: bytes, texts: int) -> list[tuple[int, int]]:
        """(literal by number, where it ends) of all that is found."""
        if not text or not self._literals or self._hopeless or not has_engine():
            return []
        self._seen += len(text)
        if self._database is None or (self._chosen_at is None and len(text) >= _SAMPLE):
            self._try_to_choose(text, texts)
        found = _found(self._database, text)
        if self._chosen_at is not None and self._seen - self._chosen_at > _PATIENCE and len(found) > _BUSY * texts:
            self._try_to_choose(text, texts)
            found = _found(self._database, text)
        return found

    def _try_to_choose(self, text: bytes, texts: int) -> None:
        try:
            self._choose(text, texts)
        except hyperscan.error:  # even literals are too many for it, or it does not know this processor
            self._hopeless, self._database = True, None

    def _choose(self, text: bytes, texts: int) -> None:
        """Choose the clauses to look for by how often they occur in a text, if it is long enough to be a sample."""
        shares = ordinary_shares(self._literals)
        if len(text) < _SAMPLE:
            self._choose_by(shares)
            return
        self._chosen_at = self._seen
        sample = b"".join([text[start : start + _PIECE] for start in range(0, min(len(text), _LARGEST), 2 * _PIECE)])
        sampled = texts * len(sample) / len(text)
        for literal in self._literals:
            said = literal.removeprefix(WORD_OF_ITS_OWN).encode("utf-8", "backslashreplace")
            if not literal.startswith(EXPRESSION) and literal not in self._expressions:
                shares[literal] = (sample.count(said) + 0.1) / sampled
        chosen = self._choose_by(shares)
        scanned = {
            one: share
            for one, share in _counted(self._database, chosen, sample, sampled).items()
            if one.startswith(EXPRESSION)
        }
        if max(scanned.values(), default=0.0) > UNCOUNTED:
            self._choose_by(shares | scanned)

    def _choose_by(self, shares: Mapping[str, float]) -> list[str]:
        """Look for the clauses that tell most by these shares; gives their literals."""
        bits: dict[frozenset[str], int] = {}
        self._wanted, self._known = {}, {}
        for alternative, numbers in self._alternatives.items():
            mask = 0
            usable = alternative if self._scannable else _literal_only(alternative)
            for clause in telling(usable, shares, max(self._worth[number] for number in numbers)):
                mask |= 1 << bits.setdefault(clause, len(bits))
            self._wanted.setdefault(mask, []).extend(numbers)
        masks: dict[str, int] = {}
        for clause, bit in bits.items():
            for literal in clause:
                masks[literal] = masks.get(literal, 0) | 1 << bit
        self._masks = list(masks.values())
        self._unscanned = 0
        for literal, mask in masks.items():
            self._unscanned |= mask if literal.startswith(EXPRESSION) else 0
        try:
            self._database = self._compiled(list(masks))
        except hyperscan.error:
            if not self._scannable:
                raise
            self._scannable = False  # an expression is too much for it: literals alone will do
            return self._choose_by(shares)
        return list(masks)

    def _candidates(self, mask: int) -> tuple[int, ...]:
        known = self._known.get(mask)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = {number for wanted, rules in self._wanted.items() if wanted & mask == wanted for number in rules}
            known = self._known[mask] = tuple(sorted(found))
        return known

    def _compiled(self, literals: Sequence[str]) -> "hyperscan.Database":
        patterns = [self._expressions.get(literal) or _pattern(literal) for literal in literals]
        count = len(patterns)
        database = hyperscan.Database()
        database.compile(expressions=patterns, ids=list(range(count)), elements=count, flags=[0] * count)
        return database


def _counted(
    database: "hyperscan.Database | None", literals: Sequence[str], sample: bytes, texts: float
) -> dict[str, float]:
    """In which share of the texts of a sample each literal stands, about: none is taken for impossible."""
    counts = [0] * len(literals)

    def count(literal: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        counts[literal] += 1

    assert database is not None
    database.scan(sample, count)
    return {literal: (counts[number] + 0.1) / texts for number, literal in enumerate(literals)}


def _found(database: "hyperscan.Database | None", text: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    note = found.append
    if database is None:
        return found
    database.scan(text, lambda literal, _start, end, _flags, _context: note((literal, end)))
    return found


def _folded(text: bytes) -> bytes:
    if text.isascii():
        return text.lower()
    return fold(text.decode("utf-8", "backslashreplace")).encode("utf-8", "surrogatepass")


def _literal_only(alternative: Alternative) -> Alternative:
    return frozenset(clause for clause in alternative if not any(one.startswith(EXPRESSION) for one in clause))


def _pattern(literal: str) -> bytes:
    if literal.startswith(EXPRESSION):
        return literal.removeprefix(EXPRESSION).encode()
    if literal.startswith(WORD_OF_ITS_OWN):
        return b"[^a-z0-9_/.-]" + _pattern(literal.removeprefix(WORD_OF_ITS_OWN)) + b"[^a-z0-9_/-]"
    return b"".join(b"\\x%02x" % byte for byte in literal.encode("utf-8", "backslashreplace"))
