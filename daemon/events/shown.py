"""How the text that is scanned before events are made shows the fields that the events will have.

A rule that wants `Image` to end in `/curl` cannot match an audit event whose text has no `/curl"`. The functions here
know that, for a field, a folded literal and the way in which the value has it (`is`, `contains`, `starts`, `ends`;
`long` with a number of characters): they return what must stand in the text, one of several, or None where nothing is
known. Field None is the text of a line or record, which keywords search.
"""

import re
from collections.abc import Mapping

ACTIVITY = "\0activity"
"""Stands for the text of an event that several records make: `name="value"` of each of its fields."""
LONG = "\x02"
"""Stands in the text of an event that has a program or a path of LONGEST_ORDINARY bytes or more."""
USER = "\x01"
"""Stands before the name of who made a call, beside the quoted names of all its ids."""
WORD = "\0word:"
"""Begins a name that stands as a word of its own: no letter, digit, `_`, `-` or `/` touches it, nor a point before."""
LONGEST_ORDINARY = 64
AUDIT = "\0audit"
"""Stands for the word in its name where it is not that of a `msg=audit(`, which begins every record."""
AUDIT_EXPRESSIONS: Mapping[str, bytes] = {
    AUDIT: rb"audit[^(]|[^=]audit|[^g]=audit|[^s]g=audit|[^m]sg=audit",
}
"""What to look for in the place of a name that is no literal, in the syntax of hyperscan."""

_QUOTED = frozenset(
    {
        *("Image", "CommandLine", "CurrentDirectory", "ParentImage", "ParentCommandLine", "ParentUser", "User"),
        *("TargetFilename", "DestinationIp", "DestinationPort", "SourceIp", "SourcePort"),
    }
)
_NUMBERS: Mapping[str, str] = {"ProcessId": "pid", "ParentProcessId": "ppid", "LogonId": "auid"}
_CLEAN = frozenset({"Image", "TargetFilename", "exe", "name"})
_CONSTANT = frozenset({"Initiated", "incomplete"})
_STRIPPED = frozenset({"exe", "hostname", "addr", "terminal", "res"})
_HIDDEN = "audit"
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NO_KEY = re.compile(r"[^a-z= ]")


def audit_shows(field: str | None, literal: str, way: str) -> frozenset[str] | None:
    """For the text of a whole audit event as `whole_events` writes it: records with their values decoded, and besides,
    in quotes, the values that are made of several records.
    """
    if way == "long":
        return frozenset({LONG}) if field in _CLEAN and int(literal) >= LONGEST_ORDINARY else None
    if field == ACTIVITY:
        literal = max((word for word in re.split('[" ]', literal) if _NO_KEY.search(word)), key=len, default="")
        return None if _is_masked(literal) else frozenset({literal})
    if field in _CONSTANT or (field is None and _is_masked(literal)):
        return None
    return frozenset(AUDIT if one == _HIDDEN else one for one in _shown(field, literal, way))


def _shown(field: str | None, literal: str, way: str) -> tuple[str, ...]:
    if field is None or not literal.isprintable():
        return (literal,)
    if field in _QUOTED:
        opened = "" if way in {"contains", "ends"} else USER if field == "User" else '"'
        return (opened + literal + ('"' if way in {"is", "ends"} else ""),)
    if way not in {"is", "starts"} or field in _STRIPPED or not _KEY.fullmatch(field):
        return (literal,)
    keys = {"nametype": ("nametype", "objtype")}.get(field, (_NUMBERS.get(field, field).lower(),))
    end = '"' if way == "is" else ""
    return tuple(shown for key in keys for shown in (f'{key}="{literal}{end}', f"{key}={literal}"))


def _is_masked(literal: str) -> bool:
    """Whether a keyword may be found in the `audit` of a `msg=audit(`, which begins every record."""
    beginnings = tuple(f"={_HIDDEN[:length]}" for length in range(1, len(_HIDDEN) + 1))
    ends = tuple(f"{_HIDDEN[start:]}(" for start in range(len(_HIDDEN)))
    return literal in _HIDDEN or literal.endswith(beginnings) or literal.startswith(ends) or f"={_HIDDEN}(" in literal


def show_records(texts: bytes) -> bytes:
    """The texts of whole events, one after the other, as they are looked through: with a blank for the separator of
    auditd. As long as they were.
    """
    return texts.replace(b"\x1d", b" ")


SYSLOG_SPECIAL = (
    *("audit_lost=", "message repeated", "audit(", "audit: backlog", "audit: rate limit", "audit: out of memory"),
    *("queue overflow", "audit_pid=", "audit daemon", "dispatch err", "dropping event"),
)
"""What a syslog line may hold that the reader itself must see, or that is read in other words than it has."""
_MADE_UP = frozenset({"action", "result", "invalid_user", "facility", "severity", "repeat", "repeat_omitted"})
"""Fields of syslog events whose values are our words; all others are parts of the line."""
_NAMES = frozenset({"user", "target", "group"})
_BEFORE_AS_USER = ("(to ", " to ", " for ", ":", "=")
"""What stands before the name of whom somebody becomes: su's, polkit's and pkexec's words."""
_SAID: Mapping[tuple[str | None, str], frozenset[str]] = {
    ("invalid_user", "true"): frozenset({"invalid user ", "illegal user "}),
    ("action", "cron_cmd"): frozenset({") cmd ("}),
    ("action", "login"): frozenset({"accepted ", "login on ", "root login ", "ok login"}),
    ("action", "login_failed"): frozenset({"failed ", "fail login", "invalid password for "}),
    ("action", "member_added"): frozenset({"group "}),
    ("action", "password_changed"): frozenset({"password for ", "password changed for "}),
    ("action", "su"): frozenset({"(to ", "su for ", "bad su "}),
    ("action", "sudo"): frozenset({" ; command="}),
    ("action", "sudo_refused"): frozenset({" ; command="}),
    ("action", "sudo_warning"): frozenset({" ; command="}),
    ("action", "timeout"): frozenset({"timeout ", "timed out"}),
    ("action", "unit_exited"): frozenset({"process exited, "}),
    ("action", "unit_failed"): frozenset({"failed with result ", "entered failed state"}),
    ("action", "unit_oom"): frozenset({"oom killer", "oomd killed"}),
    ("action", "unit_restart"): frozenset({"scheduled restart job", "scheduling restart"}),
    ("action", "unit_start_limit"): frozenset({"repeated too quickly"}),
    ("action", "user_added"): frozenset({"new user: "}),
}
"""Field and value → what a line with it says, one of these. Of other values nothing is known here."""


def syslog_shows(field: str | None, literal: str, way: str) -> frozenset[str] | None:
    """For a line of syslog as it stands, unless it holds one of SYSLOG_SPECIAL."""
    if way == "long" or field in _MADE_UP:
        return _SAID.get((field, literal)) if way == "is" else None
    if way == "is" and field == "as_user":
        return frozenset(before + literal for before in _BEFORE_AS_USER)
    if way == "is" and field in _NAMES:
        return frozenset({WORD + literal})
    return frozenset({literal})
