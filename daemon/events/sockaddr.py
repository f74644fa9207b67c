"""The address inside a SOCKADDR record: `saddr=` is the hex of a `struct sockaddr`.

The family is in the order of the host, whichever that is: one of its two bytes is zero. The port is in that of the
network.
"""

import ipaddress

from msgspec import Struct

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_OTHERS = {16: "netlink", 17: "packet", 29: "can", 31: "bluetooth", 38: "alg", 40: "vsock", 44: "xdp"}
"""Families of which only the name is told (`linux/socket.h`)."""
_LONGEST = 512  # hex characters; the kernel's sockaddr_storage is 128 bytes
_V4_END, _V6_END = 8, 24


class Address(Struct, frozen=True):
    """Where a socket call pointed. `inet` and `inet6` have a port, `local` a path as its host, others have neither."""

    family: str
    host: str
    port: int = 0

    @property
    def is_remote(self) -> bool:
        """Whether it may be another machine's."""
        return self.family in {"inet", "inet6"}


def parse_sockaddr(saddr: str) -> Address | None:
    """`0200 0050 CB007109 …` → inet 203.0.113.9:80. None for unknown families, and for what is torn or no hex.

    An IPv4 address mapped into IPv6 is given as IPv4, because that is where the packets go.
    """
    if len(saddr) > _LONGEST:
        return None
    try:
        data = bytes.fromhex(saddr)
    except ValueError:
        return None
    family = max(data[:2]) if 0 in data[:2] and len(data) > 1 else 0
    port = int.from_bytes(data[2:4], "big")
    if family == _AF_INET and len(data) >= _V4_END:
        return Address("inet", str(ipaddress.IPv4Address(data[4:_V4_END])), port)
    if family == _AF_INET6 and len(data) >= _V6_END:
        address = ipaddress.IPv6Address(data[8:_V6_END])
        return Address("inet6", str(address.ipv4_mapped or address), port)
    if family == _AF_UNIX:
        return Address("local", _socket_path(data[2:]))
    return Address(_OTHERS[family], "") if family in _OTHERS else None


def _socket_path(data: bytes) -> str:
    """The path of a UNIX socket; an abstract one begins with NUL and is shown with `@`, as ss and netstat do."""
    abstract = data[:1] == b"\0"
    name, _, _ = (data[1:] if abstract else data).partition(b"\0")
    return ("@" if abstract and name else "") + name.decode("utf-8", "backslashreplace")
