"""What su, login, logind, polkit and pkexec say."""

from typing import Any

import pytest

from daemon.events.logins import LOGINS

POLKIT = (
    "Operator of unix-session:1 {} to gain {}authorization for action org.freedesktop.policykit.exec for "
    "unix-process:55:1 [/bin/bash] (owned by unix-user:bob)"
)


@pytest.mark.parametrize(
    ("program", "message", "fields"),
    [
        (
            "su",
            "FAILED SU (to root) bob on pts/0",
            {"action": "su", "result": "failure", "as_user": "root", "user": "bob", "tty": "pts/0"},
        ),
        ("su", "(to root) bob on none", {"action": "su", "result": "success", "as_user": "root", "user": "bob"}),
        ("su", "Successful su for root by bob", {"action": "su", "result": "success", "user": "bob", "as_user": "root"}),
        ("su", "FAILED su for root by bob", {"action": "su", "result": "failure", "user": "bob", "as_user": "root"}),
        ("su", "BAD SU bob to root on /dev/ttyp0", {"action": "su", "result": "failure", "user": "bob", "as_user": "root"}),
        ("su", "+ pts/0 bob:root", {"action": "su_log", "result": "success", "user": "bob", "as_user": "root"}),
        ("su-l", "- /dev/pts/0 bob:root", {"action": "su_log", "result": "failure", "tty": "/dev/pts/0"}),
        (
            "login",
            "FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
            {"action": "login_failed", "result": "failure", "user": "root", "tty": "/dev/tty1"},
        ),
        (
            "login",
            "FAILED LOGIN (2) on '/dev/pts/1' FROM '192.0.2.1' FOR 'bob', Authentication failure",
            {"action": "login_failed", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            "login",
            "TOO MANY LOGIN TRIES (3) on '/dev/tty1' FOR 'bob', Authentication failure",
            {"action": "max_attempts", "result": "failure", "user": "bob"},
        ),
        ("login", "invalid password for 'bob'  on 'tty1'", {"action": "login_failed", "user": "bob"}),
        ("login", "LOGIN ON tty1 BY bob", {"action": "login", "result": "success", "user": "bob", "tty": "tty1"}),
        ("login", "LOGIN ON pts/1 BY bob FROM a.example", {"action": "login", "src_host": "a.example"}),
        ("login", "ROOT LOGIN  on '/dev/tty1'", {"action": "login", "user": "root", "tty": "/dev/tty1"}),
        ("login", "ROOT LOGIN ON tty1 FROM 192.0.2.1", {"user": "root", "tty": "tty1", "src_ip": "192.0.2.1"}),
        ("systemd-logind", "New session 5 of user bob.", {"action": "new_session", "session": "5", "user": "bob"}),
        (
            "systemd-logind",
            "New session '5' of user 'a b' with class 'user' and type 'tty'.",
            {"action": "new_session", "session": "5", "user": "a b", "class": "user", "type": "tty"},
        ),
        ("systemd-logind", "Removed session 5.", {"action": "session_removed", "session": "5"}),
        (
            "systemd-logind",
            "Session 5 logged out. Waiting for processes to exit.",
            {"action": "session_logged_out", "session": "5"},
        ),
        (
            "polkitd",
            POLKIT.format("successfully authenticated as unix-user:root", "ONE-SHOT "),
            {
                "action": "authorization", "result": "success", "as_user": "root", "user": "bob",
                "polkit_action": "org.freedesktop.policykit.exec",
            },
        ),
        (
            "polkitd",
            POLKIT.format("FAILED", "").replace("to gain", "to authenticate to gain"),
            {"action": "authorization", "result": "failure", "user": "bob"},
        ),
        (
            "pkexec",
            "bob: Executing command [USER=root] [TTY=/dev/pts/0] [CWD=/home/bob] [COMMAND=/usr/bin/id]",
            {
                "action": "pkexec", "result": "success", "user": "bob", "as_user": "root", "tty": "/dev/pts/0",
                "command": "/usr/bin/id",
            },
        ),
        (
            "pkexec",
            "bob: Error executing command as another user: Not authorized [USER=root] [TTY=unknown] [CWD=/] [COMMAND=/x]",
            {
                "action": "pkexec_refused", "result": "failure", "user": "bob",
                "reason": "Error executing command as another user: Not authorized",
            },
        ),
    ],
)  # fmt: skip
def test_messages(program: str, message: str, fields: dict[str, Any]) -> None:
    assert LOGINS[program](message).items() >= fields.items()


@pytest.mark.parametrize("program", sorted(LOGINS))
@pytest.mark.parametrize(
    "message", ["", "x", "FAILED SU", "(to root", "New session", "Operator of unix-session:1", "bob: x"]
)
def test_the_unknown_has_no_fields(program: str, message: str) -> None:
    assert LOGINS[program](message) == {}


@pytest.mark.parametrize("name", ["x", "root', x FROM '10.0.0.1' FOR 'bob", "a' on '/dev/tty9' FROM '10.0.0.1", ""])
def test_no_typed_name_moves_a_login(name: str) -> None:
    parse = LOGINS["login"]
    local = parse(f"FAILED LOGIN (1) on '/dev/tty1' FOR '{name}', Authentication failure")
    far = parse(f"FAILED LOGIN (1) on '/dev/pts/1' FROM '192.0.2.1' FOR '{name}', Authentication failure")
    assert (local.get("user", ""), local["tty"], "src_ip" in local) == (name, "/dev/tty1", False)
    assert (far.get("user", ""), far["tty"], far["src_ip"]) == (name, "/dev/pts/1", "192.0.2.1")


@pytest.mark.parametrize("name", ["x) mallory on tty9", "x by mallory", "root) root on pts/9 (to y"])
def test_no_target_of_su_changes_who_did_it(name: str) -> None:
    parse = LOGINS["su"]
    for message in (f"FAILED SU (to {name}) bob on pts/0", f"FAILED su for {name} by bob"):
        fields = parse(message)
        assert (fields["user"], fields["result"], fields["as_user"]) == ("bob", "failure", name)
