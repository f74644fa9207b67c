"""Who and whence: on which side the program's own words are."""

import pytest

from daemon.events.peers import is_address, last_peer, last_place, peer_before_text, source_fields, user_fields


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        *((text, True) for text in ("192.0.2.1", "2001:db8::1", "fe80::1%eth0", "::ffff:192.0.2.1")),
        *((text, False) for text in ("", "gateway.example", "192.0.2.1 ", "(192.0.2.1", "x" * 60)),
    ],
)
def test_addresses(text: str, yes: bool) -> None:
    assert is_address(text) is yes


def test_a_source_is_an_address_or_a_name() -> None:
    assert source_fields("192.0.2.1", "4") == {"src_ip": "192.0.2.1", "src_port": "4"}
    assert source_fields("gateway.example") == {"src_host": "gateway.example"}
    assert source_fields("", "4") == {}


def test_a_user_is_known_or_not() -> None:
    assert user_fields("bob") == {"user": "bob", "invalid_user": "false"}
    assert user_fields("invalid user bob") == user_fields("illegal user bob") == user_fields("bob", exists=False)
    assert user_fields("invalid user bob", exists=True) == {"user": "invalid user bob", "invalid_user": "false"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("bob from 192.0.2.1 port 4", ("bob", {"src_ip": "192.0.2.1", "src_port": "4"})),
        (" from 192.0.2.1 port 4", ("", {"src_ip": "192.0.2.1", "src_port": "4"})),
        ("a from 10.0.0.1 port 1 from b.example port 4", ("a from 10.0.0.1 port 1", {"src_host": "b.example", "src_port": "4"})),
        ("bob from 192.0.2.1 port 4 ", None),
        ("bob from 192.0.2.1 port x", None),
        ("bob from 192.0.2.1", None),
        ("bob from 192.0.2.1 x port 4", None),
        ("bob from  port 4", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_last_place_counts(text: str, place: tuple[str, dict[str, str]] | None) -> None:
    assert last_place(text) == place


def test_a_port_may_be_missing_where_the_program_leaves_it_out() -> None:
    assert last_place("bob from 192.0.2.1", port_needed=False) == ("bob", {"src_ip": "192.0.2.1"})
    assert last_place("bob from 192.0.2.1 port 4", port_needed=False) == last_place("bob from 192.0.2.1 port 4")
    assert last_place("bob", port_needed=False) is None


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("invalid user a b 192.0.2.1 port 4", {"user": "a b", "invalid_user": "true"}),
        ("invalid user  192.0.2.1 port 4", {"user": "", "invalid_user": "true"}),
        ("authenticating user root 192.0.2.1 port 4", {"user": "root", "invalid_user": "false"}),
        ("user root 10.0.0.1 port 1 192.0.2.1 port 4", {"user": "root 10.0.0.1 port 1", "invalid_user": "false"}),
        ("192.0.2.1 port 4", {}),
    ],
)
def test_the_last_peer_counts(text: str, user: dict[str, str]) -> None:
    assert last_peer(text) == {**user, "src_ip": "192.0.2.1", "src_port": "4"}


@pytest.mark.parametrize("text", ["", "192.0.2.1", "x port 4 ", "user bob (192.0.2.1 port 4", "user bob port 4 port"])
def test_what_is_no_peer_is_none(text: str) -> None:
    assert last_peer(text) is None


@pytest.mark.parametrize("source", ["192.0.2.1", "2001:db8::17"])
def test_what_follows_a_peer_changes_nothing_of_it(source: str) -> None:
    forged = "x 10.0.0.1 port 9: y from 10.0.0.1 port 9"
    found = peer_before_text(f"invalid user a 10.0.0.2 port 1 {source} port 4: {forged}")
    assert found is not None
    assert found[0] == {"user": "a 10.0.0.2 port 1", "invalid_user": "true", "src_ip": source, "src_port": "4"}
    assert found[1] == forged
    assert peer_before_text("nobody: here") is None
