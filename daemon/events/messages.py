"""What sudo, su, cron, PAM and the account tools say → fields, and which Sigma service a program belongs to.

Where the attacker's text stands last (a command), the first marker counts; an address or name that the program itself
wrote is anchored to its fixed words. A line that can be read in two ways gives both readings of the field.
"""

import re
from collections.abc import Callable

from daemon.events.sshd import parse_sshd, source_fields
from daemon.model import Value

_ACCOUNT_TOOLS = (
    *("useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "passwd", "chpasswd", "chage"),
    *("gpasswd", "newusers", "chfn", "chsh", "adduser", "addgroup", "deluser", "delgroup", "newgrp", "vipw"),
)
_LOGIN_TOOLS = (
    *("su", "runuser", "doas", "login", "systemd-logind", "polkitd", "pkexec", "gdm-password", "lightdm", "sddm"),
    *("polkit-agent-helper-1", "unix_chkpwd", "dropbear", "sssd", "sssd_be", "krb5kdc", "systemd-user"),
)
_SERVICES = {
    **dict.fromkeys(("sshd", "sshd-session", "sshd-auth"), "sshd"),
    **dict.fromkeys(("sudo", "sudoedit"), "sudo"),
    **dict.fromkeys((*_ACCOUNT_TOOLS, *_LOGIN_TOOLS), "auth"),
    **dict.fromkeys(("cron", "crond", "crontab", "anacron", "atd"), "cron"),
    "vsftpd": "vsftpd",
    **dict.fromkeys(("clamd", "clamav", "clamscan", "clamonacc", "freshclam"), "clamav"),
    **dict.fromkeys(("guacd", "guacamole"), "guacamole"),
}
_AUTH_FACILITIES = frozenset({4, 10})
_CRON_FACILITY = 9

_FOLDED = re.compile(r"message repeated ([0-9]{1,9}) times: \[ ?(.*)\]", re.DOTALL)
_PAM = re.compile(r"(pam_[a-z0-9_]{1,32})\(([^:)]{1,64}):([a-z]{1,16})\): (.*)")
_PAM_MORE = re.compile(r"PAM (?P<more>[0-9]{1,9}) more authentication failures?; (?P<rest>.*)")
_PAM_FAILURE = re.compile(
    r"(?:logname=[^ ]* )?uid=[^ ]* euid=[^ ]* tty=(?P<tty>[^ ]*) ruser=(?P<ruser>.*?) rhost=(?P<rhost>[^ ]*)"
    r"(?: +user=(?P<user>.*))?"
)
_PAM_SESSION = re.compile(
    r"session (?P<what>opened|closed) for user (?P<user>[^ (]+)(?:\(uid=[0-9]+\))?(?: by (?P<by>[^ (]*)\(uid=[0-9]+\))?"
)
_PAM_PASSWORD = re.compile(r"password changed for (?P<user>.*)")
_SUDO_USER = re.compile(r" ; USER=([^;]*) ; ")
_SU = (
    ("su_failed", re.compile(r"FAILED SU \(to (?P<as_user>[^)]*)\) (?P<user>.*) on (?P<tty>[^ ]*)")),
    ("su", re.compile(r"\(to (?P<as_user>[^)]*)\) (?P<user>.*) on (?P<tty>[^ ]*)")),
    ("su", re.compile(r"Successful su for (?P<as_user>.*) by (?P<user>[^ ]*)")),
    ("su_failed", re.compile(r"FAILED su for (?P<as_user>.*) by (?P<user>[^ ]*)")),
)
_CRON = re.compile(r"\((?P<user>[^)]*)\) (?P<action>[A-Z][A-Z ]{1,30}[A-Z]) \((?P<command>.*)\)")
_ACCOUNTS = (
    ("user_added", re.compile(r"new user: name=(?P<target>[^,]*), UID=(?P<uid>[0-9]+).*")),
    ("group_added", re.compile(r"new group: name=(?P<target>[^,]*), GID=(?P<gid>[0-9]+).*")),
    ("member_added", re.compile(r"add '(?P<target>[^']*)' to (?:shadow )?group '(?P<group>[^']*)'")),
    ("member_added", re.compile(r"user (?P<target>.*) added by [^ ]* to group (?P<group>.*)")),
    ("user_removed", re.compile(r"delete user '(?P<target>[^']*)'")),
    ("user_changed", re.compile(r"(?:change|lock|unlock) user '(?P<target>[^']*)'.*")),
    ("password_changed", re.compile(r"password for '(?P<target>[^']*)' changed by '[^']*'")),
)
_LONGEST = 16_384
_LOGIND = re.compile(r"New session (?P<session>[^ ]*) of user (?P<user>.*)\.")


def service_of(program: str, facility: int | None = None) -> str:
    """Sigma's service of a syslog line by its program, else by its facility; `syslog` for all else."""
    known = _SERVICES.get(program) or _SERVICES.get(program.lower())
    if known:
        return known
    if facility in _AUTH_FACILITIES:
        return "auth"
    return "cron" if facility == _CRON_FACILITY else "syslog"


def unfold(message: str) -> tuple[int, str]:
    """How many messages a text stands for, and the one: rsyslog writes `message repeated N times: [ …]` for N that
    came after one that it wrote out (`$RepeatedMsgReduction on`, the default of Ubuntu). It folds once, never twice.
    """
    folded = _FOLDED.fullmatch(message) if message.startswith("message repeated ") else None
    return (1, message) if folded is None else (max(1, int(folded[1])), folded[2])


def parse_message(program: str, message: str) -> dict[str, Value]:
    """The fields that the message of a program has, beside the text; empty for what we know nothing of."""
    if len(message) > _LONGEST:
        return {}
    pam = _PAM.fullmatch(message)
    if pam is not None:
        return {"pam_module": pam[1], "pam_service": pam[2], **_pam_fields(pam[4])}
    more = _PAM_MORE.fullmatch(message)
    if more is not None:
        return {"action": "auth_failure", "result": "failure", **_failure_fields(more["rest"])}
    parse = _PARSERS.get(service_of(program))
    return parse(message) if parse is not None else {}


def _pam_fields(message: str) -> dict[str, Value]:
    if message.startswith("authentication failure; "):
        failed: dict[str, Value] = {"action": "auth_failure", "result": "failure"}
        return {**failed, **_failure_fields(message.removeprefix("authentication failure; "))}
    session = _PAM_SESSION.fullmatch(message)
    if session is not None:
        return _named({"action": f"session_{session['what']}", "user": session["user"], "by": session["by"]})
    changed = _PAM_PASSWORD.fullmatch(message)
    return {"action": "password_changed", "target": changed["user"]} if changed is not None else {}


def _failure_fields(rest: str) -> dict[str, Value]:
    found = _PAM_FAILURE.fullmatch(rest)
    if found is None:
        return {}
    named = _named({"tty": found["tty"], "ruser": found["ruser"], "user": found["user"]})
    return {**named, **source_fields(found["rhost"])}


def _sudo_fields(message: str) -> dict[str, Value]:
    """`bob : [reason ; ]TTY=… ; PWD=… ; [CHROOT=… ; ]USER=… ; [GROUP=… ; ][ENV=… ; ]COMMAND=…`."""
    user, _, said = message.partition(" : ")
    tty, pwd = said.find("TTY="), said.find(" ; PWD=")
    as_user = said.find(" ; USER=", max(pwd, 0))
    command = said.find(" ; COMMAND=", max(as_user, 0))
    if min(tty, pwd, as_user, command) < 0 or tty > pwd:
        return {}
    reason = " ; ".join(part for part in said[:tty].split(" ; ") if part and not part.startswith("HOST="))
    target, *more = said[as_user + len(" ; USER=") : command].split(" ; ")
    groups = [part.removeprefix("GROUP=") for part in more if part.startswith("GROUP=")]
    # a directory or an argument may hold " ; USER=… ; ": nothing tells which is meant, so rules get to see each
    users = tuple(dict.fromkeys([target, *_SUDO_USER.findall(said)]))
    return _named(
        {
            "action": "sudo_refused" if reason else "sudo",
            "result": "failure" if reason else "success",
            "user": user.strip(" "),
            "reason": reason,
            "TTY": said[tty + len("TTY=") : pwd],
            "PWD": said[pwd + len(" ; PWD=") : as_user].partition(" ; CHROOT=")[0],
            "USER": users if len(users) > 1 else target,
            "GROUP": "".join(groups[:1]),
            "COMMAND": said[command + len(" ; COMMAND=") :],
        }
    )


def _cron_fields(message: str) -> dict[str, Value]:
    found = _CRON.fullmatch(message)
    if found is None:
        return {}
    action = "cron_" + found["action"].lower().replace(" ", "_")
    return _named({"action": action, "user": found["user"], "command": found["command"]})


def _auth_fields(message: str) -> dict[str, Value]:
    for action, pattern in (*_SU, *_ACCOUNTS):
        found = pattern.fullmatch(message)
        if found is not None:
            result = {"su": "success", "su_failed": "failure"}.get(action)
            return _named({"action": "su" if result else action, "result": result, **found.groupdict()})
    session = _LOGIND.fullmatch(message)
    return _named({"action": "new_session", **session.groupdict()}) if session is not None else {}


def _named(fields: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in fields.items() if value not in {"", None}}


_PARSERS: dict[str, Callable[[str], dict[str, Value]]] = {
    "sshd": parse_sshd,
    "sudo": _sudo_fields,
    "cron": _cron_fields,
    "auth": _auth_fields,
}
