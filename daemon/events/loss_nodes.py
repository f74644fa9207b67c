"""The nodes of an audit log whose numbers are followed, each by its name.

Bounded: 1,024 of them. One more takes the place of the one that was silent for longest, if that is ten minutes or more
(by the caller's clock; where nobody ticks, by the log's). Should that one come back, it is followed anew: what it lost
meanwhile is not seen. While all of them write, a new one is not followed, and `crowded` says so.
"""

import math
from collections.abc import Iterable

import msgspec

from daemon.events.audit_nodes import Node
from daemon.events.audit_parts import KINDS
from daemon.model import Snapshot
from daemon.model.stored_rows import read_rows

MAX_NODES = 1024
"""How many nodes of one log are followed."""
SILENT = 600.0
"""Seconds of silence after which a node may have to make room for another."""


class LossNodes:
    """Names → nodes; `step` names the rows. `evictions` counts the nodes that made room."""

    def __init__(self, step: str) -> None:
        self.evictions = 0
        self.by_name: dict[str, Node] = {}
        self.dirty: set[str] = set()
        self.ticked: float | None = None
        self._step = step
        self._gone: set[str] = set()
        self._refused: tuple[float, float | None] | None = None  # when one was left out last: by the log, by the clock

    @property
    def crowded(self) -> bool:
        """Whether there are nodes that are not followed."""
        return self._refused is not None

    def open(self, name: str, serial: int, at: float) -> None:
        """A node that is not known begins with this number, if there is room for it."""
        if len(self.by_name) >= MAX_NODES and not self._make_room(at):
            return
        self.by_name[name] = Node(serial, at, first=serial, touched=self.ticked)
        self.dirty.add(name)
        self._gone.discard(name)

    def tick(self, now: float) -> None:
        """Time passed; a clock that was set back begins the silence of all anew."""
        back = self.ticked is not None and now < self.ticked
        self.ticked = now
        for node in self.by_name.values():
            if node.touched is None or back:
                node.touched = now
        if self._refused is not None:
            at, ticked = self._refused
            ticked = now if ticked is None or back else ticked
            self._refused = (at, ticked) if now - ticked <= SILENT else None

    def changes(self) -> list[Snapshot]:
        """One small row per node that moved; an empty one for a node that made room."""
        rows = [Snapshot(self._step, name, None) for name in sorted(self._gone)]
        rows += [
            Snapshot(self._step, name, msgspec.json.encode(self.by_name[name]))
            for name in sorted(self.dirty & self.by_name.keys())
        ]
        self.dirty.clear()
        self._gone.clear()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        for name, node in read_rows(snapshots, self._step, Node):
            if len(node.streaks) != len(KINDS):
                continue
            for one in (*node.gaps, *node.torn, node.start):
                if one is not None:
                    one.ticked = None
            node.touched = None
            self.by_name[name] = node

    def _make_room(self, at: float) -> bool:
        """Let go of the node that was silent for longest; False where all of them write."""
        if self._refused is not None and not self._may_have_changed(at, *self._refused):
            return False
        name, node = min(self.by_name.items(), key=_by_silence)
        by_clock = self.ticked is not None and node.touched is not None
        silent = self.ticked - node.touched if by_clock else at - node.latest  # type: ignore[operator]  # none is None
        if silent < SILENT:
            self._refused = at, self.ticked
            return False
        del self.by_name[name]
        self._gone.add(name)
        self.evictions += 1
        return True

    def _may_have_changed(self, at: float, refused_at: float, refused_ticked: float | None) -> bool:
        """Whether to look again for a silent node: to ask all of them for every record would take too long."""
        if self.ticked is None:
            return at >= refused_at + SILENT
        return self.ticked != refused_ticked


def _by_silence(pair: tuple[str, Node]) -> tuple[float, float]:
    node = pair[1]
    return -math.inf if node.touched is None else node.touched, node.latest
