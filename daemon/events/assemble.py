"""Records that share (node, time, serial) → one group, however they interleave.

A group closes with its last record (PROCTITLE, EOE, or a type that always stands alone: auparse's
`audit_is_last_record` and `au_check_events` in audit-userspace, but not its MAC_IPSEC, MAC_UNLBL and the like, which
the kernel writes before the SYSCALL of the same event), when a record of the same node arrives that is two
seconds later (the clocks of different nodes say nothing of each other), or when two seconds pass without a record of
it (`tick`). auditd does not write EOE to its file, so all three are needed.

What arrives for a group that is already closed is a duplicate if the very line was seen (dropped and counted), else it
is late: a group of its own, marked so. Time is that of the records; `tick(math.inf)` closes everything (end of replay).

Bounded: groups in flight, bytes of one group, bytes of all, and remembered identities. What must go at a bound is
handed out as it is, marked `limit`, and counted in `evictions`.
"""

import functools
import math
from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from daemon.events.auditd import Record, parse_record
from daemon.events.closed_events import ClosedEvents, Identity
from daemon.model import Position, Snapshot

PATIENCE = 2.0
"""Seconds to wait for the rest of a group: auparse's default `end_of_event_timeout`."""

_ALONE_PREFIXES = (
    *("USER_", "DAEMON_", "CRED_", "CRYPTO_", "VIRT_", "RESP_", "ROLE_", "SERVICE_", "SYSTEM_", "LABEL_", "DEV_"),
    *("ACCT_", "GRP_", "ADD_", "DEL_"),
)
_LAST = frozenset(
    {
        *("PROCTITLE", "EOE"),
        *("USER", "KERNEL", "USYS_CONFIG", "DAC_CHECK", "CHGRP_ID", "CHUSER_ID", "TEST", "TRUSTED_APP"),
        *("MAC_CHECK", "SOFTWARE_UPDATE", "FS_RELABEL"),
    }
)
_KERNEL_ANOMALIES = frozenset({"ANOM_PROMISCUOUS", "ANOM_ABEND", "ANOM_LINK", "ANOM_CREAT"})
_LOGIN, _FIRST_EVENT, _KERNEL, _FIRST_ANOMALY = 1006, 1300, 2000, 2100
_FIRST_USER = 1005


class Group(Struct):
    """The records of one audit event. `closed_by` is `record`, `time`, `limit` or `late`; "" while in flight."""

    node: str
    stamp: str
    serial: int
    at: float
    records: list[Record]
    digests: set[int]
    size: int = 0
    touched: float | None = None
    closed_by: str = ""


class _Flight(Struct):
    """How many groups of a node are in flight, and the record time at which the first of them may be too old."""

    groups: int = 0
    sweep_at: float = math.inf


