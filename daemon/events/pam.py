"""What PAM modules say in any program's log → fields: `pam_unix(sshd:auth): …`, `PAM 2 more authentication …; …`.

`PAM N more authentication failures` stays one event, with N as `failures`. pam_unix says it when a connection ends, of
attempts that the program has logged one by one when they happened (sshd's `Failed password`, login's `FAILED LOGIN`,
vsftpd's `FAIL LOGIN`, sudo's own count). N events more, all at that instant, would count each attempt twice; who wants
PAM's own count sums `failures` (`value_sum`), where the first failure's line has "1".

The user's name comes last and may hold anything, and so may the name on the other side (`ruser`), which an FTP server
fills with what the client typed: with more than one ` rhost=` in a line only the reading in which both names agree, or
in which there is no name on the other side (sshd), gives an address.
"""

import re

from daemon.events.peers import Fields, source_fields
from daemon.model import Value

_HEAD = re.compile(r"(?P<module>pam_[a-z0-9_]{1,32})\((?P<service>[^:()]{1,64}):(?P<type>[a-z]{1,16})\): ")
_MORE = re.compile(r"(?:PAM )?(?P<failures>[0-9]{1,9}) more authentication failures?; ")
_RETRIES = re.compile(r"(?:PAM )?service\((?P<service>[^()]{1,64})\) ignoring max retries; (?P<failures>[0-9]{1,9}) > ")
_BEFORE_HOST = re.compile(r"(?:logname=(?P<logname>[^ ]*) )?uid=[^ ]* euid=[^ ]* tty=(?P<tty>[^ ]*) ruser=")
_USER = re.compile(r" +user=")
_UID = re.compile(r"\(uid=(?P<uid>[0-9]{1,10}|getpwnam error)\)\Z")
_BY = re.compile(r" by (?P<by>[^ ]{0,255})\(uid=[0-9]{1,10}\)\Z")
_LONGEST_TAIL = 300
_OWN_TTYS = ("ssh", "/dev/", "tty", "pts/", ":")
"""Terminals of programs that never put what a client typed into `ruser`."""
_MOST_HOSTS = 16
_FAILED: Fields = {"action": "auth_failure", "result": "failure"}
_REST = tuple(
    (hint, action, re.compile(pattern, re.DOTALL))
    for hint, action, pattern in (
        ("check pass; ", "user_unknown", r"check pass; user (?:\((?P<user>.*)\) )?unknown"),
        (" does not exist", "user_unknown", r"user \"(?P<user>.*)\" does not exist in /etc/passwd"),
        ("password changed", "password_changed", r"password changed for (?P<target>.*)"),
        ("locked", "account_locked", r"Consecutive login failures for user (?P<user>.*) account temporarily locked"),
        (") tally ", "account_locked", r"user (?P<user>.*) \([0-9]+\) tally [0-9]+, deny [0-9]+"),
        ("has expired", "account_expired", r"account (?P<user>.*) has expired \([a-z ]*\)"),
        ("expired password", "password_expired", r"expired password for user (?P<user>.*) \([a-z ]*\)"),
        ("access denied", "access_denied", r"access denied for user `(?P<user>.*)' from `(?P<src>[^`' ]{1,255})'"),
        ("denied access", "access_denied", r"user '(?P<user>.*)' denied access \([^()']*\)"),
        ("Refused user", "access_denied", r"Refused user (?P<user>.*) for service [^ ]*"),
        ("requirement ", "access_denied", r"requirement \"[^\"]*\" not met by user \"(?P<user>.*)\""),
    )
)
_BAD = {"user_unknown", "account_locked", "account_expired", "password_expired", "access_denied"}


