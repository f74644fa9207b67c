"""No request of ours reaches an address that nobody allowed, in any spelling, by any road."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from daemon.delivery.address_guard import (
    AddressRefusedError,
    Guard,
    GuardedConnector,
    check_url,
    guard_for,
    origin,
    parse_networks,
)
from tests.doubles.receiver import Receiver

LOOPBACK = ("127.0.0.0/8",)
NOTHING = Guard(private=(), ports=frozenset({443, 8443}))


class Names(AbstractResolver):
    """A name server that answers by a script, then repeats its last answer."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = answers
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def post(url: str, connector: aiohttp.TCPConnector) -> int:
    async with aiohttp.ClientSession(connector=connector) as session, session.post(url, data=b"x") as response:
        return response.status


def test_every_shared_target_is_blocked_before_any_network(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "vectors" / "ssrf_targets.jsonl").read_text().splitlines()]
    targets = [row["url"] for row in rows if "url" in row]
    assert len(targets) >= 11
    assert all(row["expect"] == "block" for row in rows)
    assert [target for target in targets if check_url(target) is None] == []


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://hooks.example:8443/",
        "HTTPS://HOOKS.EXAMPLE/x#part",
        "https://bücher.example/a?b=@c",
        "https://hooks.example./",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://my_host.example/",
    ],
)
def test_a_public_https_url_is_fine(url: str) -> None:
    assert check_url(url) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "begins with https"),
        ("hooks.example/x", "begins with https"),
        ("//hooks.example/x", "begins with https"),
        ("https:hooks.example", "a host"),
        ("https:///x", "a host"),
        ("ftp://hooks.example/", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("http://hooks.example/", "expected https"),
        ("http://1.1.1.1/", "expected https"),
        ("https://user@hooks.example/", "user name"),
        ("https://:pw@hooks.example/", "user name"),
        ("https://@hooks.example/", "user name"),
        ("https://hooks.example:22/", "port 22 is not in allow_ports (443, 8443)"),
        ("https://hooks.example:0/", "port other than 0"),
        ("https://hooks.example:99999/", "malformed"),
        ("https://hooks.example:443:1/", "malformed"),
        ("https://1.1.1.1:25/", "port 25"),
        ("https://localhost/", "this host"),
        ("https://LOCALHOST./", "this host"),
        ("https://x.localhost/", "this host"),
        ("https://127.0.0.1/", "loopback"),
        ("https://127.1/", "canonical"),
        ("https://127.0.0.1./", "canonical"),
        ("https://0x7f000001/", "canonical"),
        ("https://0x7f.0.0.1/", "canonical"),
        ("https://017700000001/", "canonical"),
        ("https://127.0.0.01/", "canonical"),
        ("https://1.2.3.4.5/", "canonical"),
        ("https://256.1.1.1/", "canonical"),
        ("https://①②⑦.0.0.1/", "loopback"),
        ("https://127。0。0。1/", "loopback"),
        ("https://127.0.0%2e1/", "host name"),
        ("https://0.0.0.0/", "no host's address"),
        ("https://[::]/", "no host's address"),
        ("https://[::ffff:0.0.0.0]/", "no host's address"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:10.0.0.1]/", "10.0.0.1 is not a public address"),
        ("https://[::ffff:a9fe:a9fe]/", "link-local"),
        ("https://[::7f00:1]/", "not a public address"),
        ("https://[fe80::1]/", "link-local"),
        ("https://[fe80::1%25eth0]/", "link-local"),
        ("https://[fd00:ec2::254]/", "not a public address"),
        ("https://[fec0::1]/", "not a public address"),
        ("https://[ff02::1]/", "no host's address"),
        ("https://[2002:7f00:1::]/", "6to4"),
        ("https://[2001:0:1::1]/", "Teredo"),
        ("https://[64:ff9b:1::1]/", "NAT64"),
        ("https://[2001:db8::1]/", "not a public address"),
        ("https://[3fff::1]/", "documentation"),
        ("https://[v1.x]/", "a host"),
        ("https://[::1/", "malformed"),
        ("https://10.1.2.3/", "not a public address"),
        ("https://172.16.0.1/", "not a public address"),
        ("https://192.168.1.1/", "not a public address"),
        ("https://169.254.169.254/", "link-local"),
        ("https://168.63.129.16/", "platform service"),
        ("https://100.100.100.200/", "RFC 6598"),
        ("https://198.18.0.1/", "not a public address"),
        ("https://203.0.113.10/", "not a public address"),
        ("https://240.0.0.1/", "not a public address"),
        ("https://255.255.255.255/", "no host's address"),
        ("https://239.1.1.1/", "no host's address"),
        ("https://192.88.99.1/", "6to4"),
        ("https://a..b/", "host name"),
        ("https://-a.example/", "host name"),
        ("https://" + "a" * 64 + ".example/", "host name"),
        ("https://" + "a." * 130 + "example/", "expected"),
        ("https://hooks.example/a b", "blank"),
        ("https://hooks.example\t/", "blank"),
        ("https://hooks.example\\@evil.example/", "backslash"),
        ("https://hooks.example/\r\nHost: evil", "blank"),
        ("https://hooks.example/" + "a" * 5000, "at most"),
        ("https://\ud800/", "malformed"),
    ],
)
def test_what_must_not_be_called_is_refused_with_its_reason(url: str, says: str) -> None:
    reason = check_url(url)
    assert reason is not None
    assert says in reason


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,20}(:\d{0,6})?/.{0,10}"))
def test_no_text_makes_the_check_or_the_origin_fail(url: str) -> None:
    for networks in ((), LOOPBACK):
        reason = check_url(url, networks)
        assert reason is None or (reason and reason.isprintable())
    assert origin(url).isprintable()


