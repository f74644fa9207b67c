"""Addresses: the family in the order of the host, the port in that of the network."""

import pytest

from daemon.events.sockaddr import Address, parse_sockaddr


@pytest.mark.parametrize(
    ("saddr", "address"),
    [
        ("02000050CB0071090000000000000000", Address("inet", "203.0.113.9", 80)),
        ("020001BBC0000201", Address("inet", "192.0.2.1", 443)),
        ("0A00001600000000" + "20010DB8000000000000000000000001" + "00000000", Address("inet6", "2001:db8::1", 22)),
        ("0A00115C00000000" + "00000000000000000000FFFFC6336407" + "00000000", Address("inet6", "198.51.100.7", 4444)),
        ("01002F72756E2F7800AAAA", Address("local", "/run/x")),
        ("0100002F6162730000", Address("local", "@/abs")),
        ("0100", Address("local", "")),
        ("100000000000000000000000", Address("netlink", "")),
        ("26000000", Address("alg", "")),
        ("00000000000000000000000000000000", None),
        ("00020050CB0071090000000000000000", Address("inet", "203.0.113.9", 80)),
        ("0202005000000000", None),
        ("FFFF0000", None),
        ("10", None),
        ("02000050CB00", None),
        ("0A000016000000002001", None),
        ("0", None),
        ("", None),
        ("zz", None),
        ("?", None),
        ("02" * 10_000, None),
    ],
)
def test_addresses(saddr: str, address: Address | None) -> None:
    assert parse_sockaddr(saddr) == address


@pytest.mark.parametrize(
    ("family", "remote"), [("inet", True), ("inet6", True), ("local", False), ("netlink", False), ("packet", False)]
)
def test_which_addresses_may_be_of_another_machine(family: str, *, remote: bool) -> None:
    assert Address(family, "x").is_remote is remote
