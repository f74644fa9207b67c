"""What the audit log itself shows to be lost: missing serials, events cut short, an auditd that was killed.

The kernel numbers audit events one after the other; a number that never came is an event that was dropped (rate limit,
auditd killed). An event that lacks records which it should have (see `audit_parts`) lost them. Neither shows what a
full backlog took, because there the kernel drops before it counts: only its own message (`audit_lost=`) tells, see
`said_losses`. Measured with auditd 3.0.9; auditd's own DAEMON_* records carry numbers of auditd, not of the kernel.

What can be counted: a gap counts events, each missing between the first and the last number of one boot of one node. An
incomplete event counts the records that it is known to lack, once the log has shown that it has records of that kind at
all; of a kind that lacks sixteen times in a row it is believed that a rule excludes it. A boot begins the numbers
anew: a smaller number is a new boot if it is far behind, or later in time than all before it, or the first after auditd
began; SYSTEM_BOOT says so too. Else it is late, and closes its gap. Where the numbers of one name come from two hosts,
or from two files read in turn, each goes on with its own.

What comes after all, within two seconds of later records, was not missing. Bounded: nodes, and open gaps and torn
events of each node. At the bound the oldest is reported at once.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from daemon.events.assemble import PATIENCE, Group
from daemon.events.audit_nodes import (
    ABSENT,
    BOOT,
    FORWARD,
    LATE,
    MODULUS,
    Gap,
    Node,
    Start,
    Torn,
    begins_anew,
    choose_track,
    is_before_the_first,
    is_of_another,
    is_over,
    learn,
    leave_track,
    reach,
    without,
    without_late,
    without_track,
)
from daemon.events.audit_parts import KINDS, look_for_parts
from daemon.events.auditd import Record
from daemon.events.loss_nodes import LossNodes
from daemon.events.said_losses import KernelLosses
from daemon.model import Lost, Snapshot

__all__ = ["KernelLosses", "Losses"]

_MOST_OPEN = 64
_DAY = 86_400.0
_RESET = re.compile(rb"(?:^| )lost=0 old=([0-9]{1,10})(?: |$)")


class Losses:
    """Records and groups of one source → `Lost`."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._kept = LossNodes(f"losses:{source}")
        self._nodes = self._kept.by_name
        self._dirty = self._kept.dirty

    @property
    def evictions(self) -> int:
        """Nodes that made room for others because memory is bounded."""
        return self._kept.evictions

    @property
    def crowded(self) -> bool:
        """Whether more nodes write than can be followed."""
        return self._kept.crowded

    @property
    def seen(self) -> bool:
        """Whether any node wrote records."""
        return bool(self._nodes)

    @property
    def absent(self) -> tuple[str, ...]:
        """The kinds of records that some node does not write, so that nobody sees when they are lost."""
        found = [node.streaks for node in list(self._nodes.values())]
        return tuple(kind for number, kind in enumerate(KINDS) if any(one[number] == ABSENT for one in found))

    def feed(self, record: Record) -> list[Lost]:
        """Account for the serial of a record. A gap is believed when two seconds of log time did not fill it."""
        node = self._nodes.get(record.node)
        if node is not None and record.serial == node.highest:
            return []
        if record.kind.startswith(("DAEMON_", "UNKNOWN[12")):
            return []
        if node is None:
            self._kept.open(record.node, record.serial, record.at)
            return []
        self._dirty.add(record.node)
        node.touched = self._kept.ticked
        if record.kind == "SYSTEM_BOOT" and not node.rebooted:
            self._boot(node, record.serial, record.at)
        else:
            self._account(node, record.serial, record.at)
            node.rebooted = node.rebooted and record.kind != "SYSTEM_BOOT"
        return self._dated(self._believe(record.node, node, record.at, None))

    def expects(self, node: str, serial: int) -> bool:
        """Whether an event with this serial goes on where the node was."""
        known = self._nodes.get(node)
        return known is not None and known.start is None and 0 < (serial - known.highest) % MODULUS < FORWARD

    def new_parts(self, node: str) -> tuple[int, int]:
        """Of which records (bits of `audit_parts`) an event that has them tells something new, and of which one that
        lacks them does not.
        """
        known = self._nodes[node]
        return known.news, known.stuck

    def pass_run(self, node: str, serials: Sequence[int], at: Sequence[float]) -> dict[int, list[Lost]]:
        """Account for whole events one behind the other, of which `expects` allowed for the first: as `feed` does for
        each of their records. Gives what was lost before which, by place.
        """
        known = self._nodes[node]
        self._dirty.add(node)
        known.touched = self._kept.ticked
        if not known.gaps and not known.torn and serials[-1] - known.highest == len(serials):
            known.highest = serials[-1]
            reach(known, at[-1])
            return {}
        told: dict[int, list[Lost]] = {}
        for place, serial in enumerate(serials):
            self._account(known, serial, at[place])
            lost = self._dated(self._believe(node, known, at[place], None))
            if lost:
                told[place] = lost
        return told

    def closed(self, group: Group) -> list[Lost]:
        """Account for a group: the records that it lacks, and what auditd and the kernel say in it of losses."""
        node = self._nodes.get(group.node)
        if node is None:
            return []
        if group.closed_by == "late":
            self._mend(node, group)
            return []
        first = group.records[0]
        if first.kind.startswith("DAEMON_"):
            return self._dated(self._daemon(node, group))
        lost = self._reset(group) if any(record.kind == "CONFIG_CHANGE" for record in group.records) else []
        parts = look_for_parts(group.records)
        if parts is not None and (parts.lacks & ~node.stuck or parts.has & node.news):
            self._dirty.add(group.node)
            missing = learn(node, parts.has, parts.lacks)
            if missing:
                lacking = {bit: parts.missing[bit] for bit in missing}
                torn = Torn(group.stamp, group.serial, group.at, lacking, node.latest, self._kept.ticked)
                if node.latest < group.at + PATIENCE:  # nothing later ended it: time passed
                    return self._dated([*lost, self._incomplete(torn, group.node)])
                node.torn.append(torn)
        return lost

    def tick(self, now: float) -> list[Lost]:
        """Believe the gaps that two seconds of the caller's clock did not fill."""
        before = self._kept.ticked
        self._kept.tick(now)
        lost: list[Lost] = []
        for name, node in self._nodes.items():
            for one in (*node.gaps, *node.torn, node.start):
                if one is not None and (one.ticked is None or (before is not None and now < before)):
                    one.ticked = now
            pending = len(node.gaps), len(node.torn), node.start
            lost.extend(self._believe(name, node, None, now))
            if pending != (len(node.gaps), len(node.torn), node.start):
                self._dirty.add(name)
        return self._dated(lost)

    def changes(self) -> list[Snapshot]:
        """One small row per node that moved."""
        return self._kept.changes()

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        self._kept.restore(snapshots)

    def _account(self, node: Node, serial: int, at: float) -> None:
        ahead = (serial - node.highest) % MODULUS
        if ahead != 1 and node.tracks:
            choose_track(node, serial, at)
            ahead = (serial - node.highest) % MODULUS
        fresh = node.start is not None and node.start.fresh and serial < node.highest  # no numbers that wrapped
        if ahead < FORWARD and not fresh:
            if ahead > 1:
                first, last = (node.highest + 1) % MODULUS, (serial - 1) % MODULUS
                anew = node.start is not None
                node.gaps.append(Gap(first, last, at, self._kept.ticked, min(node.latest, at), anew))
            node.highest = serial
            reach(node, at)
        elif begins_anew(node, serial, at) or is_of_another(node, serial, at):
            node.rebooted = node.start is not None
            # within one boot no smaller number is later than all before it
            node.gaps = without_track(node.gaps, serial, 1 if node.start is None and at > node.latest else LATE)
            leave_track(node)
            node.highest, node.latest, node.start, node.first, node.strays = serial, at, None, serial, 0
        elif is_before_the_first(node, serial, at):
            if serial + 1 != node.first:
                since = min(node.latest, at)
                node.gaps.append(Gap((serial + 1) % MODULUS, (node.first - 1) % MODULUS, at, self._kept.ticked, since))
            node.first = serial
        else:
            node.gaps = [piece for gap in node.gaps for piece in without(gap, serial)]
        if node.start is not None:
            node.start.fresh = False

    def _boot(self, node: Node, serial: int, at: float) -> None:
        """The host began anew: its numbers too, and what opened since auditd began is no gap."""
        node.gaps, node.tracks = [gap for gap in node.gaps if not gap.anew], []
        node.highest, node.latest, node.start, node.first = serial, at, None, serial

    def _believe(self, name: str, node: Node, at: float | None, now: float | None) -> list[Lost]:
        if not node.gaps and not node.torn and node.start is None:
            return []
        lost: list[Lost] = []
        start = node.start
        if start is not None and is_over(BOOT, start.at, start.ticked, at, now):
            node.start = None
            if start.killed:
                detail = "auditd began anew without having ended: it was killed, or it crashed"
                lost.append(Lost(self._source, "auditd_killed", None, start.at, detail, start.since, name))
        kept: list[Gap] = []
        for index, gap in enumerate(node.gaps):
            patience = BOOT if gap.anew else PATIENCE
            if is_over(patience, gap.noticed, gap.ticked, at, now) or len(node.gaps) - index > _MOST_OPEN:
                detail = f"audit serials {gap.first} to {gap.last} never came"
                lost.append(Lost(self._source, "audit_gap", gap.count, gap.noticed, detail, gap.since, name))
            else:
                kept.append(gap)
        node.gaps = kept
        return lost + self._believe_torn(name, node, at, now)

    def _believe_torn(self, name: str, node: Node, at: float | None, now: float | None) -> list[Lost]:
        lost: list[Lost] = []
        kept: list[Torn] = []
        for index, torn in enumerate(node.torn):
            if is_over(PATIENCE, torn.noticed, torn.ticked, at, now) or len(node.torn) - index > _MOST_OPEN:
                lost.append(self._incomplete(torn, name))
            else:
                kept.append(torn)
        node.torn = kept
        return lost

    def _dated(self, lost: list[Lost]) -> list[Lost]:
        """None with a wrong date: one more than a day ahead of the clock would speak of all until then, not of now."""
        now = self._kept.ticked
        if not lost or now is None:
            return lost
        return [
            one
            if one.at <= now + _DAY
            else replace(one, at=now, since=None if one.since is None else min(one.since, now))
            for one in lost
        ]

    def _incomplete(self, torn: Torn, name: str) -> Lost:
        said = ", ".join(f"{torn.missing[bit]} {KINDS[bit.bit_length() - 1]}" for bit in sorted(torn.missing))
        detail, count = f"event {torn.serial} lacks {said}", sum(torn.missing.values())
        return Lost(self._source, "audit_incomplete", count, torn.at, detail, torn.at, name)

    def _mend(self, node: Node, group: Group) -> None:
        """A record that comes late is none that its event lacks."""
        for torn in node.torn:
            if (torn.stamp, torn.serial) == (group.stamp, group.serial):
                without_late(torn, group.records)
                self._dirty.add(group.node)
        node.torn = [torn for torn in node.torn if torn.missing]

    def _reset(self, group: Group) -> list[Lost]:
        """`auditctl --reset-lost` says how many records the kernel had lost until then."""
        for record in group.records:
            found = _RESET.search(record.line, record.body) if record.kind == "CONFIG_CHANGE" else None
            if found is not None and int(found[1]):
                detail = f"the kernel's count of lost audit records was set back from {int(found[1])} to 0"
                return [Lost(self._source, "audit_lost_reset", int(found[1]), group.at, detail, None, group.node)]
        return []

    def _daemon(self, node: Node, group: Group) -> list[Lost]:
        """Follow whether auditd runs: one that begins, and did not say that it ended, was killed."""
        kind = group.records[0].kind
        self._dirty.add(group.node)
        if kind == "DAEMON_START":
            node.start = Start(group.at, min(node.latest, group.at), node.running, ticked=self._kept.ticked)
        if kind in {"DAEMON_START", "DAEMON_END", "DAEMON_ABORT"}:
            node.running = kind == "DAEMON_START"
        if kind not in {"DAEMON_ABORT", "DAEMON_ERR"}:
            return []
        detail = "auditd gave up" if kind == "DAEMON_ABORT" else "auditd says that something went wrong"
        return [Lost(self._source, "audit_daemon", None, group.at, detail, group.at, group.node)]