@pytest.mark.parametrize(
    ("url", "networks"),
    [
        ("http://127.0.0.1:9000/", ("127.0.0.0/8",)),
        ("http://[::ffff:127.0.0.1]:9000/", ("127.0.0.1",)),
        ("http://localhost:9000/", ("127.0.0.0/8", "::1")),
        ("http://[::1]:9000/", ("::1/128",)),
        ("https://10.1.2.3:9/", ("10.0.0.0/8",)),
        ("http://chat.internal:9000/", ("10.0.0.0/8",)),
    ],
)
def test_allowed_networks_may_be_reached_by_http_and_on_any_port(url: str, networks: tuple[str, ...]) -> None:
    assert check_url(url, networks) is None


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://0.0.0.0/", "https://[ff02::1]/", "http://169.254.169.254/"]
)
def test_allowing_one_network_allows_no_other(url: str) -> None:
    assert check_url(url, LOOPBACK) is not None


def test_allowing_everything_still_excludes_what_is_no_host() -> None:
    everything = ("0.0.0.0/0", "::/0")
    assert check_url("http://169.254.169.254/", everything) is None
    assert check_url("http://0.0.0.0/", everything) is not None
    assert check_url("http://224.0.0.1/", everything) is not None
    assert check_url("http://[::]/", everything) is not None


@pytest.mark.parametrize("text", ["localhost", "10.0.0.5/8", "10.0.0.0/33", "", "*"])
def test_a_range_that_is_none_is_said(text: str) -> None:
    assert "allow_private: expected an address or range" in str(check_url("https://hooks.example/", (text,)))
    with pytest.raises(ValueError, match="allow_private"):
        parse_networks([text])


