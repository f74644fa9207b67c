"""Correlations of rules one after the other: chains of entries in event time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from daemon.detection.timeline import EDGE, Entry, at_of, index_of, make_room

_MOST_ORDERED = 128
_RUN = 32
"""Of a run of entries of one rule, how many stay beyond those that the order asks for: room for late ones of others."""


class _Chain(Struct, frozen=True):
    """A beginning of the order found in entries: when it starts, its last entry, and what came before that."""

    start: float
    entry: Entry
    before: "_Chain | None"


def _links(chain: _Chain | None) -> Iterator[Entry]:
    while chain is not None:
        yield chain.entry
        chain = chain.before


class _Order:
    """One order of rules, and its chains in entries."""

    def __init__(self, order: Sequence[str], timespan: float) -> None:
        self._timespan = timespan
        self._order = order
        places = range(len(order) - 1, -1, -1)
        self._places = {value: tuple(n for n in places if order[n] == value) for value in order}

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """The entries of the whole order within one time span that contains `at`."""
        if len(entries) < len(self._order):
            return None
        if entries[-1].value != self._order[-1] and all(one.value != self._order[-1] for one in entries):
            return None  # as in a flood of failures: soon said
        whole = self.chains(entries, at)[-1]
        return list(_links(whole))[::-1] if whole is not None else None

    def chains(self, entries: Sequence[Entry], at: float) -> list[_Chain | None]:
        """For each beginning of the order the chain that starts last (whatever completes another completes it, sooner);
        for the whole order, the one of those that fit into the time span which ends last.
        """
        chains: list[_Chain | None] = [None] * len(self._order)
        low = bisect_left(entries, at - self._timespan - EDGE, key=at_of)
        for entry in entries[low : bisect_right(entries, at + self._timespan + EDGE, key=at_of)]:
            for place in self._places.get(entry.value, ()):
                if place == 0 or chains[place - 1] is not None:
                    self._lengthen(chains, place, entry)
        return chains

    def _lengthen(self, chains: list[_Chain | None], place: int, entry: Entry) -> None:
        before, known = chains[place - 1] if place else None, chains[place]
        start = before.start if before is not None else entry.at
        whole = place + 1 == len(self._order)
        if whole and entry.at - start > self._timespan + EDGE:
            return
        if known is None or start > known.start or (whole and start == known.start):
            chains[place] = _Chain(start, entry, before)


class Ordered:
    """Rules one after the other, in one of several orders. Of a long run of entries of one rule the first and the last
    are enough; entries that a chain is being built on are the last to go.
    """

    def __init__(self, orders: Sequence[Sequence[str]], timespan: float) -> None:
        self._timespan = timespan
        self._orders = [_Order(order, timespan) for order in orders]
        self._asked = {value: max(order.count(value) for order in orders) for order in orders for value in order}

    def find(self, entries: Sequence[Entry], at: float) -> list[Entry] | None:
        """See Pattern."""
        found = (order.find(entries, at) for order in self._orders)
        return next((one for one in found if one is not None), None)

    def squeeze(self, entries: list[Entry], entry: Entry) -> None:
        """See Pattern."""
        first = last = index_of(entries, entry)
        while first > 0 and entries[first - 1].value == entry.value:
            first -= 1
        while last + 1 < len(entries) and entries[last + 1].value == entry.value:
            last += 1
        if last - first > self._asked.get(entry.value, 0) + _RUN:
            del entries[first + 1]
        if len(entries) > _MOST_ORDERED:
            self._make_room(entries, entry.at)

    def _make_room(self, entries: list[Entry], at: float) -> None:
        chains = [chain for order in self._orders for chain in order.chains(entries, at)]
        building = {id(one) for chain in chains for one in _links(chain)}
        others = [one for one in entries if id(one) not in building]
        make_room(others, at, self._timespan, max(0, _MOST_ORDERED - len(building)))
        kept = building | {id(one) for one in others}
        entries[:] = [one for one in entries if id(one) in kept]
