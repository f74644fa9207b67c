from ipaddress import ip_network

import pytest

from daemon.detection.readings import OPERATORS, in_network, number_of, time_part


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("26", 26), ("-3", -3), ("97.5", 97.5), ("1e3", 1000.0), (" 7 ", 7), ("18446744073709551615", 2**64 - 1),
        ("", None), ("0x1f", None), ("1_0", None), ("nan", None), ("inf", None), ("1e999", None), ("9" * 5000, None),
        ("twelve", None),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float | None) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize(
    ("text", "network", "inside"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("fe80::1", "fe80::/10", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("[2001:db8::1]", "2001:db8::/32", True),
        ("10.1.2.3", "2001:db8::/32", False),
        ("2001:db8::1", "10.0.0.0/8", False),
        ("not an address", "10.0.0.0/8", False),
        ("", "0.0.0.0/0", False),
        ("1" * 100_000, "0.0.0.0/0", False),
    ],
)
def test_addresses(text: str, network: str, inside: bool) -> None:
    assert in_network(text, ip_network(network)) is inside


@pytest.mark.parametrize(
    ("text", "part", "value"),
    [
        ("2025-03-04T05:06:07Z", "hour", 5),
        ("2025-03-04T05:06:07+02:00", "hour", 3),
        ("2025-03-04 05:06:07", "minute", 6),
        ("0", "year", 1970),
        ("1741064767.5", "month", 3),
        ("2024-12-30", "week", 1),
        ("2025-03-04", "day", 4),
        ("yesterday", "day", None),
        ("1e300", "year", None),
    ],
)
def test_parts_of_time_are_those_of_utc(text: str, part: str, value: int | None) -> None:
    assert time_part(text, part) == value


def test_operators() -> None:
    assert [OPERATORS[sign](1, 2) for sign in ("<", "<=", ">", ">=", "==", "!=")] == [
        True, True, False, False, False, True,
    ]  # fmt: skip
