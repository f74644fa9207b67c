"""What the audit log itself shows to be lost: missing serials, and events cut short.

The kernel numbers audit events one after the other; a number that never came is an event that was dropped (rate limit,
auditd killed). An event whose SYSCALL came and whose PROCTITLE did not lost records. Neither shows what a full backlog
took, because there the kernel drops before it counts: only its own message (`audit_lost=`) tells, see `syslog`.
Measured with auditd 3.0.9; auditd's own DAEMON_* records carry numbers of auditd, not of the kernel.

Bounded: nodes, and open gaps of each node. At the bound the oldest gap is reported at once.
"""

import math
import re
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from daemon.events.assemble import PATIENCE, Group
from daemon.events.auditd import Record
from daemon.model import Lost, Snapshot

_MODULUS = 1 << 32
_FORWARD = 1 << 24  # a longer step is a reboot, not a gap (go-libaudit draws the same line)
_LATE = 4096  # how far back a serial may lie and still be late rather than of a new boot
_MAX_GAPS = 64
_MAX_NODES = 256
_PATIENT_WITH_UNTITLED = 16
_AUDIT_LOST = re.compile(r"(?:\[ *[0-9.]+\] )?audit: audit_lost=([0-9]{1,10})(?: |$)")


class _Gap(Struct):
    first: int
    last: int
    noticed: float
    ticked: float | None = None

    @property
    def count(self) -> int:
        return (self.last - self.first) % _MODULUS + 1


class _Node(Struct):
    """`untitled` counts SYSCALL events without PROCTITLE since the last with one; it starts as if there were many."""

    highest: int
    gaps: list[_Gap] = []
    untitled: int = _PATIENT_WITH_UNTITLED


class Losses:
    """Records and groups of one source → `Lost`."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._step = f"losses:{source}"
        self._nodes: dict[str, _Node] = {}
        self._ticked: float | None = None
        self._dirty: set[str] = set()

    def feed(self, record: Record) -> list[Lost]:
        """Account for the serial of a record. A gap is believed when two seconds of log time did not fill it."""
        node = self._nodes.get(record.node)
        if node is not None and record.serial == node.highest:
            return []
        if record.kind.startswith(("DAEMON_", "UNKNOWN[12")):
            return []
        self._dirty.add(record.node)
        if node is None:
            if len(self._nodes) < _MAX_NODES:
                self._nodes[record.node] = _Node(record.serial)
            return []
        if record.kind == "SYSTEM_BOOT":
            node.highest = record.serial
        else:
            self._account(node, record.serial, record.at)
        return self._believe(node, record.at, None)

    def expects(self, node: str, serial: int, *, titled: bool) -> bool:
        """Whether an event with this serial goes on where the node was, and if `titled` (it has a PROCTITLE), tells
        nothing new by that.
        """
        known = self._nodes.get(node)
        if known is None or (titled and known.untitled):
            return False
        return serial == known.highest + 1 or 0 < (serial - known.highest) % _MODULUS < _FORWARD

    def pass_whole(self, node: str, serial: int, at: float) -> list[Lost] | None:
        """Account for a whole event that `expects` allowed for: as `feed` does for each of its records."""
        known = self._nodes[node]
        self._dirty.add(node)
        if serial == known.highest + 1 and not known.gaps:
            known.highest = serial
            return None
        self._account(known, serial, at)
        return self._believe(known, at, None)

    def closed(self, group: Group) -> list[Lost]:
        """Account for the shape of a group: a SYSCALL without its PROCTITLE, on a host that writes PROCTITLE."""
        node = self._nodes.get(group.node)
        if node is not None and not node.untitled and group.records[-1].kind == "PROCTITLE":
            return []
        kinds = {record.kind for record in group.records}
        if node is None or group.closed_by == "late" or "SYSCALL" not in kinds:
            return []
        titled = "PROCTITLE" in kinds
        untitled = 0 if titled else node.untitled + 1
        if untitled == node.untitled:
            return []
        # many in a row: PROCTITLE is excluded by a rule, or the kernel is too old to write it
        told = not titled and untitled <= _PATIENT_WITH_UNTITLED
        node.untitled = min(untitled, _PATIENT_WITH_UNTITLED)
        self._dirty.add(group.node)
        detail = f"event {group.serial} has no PROCTITLE"
        return [Lost(self._source, "audit_incomplete", 1, group.at, detail)] if told else []

    def tick(self, now: float) -> list[Lost]:
        """Believe the gaps that two seconds of the caller's clock did not fill."""
        before, self._ticked = self._ticked, now
        lost: list[Lost] = []
        for name, node in self._nodes.items():
            for gap in node.gaps:
                if gap.ticked is None or (before is not None and now < before):
                    gap.ticked = now
            believed = self._believe(node, None, now)
            if believed:
                self._dirty.add(name)
                lost.extend(believed)
        return lost

    def changes(self) -> list[Snapshot]:
        """One small row per node that moved."""
        rows = [
            Snapshot(self._step, name, msgspec.json.encode(self._nodes[name]))
            for name in sorted(self._dirty & self._nodes.keys())
        ]
        self._dirty = set()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        for snapshot in snapshots:
            if snapshot.step == self._step and snapshot.value is not None:
                try:
                    node = msgspec.json.decode(snapshot.value, type=_Node)
                except msgspec.MsgspecError:
                    continue
                for gap in node.gaps:
                    gap.ticked = None
                self._nodes[snapshot.key] = node

    def _account(self, node: _Node, serial: int, at: float) -> None:
        ahead = (serial - node.highest) % _MODULUS
        behind = (node.highest - serial) % _MODULUS
        if ahead < _FORWARD:
            if ahead > 1:
                first, last = (node.highest + 1) % _MODULUS, (serial - 1) % _MODULUS
                node.gaps.append(_Gap(first, last, at, self._ticked))
            node.highest = serial
        elif behind >= _LATE:
            node.highest = serial
        else:
            node.gaps = [piece for gap in node.gaps for piece in _without(gap, serial)]

    def _believe(self, node: _Node, at: float | None, now: float | None) -> list[Lost]:
        lost: list[Lost] = []
        kept: list[_Gap] = []
        for index, gap in enumerate(node.gaps):
            by_log = at is not None and at >= gap.noticed + PATIENCE
            by_clock = now is not None and gap.ticked is not None and now - gap.ticked >= PATIENCE
            if by_log or by_clock or now == math.inf or len(node.gaps) - index > _MAX_GAPS:
                detail = f"audit serials {gap.first} to {gap.last} never came"
                lost.append(Lost(self._source, "audit_gap", gap.count, gap.noticed, detail))
            else:
                kept.append(gap)
        node.gaps = kept
        return lost


