"""Which addresses a webhook may reach: public ones, and those that the configuration names in `allow_private`.

`check_url` judges the text of a URL without a network. `GuardedConnector` judges every address at the moment of
connecting, so a name cannot answer with one address when it is checked and with another when it is used. A custom
resolver would not do: aiohttp skips it for IP literals (measured with 3.14.5). So the check stands twice: where
hosts become addresses (`_resolve_host`), and, should aiohttp ever rename that, where sockets are made.
"""

import errno
import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL  # aiohttp's own URL parser: another one would see another host in a crafted URL

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAX_URL = 4096
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text) for text in ("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")
)
"""Unspecified (which Linux takes for loopback), multicast, broadcast: no receiver is there, allowed or not."""
_DENIED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(text), what)
    for text, what in (
        ("100.64.0.0/10", "shared by a provider's customers (RFC 6598)"),
        ("168.63.129.16/32", "the platform service of a cloud"),
        ("192.0.0.0/24", "reserved (RFC 6890)"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("2001::/32", "Teredo, which hides an IPv4 address"),
        ("2002::/16", "6to4, which hides an IPv4 address"),
        ("3fff::/20", "for documentation (RFC 9637)"),
        ("64:ff9b::/96", "NAT64, which hides an IPv4 address"),
        ("64:ff9b:1::/48", "NAT64, which hides an IPv4 address"),
    )
)
"""Ranges that Python's `is_global` takes for public (3.11; newer versions differ) and that are not."""


class AddressRefusedError(OSError):
    """An address that the webhook may not reach. An OSError, because aiohttp loses other kinds while connecting."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, reason)
        self.reason = reason


class Guard(Struct, frozen=True):
    """What one webhook may reach. `plain` is true for http: it stays inside the allowed networks."""

    private: tuple[Network, ...]
    ports: frozenset[int]
    plain: bool = False

    def refuses(self, host: str, port: int) -> str | None:
        """Why this address and port must not be connected to; None when they may."""
        try:
            address = _unmapped(ipaddress.ip_address(host))
        except ValueError:
            return f"expected an IP address to connect to (got {host[:80]!r})"
        if any(address in network for network in _NEVER):
            return f"{address} is no host's address"
        if any(address in network for network in self.private):
            return None
        if (what := _not_public(address)) is not None:
            return f"{address} is {what}; name it in allow_private if it is meant"
        return self.refuses_publicly(port)

    def refuses_publicly(self, port: int) -> str | None:
        """Why a public host must not be connected to in this way; None when it may."""
        if self.plain:
            return "expected https (http is only for addresses in allow_private)"
        if port not in self.ports:
            return f"port {port} is not in allow_ports ({', '.join(map(str, sorted(self.ports))) or 'none'})"
        return None


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and CIDR ranges. Raises ValueError naming the first that is neither."""
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text.strip()))
        except ValueError as error:
            raise ValueError(f"allow_private: expected an address or range such as 10.0.0.0/8 ({error})") from error
    return tuple(found)


def check_url(url: str, allow_private: Sequence[str] = (), allow_ports: Sequence[int] = (443, 8443)) -> str | None:
    """Why a webhook must not use this URL; None when nothing speaks against it before its name is resolved.

    Needs no network. The reason never quotes more of the URL than its scheme, host and port.
    """
    try:
        private = parse_networks(allow_private)
        parsed = _parsed(url)
    except ValueError as error:
        return str(error)
    guard = Guard(private, frozenset(allow_ports), plain=parsed.scheme == "http")
    return _check_host(parsed.raw_host or "", parsed.port or 0, guard)


def guard_for(url: str, allow_private: Sequence[str], allow_ports: Sequence[int]) -> Guard:
    """What a webhook of this URL may reach. Raises ValueError for a range that is none."""
    plain = not url.lower().startswith("https://")
    return Guard(parse_networks(allow_private), frozenset(allow_ports), plain=plain)


