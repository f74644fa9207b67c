"""What su, login, systemd-logind, polkit and pkexec say → fields.

Who did it and whether it worked stand in the program's own words at the end of the line or at its start; a name that
was typed stands between them.
"""

import re
from collections.abc import Callable

from daemon.events.peers import Fields, source_fields

_Patterns = tuple[tuple[str, str, re.Pattern[str]], ...]

_SU: _Patterns = (
    ("su", "failure", re.compile(r"FAILED SU \(to (?P<as_user>.*)\) (?P<user>[^ ]+) on (?P<tty>[^ ]*)", re.DOTALL)),
    ("su", "success", re.compile(r"\(to (?P<as_user>.*)\) (?P<user>[^ ]+) on (?P<tty>[^ ]*)", re.DOTALL)),
    ("su", "success", re.compile(r"Successful su for (?P<as_user>.*) by (?P<user>[^ ]*)", re.DOTALL)),
    ("su", "failure", re.compile(r"FAILED su for (?P<as_user>.*) by (?P<user>[^ ]*)", re.DOTALL)),
    ("su", "failure", re.compile(r"BAD SU (?P<user>[^ ]*) to (?P<as_user>.*) on (?P<tty>[^ ]*)", re.DOTALL)),
    ("su_log", "success", re.compile(r"\+ (?P<tty>[^ ]*) (?P<user>[^:]*):(?P<as_user>.*)", re.DOTALL)),
    ("su_log", "failure", re.compile(r"- (?P<tty>[^ ]*) (?P<user>[^:]*):(?P<as_user>.*)", re.DOTALL)),
)
_LOGIN: _Patterns = (
    (
        "login_failed",
        "failure",
        re.compile(
            r"FAILED LOGIN \([0-9]+\) on '(?P<tty>[^']*)'(?: FROM '(?P<src>[^']*)')? FOR '(?P<user>.*)', [^']*",
            re.DOTALL,
        ),
    ),
    (
        "max_attempts",
        "failure",
        re.compile(
            r"TOO MANY LOGIN TRIES \([0-9]+\) on '(?P<tty>[^']*)'(?: FROM '(?P<src>[^']*)')? FOR '(?P<user>.*)', [^']*",
            re.DOTALL,
        ),
    ),
    (
        "login_failed",
        "failure",
        re.compile(r"invalid password for '(?P<user>.*)' +on '(?P<tty>[^']*)'(?: from '(?P<src>[^']*)')?", re.DOTALL),
    ),
    (
        "login",
        "success",
        re.compile(r"LOGIN ON (?P<tty>[^ ]*) BY (?P<user>[^ ]+)(?: FROM (?P<src>[^ ]*))?"),
    ),
)
_ROOT_LOGIN = re.compile(
    r"ROOT LOGIN (?:ON (?P<on>[^ ]*)| *on '(?P<tty>[^']*)')(?: (?:FROM|from) '?(?P<src>[^' ]*)'?)?"
)
_NEW_SESSION: _Patterns = (
    (
        "new_session",
        "",
        re.compile(
            r"New session '(?P<session>[^ ']*)' of user '(?P<user>.*)' with class '(?P<class>[a-z-]*)' and type "
            r"'(?P<type>[a-z0-9-]*)'\.",
            re.DOTALL,
        ),
    ),
    ("new_session", "", re.compile(r"New session (?P<session>[^ ]*) of user (?P<user>.*)\.", re.DOTALL)),
    ("session_removed", "", re.compile(r"Removed session '?(?P<session>[^ ']*?)'?\.")),
    ("session_logged_out", "", re.compile(r"Session '?(?P<session>[^ ']*?)'? logged out\. .*")),
)
_POLKIT: _Patterns = tuple(
    (
        "authorization",
        result,
        re.compile(
            rf"Operator of unix-session:[^ ]* {verb} (?:as unix-user:(?P<as_user>[^ ]*) )?to (?:authenticate to )?gain"
            r" (?:[A-Z-]+ )?authorization for action (?P<polkit_action>[^ ]*) for .* \(owned by unix-user:"
            r"(?P<user>[^()]*)\)",
            re.DOTALL,
        ),
    )
    for result, verb in (("success", "successfully authenticated"), ("failure", "FAILED"))
)
_PKEXEC = re.compile(r"(?P<user>[^: ]+): (?P<said>[^\[]*) \[USER=(?P<as_user>[^\]]*)\] \[TTY=(?P<tty>[^\]]*)\] \[CWD=")


def parse_su(message: str) -> Fields:
    """`action` su, `result`, `user`, `as_user`, `tty`. `su_log` is the line that shadow's su writes beside it."""
    return _first(_SU, message)


def parse_login(message: str) -> Fields:
    """`action` login, login_failed or max_attempts, `result`, `user`, `tty`, `src_ip` or `src_host`."""
    root = _ROOT_LOGIN.fullmatch(message)
    if root is None:
        return _first(_LOGIN, message)
    fields: Fields = {"action": "login", "result": "success", "user": "root", "tty": root["on"] or root["tty"]}
    return fields | source_fields(root["src"] or "")


def parse_logind(message: str) -> Fields:
    """`action` new_session, session_removed or session_logged_out, `session`, `user`."""
    return _first(_NEW_SESSION, message)


def parse_polkit(message: str) -> Fields:
    """`action` authorization, `result`, `user` (who asked), `as_user` (whose password), `polkit_action`."""
    return _first(_POLKIT, message)


def parse_pkexec(message: str) -> Fields:
    """`action` pkexec or pkexec_refused, `result`, `user`, `as_user`, `tty`, `reason`, `command`."""
    found = _PKEXEC.match(message)
    if found is None:
        return {}
    ran = found["said"] == "Executing command"
    fields: Fields = {"action": "pkexec" if ran else "pkexec_refused", "result": "success" if ran else "failure"}
    fields |= {"user": found["user"], "as_user": found["as_user"], "tty": found["tty"]}
    if not ran:
        fields["reason"] = found["said"]
    command = message.partition("] [COMMAND=")[2].removesuffix("]")
    return fields | ({"command": command} if command else {})


def _first(patterns: _Patterns, message: str) -> Fields:
    for action, result, pattern in patterns:
        found = pattern.fullmatch(message)
        if found is not None:
            groups = found.groupdict()
            source = groups.pop("src", None)
            fields: Fields = {"action": action, **({"result": result} if result else {})}
            fields.update((key, value) for key, value in groups.items() if value)
            return fields | source_fields(source or "")
    return {}


LOGINS: dict[str, Callable[[str], Fields]] = {
    **dict.fromkeys(("su", "su-l", "runuser"), parse_su),
    "login": parse_login,
    "systemd-logind": parse_logind,
    "polkitd": parse_polkit,
    "pkexec": parse_pkexec,
}
"""Program → who understands it."""
