# ruff: noqa: A005 - imports are absolute here, and the format has this name
"""The grammar of a syslog line: RFC 3164, RFC 5424, and RFC 3164 with ISO stamps as rsyslog writes them today.

vsftpd's own log is understood too, because Sigma has a service for it and it has a stamp and a pid.
"""

import re

from msgspec import Struct

from daemon.events.messages import understand, unfold
from daemon.events.stamps import Stamps
from daemon.model import Value

_PRIORITY = r"(?:<(?P<priority>[0-9]{1,3})>)?"
_TAG = r"(?P<program>[^ :\[]{1,128})(?:\[(?P<pid>[^\]]{0,64})\])?:? ?(?P<message>.*)"
_ISO = (
    r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"
)
_BSD = r"(?P<bsd>[A-Z][a-z]{2} {1,2}[0-9]{1,2} (?:[0-9]{4} )?[0-9:]{8})(?:\.[0-9]{1,9})?"
_SD_VALUE = r"\"(?:[^\"\\]|\\.)*+\""
_STRUCTURED = rf"(?:-|(?:\[(?:[^\]\\\"]|{_SD_VALUE}|\\.)*+\])++)"
_RFC3164 = re.compile(rf"{_PRIORITY}{_BSD} (?P<host>[^ ]{{1,255}}) {_TAG}", re.DOTALL)
_ISO_STAMPED = re.compile(rf"{_PRIORITY}{_ISO} (?P<host>[^ ]{{1,255}}) {_TAG}", re.DOTALL)
_RFC5424 = re.compile(
    rf"<(?P<priority>[0-9]{{1,3}})>1 (?:-|{_ISO}) (?P<host>[^ ]{{1,255}}) (?P<program>[^ ]{{1,128}}) "
    rf"(?P<pid>[^ ]{{1,128}}) [^ ]{{1,32}} {_STRUCTURED} ?\ufeff?(?P<message>.*)",
    re.DOTALL,
)
_VSFTPD = re.compile(
    r"[A-Z][a-z]{2} (?P<bsd>[A-Z][a-z]{2} {1,2}[0-9]{1,2} [0-9:]{8}) (?P<year>[0-9]{4}) "
    r"\[pid (?P<pid>[0-9]{1,10})\] (?P<message>.*)",
    re.DOTALL,
)
_UNMARKED = (_RFC3164, _VSFTPD)
_MARKED = (_RFC3164, _ISO_STAMPED, _RFC5424)
_RFC3164_PARTS = ("bsd", "priority", "host", "program", "pid", "message")
_ISO_PARTS = ("iso", "priority", "host", "program", "pid", "message")
_DIGITS = frozenset("0123456789")
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


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
    match = _match(line)
    if match is None:
        return None
    try:
        if match.re is _VSFTPD:
            return _vsftpd_head(match, stamps)
        if match.re is _RFC3164:
            stamp, priority, host, program, pid, message = match.group(*_RFC3164_PARTS)
            at = stamps.unzoned(stamp)
        else:
            stamp, priority, host, program, pid, message = match.group(*_ISO_PARTS)
            at = stamps.iso(stamp) if stamp else None
    except (ValueError, OverflowError, OSError):
        return None
    times = 1
    if message.startswith("message repeated "):
        times, message = unfold(message)
    pid = "" if pid is None or pid == "-" else pid
    return Head(at, host, program, pid, message, int(priority) if priority else None, times)


def _vsftpd_head(match: re.Match[str], stamps: Stamps) -> Head:
    month, day, clock = match["bsd"].split()
    return Head(stamps.bsd(month, day, clock, match["year"]), "", "vsftpd", match["pid"], match["message"])


def _match(line: str) -> re.Match[str] | None:
    first = line[:1]
    if first in _DIGITS:
        return _ISO_STAMPED.match(line)
    for head in _MARKED if first == "<" else _UNMARKED:
        found = head.match(line)
        if found is not None:
            return found
    return None


def looks_like_syslog(line: str) -> bool:
    """Whether a line has the shape of one, whatever its date."""
    return _match(line) is not None


def syslog_fields(head: Head) -> tuple[str, dict[str, Value]]:
    """Sigma's service of a line, and its fields: those of the head, then those that its program is known to write."""
    facility = None if head.priority is None else head.priority >> 3
    fields: dict[str, Value] = {"program": head.program, "Message": head.message}
    if head.pid:
        fields["pid"] = head.pid
    if head.host:
        fields["hostname"] = head.host
    if facility is not None and head.priority is not None and facility < len(FACILITIES):
        fields["facility"] = FACILITIES[facility]
        fields["severity"] = SEVERITIES[head.priority & 7]
    service, said = understand(head.program, head.message, facility)
    fields.update(said)
    return service, fields
