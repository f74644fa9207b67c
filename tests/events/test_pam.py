"""What PAM says: sessions, failures, and names that want to be addresses."""

from typing import Any

import pytest

from daemon.events.pam import parse_pam

FAILURE = "authentication failure; logname= uid=0 euid=0 tty={tty} ruser={ruser} rhost={host}{user}"
ADDRESS = "203.0.113.9"


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
            {
                "pam_module": "pam_unix", "pam_service": "sshd", "pam_type": "auth", "action": "auth_failure",
                "result": "failure", "failures": "1", "tty": "ssh", "user": "root", "src_ip": "192.0.2.1",
            },
        ),
        (
            "pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=a.example user=b",
            {"src_host": "a.example", "user": "b"},
        ),
        (
            "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
            {"action": "auth_failure", "failures": "2", "src_ip": "192.0.2.1", "user": "root"},
        ),
        (
            "pam_unix(su:auth): authentication failure; logname=bob uid=1000 euid=0 tty=/dev/pts/0 ruser=bob rhost=  user=root",
            {"ruser": "bob", "user": "root", "tty": "/dev/pts/0"},
        ),
        (
            "PAM service(sshd) ignoring max retries; 6 > 3",
            {"action": "max_attempts_ignored", "pam_service": "sshd", "failures": "6"},
        ),
        (
            "pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1000)",
            {"action": "session_opened", "user": "root", "uid": "0", "by": "bob"},
        ),
        (
            "pam_unix(cron:session): session opened for user root by (uid=0)",
            {"action": "session_opened", "user": "root"},
        ),
        ("pam_unix(login:session): session opened for user bob", {"action": "session_opened", "user": "bob"}),
        ("pam_unix(sshd:session): session closed for user a b", {"action": "session_closed", "user": "a b"}),
        ("pam_unix(passwd:chauthtok): password changed for eve", {"action": "password_changed", "target": "eve"}),
        ("pam_unix(sshd:auth): check pass; user unknown", {"action": "user_unknown", "result": "failure"}),
        ("pam_unix(sshd:auth): check pass; user (x) unknown", {"action": "user_unknown", "user": "x"}),
        ('pam_unix(chpasswd:chauthtok): user "a" does not exist in /etc/passwd', {"action": "user_unknown", "user": "a"}),
        (
            "pam_faillock(sshd:auth): Consecutive login failures for user bob account temporarily locked",
            {"action": "account_locked", "result": "failure", "user": "bob"},
        ),
        ("pam_tally2(sshd:auth): user bob (1000) tally 5, deny 3", {"action": "account_locked", "user": "bob"}),
        ("pam_unix(sshd:account): account bob has expired (account expired)", {"action": "account_expired", "user": "bob"}),
        (
            "pam_unix(sshd:account): expired password for user bob (password aged)",
            {"action": "password_expired", "user": "bob"},
        ),
        (
            "pam_access(sshd:account): access denied for user `bob' from `192.0.2.1'",
            {"action": "access_denied", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            "pam_winbind(sshd:auth): user 'bob' denied access (incorrect password or invalid membership)",
            {"action": "access_denied", "user": "bob"},
        ),
        ("pam_listfile(vsftpd:auth): Refused user bob for service vsftpd", {"action": "access_denied", "user": "bob"}),
        (
            'pam_succeed_if(sshd:auth): requirement "uid >= 1000" not met by user "root"',
            {"action": "access_denied", "result": "failure", "user": "root"},
        ),
    ],
)  # fmt: skip
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_pam(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message", ["", "PAM", "pam_unix", "pam_unix(sshd:auth) x", "PAM x more authentication failures; "]
)
def test_what_is_none_of_its_words_has_no_fields(message: str) -> None:
    assert parse_pam(message) == {}


def test_a_module_that_says_something_else_is_still_named() -> None:
    said = "pam_systemd(su:session): Cannot create session: Already running in a session"
    assert parse_pam(said) == {"pam_module": "pam_systemd", "pam_service": "su", "pam_type": "session"}


def test_more_failures_stay_one_event_and_say_how_many() -> None:
    first, more = "pam_unix(sshd:auth): authentication failure; ", "PAM 5 more authentication failures; "
    rest = FAILURE.format(tty="ssh", ruser="", host=ADDRESS, user="  user=root").partition("; ")[2]
    assert [parse_pam(said + rest)["failures"] for said in (first, more)] == ["1", "5"]


NAMES = (
    "root rhost=10.0.0.1", "root rhost=10.0.0.1  user=bob", " rhost=10.0.0.1", "x rhost=10.0.0.1  user=x rhost=10.0.0.1",
    " rhost=10.0.0.1  user=", "a  user=b", "user=root rhost=10.0.0.1 rhost=10.0.0.1", "tty=ssh ruser= rhost=10.0.0.1",
    "x rhost=10.0.0.1" * 40, "",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_name_moves_the_host_of_a_program_that_leaves_the_other_side_empty(name: str) -> None:
    user = f"  user={name}" if name else ""
    fields = parse_pam("pam_unix(sshd:auth): " + FAILURE.format(tty="ssh", ruser="", host=ADDRESS, user=user))
    assert fields["src_ip"] == ADDRESS
    assert fields.get("user", "") == name


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tty", ["ftp", "dovecot"])
def test_a_name_on_both_sides_gives_the_true_host_or_none(tty: str, name: str, known: bool) -> None:
    user = f"  user={name}" if known and name else ""
    fields = parse_pam("pam_unix(vsftpd:auth): " + FAILURE.format(tty=tty, ruser=name, host=ADDRESS, user=user))
    assert fields.get("src_ip", ADDRESS) == ADDRESS
    assert (fields["action"], fields["result"]) == ("auth_failure", "failure")


def test_an_ordinary_name_on_both_sides_has_its_host() -> None:
    fields = parse_pam(
        "pam_unix(vsftpd:auth): " + FAILURE.format(tty="ftp", ruser="bob", host=ADDRESS, user="  user=bob")
    )
    assert (fields["src_ip"], fields["user"], fields["ruser"]) == (ADDRESS, "bob", "bob")


@pytest.mark.parametrize(
    "name", ["root rhost=10.0.0.1", "x rhost=10.0.0.1  user=y", " rhost=10.0.0.1", "a rhost=b rhost=c"]
)
@pytest.mark.parametrize("tty", ["ftp", "dovecot"])
def test_the_reading_in_which_both_names_agree_is_the_true_one(tty: str, name: str) -> None:
    said = FAILURE.format(tty=tty, ruser=name, host=ADDRESS, user=f"  user={name}")
    fields = parse_pam(f"pam_unix(vsftpd:auth): {said}")
    assert (fields["src_ip"], fields["user"], fields["ruser"]) == (ADDRESS, name, name)