class Assembler:
    """Records → groups. `source` names the rows that `changes` hands out."""

    def __init__(
        self,
        source: str,
        *,
        max_groups: int = 1024,
        max_group_bytes: int = 1 << 20,
        max_bytes: int = 16 << 20,
        max_remembered: int = 16_384,
    ) -> None:
        self.evictions = 0
        self.duplicates = 0
        self.late = 0
        self._step = f"audit:{source}"
        self._max_groups = max_groups
        self._max_group_bytes = max_group_bytes
        self._max_bytes = max_bytes
        self._groups: OrderedDict[Identity, Group] = OrderedDict()
        self.closed = ClosedEvents(max_remembered)
        self._bytes = 0
        self._nodes: dict[str, _Flight] = {}
        self._ticked: float | None = None
        self._dirty: set[Identity] = set()
        self._stored: set[Identity] = set()
        self._gone: set[Identity] = set()

    def __len__(self) -> int:
        """How many groups are in flight."""
        return len(self._groups)

    def feed(self, record: Record) -> list[Group]:
        """The groups that this record closes, oldest first."""
        flight = self._nodes.get(record.node)
        closed = self._outlived(record) if flight is not None and record.at >= flight.sweep_at else []
        identity = (record.node, record.stamp, record.serial)
        group = self._groups.get(identity)
        if group is None:
            if self.closed.is_closed(identity, record.at):
                return closed + self._again(identity, record)
            if record.kind == "EOE":
                return closed
            group = self._open(identity, record)
        elif record.digest in group.digests:
            self.duplicates += 1
            return closed
        if record.kind != "EOE":
            self._add(identity, group, record)
        # a PROCTITLE ends its event in the kernel: if it comes first, the order was lost and the rest is to come
        too_early = record.kind == "PROCTITLE" and len(group.records) == 1
        if is_last(record.kind) and not too_early:
            closed.append(self._close(identity, "record"))
        full = len(self._groups) > self._max_groups or self._bytes > self._max_bytes
        return closed + self._over_bounds(identity) if full or group.size > self._max_group_bytes else closed

    def room(self, node: str, at: float, serial: int) -> tuple[float, int]:
        """Before which time whole events of the node, in order from this one on, close as they come and do nothing
        else; and how many bytes those may have together: none if this is not later than all of its node before.
        """
        if not self.closed.is_newest(node, at, serial):
            return -math.inf, 0
        if not self._groups:
            return math.inf, self._max_group_bytes
        if len(self._groups) >= self._max_groups:
            return -math.inf, 0
        flight = self._nodes.get(node)
        return math.inf if flight is None else flight.sweep_at, min(
            self._max_group_bytes, self._max_bytes - self._bytes
        )

    def tick(self, now: float) -> list[Group]:
        """The groups of which nothing came for two seconds of the caller's clock."""
        before, self._ticked = self._ticked, now
        idle: list[Identity] = []
        for identity, group in self._groups.items():
            if now == math.inf:
                idle.append(identity)
            elif before is None or group.touched is None or now < before:
                group.touched = now  # a clock that was set back must not make a group wait for ever
            elif now - group.touched >= PATIENCE:
                idle.append(identity)
        return [self._close(identity, "time") for identity in idle]

    def changes(self) -> list[Snapshot]:
        """The groups in flight that changed since the last call, and those gone: a kill -9 loses no record."""
        rows = [Snapshot(self._step, _name(identity), None) for identity in sorted(self._gone)]
        for identity in sorted(self._dirty):
            held = [
                (r.position.path, r.position.identity, r.position.offset, r.line)
                for r in self._groups[identity].records
            ]
            rows.append(Snapshot(self._step, _name(identity), msgspec.msgpack.encode(held)))
        self._stored = (self._stored - self._gone) | self._dirty
        self._dirty = set()
        self._gone = set()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back groups in flight; rows of other steps, and broken ones, are ignored."""
        for snapshot in snapshots:
            if snapshot.step == self._step and snapshot.value is not None:
                self._take_back(snapshot.value)

    def _take_back(self, value: bytes) -> None:
        try:
            held = msgspec.msgpack.decode(value, type=list[tuple[str, str, int, bytes]])
        except msgspec.MsgspecError:
            return
        for path, file, offset, line in held:
            record = parse_record(line, Position(path, file, offset))
            if record is None:
                continue
            identity = (record.node, record.stamp, record.serial)
            group = self._groups.get(identity) or self._open(identity, record)
            if record.digest not in group.digests:
                self._add(identity, group, record)
            self._stored.add(identity)
            self._dirty.discard(identity)

    def _open(self, identity: Identity, record: Record) -> Group:
        group = Group(record.node, record.stamp, record.serial, record.at, [], set())
        self._groups[identity] = group
        if self.closed.is_newest(record.node, record.at, record.serial):
            self.closed.note(record.node, record.at, record.serial)
        flight = self._nodes.setdefault(record.node, _Flight())
        flight.groups += 1
        flight.sweep_at = min(flight.sweep_at, record.at + PATIENCE)
        return group

    def _add(self, identity: Identity, group: Group, record: Record) -> None:
        group.records.append(record)
        group.digests.add(record.digest)
        group.size += len(record.line)
        group.touched = self._ticked
        self._bytes += len(record.line)
        self._dirty.add(identity)
        self._gone.discard(identity)

    def _close(self, identity: Identity, why: str) -> Group:
        group = self._groups.pop(identity)
        group.closed_by = why
        self._bytes -= group.size
        self._dirty.discard(identity)
        if identity in self._stored:
            self._gone.add(identity)
        flight = self._nodes[group.node]
        flight.groups -= 1
        if not flight.groups:
            del self._nodes[group.node]
        self.closed.close(identity, group.digests)
        return group

    def _outlived(self, record: Record) -> list[Group]:
        """Groups of the record's node whose time is two seconds before it."""
        own = [(identity, group.at + PATIENCE) for identity, group in self._groups.items() if group.node == record.node]
        closed = [self._close(identity, "time") for identity, until in own if until <= record.at]
        flight = self._nodes.get(record.node)
        if flight is not None:
            flight.sweep_at = min(until for _, until in own if until > record.at)
        return closed

    def _over_bounds(self, identity: Identity) -> list[Group]:
        evicted = []
        group = self._groups.get(identity)
        if group is not None and group.size > self._max_group_bytes:
            evicted.append(self._close(identity, "limit"))
        while len(self._groups) > self._max_groups or self._bytes > self._max_bytes:
            evicted.append(self._close(next(iter(self._groups)), "limit"))
        self.evictions += len(evicted)
        return evicted

    def _again(self, identity: Identity, record: Record) -> list[Group]:
        """A record of a group that is closed already."""
        if record.kind == "EOE":
            return []
        if not self.closed.is_new(identity, record.at, record.digest):
            self.duplicates += 1
            return []
        self.late += 1
        return [Group(*identity, record.at, [record], {record.digest}, len(record.line), closed_by="late")]


@functools.lru_cache(maxsize=512)
def is_last(kind: str) -> bool:
    """Whether a record of this type ends its group."""
    if kind in _LAST or kind.startswith(_ALONE_PREFIXES):
        return True
    if kind.startswith("ANOM_"):
        return kind not in _KERNEL_ANOMALIES
    if kind.startswith("UNKNOWN[") and kind[8:-1].isdecimal():
        return _is_last_number(int(kind[8:-1]))
    return False


def _is_last_number(number: int) -> bool:
    alone = number in {_FIRST_USER, _KERNEL} or _LOGIN < number < _FIRST_EVENT
    return alone or number >= _FIRST_ANOMALY


def _name(identity: Identity) -> str:
    node, stamp, serial = identity
    return f"{stamp}:{serial}@{node}"
