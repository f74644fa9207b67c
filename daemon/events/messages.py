"""What a program says → fields, by the program that says it; and the messages that one line stands for.

Anybody may write lines in any program's name (`logger -t sshd`). What a real program writes cannot be bent: each of the
modules that know one (`sshd`, `sudo`, `pam` …) says which words of a line are the program's own, and reads only these.
Every pattern is linear in the length of the message, and nothing longer than 16,384 characters is looked at.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from daemon.events.accounts import parse_account
from daemon.events.audit_in_syslog import RECORDERS, is_record, parse_syslogged_record
from daemon.events.cron import parse_cron
from daemon.events.kernel import parse_kernel
from daemon.events.logins import LOGINS
from daemon.events.pam import parse_pam
from daemon.events.peers import Fields
from daemon.events.programs import is_account_tool, plain_name, service_of
from daemon.events.sshd import parse_sshd
from daemon.events.sudo import parse_sudo
from daemon.events.units import parse_unit
from daemon.events.vsftpd import parse_vsftpd

__all__ = ["parse_message", "service_of", "understand", "unfold"]

_FOLDED = re.compile(r"message repeated ([0-9]{1,9}) times: \[ ?(.*)\]", re.DOTALL)
_REPEATED = re.compile(r"(?:last )?message repeated (?P<times>[0-9]{1,9}) times")
_LONGEST = 16_384
_BY_SERVICE: dict[str, Callable[[str], Fields]] = {
    "sshd": parse_sshd,
    "sudo": parse_sudo,
    "cron": parse_cron,
    "vsftpd": parse_vsftpd,
}
_OWN_PAM = {"sshd", "sudo"}


def unfold(message: str) -> tuple[int, str]:
    """How many messages a text stands for, and the one: rsyslog writes `message repeated N times: [ …]` for N that
    came after one that it wrote out (`$RepeatedMsgReduction on`, the default of Ubuntu). It folds once, never twice.
    """
    folded = _FOLDED.fullmatch(message) if message.startswith("message repeated ") else None
    return (1, message) if folded is None else (max(1, int(folded[1])), folded[2])


def understand(program: str, message: str, facility: int | None = None) -> tuple[str, Fields]:
    """Sigma's service of a message and the fields that it has beside its text; none for what we know nothing of.

    PAM's words belong to `auth`, unless sshd's or sudo's name stands before them.
    """
    name, service, parse = _route(program, facility)
    message = message.removesuffix("\r")  # of a relay that ends lines in CR LF
    if len(message) > _LONGEST:
        return service, {}
    if name in RECORDERS and is_record(name, message):
        fields = parse_syslogged_record(name, message)
        if fields:
            return "auditd", fields
    if message.startswith(("pam_", "PAM ")):
        fields = parse_pam(message)
        if fields:
            return service if service in _OWN_PAM else "auth", fields
    return service, parse(message) if parse is not None else {}


@lru_cache(maxsize=1024)
def _route(program: str, facility: int | None) -> tuple[str, str, Callable[[str], Fields] | None]:
    """A program's plain name, its service, and who understands it."""
    name = plain_name(program)
    service = service_of(name, facility)
    own = parse_account if is_account_tool(name) else _BY_PROGRAM.get(name)
    return name, service, _BY_SERVICE.get(service_of(name)) or own


def _parse_repeated(message: str) -> Fields:
    """`last message repeated N times` (sysklogd, BusyBox): it names neither the message nor who said it."""
    found = _REPEATED.fullmatch(message)
    return {"action": "repeated", "times": found["times"]} if found else {}


def parse_message(program: str, message: str) -> Fields:
    """The fields alone."""
    return understand(program, message)[1]


_BY_PROGRAM: dict[str, Callable[[str], Fields]] = {
    **LOGINS,
    "kernel": parse_kernel,
    "systemd": parse_unit,
    **dict.fromkeys(("last", "syslogd", "rsyslogd"), _parse_repeated),
}
