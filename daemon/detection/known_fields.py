"""Whether a field can stand in events of a logsource, and which was meant where it cannot.

A right rule is never accused: records of JSON and of the journal may have fields that nobody lists, and so may those of
auditd. Where such records are read, a field is doubted only if it is one slip of the keyboard away from a known one.
"""

import difflib
import re
from collections.abc import Collection, Iterable
from functools import cache

from daemon.detection.attributes import suggestion
from daemon.detection.folding import fold
from daemon.model import Logsource
from daemon.model.audit_keys import AUDIT_KEYS, SIGMA
from daemon.model.fields import CATEGORIES, SERVICES
from daemon.model.gauge_names import GAUGES, metric_fields

KNOWN_CATEGORIES = (*list(CATEGORIES)[:3], *GAUGES, "evidence_loss")
KNOWN_SERVICES = ("auditd", *SERVICES)
_PROGRAMS = {
    **dict.fromkeys(("ssh", "openssh", "sshd-session", "sftp"), "sshd"),
    **dict.fromkeys(("su", "login", "pam", "secure", "authpriv", "authlog", "useradd", "usermod", "passwd"), "auth"),
    **dict.fromkeys(("audit", "auditlog", "linux_audit"), "auditd"),
    **dict.fromkeys(("crond", "crontab", "anacron"), "cron"),
    **dict.fromkeys(("kernel", "kern", "systemd", "messages", "daemon", "dmesg", "journald"), "syslog"),
    "clamd": "clamav",
}
"""What people call a service, and what Sigma does."""
_ARGUMENT = re.compile(r"a\d{1,7}")
_OF_JOURNAL = re.compile(r"[A-Z_][A-Z0-9_]*")
_OF_JOURNALD = re.compile(r"__?[A-Z][A-Z0-9_]*")
"""Fields that no log of text has: a rule that names one is for hosts with a journal, here or not."""
_SHORTEST = 4
"""Characters of a name from which on another that differs in one is no accident."""
_LONG = 6
"""Characters of a name from which on its first letter, too, is mistyped rather than another's."""
_SINGLE = frozenset(
    {
        *("CommandLine", "ParentCommandLine", "CurrentDirectory", "TargetFilename", "User", "LogonId", "ProcessId"),
        *("DestinationIp", "DestinationPort", "SourceIp", "SourcePort", "Initiated"),
    }
)
"""Fields of events made here that have one value (`Image` may have two: the program and the link to it)."""
_CLOSED = ("action", "result")
"""Fields whose values are all listed."""
_CALLED = {
    "Image": ("exe", "comm", "ProcessName", "ProcessPath", "process", "NewProcessName", "executable", "program"),
    "CommandLine": ("cmd", "cmdline", "proctitle", "ProcessCommandLine", "args", "a0", "a1", "a2", "argv", "command"),
    "ParentImage": ("ParentProcess", "ParentProcessName", "ParentProcessPath", "ParentExe", "pexe"),
    "CurrentDirectory": ("cwd", "pwd", "WorkingDirectory"),
    "ProcessId": ("pid",),
    "ParentProcessId": ("ppid",),
    "TargetFilename": ("path", "file", "filename", "FilePath", "name", "TargetObject"),
    "DestinationIp": ("dst_ip", "dest_ip", "dst", "DstIp", "RemoteIp", "RemoteAddress", "addr"),
    "DestinationPort": ("dst_port", "dest_port", "dport", "DstPort", "RemotePort"),
    "SourceIp": ("src_ip", "src", "SrcIp"),
    "SourcePort": ("src_port", "sport", "SrcPort"),
    "src_ip": ("source_ip", "SourceIp", "IpAddress", "client_ip", "rhost", "addr", "remote_ip"),
    "src_port": ("source_port", "SourcePort", "port"),
    "user": ("username", "UserName", "TargetUserName", "account", "login"),
    "User": ("username", "account", "SubjectUserName", "TargetUserName"),
    "Message": ("msg", "text", "log", "raw", "event"),
    "program": ("process", "ProcessName", "appname", "ident", "tag"),
}
"""Our names ← what other tools and taxonomies call the same."""
_RECORD_NAMES = ("User", "Image", "ProcessId", "ParentProcessId", "LogonId")


@cache
def fields_of(logsource: Logsource) -> frozenset[str] | None:
    """Every field that is known of events of a logsource; None where they may be anything."""
    if logsource.product not in {"", "linux"} or (logsource.category and logsource.service):
        return None
    if logsource.category:
        return _of_category(logsource.category)
    if logsource.service == "auditd":
        return AUDIT_KEYS | frozenset(_RECORD_NAMES) | frozenset(SERVICES["clamav"])
    if not logsource.service:
        return frozenset().union(*SERVICES.values(), *CATEGORIES.values(), *SIGMA.values(), AUDIT_KEYS)
    return frozenset(SERVICES[logsource.service]) if logsource.service in SERVICES else None


