"""What the kernel and auditd say of audit records that they dropped, where they say it: in the system's log.

The kernel (kernel/audit.c) prints `audit: audit_lost=59 audit_rate_limit=0 audit_backlog_limit=20`, a count since boot,
and then the reason in a line of its own; either may be missing, because the kernel prints only so much. auditd (its
auditd-event.c and auditd-dispatch.c) says when it stops writing, cannot write, or has no room for what it hands on.

The kernel tells of a loss as it happens, but says no more than ten things in five seconds (`printk_ratelimit`): what it
did not tell of lies near the message before or near this one, however long it was silent between them.

Bounded: hosts; of more, the one that lost nothing for longest is forgotten. Should it lose something again, all that it
lost since its boot is told.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from daemon.model import Lost, Snapshot
from daemon.model.stored_rows import read_rows

_MAX_HOSTS = 256
_NEAR = 60.0  # seconds before a message in which what it counts was lost, if not near the one before
_TOGETHER = 2.0  # seconds within which a reason belongs to the count that was told before it
_STAMP = r"(?:\[ *[0-9.]{1,32}\] ?)?"
_AUDIT_LOST = re.compile(_STAMP + r"audit: audit_lost=([0-9]{1,10})(?: |$)")
_REASON = re.compile(
    _STAMP + r"audit: (backlog limit exceeded|rate limit exceeded|kauditd (?:hold|retry|main) queue overflow|"
    r"out of memory in [a-z_]{1,40})$"
)
_GONE = re.compile(_STAMP + r"audit: \*NO\* daemon at audit_pid=[0-9]{1,10}$")
_RESET = re.compile(_STAMP + r"(?:audit: )?type=1305 audit\([0-9.:]{1,40}\): ?(?:.* )?lost=0 old=[0-9]{1,10}(?: |$)")
_ONE = re.compile(
    r"(?:dispatch err \(pipe full\) event lost|queue (?:to plugins )?is full - dropping event)\b.{0,80}", re.DOTALL
)
_SOME = re.compile(
    r"(?:Audit daemon is suspending logging\b|Audit daemon has no space left on logging partition|"
    r"Audit daemon detected an error writing an event to disk|dispatch error reporting limit reached|"
    r"The audit daemon is now (?:halting the system|changing the system to single user mode)\b).{0,200}",
    re.DOTALL,
)
AUDITD = frozenset({"auditd", "audispd", "audisp-syslog"})
"""Programs in whose name auditd speaks."""


class _Host(Struct):
    """The kernel's count when it was last told, and when that was."""

    total: int = 0
    told_at: float | None = None


class KernelLosses:
    """Messages of one source → `Lost`: what the kernel dropped (`audit_backlog`), what auditd did (`audit_daemon`).

    The kernel's number counts from boot, so the difference to the last one is what was lost since; a smaller one is a
    new boot.
    """

    def __init__(self, source: str) -> None:
        self.evictions = 0
        self._source = source
        self._step = f"kernel_losses:{source}"
        self._hosts: dict[str, _Host] = {}
        self._dirty: set[str] = set()
        self._gone: set[str] = set()
        self.heard = False
        """Whether the kernel ever said here that records are lost."""

    def feed(self, host: str, message: str, at: float) -> list[Lost]:
        """Look at one message of the kernel; `host` is "" for this one."""
        if "audit" not in message:
            return []
        match = _AUDIT_LOST.match(message)
        if match is not None:
            return self._count(host, int(match[1]), at)
        if _RESET.match(message) and host in self._hosts:
            self._note(host, _Host())
        return self._reason(host, message, at)

    def feed_auditd(self, host: str, message: str, at: float) -> list[Lost]:
        """Look at one message of auditd."""
        one = _ONE.match(message)
        said = one or _SOME.match(message)
        if said is None:
            return []
        detail = f"auditd: {said[0]}"
        return [Lost(self._source, "audit_daemon", 1 if one is not None else None, at, detail, at, host)]

    def changes(self) -> list[Snapshot]:
        """One small row per host that lost something; an empty one for a host that was forgotten."""
        rows = [Snapshot(self._step, host, None) for host in sorted(self._gone)]
        rows += [Snapshot(self._step, host, msgspec.json.encode(self._hosts[host])) for host in sorted(self._dirty)]
        self._dirty, self._gone = set(), set()
        return rows

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take back stored rows; those of other steps, and broken ones, are ignored."""
        rows: Iterator[tuple[str, _Host | int]] = read_rows(snapshots, self._step, _Host | int)  # type: ignore[arg-type]  # mypy takes a union for no type
        for host, held in rows:
            self._hosts[host] = held if isinstance(held, _Host) else _Host(held)
            self.heard = True
        self._hosts = dict(sorted(self._hosts.items(), key=lambda pair: pair[1].told_at or 0.0))

    def _count(self, host: str, total: int, at: float) -> list[Lost]:
        known = self._hosts.get(host, _Host())
        if total == known.total:
            return []
        self.heard = True
        self._note(host, _Host(total, at))
        count = total - known.total if total > known.total else total
        since = None if known.told_at is None or total < known.total else min(at, max(known.told_at, at - _NEAR))
        detail = f"the kernel of {host or 'this host'} dropped audit records: {total} since its count began"
        return [Lost(self._source, "audit_backlog", count, at, detail, since, host)]

    def _note(self, host: str, state: _Host) -> None:
        """Keep the state of a host, behind those that lost something before."""
        self._hosts.pop(host, None)
        self._hosts[host] = state
        self._dirty.add(host)
        self._gone.discard(host)
        if len(self._hosts) > _MAX_HOSTS:
            oldest = next(iter(self._hosts))
            del self._hosts[oldest]
            self._dirty.discard(oldest)
            self._gone.add(oldest)
            self.evictions += 1

    def _reason(self, host: str, message: str, at: float) -> list[Lost]:
        """A reason without a number; nothing where the number was told just before it."""
        known = self._hosts.get(host)
        if known is not None and known.told_at is not None and 0 <= at - known.told_at <= _TOGETHER:
            return []
        reason, gone = _REASON.match(message), _GONE.match(message)
        if reason is not None:
            detail = f"the kernel of {host or 'this host'} dropped audit records: {reason[1]}"
            return [Lost(self._source, "audit_backlog", None, at, detail, at, host)]
        if gone is not None:
            detail = f"the kernel of {host or 'this host'} finds that auditd is gone"
            return [Lost(self._source, "auditd_killed", None, at, detail, at, host)]
        return []
