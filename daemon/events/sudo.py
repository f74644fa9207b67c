"""What sudo says → fields.

`U : [reason ; ][HOST=… ; ]TTY=… ; PWD=… ; [CHROOT=… ; ]USER=… ; [GROUP=… ; ][TSID=… ; ][ENV=… ; ]COMMAND=…`
(`new_logline` in lib/eventlog of sudo). The directory and the command are the user's own text, so the first marker of
each counts; where they hold a second ` ; USER=… ; ` nothing tells which is meant, and `USER` has each.
"""

import re

from daemon.events.peers import Fields
from daemon.model import Value

_LATER_USER = re.compile(r" ; USER=([^;]*) ; ")
_ATTEMPTS = re.compile(r"(?P<attempts>[0-9]{1,9}) incorrect password attempts?")
_WARNINGS = ("problem with defaults entries", "unable to ", "no valid sudoers sources")
_MOST_USERS = 32


def parse_sudo(message: str) -> Fields:
    """`action` (`sudo`, `sudo_refused`, `sudo_warning`), `result`, `user`, `reason`, `attempts`, and sudo's own `TTY`,
    `PWD`, `USER`, `GROUP`, `COMMAND`. Empty for other messages, `(command continued)` lines too.
    """
    user, found, said = message.partition(" : ")
    pwd, as_user, command = _markers(said)
    if not found or min(pwd, as_user, command) < 0:
        return {}
    tty = said.find("TTY=", 0, pwd)
    reason = " ; ".join(_reasons(said[: pwd if tty < 0 else tty]))
    target, *more = said[as_user + len(" ; USER=") : command].split(" ; ")
    groups = [part.removeprefix("GROUP=") for part in more if part.startswith("GROUP=")]
    users = [target]
    if said.find(" ; USER=", as_user + 1) > 0:
        users += _LATER_USER.findall(said, as_user + 1)[:_MOST_USERS]
    users = list(dict.fromkeys(users))
    fields: dict[str, Value] = {
        **_verdict(reason),
        "user": user.strip(" "),
        "TTY": "" if tty < 0 else said[tty + len("TTY=") : pwd].removesuffix(" ; "),
        "PWD": said[pwd + len("PWD=") : as_user].partition(" ; CHROOT=")[0],
        "USER": tuple(users) if len(users) > 1 else target,
        "GROUP": "".join(groups[:1]),
        "COMMAND": said[command + len(" ; COMMAND=") :],
    }
    return {key: value for key, value in fields.items() if value != ""}


def _markers(said: str) -> tuple[int, int, int]:
    """Where `PWD=`, ` ; USER=` and ` ; COMMAND=` begin, the first of each behind the one before; -1 for none."""
    pwd = said.find(" ; PWD=") + len(" ; ")
    if pwd < len(" ; "):
        pwd = 0 if said.startswith("PWD=") else -1
    as_user = said.find(" ; USER=", max(pwd, 0))
    return pwd, as_user, said.find(" ; COMMAND=", max(as_user, 0))


def _reasons(text: str) -> list[str]:
    return [part for part in text.split(" ; ") if part and not part.startswith("HOST=")]


def _verdict(reason: str) -> Fields:
    if not reason:
        return {"action": "sudo", "result": "success"}
    if reason.startswith(_WARNINGS):
        return {"action": "sudo_warning", "reason": reason}
    refused: Fields = {"action": "sudo_refused", "result": "failure", "reason": reason}
    attempts = _ATTEMPTS.fullmatch(reason)
    return refused | ({"attempts": attempts["attempts"]} if attempts else {})
