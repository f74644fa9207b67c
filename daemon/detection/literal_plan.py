"""What is looked for, once clauses were chosen, and what of it found in a text says of the rules.

First comes the rarest clause of each alternative; then, in the texts that have one of these, the other literals. Then
expressions, each alone and only where nothing else is missing: few texts get there.
"""

from collections.abc import Mapping, Sequence

from daemon.detection.clauses import EXPRESSION, Alternative, Clause, is_expression
from daemon.detection.expression_scan import Parts

_MOST_REMEMBERED = 4096
FIRST, SECOND, ALL = "first", "second", "all"


class Plan:
    """`chosen` are the clauses of each alternative to look for, the rarest first; `alternatives` say for the rules of
    which numbers. One clause at least of each alternative is of literals.

    `names` are to be looked for together, those with the numbers of a look at a time; `masks` say by number what each
    tells. `unsaid` is what is to be taken as found in a text of which expressions say nothing.
    """

    def __init__(
        self,
        alternatives: Mapping[Alternative, Sequence[int]],
        chosen: Sequence[Sequence[Clause]],
        parts: Parts,
    ) -> None:
        self._parts = parts
        first = {
            name
            for clauses, alternative in zip(chosen, alternatives, strict=True)
            for name in _rarest(clauses, alternative)
        }
        sought = {
            name for clauses in chosen for clause in clauses for name in clause if not is_expression(name)
        } | first
        bits: dict[Clause, int] = {}
        self._wanted: dict[int, list[int]] = {}
        for clauses, (alternative, numbers) in zip(chosen, alternatives.items(), strict=True):
            mask = 0
            for clause in (*clauses, *(one for one in alternative if one <= sought)):  # what is free
                mask |= bits.setdefault(clause, 1 << len(bits))
            self._wanted.setdefault(mask, []).extend(numbers)
        masks: dict[str, int] = {}
        self._asked: dict[int, tuple[str, ...]] = {}
        for clause, bit in bits.items():
            if not clause <= sought:
                self._asked[bit] = tuple(name.removeprefix(EXPRESSION) for name in clause if is_expression(name))
            for name in clause & sought:
                masks[name] = masks.get(name, 0) | bit
        self.unsaid = sum(self._asked)
        self.names, self.masks = list(masks), list(masks.values())
        self._first = [number for number, name in enumerate(self.names) if name in first]
        self._known: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def numbers(self, look: str) -> Sequence[int]:
        """Of the names of a look."""
        if look == FIRST:
            return self._first
        rest = range(len(self.names))
        return rest if look == ALL else sorted({*rest}.difference(self._first))

    def told(self, mask: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of a text in which this was found: the rules that may hold, and what to ask for because it alone is missing
        of more (see `settled`).
        """
        known = self._known.get(mask)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[mask] = self._look_up(mask)
        return known

    def settled(self, mask: int, text: bytes) -> tuple[int, ...]:
        """The rules that may hold for a text in which this was found."""
        rules, asked = self.told(mask)
        if not asked:
            return rules
        for bit in asked:
            for part in self._asked[bit]:
                if self._parts.hold(part, text):
                    mask |= bit
                    break
        return self.told(mask)[0]

    def _look_up(self, mask: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        rules = {number for wanted, several in self._wanted.items() if wanted & mask == wanted for number in several}
        asked = 0
        for wanted, several in self._wanted.items():
            missing = wanted & ~mask
            if not missing & ~self.unsaid and not rules.issuperset(several):
                asked |= missing
        return tuple(sorted(rules)), tuple(bit for bit in self._asked if bit & asked)


def _rarest(clauses: Sequence[Clause], alternative: Alternative) -> Clause:
    """The clause to look for first, which is one of literals even if none of these was chosen."""
    return next(one for one in (*clauses, *sorted(alternative, key=sorted)) if not any(map(is_expression, one)))
