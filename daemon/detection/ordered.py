"""Correlations of rules one after the other: chains of entries in event time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from daemon.detection.timeline import EDGE, Window, one_too_many

_MOST_ORDERED = 128
_RUN = 32
"""Of a run of entries of one rule, how many stay beyond those that the order asks for: room for late ones of others."""
_SLACK = 16
"""How many more there may be before the run is cut to that."""


class _Chain(Struct, frozen=True):
    """A beginning of the order found in entries: when it starts, the number of its last entry, what came before."""

    start: float
    entry: int
    before: "_Chain | None"


def _links(chain: _Chain | None) -> Iterator[int]:
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

    def find(self, window: Window, at: float) -> list[int] | None:
        """The entries of the whole order within one time span that contains `at`."""
        low, high = self._reach(window.ats, at)
        values = window.values
        try:
            for value in self._order:
                low = values.index(value, low, high) + 1
        except ValueError:
            return None  # as nearly always: soon said
        whole = self.chains(window, at)[-1]
        return list(_links(whole))[::-1] if whole is not None else None

    def _reach(self, ats: Sequence[float], at: float) -> tuple[int, int]:
        """Where the entries begin and end that may be in a time span with `at`."""
        high = len(ats) if ats and ats[-1] <= at else bisect_right(ats, at + self._timespan + EDGE)
        oldest = at - self._timespan - EDGE
        return 0 if ats and ats[0] >= oldest else bisect_left(ats, oldest), high

    def chains(self, window: Window, at: float) -> list[_Chain | None]:
        """For each beginning of the order the chain that starts last (whatever completes another completes it, sooner);
        for the whole order, the one of those that fit into the time span which ends last.
        """
        chains: list[_Chain | None] = [None] * len(self._order)
        ats, values = window.ats, window.values
        for entry in range(*self._reach(ats, at)):
            for place in self._places.get(values[entry], ()):
                if place == 0 or chains[place - 1] is not None:
                    self._lengthen(chains, place, entry, ats[entry])
        return chains

    def _lengthen(self, chains: list[_Chain | None], place: int, entry: int, at: float) -> None:
        before, known = chains[place - 1] if place else None, chains[place]
        start = before.start if before is not None else at
        whole = place + 1 == len(self._order)
        if whole and at - start > self._timespan + EDGE:
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

    def holds(self, window: Window, at: float) -> bool:
        """See Pattern."""
        return self.find(window, at) is not None

    def find(self, window: Window, at: float) -> list[int] | None:
        """See Pattern."""
        for order in self._orders:
            found = order.find(window, at)
            if found is not None:
                return found
        return None

    def squeeze(self, window: Window, place: int) -> None:
        """See Pattern."""
        if len(window.values) <= _RUN + _SLACK + 1:
            return  # too few for a long run
        at, values, value = window.ats[place], window.values, window.values[place]
        most = self._asked.get(value, 0) + _RUN
        if len(values) > most + _SLACK + 1:
            first, last = _run_around(values, place, most + _SLACK + 1)
            if last - first > most + _SLACK:
                window.drop(first + 1, last + 1 - most)
        if len(values) > _MOST_ORDERED:
            self._make_room(window, at)

    def _make_room(self, window: Window, at: float) -> None:
        chains = [chain for order in self._orders for chain in order.chains(window, at)]
        building = {one for chain in chains for one in _links(chain)}
        others = [place for place in range(len(window.ats)) if place not in building]
        room = max(0, _MOST_ORDERED - len(building))
        while len(others) > room:
            ats, values = [window.ats[place] for place in others], [window.values[place] for place in others]
            del others[one_too_many(ats, values, at, self._timespan, room)]
        window.keep({*building, *others})


def _run_around(values: Sequence[str], place: int, usual: int) -> tuple[int, int]:
    """The first and the last of the entries of one value among which this is. A run of more than `usual` before its end
    is known without a look at each.
    """
    first = last = place
    value = values[place]
    if place >= usual and values[place - usual : place].count(value) == usual:
        first = place - usual
    while first > 0 and values[first - 1] == value:
        first -= 1
    while last + 1 < len(values) and values[last + 1] == value:
        last += 1
    return first, last