def value_meant(field: str, value: str, logsource: Logsource) -> str:
    """The value that was meant where what a rule asks for is none of those that a field has here, and nearly one."""
    own = SERVICES.get(logsource.service, {}) if logsource.product in {"", "linux"} and not logsource.category else {}
    if field not in _CLOSED or field not in own:
        return ""
    known = own[field][1].split(", ")
    return "" if value in known else next(iter(difflib.get_close_matches(value, known, n=1, cutoff=0.8)), "")


def single_in(logsource: Logsource) -> frozenset[str]:
    """The fields that have one value at most in events that are made here of a logsource."""
    made = logsource.product in {"", "linux"} and logsource.category in CATEGORIES and not logsource.service
    return _SINGLE & CATEGORIES[logsource.category].keys() if made else frozenset()


def _of_category(category: str) -> frozenset[str] | None:
    if category in GAUGES:
        return metric_fields(category)
    own = CATEGORIES.get(category)
    return None if own is None else frozenset(own) | SIGMA.get(category, frozenset())


def meant(name: str, known: Collection[str]) -> str:
    """` – did you mean …?` for a category or service that people call otherwise than Sigma, or that is mistyped."""
    near = _PROGRAMS.get(name) if "sshd" in known else None
    return f" – did you mean {near}?" if near else suggestion(name, known)


def doubt(field: str, logsource: Logsource, *, json_lines: bool, journal: bool) -> str:
    """What was expected in place of a field, "" where it may well be there."""
    known = fields_of(logsource)
    if known is None or field in known or (logsource.service == "auditd" and _ARGUMENT.fullmatch(field)):
        return ""
    is_open = _is_open(field, logsource, json_lines=json_lines, journal=journal)
    enriched = field.isupper() and field.endswith("ID")  # auditd adds one beside each id that it names
    text_alone = logsource.service == "auditd" and not (
        json_lines or enriched or (journal and _OF_JOURNAL.fullmatch(field))
    )
    near = _near(field, known, slips_alone=is_open and not logsource.category and not text_alone)
    if near and fold(near) == fold(field):
        alike = sorted(name for name in known if fold(name) == fold(field))
        return f"expected {' or '.join(alike)}: names of fields keep their case (got {field})"
    if is_open and not near:
        return ""
    close = near or _alike(field, known)
    what = logsource.category or (f"service {logsource.service}" if logsource.service else "some event")
    return f"expected a field of {what} (got {field})" + (f" – did you mean {close}?" if close else "")


def _is_open(field: str, logsource: Logsource, *, json_lines: bool, journal: bool) -> bool:
    """Whether records that we know nothing of may have such a field."""
    if logsource.category in {*GAUGES, "evidence_loss"}:
        return False  # nobody but our own samplers makes them
    if json_lines:
        return True
    if logsource.service == "auditd":
        return not any(field in one for one in CATEGORIES.values())
    if not logsource.service:
        return not logsource.category
    return _OF_JOURNALD.fullmatch(field) is not None or (journal and _OF_JOURNAL.fullmatch(field) is not None)


def _near(field: str, known: Iterable[str], *, slips_alone: bool) -> str:
    """The field that was meant, where one slip of the keyboard made this of it, or its case or hyphens are others.

    `slips_alone`: other tools have fields of their own beside ours that differ in case alone (`MESSAGE`, `message`).
    """
    plain = "" if slips_alone else _plain(field)
    near = [name for name in known if _plain(name) == plain or (len(name) >= _SHORTEST and _is_slip(field, name))]
    return min(near, key=lambda name: (_plain(name) != plain, name), default="")


def _plain(name: str) -> str:
    return fold(name).replace("-", "").replace("_", "") if len(name) >= _SHORTEST else fold(name)


def _alike(field: str, known: Collection[str]) -> str:
    """The field that others call so, else one that begins so, else the one that looks most like it."""
    called = next((ours for ours, others in _CALLED.items() if ours in known and fold(field) in map(fold, others)), "")
    longer = min((name for name in known if fold(name).startswith(fold(field))), key=lambda n: (len(n), n), default="")
    close = difflib.get_close_matches(field, sorted(known), n=1, cutoff=0.65)
    return called or (longer if len(field) >= _SHORTEST else "") or (close[0] if close else "")


def _is_slip(typed: str, meant: str) -> bool:
    """Whether one letter is missing, too many, another, or has changed places with its neighbour. A digit more or less,
    or an `s` at the end, is another name.
    """
    if abs(len(typed) - len(meant)) > 1 or fold(typed) == fold(meant):
        return False
    if len(meant) < _LONG and typed[:1] != meant[:1]:
        return False
    start = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant)))
    one, other = typed[start:], meant[start:]
    if {one, other} in ({"", "s"}, {"s", ""}) or (one[:1] + other[:1]).strip("0123456789") != one[:1] + other[:1]:
        return False
    return (
        one[1:] == other  # too many
        or one == other[1:]  # missing
        or one[1:] == other[1:]  # another
        or (one[1::-1] == other[:2] and one[2:] == other[2:])  # changed places
    )