def parse_pam(message: str) -> Fields:
    """`pam_module`, `pam_service`, `pam_type`, and of what was said `action`, `result`, `user`, `src_ip` and others.

    Empty for what is none of PAM's.
    """
    head = _HEAD.match(message)
    if head is None:
        return _without_module(message)
    module, service, kind = head.groups()
    fields: Fields = {"pam_module": module, "pam_service": service, "pam_type": kind}
    said = message[head.end() :]
    fields.update(_session(said) if said.startswith("session ") else _said(said))
    return fields


def _without_module(message: str) -> Fields:
    return _said(message) if message.startswith("PAM ") else {}


def _said(said: str) -> Fields:
    if said.startswith("authentication failure; "):
        return {**_FAILED, "failures": "1", **_failure(said[len("authentication failure; ") :])}
    more = _MORE.match(said)
    if more is not None:
        return {**_FAILED, "failures": more["failures"], **_failure(said[more.end() :])}
    retries = _RETRIES.match(said)
    if retries is not None:
        return {"action": "max_attempts_ignored", "pam_service": retries["service"], "failures": retries["failures"]}
    for hint, action, pattern in _REST:
        found = pattern.fullmatch(said) if hint in said else None
        if found is not None:
            return _found(action, found.groupdict())
    return {}


def _found(action: str, groups: dict[str, str | None]) -> Fields:
    fields: Fields = {"action": action}
    if action in _BAD:
        fields["result"] = "failure"
    source = groups.pop("src", None)
    fields.update((key, value) for key, value in groups.items() if value)
    return fields | source_fields(source or "")


def _session(said: str) -> Fields:
    """`session opened for user U[(uid=N)][ by B(uid=M)]`, `session closed for user U`."""
    closed = said.removeprefix("session closed for user ")
    if closed != said:
        return {"action": "session_closed", "user": closed}
    tail = said[-_LONGEST_TAIL:]
    by = _BY.search(tail)
    opened = (said[: len(said) - len(tail) + by.start()] if by else said).removeprefix("session opened for user ")
    uid = _UID.search(opened[-_LONGEST_TAIL:])
    fields: Fields = {"action": "session_opened", "user": opened[: len(opened) - len(uid[0])] if uid else opened}
    extra: dict[str, Value] = {"uid": uid["uid"] if uid else "", "by": by["by"] if by else ""}
    return fields | {key: value for key, value in extra.items() if value} if opened != said else {}


def _failure(rest: str) -> Fields:
    """`logname=… uid=… euid=… tty=T ruser=R rhost=A[  user=U]`."""
    head = _BEFORE_HOST.match(rest)
    if head is None:
        return {}
    ruser, host, user = _names(rest[head.end() :], local=head["tty"].startswith(_OWN_TTYS))
    named: dict[str, Value] = {"tty": head["tty"], "ruser": ruser, "user": user}
    return {key: value for key, value in named.items() if value} | source_fields(host)


def _names(text: str, *, local: bool) -> tuple[str, str, str]:
    """The name on the other side, the host and the user of `R rhost=A[  user=U]`; host "" where it is not certain."""
    ruser, found, rest = text.partition(" rhost=")
    if (local and not ruser) or " rhost=" not in rest:
        host, user, complete = _host_and_user(rest)
        return (ruser, host, user) if found and complete else ("", "", "")
    parts = text.split(" rhost=", _MOST_HOSTS)
    readings = [
        (" rhost=".join(parts[:number]), *_host_and_user(" rhost=".join(parts[number:])))
        for number in range(1, len(parts))
    ]
    whole = [(ruser, host, user) for ruser, host, user, complete in readings if complete]
    if len(whole) > 1:
        whole = [reading for reading in whole if reading[0] == reading[2]]
    return whole[0] if len(whole) == 1 else ("", "", "")


def _host_and_user(text: str) -> tuple[str, str, bool]:
    """The host, the user behind it, and whether nothing else stands there."""
    host = text.partition(" ")[0]
    user = _USER.match(text, len(host))
    return host, text[user.end() :] if user else "", bool(user) or not text[len(host) :].strip(" ")
