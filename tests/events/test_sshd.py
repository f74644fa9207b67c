"""What sshd says, however hostile the user name."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events import sshd
from daemon.events.sshd import parse_sshd

HOSTBASED = (
    'Failed hostbased for bob from 192.0.2.1 port 4 ssh2: RSA SHA256:x, client user "a" from 10.0.0.1 port 1 ssh2: RSA '
    'SHA256:z, client user "b", client host "c"'
)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "Failed password for root from 192.0.2.1 port 4 ssh2",
            {
                "action": "login_failed",
                "result": "failure",
                "user": "root",
                "method": "password",
                "src_ip": "192.0.2.1",
                "src_port": "4",
                "invalid_user": "false",
            },
        ),
        (
            "Failed password for invalid user  from 2001:db8::1 port 4 ssh2",
            {"action": "login_failed", "user": "", "src_ip": "2001:db8::1", "invalid_user": "true"},
        ),
        ("Failed password for bob from gateway.example port 4", {"src_host": "gateway.example", "user": "bob"}),
        (
            "Accepted publickey for ubuntu from 192.0.2.1 port 4 ssh2: RSA SHA256:abc",
            {"action": "login", "result": "success", "user": "ubuntu", "method": "publickey"},
        ),
        ("Accepted keyboard-interactive/pam for bob from fe80::1%eth0 port 4 ssh2", {"src_ip": "fe80::1%eth0"}),
        (
            "Failed publickey for root from 192.0.2.1 port 4 ssh2: RSA-CERT SHA256:x ID evil from 198.51.100.6 port 1 ssh2 (serial 0) CA RSA SHA256:y",
            {"user": "root", "src_ip": "192.0.2.1"},
        ),
        (
            "Invalid user a from b from 192.0.2.1 port 4",
            {"action": "invalid_user", "user": "a from b", "src_ip": "192.0.2.1"},
        ),
        ("Invalid user  from 192.0.2.1", {"action": "invalid_user", "user": "", "invalid_user": "true"}),
        (
            "error: maximum authentication attempts exceeded for invalid user x from 192.0.2.1 port 4 ssh2 [preauth]",
            {"action": "max_attempts", "user": "x", "invalid_user": "true", "src_ip": "192.0.2.1"},
        ),
        (
            "User bob from 192.0.2.1 not allowed because not listed in AllowUsers",
            {"action": "login_denied", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            "Received disconnect from 192.0.2.1 port 5:11: bye from 1.1.1.1 port 2:11: x [preauth]",
            {"action": "disconnect", "src_ip": "192.0.2.1", "src_port": "5"},
        ),
        ("Received disconnect from 2001:db8::1: 11: Bye Bye", {"src_ip": "2001:db8::1"}),
        (
            "Disconnected from user bob 192.0.2.1 port 5",
            {"action": "disconnect", "user": "bob", "invalid_user": "false"},
        ),
        ("Disconnected from 192.0.2.1 port 5 [preauth]", {"action": "disconnect", "src_ip": "192.0.2.1"}),
        (
            "Connection closed by invalid user a b 192.0.2.1 port 5 [preauth]",
            {"user": "a b", "invalid_user": "true", "src_ip": "192.0.2.1"},
        ),
        ("Connection reset by 192.0.2.1", {"src_ip": "192.0.2.1"}),
        (
            "Disconnecting authenticating user root 192.0.2.1 port 3: Too many authentication failures [preauth]",
            {"action": "disconnect", "user": "root"},
        ),
        (
            "Bad protocol version identification 'GET / from 1.1.1.1 port 1' from 192.0.2.1 port 3",
            {"action": "bad_protocol", "src_ip": "192.0.2.1"},
        ),
        (
            "fatal: Unable to negotiate with 192.0.2.1 port 3: no matching host key type found. [preauth]",
            {"action": "bad_protocol", "src_ip": "192.0.2.1"},
        ),
        (
            "Timeout before authentication for connection from 192.0.2.1 to 10.0.0.1, pid = 4",
            {"action": "timeout", "src_ip": "192.0.2.1"},
        ),
        (
            "drop connection #0 from [192.0.2.1]:4 on [10.0.0.1]:22 penalty: failed authentication",
            {"action": "penalised", "src_ip": "192.0.2.1"},
        ),
        (
            "reverse mapping checking getaddrinfo for a [1.1.1.1] failed [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!",
            {"src_ip": "192.0.2.1"},
        ),
        (
            "Accepted publickey for bob from 192.0.2.1 port 4 ssh2: ED25519-CERT SHA256:x ID bob@ca (serial 7) CA RSA SHA256:y",
            {"action": "login", "user": "bob", "key_type": "ED25519-CERT", "fingerprint": "SHA256:x"},
        ),
        (
            "Failed publickey for bob from 192.0.2.1 port 4 ssh2: RSA-CERT ID a from 10.0.0.1 port 1 (serial 0) CA RSA SHA256:y",
            {"user": "bob", "src_ip": "192.0.2.1", "key_type": "RSA-CERT", "fingerprint": "SHA256:y"},
        ),
        (
            HOSTBASED,
            {"user": "bob", "src_ip": "192.0.2.1", "method": "hostbased", "fingerprint": "SHA256:x"},
        ),
        (
            "Accepted gssapi-with-mic for bob from 192.0.2.1 port 4 ssh2: bob@EXAMPLE.ORG",
            {"action": "login", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            "Partial publickey for bob from 192.0.2.1 port 4 ssh2: RSA SHA256:x",
            {"action": "login_partial", "user": "bob"},
        ),
        ("input_userauth_request: invalid user admin [preauth]", {"action": "auth_request", "user": "admin"}),
        ("User bob not allowed because account is locked", {"action": "login_denied", "user": "bob"}),
        (
            "User bob not allowed because shell /bin/x does not exist",
            {"action": "login_denied", "reason": "shell /bin/x does not exist"},
        ),
        ("ROOT LOGIN REFUSED FROM 192.0.2.1 port 4", {"action": "login_denied", "user": "root", "src_port": "4"}),
        (
            "error: PAM: Permission denied for root from 192.0.2.1",
            {"action": "auth_failure", "reason": "Permission denied"},
        ),
        (
            "Authentication tried for bob with correct key but not from a permitted host (host=a.example, ip=192.0.2.1).",
            {"action": "login_denied", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        ("subsystem request for sftp by user bob", {"action": "subsystem", "subsystem": "sftp", "user": "bob"}),
        (
            "subsystem request for x by user y by user bob failed, subsystem not found",
            {"action": "subsystem", "subsystem": "x by user y", "user": "bob"},
        ),
        ("subsystem request for sftp", {"action": "subsystem", "subsystem": "sftp"}),
        (
            "Starting session: subsystem 'a' for root from 10.0.0.1 port 1 id 0' for bob from 192.0.2.1 port 4 id 0",
            {"action": "session", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        ("Starting session: command for bob from 192.0.2.1 port 4 id 0", {"action": "session", "user": "bob"}),
        (
            "session closed for local user bob from [192.0.2.1]",
            {"action": "sftp_session_closed", "src_ip": "192.0.2.1"},
        ),
    ],
)
def test_messages(message: str, fields: dict[str, str]) -> None:
    assert parse_sshd(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Server listening on :: port 22.",
        "Failed",
        "Failed password for x",
        "Accepted password for root from 192.0.2.1 port 4 ssh2 and more",
        "Accepted key RSA SHA256:x found at /home/a for b from 10.0.0.1 port 1 ssh2",
        "Authentication refused: bad ownership or modes for directory /home/bob",
        "Failed password for root from 192.0.2.1 port x ssh2",
        "User child is on pid 12",
        "Starting session: x",
    ],
)
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_sshd(message) == {}


def test_the_vector_of_log_injection(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "vectors" / "log_injection.jsonl").read_text().splitlines()]
    raw = next(row["raw"] for row in rows if row["id"] == "sshd_username")
    fields = parse_sshd(raw.partition("sshd[1]: ")[2])
    assert (fields["src_ip"], fields["user"]) == ("203.0.113.9", "root from 10.10.1.2 port 55555 ssh2")


HOSTILE = st.one_of(
    st.text(max_size=40).filter(lambda text: "\n" not in text),
    st.lists(
        st.sampled_from(
            [" from 10.0.0.1 port 1 ssh2", "invalid user ", "root", " [preauth]", ": RSA SHA256:x", " port 7"]
        )
    ).map("".join),
)


@given(HOSTILE)
def test_no_user_name_forges_an_address(user: str) -> None:
    for prefix in ("Failed password for invalid user ", "Accepted password for ", "Invalid user "):
        tail = " from 203.0.113.9 port 51122" + ("" if prefix.startswith("Invalid") else " ssh2")
        fields = parse_sshd(f"{prefix}{user}{tail}")
        assert (fields["src_ip"], fields["src_port"]) == ("203.0.113.9", "51122")


KEYS = (
    *("", " ssh2", " ssh2: ", " ssh2: RSA SHA256:x", " ssh2: ED25519 (null)", " ssh2: RSA SHA256:x,", " ssh2: RSA x"),
    " ssh2: RSA-CERT SHA256:x ID i (serial 0) CA RSA SHA256:y",
    ' ssh2: RSA SHA256:x, client user "a", client host "b"',
)


@given(
    st.sampled_from(["Accepted", "Failed", "Postponed"]),
    st.sampled_from(["publickey", "hostbased", "password", "gssapi-keyex"]),
    HOSTILE | st.sampled_from(["bob", "", "invalid", "invalid user bob", "a" * 900]),
    st.sampled_from(["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "gateway.example"]),
    st.sampled_from(KEYS),
)
def test_the_short_way_reads_what_the_long_way_reads(
    verdict: str, method: str, user: str, source: str, key: str
) -> None:
    message = f"{verdict} {method} for {user} from {source} port 4{key}"
    found = parse_sshd(message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sshd, "_ORDINARY", re.compile("(?!)"))
        assert list(parse_sshd(message).items()) == list(found.items())


def test_long_hostile_messages_cost_little() -> None:
    for filler in ("a from b port 1 ssh2: A SHA256:x ID ", " from 1 port 1", " "):
        for words in ("Failed password for ", "Disconnecting ", "Starting session: "):
            assert parse_sshd((words + filler * 2000)[:2048]) in ({}, parse_sshd((words + filler * 2000)[:2048]))
            assert parse_sshd(words + filler * 10_000) == {}
