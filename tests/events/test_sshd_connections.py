"""What sshd says of connections, with the client's words in it."""

from typing import Any

import pytest

from daemon.events.sshd import parse_sshd
from daemon.events.sshd_connections import CONNECTIONS

PEER = "invalid user {} 203.0.113.9 port 51122"
ADDRESS = "but this does not map back to the address - POSSIBLE BREAK-IN ATTEMPT!"


def test_every_first_word_leads_somewhere() -> None:
    for word, parse in CONNECTIONS.items():
        assert " " not in word
        assert parse(word) == {}


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "Received disconnect from 192.0.2.1 port 5:11: disconnected by user",
            {"action": "disconnect", "src_ip": "192.0.2.1", "src_port": "5"},
        ),
        ("Received disconnect from 2001:db8::1: 11: Bye", {"action": "disconnect", "src_ip": "2001:db8::1"}),
        ("Received disconnect from 2001:db8::1 port 5:11:  [preauth]", {"src_ip": "2001:db8::1", "src_port": "5"}),
        (
            "Disconnected from user bob 192.0.2.1 port 5",
            {"action": "disconnect", "user": "bob", "invalid_user": "false"},
        ),
        ("Disconnected from 192.0.2.1 port 5 [preauth]", {"action": "disconnect", "src_ip": "192.0.2.1"}),
        (
            "Disconnecting authenticating user root 192.0.2.1 port 3: Too many authentication failures [preauth]",
            {"action": "disconnect", "user": "root", "src_ip": "192.0.2.1"},
        ),
        (
            "Disconnecting: Too many authentication failures for root [preauth]",
            {"action": "disconnect", "user": "root"},
        ),
        ("Disconnecting: Too many authentication failures [preauth]", {"action": "disconnect"}),
        (
            "Connection reset by authenticating user root 192.0.2.1 port 5 [preauth]",
            {"action": "disconnect", "user": "root", "src_ip": "192.0.2.1"},
        ),
        ("Connection closed by 192.0.2.1", {"action": "disconnect", "src_ip": "192.0.2.1"}),
        ("Connection closed by 192.0.2.1 port 5", {"action": "disconnect", "src_port": "5"}),
        ("Connection from 192.0.2.1 port 5 on 10.0.0.1 port 22", {"action": "connection", "src_ip": "192.0.2.1"}),
        (
            "Connection from user bob 192.0.2.1 port 5 timed out",
            {"action": "timeout", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            "ssh_dispatch_run_fatal: Connection from authenticating user root 192.0.2.1 port 5: Broken pipe [preauth]",
            {"action": "bad_protocol", "user": "root", "src_ip": "192.0.2.1"},
        ),
        ("banner exchange: Connection from 192.0.2.1 port 5: invalid format", {"action": "bad_protocol"}),
        (
            "Unable to negotiate with 2001:db8::1 port 5: no matching cipher found. Their offer: x from 10.0.0.1 port 1",
            {"action": "bad_protocol", "src_ip": "2001:db8::1", "src_port": "5"},
        ),
        (
            "Did not receive identification string from 192.0.2.1 port 5",
            {"action": "no_identification", "src_port": "5"},
        ),
        ("Did not receive identification string from 192.0.2.1", {"src_ip": "192.0.2.1"}),
        ("Bad protocol version identification '' from 192.0.2.1 port 5", {"action": "bad_protocol"}),
        (
            "Timeout before authentication for connection from 192.0.2.1 to 10.0.0.1, pid = 4",
            {"action": "timeout", "src_ip": "192.0.2.1"},
        ),
        ("fatal: Timeout before authentication for 192.0.2.1 port 5", {"action": "timeout", "src_port": "5"}),
        (
            "drop connection #10 from [192.0.2.1]:5 on [10.0.0.1]:22 past MaxStartups",
            {"action": "penalised", "src_ip": "192.0.2.1", "src_port": "5"},
        ),
        (
            "reverse mapping checking getaddrinfo for a [10.0.0.1] failed [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!",
            {"action": "break_in_attempt", "src_ip": "192.0.2.1"},
        ),
        (f"Address 192.0.2.1 maps to evil.example, {ADDRESS}", {"action": "break_in_attempt", "src_ip": "192.0.2.1"}),
        ('Nasty PTR record "10.0.0.1" is set up for 192.0.2.1, ignoring', {"src_ip": "192.0.2.1"}),
        ("refused connect from evil.example (192.0.2.1)", {"action": "refused", "src_ip": "192.0.2.1"}),
    ],
)
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_sshd(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message",
    [
        "Connection closed by remote host",
        "kex_exchange_identification: Connection closed by remote host",
        "kex_exchange_identification: read: Connection reset by peer",
        "Connection closed by user port 5",
        "Received signal 15; terminating.",
        "Address x maps to y",
        "Unable to open",
        "drop connection",
        "Server listening on 0.0.0.0 port 22.",
    ],
)
def test_what_only_begins_alike_has_no_fields(message: str) -> None:
    assert parse_sshd(message) == {}


@pytest.mark.parametrize(
    "reason",
    [
        "Change of username or service not allowed: (root,ssh-connection) -> (x 10.0.0.1 port 9,x 10.0.0.1 port 9: y)",
        "bad service request x 10.0.0.1 port 9: Too many authentication failures",
        "bad service request  10.0.0.1 port 9: y",
        "Too many authentication failures",
    ],
)
@pytest.mark.parametrize("user", ["root", "x 10.0.0.1 port 9", "", "y from 10.0.0.1 port 9"])
def test_no_service_that_a_client_asks_for_forges_an_address(user: str, reason: str) -> None:
    for tail in ("", " [preauth]"):
        fields = parse_sshd(f"Disconnecting {PEER.format(user)}: {reason}{tail}")
        assert fields == {
            "action": "disconnect", "user": user, "invalid_user": "true", "src_ip": "203.0.113.9", "src_port": "51122",
        }  # fmt: skip