def origin(url: str) -> str:
    """`scheme://host` of a URL, which is all that may be shown of it: the rest may be a password."""
    try:
        parsed = URL(url)
        host = parsed.host or ""
    except ValueError:
        return "(unreadable URL)"
    shown = re.sub(r"[^\w.:-]", "?", host)[:253]
    return f"{parsed.scheme[:20]}://{shown}" if parsed.scheme and shown else "(unreadable URL)"


class GuardedConnector(aiohttp.TCPConnector):
    """A connector that only ever connects to an address that its guard accepts, whatever a name resolves to.

    Of several addresses the acceptable ones are tried. Host header and TLS server name stay those of the URL.
    No connection is kept: a receiver that closed an idle one would cost an attempt.
    """

    def __init__(self, guard: Guard, resolver: AbstractResolver | None = None, **options: Any) -> None:
        self._guard = guard
        super().__init__(
            resolver=resolver,
            use_dns_cache=False,
            force_close=True,
            socket_factory=self._make_socket,
            **options,
        )

    async def _resolve_host(self, host: str, port: int, traces: Any = None) -> list[ResolveResult]:
        """Raises AddressRefusedError when no address of the host is acceptable."""
        found = await super()._resolve_host(host, port, traces=traces)
        reasons = [self._guard.refuses(entry["host"], entry["port"]) for entry in found]
        accepted = [entry for entry, reason in zip(found, reasons, strict=True) if reason is None]
        if not accepted:
            raise AddressRefusedError(next(filter(None, reasons), "the name has no address"))
        return accepted

    def _make_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, where = info
        reason = self._guard.refuses(str(where[0]), int(where[1]))
        if reason is not None:
            raise AddressRefusedError(reason)
        return socket.socket(family, kind, protocol)


def _parsed(url: str) -> URL:
    """The URL as aiohttp will read it. Raises ValueError with what was expected."""
    if len(url) > _MAX_URL or _UNSAFE.search(url):
        raise ValueError(f"expected a URL of at most {_MAX_URL} characters, none of them a blank or a backslash")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        # the error would quote the URL
        raise ValueError("expected a URL such as https://hooks.example/path (got one that is malformed)") from None
    if parsed.scheme not in {"http", "https"}:
        raise ValueError("expected a URL that begins with https:// or http:// (got another scheme, or none)")
    authority = _AUTHORITY.match(url)
    if authority is None or ("[" in authority[1] and ":" not in (host or "")):
        raise ValueError("expected a host after the // of the URL")
    if "@" in authority[1]:
        raise ValueError("expected no user name or password in the URL (sign with secret_files instead)")
    if not host or not port:
        raise ValueError("expected a host and a port other than 0 in the URL")
    return parsed


def _check_host(host: str, port: int, guard: Guard) -> str | None:
    """A literal is judged like an address; a name as far as it can be before it is resolved."""
    name = host.removesuffix(".").lower()
    if ":" in host or _NUMERIC_LABEL.fullmatch(name.rsplit(".", maxsplit=1)[-1]):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return f"expected a canonical IP address or a name as the host (got {host[:80]!r})"
        return guard.refuses(host, port)
    return _check_name(name, host, port, guard)


def _check_name(name: str, host: str, port: int, guard: Guard) -> str | None:
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):  # noqa: PLR2004 - RFC 1035
        return f"expected a host name (got {host[:80]!r})"
    if guard.private:
        return None  # the name may resolve into them: judged when it does
    if name == "localhost" or name.endswith(".localhost"):
        return "localhost is this host; name 127.0.0.0/8 in allow_private if it is meant"
    return guard.refuses_publicly(port)


def _unmapped(address: Address) -> Address:
    """`::ffff:127.0.0.1` is 127.0.0.1 to the kernel, so it is to us."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def _not_public(address: Address) -> str | None:
    for network, what in _DENIED:
        if address in network:
            return what
    if address.is_link_local:
        return "link-local, where clouds keep credentials"
    if address.is_loopback:
        return "this host (loopback)"
    if not address.is_global or (address.version == 6 and address not in _GLOBAL_UNICAST):  # noqa: PLR2004 - IPv6
        return "not a public address"
    return None
