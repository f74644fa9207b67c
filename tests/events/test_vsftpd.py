"""What vsftpd says of logins."""

import pytest

from daemon.events.vsftpd import parse_vsftpd

FORGED = 'x] FAIL LOGIN: Client "10.0.0.1"'


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            '[bob] FAIL LOGIN: Client "192.0.2.1"',
            {"action": "login_failed", "result": "failure", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            '[bob] OK LOGIN: Client "::ffff:192.0.2.1"',
            {"action": "login", "result": "success", "user": "bob", "src_ip": "192.0.2.1"},
        ),
        (
            f'[ftp] OK LOGIN: Client "192.0.2.1", anon password "{FORGED}"',
            {"action": "login", "result": "success", "user": "ftp", "src_ip": "192.0.2.1"},
        ),
        ('CONNECT: Client "192.0.2.1"', {"action": "connection", "src_ip": "192.0.2.1"}),
        (
            f'[{FORGED}] FAIL LOGIN: Client "192.0.2.1"',
            {"action": "login_failed", "result": "failure", "user": FORGED, "src_ip": "192.0.2.1"},
        ),
        (
            '[x] OK LOGIN: Client "10.0.0.1] FAIL LOGIN: Client "192.0.2.1"',
            {
                "action": "login_failed", "result": "failure", "user": 'x] OK LOGIN: Client "10.0.0.1',
                "src_ip": "192.0.2.1",
            },
        ),
    ],
)  # fmt: skip
def test_messages(message: str, fields: dict[str, str]) -> None:
    assert parse_vsftpd(message) == fields


@pytest.mark.parametrize("message", ["", "[bob]", '[bob] FAIL LOGIN: Client "x"', "Bad HTTP verb."])
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_vsftpd(message) == {}
