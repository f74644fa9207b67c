"""Of which times evidence is missing, host by host: so that what is told of such a time says so.

    Lost ─▶ periods of its host ─▶ the gap of an alert whose evidence lies there, told before or after

A loss hides what happened between the last thing known to be seen and the moment when it was noticed; MARGIN is added
on both sides. Losses near one another are one period. Cut lines hide nothing: what they say is cut, and marked where it
stands.

Bounded: 32 periods of each of 256 hosts, the oldest (of the host longest without a loss) forgotten first; of what is
not handed out yet 64 times of each host, of which the two oldest become one: it marks more than it must, never less.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from daemon.model import Gap, Incident, Lost, Snapshot, Unseen
from daemon.model.stored_rows import read_rows

MARGIN = 60.0
"""Seconds before and after a loss in which evidence is said to be incomplete."""
INCOMPLETE = ("evidence", "incomplete")
"""Part and reason of the gap."""
_MOST_PERIODS = 32
_MOST_FRESH = 64
_MOST_HOSTS = 256
_STEP = "unseen"
_HIDES_NOTHING = frozenset({"line_too_long", "unfinished_line", "redaction_error"})
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0  # the years 1 to 9999
_SAID = {
    "audit_gap": ("{} audit events never came", "audit events never came"),
    "audit_incomplete": ("audit events lack {} records", "audit events lack records"),
    "audit_backlog": ("the kernel dropped {} audit records", "the kernel dropped audit records"),
    "audit_lost_reset": ("the kernel had dropped {} audit records", "the kernel had dropped audit records"),
    "audit_daemon": ("auditd dropped {} events", "auditd could not write everything"),
    "auditd_killed": ("auditd was killed", "auditd was killed"),
    "truncated": ("a log was truncated", "a log was truncated"),
    "replaced": ("a log was replaced", "a log was replaced"),
    "deleted": ("a log was deleted", "a log was deleted"),
    "rotated_away": ("a log was rotated away unread", "a log was rotated away unread"),
}


class _Period(Struct):
    """`counts` is by reason; None where a number is not known."""

    since: float
    until: float
    counts: dict[str, int | None]


class _Fresh(Struct):
    """What of a period is not handed out yet."""

    since: float
    until: float
    period: _Period


class UnseenTimes:
    """Losses → periods → gaps. `fresh` hands out what the losses since the last call changed."""

    def __init__(self) -> None:
        self.evictions = 0
        self._hosts: dict[str, list[_Period]] = {}
        self._fresh: dict[str, list[_Fresh]] = {}
        self._dirty: set[str] = set()
        self._gone: set[str] = set()

    def note(self, lost: Lost, host: str) -> None:
        """Something of this host was lost."""
        if lost.why in _HIDES_NOTHING:
            return
        since, until = min(lost.at, lost.at if lost.since is None else lost.since), lost.at
        periods = self._hosts.pop(host, [])
        self._hosts[host] = periods  # the last host is the one that lost something last
        near = next((one for one in periods if since <= one.until + MARGIN and until >= one.since - MARGIN), None)
        if near is None:
            near = _Period(since, until, {})
            periods.append(near)
        near.since, near.until = min(near.since, since), max(near.until, until)
        before = near.counts.get(lost.why, 0)
        near.counts[lost.why] = None if before is None or lost.count is None else before + lost.count
        self._dirty.add(host)
        self._freshen(host, since, until, near)
        self._bound(host)

    def gaps(self, incident: Incident) -> tuple[Gap, ...]:
        """What the evidence of an incident lacks: one gap, or none. A loss does not lack what it speaks of."""
        if incident.host not in self._hosts or incident.of_loss:
            return ()
        host, (since, until) = incident.host, incident.span
        near = [one for one in self._hosts.get(host, ()) if _touches(one, since, until)]
        return (_gap(_whole(near)),) if near else ()

    def fresh(self) -> list[Unseen]:
        """The times in which something was lost that was noted since the last call, MARGIN added."""
        found, self._fresh = self._fresh, {}
        return [
            Unseen(host, one.since - MARGIN, one.until + MARGIN, _gap(one.period))
            for host, times in found.items()
            for one in times
        ]

    def _freshen(self, host: str, since: float, until: float, period: _Period) -> None:
        times = self._fresh.setdefault(host, [])
        known = next((one for one in reversed(times) if one.period is period), None)
        if known is not None:
            known.since, known.until = min(known.since, since), max(known.until, until)
            return
        times.append(_Fresh(since, until, period))
        if len(times) > _MOST_FRESH:
            one, other = times[:2]
            whole = _whole([one.period, other.period])
            times[:2] = [_Fresh(min(one.since, other.since), max(one.until, other.until), whole)]

    def changes(self) -> list[Snapshot]:
        """One row per host that lost something since the last call."""
        rows = [Snapshot(_STEP, host, None) for host in sorted(self._gone)]
        rows += [Snapshot(_STEP, host, msgspec.json.encode(self._hosts[host])) for host in sorted(self._dirty)]
        self._dirty, self._gone = set(), set()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        self._hosts |= read_rows(snapshots, _STEP, list[_Period])

    def _bound(self, host: str) -> None:
        periods = self._hosts[host]
        if len(periods) > _MOST_PERIODS:
            del periods[0]
            self.evictions += 1
        if len(self._hosts) > _MOST_HOSTS:
            oldest = next(iter(self._hosts))
            del self._hosts[oldest]
            self._fresh.pop(oldest, None)
            self._dirty.discard(oldest)
            self._gone.add(oldest)
            self.evictions += 1
        self._gone.discard(host)


def _touches(period: _Period, since: float, until: float) -> bool:
    return since <= period.until + MARGIN and until >= period.since - MARGIN


def _whole(periods: Sequence[_Period]) -> _Period:
    """Several as one."""
    whole = _Period(min(one.since for one in periods), max(one.until for one in periods), {})
    for one in periods:
        for why, count in one.counts.items():
            before = whole.counts.get(why, 0)
            whole.counts[why] = None if before is None or count is None else before + count
    return whole


def _gap(period: _Period) -> Gap:
    said = [_say(why, count) for why, count in sorted(period.counts.items())]
    times = f"between {_instant(period.since)} and {_instant(period.until)}"
    return Gap(*INCOMPLETE, f"{times}: {'; '.join(said)}")


def _say(why: str, count: int | None) -> str:
    known, unknown = _SAID.get(why, (f"{why.replace('_', ' ')}: {{}}", why.replace("_", " ")))
    return unknown if count is None else known.format(count)


def _instant(at: float) -> str:
    moment = datetime.fromtimestamp(min(max(at, _FIRST), _LAST), tz=UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
