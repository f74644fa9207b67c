"""What sudo says, whatever directory and command it is given."""

from typing import Any

import pytest

from daemon.events.sudo import parse_sudo

LINE = "bob : {reason}TTY=pts/0 ; PWD={pwd} ; USER=alice ; COMMAND={command}"


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "  bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/id -u",
            {
                "action": "sudo", "result": "success", "user": "bob", "TTY": "pts/0", "PWD": "/home/bob", "USER": "root",
                "COMMAND": "/usr/bin/id -u",
            },
        ),
        (
            "bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su",
            {"action": "sudo_refused", "result": "failure", "reason": "3 incorrect password attempts", "attempts": "3"},
        ),
        (
            "bob : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su",
            {"action": "sudo_refused", "attempts": "1"},
        ),
        (
            "bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su",
            {"action": "sudo_refused", "result": "failure", "reason": "user NOT in sudoers"},
        ),
        (
            "bob : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=list",
            {"action": "sudo_refused", "reason": "command not allowed"},
        ),
        (
            "bob : problem with defaults entries ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su",
            {"action": "sudo_warning", "reason": "problem with defaults entries"},
        ),
        (
            "bob : HOST=h ; TTY=x ; PWD=/ ; CHROOT=/srv ; USER=root ; GROUP=adm ; TSID=1 ; ENV=A=b ; COMMAND=/bin/su",
            {"action": "sudo", "GROUP": "adm", "USER": "root", "PWD": "/", "COMMAND": "/bin/su"},
        ),
        ("bob : PWD=/ ; USER=root ; COMMAND=/bin/su", {"action": "sudo", "PWD": "/", "USER": "root"}),
        ("bob : a password is required ; PWD=/ ; USER=root ; COMMAND=/bin/su", {"reason": "a password is required"}),
        ("bob : TTY=x ; PWD=/ ; USER=#-1 ; COMMAND=/bin/sh", {"USER": "#-1"}),
        ("bob : TTY=unknown ; PWD=/ ; USER=root ; COMMAND=/bin/sh -c a ; b", {"COMMAND": "/bin/sh -c a ; b"}),
    ],
)  # fmt: skip
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_sudo(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "bob",
        "bob : ",
        "bob : TTY=",
        "bob : (command continued) --all",
        "bob : USER=root ; COMMAND=x",
        "a : PWD=x ; USER=y",
    ],
)
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_sudo(message) == {}


FORGED = "/x ; USER=mallory ; COMMAND=/bin/true"


@pytest.mark.parametrize("reason", ["", "3 incorrect password attempts ; ", "user NOT in sudoers ; "])
@pytest.mark.parametrize(
    ("pwd", "command"), [(FORGED, "/bin/sh"), ("/", f"/bin/echo {FORGED}"), ("/", "a : TTY=b ; PWD=/")]
)
def test_no_directory_or_command_bends_who_or_whether(reason: str, pwd: str, command: str) -> None:
    fields = parse_sudo(LINE.format(reason=reason, pwd=pwd, command=command))
    users = fields["USER"] if isinstance(fields["USER"], tuple) else (fields["USER"],)
    assert "alice" in users
    assert (fields["user"], fields["TTY"]) == ("bob", "pts/0")
    assert fields["result"] == ("failure" if reason else "success")
    assert str(fields["COMMAND"]).endswith(command)


def test_a_line_that_can_be_read_in_two_ways_gives_both() -> None:
    fields = parse_sudo("bob : TTY=x ; PWD=/ ; USER=alice ; COMMAND=/bin/true ; USER=root ; COMMAND=/bin/sh")
    assert fields["USER"] == ("alice", "root")


def test_readings_are_bounded() -> None:
    many = "".join(f" ; USER=u{number} ; x" for number in range(5000))
    assert len(parse_sudo(f"bob : TTY=x ; PWD=/ ; USER=alice ; COMMAND=a{many}")["USER"]) == 33  # type: ignore[arg-type]
