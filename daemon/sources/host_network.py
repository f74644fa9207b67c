"""The network of this host as gauges: traffic by interface, connections by state, what was refused for want of room.

Of our own network namespace: what containers do with interfaces of their own is seen on the bridge they share.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from daemon.sources.host_reading import Readings

MOST_INTERFACES = 64
MOST_SOCKETS = 200_000
"""Connections beyond which their states are not counted: the kernel takes a second to write them down."""
_CHUNK = 1 << 16
_INNER = ("veth", "cali", "lxc", "tap", "vnet")
"""Ends of containers and virtual machines: their traffic is that of the bridge behind them."""

POOL_PORTS = frozenset({*range(3332, 3342), 5555, 7777, 10128, 10300, 10343, 13333, 14433, 14444, 20128})
"""Ports at which pools of miners are mostly reached. Not 80 and 443, which say nothing, nor 4444 and 9999, where others
are as often (Selenium, log collectors).
"""

_STATES = {
    b"01": "established", b"02": "syn_sent", b"03": "syn_received", b"04": "fin_wait", b"05": "fin_wait",
    b"06": "time_wait", b"08": "close_wait", b"09": "closing", b"0A": "listening", b"0B": "closing",
}  # fmt: skip
"""include/net/tcp_states.h; the kernel shows what is only half a connection yet (NEW_SYN_RECV) as 03."""
_STATE = re.compile(rb":[0-9A-F]{4} ([0-9A-F]{2}) [0-9A-F]{8}:")
_LOOPBACK = b"01000000".rjust(32, b"0")
_MAPPED = b"FFFF0000".rjust(24, b"0")
"""How an address of IPv4 begins that stands among those of IPv6."""
_LISTENING = re.compile(rb":([0-9A-F]{4}) [0-9A-F]+:0000 0A ")
_TO_POOL = re.compile(
    rb":([0-9A-F]{4}) ([0-9A-F]+):(?:%s) 01 \S+ \S+ \S+ +(\d+) "
    % b"|".join(b"%04X" % port for port in sorted(POOL_PORTS))
)


class Connections(Struct, frozen=True):
    """How many connections are in which state, and how many of each user (by id) lead to the port of a mining pool."""

    values: Mapping[str, float]
    pools: Mapping[int, int]


def read_connections(proc: Path) -> Connections:
    """All TCP sockets. States that nobody is in are 0: that none is there was seen. HIDDEN as any other reading."""
    inuse, waiting = _sockstat(proc)
    values = {"net.connections_time_wait": waiting}
    if inuse + waiting > MOST_SOCKETS:
        return Connections(values, {})
    states: Counter[bytes] = Counter()
    listening: set[bytes] = set()
    to_pools: list[tuple[bytes, bytes, bytes]] = []
    for rows in _tables(proc):
        states.update(_STATE.findall(rows))
        listening.update(_LISTENING.findall(rows))
        to_pools += _TO_POOL.findall(rows)
    counted = dict.fromkeys((f"net.connections_{name}" for name in _STATES.values()), 0.0)
    for code, number in states.items():
        if code in _STATES:
            counted[f"net.connections_{_STATES[code]}"] += number
    pools = Counter(int(uid) for port, address, uid in to_pools if port not in listening and not _is_loopback(address))
    return Connections({**counted, "net.connections_to_pools": float(pools.total())}, pools)


def _sockstat(proc: Path) -> tuple[float, float]:
    """TCP sockets in use and waiting, of IPv4; a cheap hint of how long the tables are."""
    rows = (proc / "net" / "sockstat").read_text(encoding="ascii").splitlines()
    [words] = [row.split() for row in rows if row.startswith("TCP:")]
    pairs = dict(zip(words[1::2], words[2::2], strict=True))
    return float(pairs["inuse"]), float(pairs["tw"])


def _tables(proc: Path) -> Iterator[bytes]:
    """Whole rows of both tables, so many at a time as memory allows."""
    for name in ("tcp", "tcp6"):
        path = proc / "net" / name
        if name == "tcp6" and not path.exists():
            continue  # a host without IPv6
        with path.open("rb", buffering=0) as file:
            rest = b""
            while chunk := file.read(_CHUNK):
                rows, cut, rest = (rest + chunk).rpartition(b"\n")
                yield rows + cut


def _is_loopback(address: bytes) -> bool:
    """Addresses are words of the host's byte order: 127.0.0.1 is 0100007F where it is little-endian."""
    return address == _LOOPBACK or (address.removeprefix(_MAPPED)[8:] == b"" and address.endswith(b"7F"))


_TCP = {
    "ListenOverflows": "net.listen_overflows_per_second",
    "ListenDrops": "net.listen_drops_per_second",
    "TCPBacklogDrop": "net.backlog_drops_per_second",
    "TCPReqQFullDrop": "net.syn_drops_per_second",
    "TCPReqQFullDoCookies": "net.syn_cookies_per_second",
    "RetransSegs": "net.retransmits_per_second",
}


def tcp_counters(proc: Path) -> Readings:
    """What TCP refused for want of room and what it sent again, since the boot (netstat and snmp of /proc/net)."""
    values: Readings = {}
    for name in ("netstat", "snmp"):
        rows = (proc / "net" / name).read_text(encoding="ascii").splitlines()
        for names, numbers in zip(rows[::2], rows[1::2], strict=False):
            pairs = zip(names.split(), numbers.split(), strict=True)
            values |= {_TCP[key]: float(value) for key, value in pairs if key in _TCP}
    return values


def interface_counters(system: Any) -> dict[str, Readings]:
    """Counters of each interface, without the loopback and the inner ends of containers; the first 64 by name."""
    found: dict[str, Readings] = {}
    for name, counted in sorted(system.net_io_counters(pernic=True).items()):
        if name != "lo" and not name.startswith(_INNER) and len(found) < MOST_INTERFACES:
            found[name] = {
                "net.received_bytes_per_second": counted.bytes_recv,
                "net.sent_bytes_per_second": counted.bytes_sent,
                "net.received_packets_per_second": counted.packets_recv,
                "net.sent_packets_per_second": counted.packets_sent,
                "net.errors_per_second": counted.errin + counted.errout,
                "net.drops_per_second": counted.dropin + counted.dropout,
            }
    return found


def utilisation(name: str, rates: Readings, sys: Path) -> Readings:
    """How much of an interface's speed its busier direction takes; nothing where it has no speed of its own (virtual
    ones, radio), or its cable is out.
    """
    try:
        megabits = float((sys / "class" / "net" / name / "speed").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    bytes_per_second = megabits * 125_000
    busier = max(rates["net.received_bytes_per_second"], rates["net.sent_bytes_per_second"])
    return {"net.utilization_percent": 100 * busier / bytes_per_second} if bytes_per_second > 0 else {}
