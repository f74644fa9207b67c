"""Connections by state however many there are, and those that lead to mining pools; traffic of real interfaces."""

import socket
from pathlib import Path

import pytest

from daemon.sources import host_network
from daemon.sources.host_network import interface_counters, read_connections, tcp_counters, utilisation
from daemon.sources.host_reading import HIDDEN
from tests.doubles.host_system import HostSystem, ProcTree, interface

LISTENS = ("00000000:0016", "00000000:0000", "0A", 0)
POOL = f"{3333:04X}"


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


def test_states_are_counted_and_those_of_nobody_are_zero(tree: ProcTree) -> None:
    tree.sockets(
        LISTENS, ("0A00000A:0016", "0A00000B:D431", "01", 0), ("0A00000A:0016", "0A00000B:D432", "01", 0),
        ("0A00000A:0016", "0A00000B:D433", "03", 0), ("0A00000A:0016", "0A00000B:D434", "08", 0),
        ("0A00000A:0016", "0A00000B:D435", "06", 0),
    )  # fmt: skip
    tree.write("net/tcp6", (tree.proc / "net/tcp").read_text().replace("0A00000A", "0" * 32))
    assert read_connections(tree.proc).values == {
        "net.connections_established": 4.0, "net.connections_syn_sent": 0.0, "net.connections_syn_received": 2.0,
        "net.connections_fin_wait": 0.0, "net.connections_time_wait": 2.0, "net.connections_close_wait": 2.0,
        "net.connections_listening": 2.0, "net.connections_closing": 0.0, "net.connections_to_pools": 0.0,
    }  # fmt: skip


def test_tables_are_read_in_pieces(tree: ProcTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_network, "_CHUNK", 61)
    tree.sockets(*[("0A00000A:0016", f"0A00000B:{port:04X}", "01", 0) for port in range(30_000, 32_000)])
    assert read_connections(tree.proc).values["net.connections_established"] == 2000.0


def test_connections_to_pools_by_user(tree: ProcTree) -> None:
    tree.sockets(
        LISTENS,
        ("0A00000A:B001", f"0A00000B:{POOL}", "01", 33),
        ("0A00000A:B002", f"0A00000B:{POOL}", "01", 33),
        ("0A00000A:B003", f"0A00000B:{POOL}", "06", 34),
        ("0A00000A:B004", "0A00000B:01BB", "01", 35),
        ("0100007F:B005", f"0100007F:{POOL}", "01", 36),
        ("0A00000A:0016", f"0A00000B:{POOL}", "01", 37),
    )
    found = read_connections(tree.proc)
    assert found.pools == {33: 2}, "not those that ended, nor to others, to ourselves, or that came in"
    assert found.values["net.connections_to_pools"] == 2.0


def words_of(address: str) -> str:
    """As /proc/net/tcp6 shows it on a little-endian host."""
    raw = socket.inet_pton(socket.AF_INET6, address)
    return "".join(raw[at : at + 4][::-1].hex().upper() for at in range(0, 16, 4))


@pytest.mark.parametrize(
    ("address", "counted"),
    [("::1", 0.0), ("::ffff:127.0.0.1", 0.0), ("2001:db8::1", 1.0), ("2001:db8::7f00:1", 1.0), ("2001:db8::2", 1.0)],
)
def test_of_ipv6_only_the_loopback_is_ourselves(tree: ProcTree, address: str, counted: float) -> None:
    tree.sockets()
    row = f"   1: {words_of('2001:db8::9')}:B001 {words_of(address)}:{POOL} 01 00000000:00000000 00:00000000 00000000"
    tree.write("net/tcp6", f"  sl  local_address\n{row}    33        0 4711 1\n")
    assert read_connections(tree.proc).values["net.connections_to_pools"] == counted


def test_of_too_many_only_what_is_cheap_is_told(tree: ProcTree) -> None:
    tree.write("net/sockstat", "sockets: used 9\nTCP: inuse 150000 orphan 0 tw 90000 alloc 4 mem 1\n")
    assert read_connections(tree.proc).values == {"net.connections_time_wait": 90_000.0}


def test_a_kernel_without_the_tables_hides_them(tmp_path: Path) -> None:
    with pytest.raises(HIDDEN):
        read_connections(tmp_path)
    with pytest.raises(HIDDEN):
        tcp_counters(tmp_path)


def test_this_very_host() -> None:
    before = read_connections(Path("/proc")).values
    with socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0)):
        after = read_connections(Path("/proc")).values
    assert after["net.connections_listening"] >= 2
    assert before.keys() == after.keys()


def test_what_tcp_refused(tree: ProcTree) -> None:
    tree.counters(overflows=6)
    assert tcp_counters(tree.proc) == {
        "net.listen_overflows_per_second": 6.0, "net.listen_drops_per_second": 6.0, "net.backlog_drops_per_second": 0.0,
        "net.syn_drops_per_second": 0.0, "net.syn_cookies_per_second": 0.0, "net.retransmits_per_second": 9.0,
    }  # fmt: skip


def test_interfaces_without_the_loopback_and_the_inner_ends_of_containers() -> None:
    system = HostSystem()
    system.interfaces = {"lo": interface(9, 9), "veth1a2b": interface(), "eth0": interface(100, 200, 8, 4)}
    assert interface_counters(system) == {
        "eth0": {
            "net.received_bytes_per_second": 200, "net.sent_bytes_per_second": 100, "net.received_packets_per_second": 0,
            "net.sent_packets_per_second": 0, "net.errors_per_second": 8, "net.drops_per_second": 4,
        }
    }  # fmt: skip
    system.interfaces = {f"eth{number}": interface() for number in range(1000)}
    assert len(interface_counters(system)) == host_network.MOST_INTERFACES


@pytest.mark.parametrize(
    ("speed", "expected"), [("1000\n", 80.0), ("-1\n", None), ("x", None), (None, None), ("0", None)]
)
def test_how_much_of_its_speed(tree: ProcTree, speed: str | None, expected: float | None) -> None:
    if speed is not None:
        (tree.sys / "class/net/eth0").mkdir(parents=True)
        (tree.sys / "class/net/eth0/speed").write_text(speed)
    rates = {"net.received_bytes_per_second": 1e6, "net.sent_bytes_per_second": 1e8}
    found = utilisation("eth0", rates, tree.sys)
    assert found == ({} if expected is None else {"net.utilization_percent": pytest.approx(expected)})