def _without(gap: _Gap, serial: int) -> list[_Gap]:
    """The gap with one serial taken out: it came late after all."""
    offset = (serial - gap.first) % _MODULUS
    if offset >= gap.count:
        return [gap]
    pieces = []
    if offset > 0:
        pieces.append(_Gap(gap.first, (serial - 1) % _MODULUS, gap.noticed, gap.ticked))
    if offset < gap.count - 1:
        pieces.append(_Gap((serial + 1) % _MODULUS, gap.last, gap.noticed, gap.ticked))
    return pieces


class KernelLosses:
    """What the kernel says of events that it dropped (`audit: audit_lost=59 …` in kern.log) → `Lost`.

    The number counts from boot, so the difference to the last one is what was lost since; a smaller one is a new boot.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._step = f"kernel_losses:{source}"
        self._totals: dict[str, int] = {}
        self._dirty: set[str] = set()

    def feed(self, host: str, message: str, at: float) -> list[Lost]:
        """Look at one message of the kernel."""
        match = _AUDIT_LOST.match(message)
        if match is None:
            return []
        total = int(match[1])
        before = self._totals.get(host, 0)
        if total == before or (host not in self._totals and len(self._totals) >= _MAX_NODES):
            return []
        self._totals[host] = total
        self._dirty.add(host)
        count = total - before if total > before else total
        return [Lost(self._source, "audit_backlog", count, at, f"the kernel of {host} dropped audit records")]

    def changes(self) -> list[Snapshot]:
        """One small row per host that lost something."""
        rows = [Snapshot(self._step, host, str(self._totals[host]).encode()) for host in sorted(self._dirty)]
        self._dirty = set()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        for snapshot in snapshots:
            if snapshot.step == self._step and snapshot.value is not None and snapshot.value.isdigit():
                self._totals[snapshot.key] = int(snapshot.value[:10])
