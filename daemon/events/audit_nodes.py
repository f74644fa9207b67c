"""How far the audit events of one node have come: the numbers, what is missing between them, and auditd's life."""

import math
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from daemon.events.assemble import PATIENCE
from daemon.events.audit_parts import EVERY, KINDS, bit_of
from daemon.events.auditd import Record

MODULUS = 1 << 32
FORWARD = 1 << 24
"""A longer step is a reboot, not a gap (go-libaudit draws the same line)."""
LATE = 4096  # how far back a serial may lie and still be late rather than of a new boot
_MIXED = 8  # how far the first records of a boot may be mixed
_RECENT = 60.0  # seconds
_DAY = 86_400.0
_STRAY = 256  # how far behind no record of a host comes that is later than all before
_STRAYS = 8  # so many of them within a minute are another host's
_MOST_TRACKS = 4
BOOT = 10.0
"""Seconds after auditd began within which SYSTEM_BOOT says that the host did too."""
PATIENT = 16
"""Events in a row that lack the same kind of record, and are told."""
ABSENT = 2 * PATIENT
"""Events in a row after which the log is believed to have no such records: this many, and none has any."""


class Gap(Struct):
    """`since` is the time before it; `anew` says that it opened just after auditd began: perhaps the host did."""

    first: int
    last: int
    noticed: float
    ticked: float | None = None
    since: float | None = None
    anew: bool = False

    @property
    def count(self) -> int:
        """How many events never came."""
        return (self.last - self.first) % MODULUS + 1


class Torn(Struct):
    """An event that lacks records: how many, by the bit of their kind. They may come late."""

    stamp: str
    serial: int
    at: float
    missing: dict[int, int]
    noticed: float
    ticked: float | None = None


class Start(Struct):
    """auditd began, after `since`; it is `fresh` until a record of the kernel follows."""

    at: float
    since: float
    killed: bool
    fresh: bool = True
    ticked: float | None = None


class Track(Struct):
    """Numbers of the same name that were left for others (see `choose_track`), as in Node."""

    highest: int
    latest: float
    first: int


class Node(Struct):
    """`streaks` counts by kind the events that lack it since the last that has it; it starts as if there were many.

    In bits of kinds: with `news` an event tells something new; that one lacks `blind` is not told, and without `stuck`
    it is not even counted. `first` is the first number of this boot that came (-1: not known), `latest` the latest
    time. `rebooted`: the numbers began anew, and SYSTEM_BOOT has not said so yet. `strays` counts the numbers that are
    perhaps of another host, since `stray_at`; `touched` is when the node was last heard, by the caller's clock.
    """

    highest: int
    latest: float = 0.0
    first: int = -1
    gaps: list[Gap] = []
    torn: list[Torn] = []
    streaks: list[int] = msgspec.field(default_factory=lambda: [PATIENT] * len(KINDS))
    news: int = EVERY
    blind: int = EVERY
    stuck: int = 0
    running: bool = True
    rebooted: bool = False
    start: Start | None = None
    tracks: list[Track] = []
    strays: int = 0
    stray_at: float = 0.0
    touched: float | None = None


def learn(node: Node, has: int, lacks: int = 0) -> list[int]:
    """Bring the streaks up to an event; gives the bits of what it lacks and the log is known to have."""
    told = []
    for number in range(len(KINDS)):
        bit, streak = 1 << number, node.streaks[number]
        if lacks & bit:
            node.streaks[number] = min(streak + 1, ABSENT)
            told += [bit] if streak < PATIENT else []
        elif has & bit:
            node.streaks[number] = 0
    node.news = sum(1 << number for number, streak in enumerate(node.streaks) if streak)
    node.blind = sum(1 << number for number, streak in enumerate(node.streaks) if streak >= PATIENT)
    node.stuck = sum(1 << number for number, streak in enumerate(node.streaks) if streak == ABSENT)
    return told


