# ruff: noqa: A005 - imports are absolute here, and the format has this name
"""The grammar of a syslog line: RFC 3164, RFC 5424, and RFC 3164 with ISO stamps as rsyslog writes them today.

vsftpd's own log is understood too, because Sigma has a service for it and it has a stamp and a pid.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from daemon.events.messages import parse_message, service_of, unfold
from daemon.events.stamps import Stamps
from daemon.model import Value

_PRIORITY = r"(?:<(?P<priority>[0-9]{1,3})>)?"
_TAG = r"(?P<program>[^ :\[]{1,128})(?:\[(?P<pid>[^\]]{0,64})\])?:? ?(?P<message>.*)"
_ISO = (
    r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"
)
_BSD = (
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2}) (?:(?P<year>[0-9]{4}) )?(?P<clock>[0-9:]{8})(?:\.[0-9]{1,9})?"
)
_HEADS = (
    re.compile(rf"{_PRIORITY}{_BSD} (?P<host>[^ ]{{1,255}}) {_TAG}", re.DOTALL),
    re.compile(rf"{_PRIORITY}{_ISO} (?P<host>[^ ]{{1,255}}) {_TAG}", re.DOTALL),
    re.compile(
        r"<(?P<priority>[0-9]{1,3})>1 (?:-|" + _ISO + r") (?P<host>[^ ]{1,255}) (?P<program>[^ ]{1,128}) "
        r"(?P<pid>[^ ]{1,128}) [^ ]{1,32} (?:-|(?:\[(?:[^\]\\\"]|\"(?:[^\"\\]|\\.)*\"|\\.)*\])+) ?(?P<message>.*)",
        re.DOTALL,
    ),
    re.compile(
        r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2}) (?P<clock>[0-9:]{8}) (?P<year>[0-9]{4}) "
        r"\[pid (?P<pid>[0-9]{1,10})\] (?P<message>.*)",
        re.DOTALL,
    ),
)
_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)
_SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


class Head(Struct, frozen=True):
    """A line taken apart. `at` is None where the line has no stamp of its own, or none that anybody can mean.

    `times` is how many messages the line stands for: `message repeated N times: […]` (rsyslog) has the repeated message
    as `message`.
    """

    at: float | None
    host: str
    program: str
    pid: str
    message: str
    priority: int | None = None
    times: int = 1


def parse_head(line: str, stamps: Stamps) -> Head | None:
    """The head of a line; None when it is no syslog line, or its date does not exist."""
    match = next((found for found in (head.match(line) for head in _HEADS) if found), None)
    if match is None:
        return None
    parts = match.groupdict()
    try:
        at = _moment(parts, stamps)
    except (ValueError, OverflowError, OSError):
        return None
    pid = parts["pid"] or ""
    priority = parts.get("priority")
    times, message = unfold(parts["message"])
    return Head(
        at,
        parts.get("host") or "",
        parts.get("program") or "vsftpd",
        "" if pid == "-" else pid,
        message,
        int(priority) if priority else None,
        times,
    )


def looks_like_syslog(line: str) -> bool:
    """Whether a line has the shape of one, whatever its date."""
    return any(head.match(line) for head in _HEADS)


def syslog_fields(head: Head) -> tuple[str, dict[str, Value]]:
    """Sigma's service of a line, and its fields: those of the head, then those that its program is known to write."""
    facility = None if head.priority is None else head.priority >> 3
    fields: dict[str, Value] = {"program": head.program, "Message": head.message}
    if head.pid:
        fields["pid"] = head.pid
    if head.host:
        fields["hostname"] = head.host
    if facility is not None and head.priority is not None and facility < len(_FACILITIES):
        fields["facility"] = _FACILITIES[facility]
        fields["severity"] = _SEVERITIES[head.priority & 7]
    fields.update(parse_message(head.program, head.message))
    return service_of(head.program, facility), fields


def _moment(parts: Mapping[str, str | None], stamps: Stamps) -> float | None:
    iso, month, day, clock = parts.get("iso"), parts.get("month"), parts.get("day"), parts.get("clock")
    if iso:
        return stamps.iso(iso)
    if month and day and clock:
        return stamps.bsd(month, day, clock, parts.get("year"))
    return None