def test_the_reason_never_quotes_the_path() -> None:
    for url in (
        "https://10.0.0.1/T0/SECRET?k=SECRET",
        "gopher://h/SECRET",
        "https://h:1/SECRET",
        "https://u:SECRET@h/",
    ):
        assert "SECRET" not in str(check_url(url))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example:8443/T0/SECRET?k=1", "https://hooks.example"),
        ("https://u:SECRET@hooks.example/", "https://hooks.example"),
        ("http://[::1]:80/", "http://::1"),
        ("nonsense", "(unreadable URL)"),
        ("https://[::1", "(unreadable URL)"),
        ("https://a\x1bb/SECRET", "https://a?b"),
    ],
)
def test_only_scheme_and_host_are_shown(url: str, shown: str) -> None:
    assert origin(url) == shown


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_literal_or_name_of_this_host_is_stopped_before_a_byte_is_sent(host: str) -> None:
    """Fails if aiohttp ever stops asking `_resolve_host` for IP literals, or renames it."""
    async with Receiver() as receiver:
        connector = GuardedConnector(NOTHING)
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await post(f"http://{host}:{receiver.port}/", connector)
        assert isinstance(refused.value.os_error, AddressRefusedError)
        assert receiver.received == []


async def test_the_check_where_sockets_are_made_stands_by_itself() -> None:
    class Renamed(GuardedConnector):
        """aiohttp as it would be if our override were never called."""

        _resolve_host = aiohttp.TCPConnector._resolve_host

    for resolver in (None, Names(["127.0.0.1", "::1"])):
        async with Receiver() as receiver:
            host = "hooks.example" if resolver else "127.0.0.1"
            with pytest.raises(aiohttp.ClientConnectorError):
                await post(f"http://{host}:{receiver.port}/", Renamed(NOTHING, resolver))
            assert receiver.received == []


async def test_a_name_is_resolved_once_and_only_the_judged_address_is_connected_to() -> None:
    """DNS rebinding: the answer that was judged is the one that is used, and each connection is judged anew."""
    names = Names(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1"])
    only_first = Guard(private=parse_networks(["127.0.0.1"]), ports=frozenset(), plain=True)
    connector = GuardedConnector(only_first, names)
    async with Receiver() as receiver, aiohttp.ClientSession(connector=connector) as session:
        url = f"http://hooks.example:{receiver.port}/"
        async with session.post(url, data=b"1") as response:
            assert response.status == 200
        assert names.asked == 1
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(url, data=b"2")
        assert names.asked == 2
        assert [request.body for request in receiver.received] == [b"1"]
        assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


async def test_of_several_addresses_only_the_allowed_are_tried() -> None:
    guard = Guard(private=parse_networks(["127.0.0.1"]), ports=frozenset(), plain=True)
    connector = GuardedConnector(guard, Names(["169.254.169.254", "10.0.0.1", "127.0.0.1"]))
    async with Receiver() as receiver:
        assert await post(f"http://hooks.example:{receiver.port}/", connector) == 200


@pytest.mark.parametrize("answer", [["10.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254", "fe80::1"], []])
async def test_a_name_that_leads_inside_is_refused(answer: list[str]) -> None:
    connector = GuardedConnector(guard_for("https://hooks.example/", (), (443,)), Names(answer))
    with pytest.raises(aiohttp.ClientConnectorError) as refused:
        await post("https://hooks.example/", connector)
    assert isinstance(refused.value.os_error, AddressRefusedError)


def test_http_to_a_public_address_and_foreign_ports_are_refused_when_connecting() -> None:
    assert guard_for("http://h/", ("10.0.0.0/8",), (80, 443)).refuses("1.1.1.1", 80) is not None
    assert guard_for("http://h/", ("10.0.0.0/8",), (80, 443)).refuses("10.1.1.1", 8080) is None
    assert guard_for("https://h/", ("10.0.0.0/8",), (443,)).refuses("1.1.1.1", 443) is None
    assert guard_for("https://h/", ("10.0.0.0/8",), (443,)).refuses("1.1.1.1", 6333) is not None
    assert guard_for("https://h/", (), ()).refuses("1.1.1.1", 443) == "port 443 is not in allow_ports (none)"
    assert guard_for("https://h/", (), (443,)).refuses("not an address", 443) is not None