def reach(node: Node, at: float) -> None:
    """Go on to this time. One that lies more than a minute before is gone back to: the clock was set, or what was the
    latest had a wrong date, which must not speak for all that comes. Nor may it date what opened then.
    """
    if at >= node.latest - _RECENT:
        node.latest = max(node.latest, at)
        return
    node.latest = at
    pending: list[Gap | Torn] = [*node.gaps, *node.torn]
    for one in pending:
        if one.noticed > at + _DAY:
            one.noticed = at
    if node.start is not None and node.start.at > at + _DAY:
        node.start.at = at


def is_of_another(node: Node, serial: int, at: float) -> bool:
    """Whether numbers far behind, each later than all before it, come again and again: of a host of the same name."""
    if (node.highest - serial) % MODULUS <= _STRAY or at <= node.latest:
        return False
    if not 0 <= at - node.stray_at <= _RECENT:
        node.strays, node.stray_at = 0, at
    node.strays += 1
    return node.strays >= _STRAYS


def begins_anew(node: Node, serial: int, at: float) -> bool:
    """Whether a smaller number is of a new boot, rather than late."""
    behind = (node.highest - serial) % MODULUS
    return behind >= LATE or (node.start is not None and node.start.fresh) or at > node.latest + PATIENCE


def choose_track(node: Node, serial: int, at: float) -> None:
    """Go on where this number goes on, if not with the last ones: two hosts may write under one name, or two files of
    one host be read in turn. What was left a minute ago or more is no track but an earlier boot.
    """
    nearest, track = (serial - node.highest) % MODULUS, None
    for one in node.tracks:
        step = (serial - one.highest) % MODULUS
        if not -PATIENCE <= at - one.latest <= _RECENT:
            continue
        if step < min(LATE, nearest) or MODULUS - step <= _MIXED:
            nearest, track = step, one
    if track is not None:
        node.tracks.remove(track)
        leave_track(node)
        node.highest, node.latest, node.first = track.highest, track.latest, track.first


def leave_track(node: Node) -> None:
    """Remember where the node is: numbers may go on there."""
    node.tracks = [Track(node.highest, node.latest, node.first), *node.tracks][:_MOST_TRACKS]


def without_track(gaps: list[Gap], serial: int, least: int = LATE) -> list[Gap]:
    """The gaps but for those (of at least so many numbers) in which numbers go on: another host opened them."""
    return [gap for gap in gaps if gap.count < least or (serial - gap.first) % MODULUS >= gap.count]


def is_before_the_first(node: Node, serial: int, at: float) -> bool:
    """Whether a late number lies just before the first of this boot that came: records of that time stand mixed."""
    near = 0 < (node.first - serial) % MODULUS <= _MIXED
    return node.first >= 0 and near and at >= node.latest - PATIENCE


def is_over(patience: float, noticed: float, ticked: float | None, at: float | None, now: float | None) -> bool:
    """Whether so many seconds passed, by the log's time or by the caller's clock."""
    by_log = at is not None and at >= noticed + patience
    by_clock = now is not None and ticked is not None and now - ticked >= patience
    return by_log or by_clock or now == math.inf


def without(gap: Gap, serial: int) -> list[Gap]:
    """The gap with one serial taken out: it came late after all."""
    offset = (serial - gap.first) % MODULUS
    if offset >= gap.count:
        return [gap]
    pieces = []
    if offset > 0:
        pieces.append(msgspec.structs.replace(gap, last=(serial - 1) % MODULUS))
    if offset < gap.count - 1:
        pieces.append(msgspec.structs.replace(gap, first=(serial + 1) % MODULUS))
    return pieces


def without_late(torn: Torn, records: Iterable[Record]) -> None:
    """Take records that came late off what an event lacks."""
    for record in records:
        bit = bit_of(record.kind)
        left = torn.missing.pop(bit, 0) - 1
        if left > 0:
            torn.missing[bit] = left
