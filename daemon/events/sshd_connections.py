"""What sshd says of a connection rather than of a login: opened, closed, dropped, not understood, badly named.

Who is on the other side is written `[invalid user U|authenticating user U|user U] A port N` since OpenSSH 7.5
(`sshpkt_fmt_connection_id` in packet.c). What may follow it (a reason, an offer) is the client's text, so there it is
read from the start; see `sshd`.
"""

import re
from collections.abc import Callable

from daemon.events.peers import (
    Fields,
    is_address,
    last_peer,
    last_place,
    peer_before_text,
    source_fields,
    user_fields,
)

_TOO_MANY = "Too many authentication failures"
_REASONS = (
    *(_TOO_MANY, "Change of username or service not allowed", "bad service request ", "no authentication methods"),
    *("Packet corrupt", "Protocol error", "Bad packet", "Corrupted", "Invalid ssh2 packet", "unsupported service"),
)
_ENDED = re.compile(r"Connection (?:closed|reset) by ")
_RECEIVED = re.compile(r"(?P<src>[A-Za-z0-9_.:%-]{1,255}?)(?: port (?P<port>[0-9]{1,5}):|: )(?P<code>[0-9]{1,10}):")
_SOCKET = re.compile(r"drop connection #[0-9]{1,10} from \[(?P<src>[^ \]]{1,255})\]:(?P<port>[0-9]{1,5}) on ")
_FROM = re.compile(r"(?P<src>[0-9A-Fa-f.:]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?) port (?P<port>[0-9]{1,5}) on ")
_EXPIRED = re.compile(
    r"(?:connection from (?P<from>[A-Za-z0-9_.:%-]{1,255}) to .*|(?P<src>[A-Za-z0-9_.:%-]{1,255})(?: port "
    r"(?P<port>[0-9]{1,5}))?)",
    re.DOTALL,
)


def _received(said: str) -> Fields:
    """`Received disconnect from A port N:C: R`; before 7.2 `Received disconnect from A: C: R`."""
    text = said.removeprefix("Received disconnect from ")
    found = _RECEIVED.match(text) if text != said else None
    return {"action": "disconnect", **source_fields(found["src"], found["port"] or "")} if found else {}


def _disconnected(said: str) -> Fields:
    """`Disconnected from PEER`."""
    return _with("disconnect", last_peer(said.removeprefix("Disconnected from ")))


def _disconnecting(said: str) -> Fields:
    """`Disconnecting PEER: R`, where R may quote the user and the service that the client asked for."""
    text = said.removeprefix("Disconnecting ")
    found = peer_before_text(text)
    if found is not None and found[1].startswith(_REASONS):
        return _with("disconnect", found[0])
    known = text.removesuffix(f": {_TOO_MANY}")
    return _with("disconnect", last_peer(known) if known != text else found and found[0])


def _disconnecting_nobody(said: str) -> Fields:
    """`Disconnecting: Too many authentication failures[ for U]`: before 7.5."""
    reason, _, user = said.removeprefix("Disconnecting: ").partition(" for ")
    if reason != _TOO_MANY:
        return {}
    return {"action": "disconnect", **(user_fields(user) if user else {})}


def _connection(said: str) -> Fields:
    """`Connection closed|reset by PEER`, `… from A port N on B`, `… from PEER timed out`, `… from PEER: R`."""
    ended = _ENDED.match(said)
    if ended is not None:
        text = said[ended.end() :]
        return _with("disconnect", last_peer(text) or (source_fields(text) if is_address(text) else None))
    text = said.removeprefix("Connection from ")
    if text == said:
        return {}
    found = _FROM.match(text)
    if found is not None:
        return {"action": "connection", **source_fields(found["src"], found["port"])}
    if text.endswith(" timed out"):
        return _with("timeout", last_peer(text.removesuffix(" timed out")))
    return _broken(text)


def _tagged(said: str) -> Fields:
    """`FUNCTION: Connection from PEER: R`."""
    return _broken(said.partition(": Connection from ")[2])


def _negotiating(said: str) -> Fields:
    """`Unable to negotiate with PEER: R. Their offer: O`."""
    text = said.removeprefix("Unable to negotiate with ")
    return _broken(text) if text != said else {}


def _broken(text: str) -> Fields:
    found = peer_before_text(text)
    return _with("bad_protocol", found and found[0])


def _identification(said: str) -> Fields:
    """`Bad protocol version identification 'T' from A[ port N]`, `Did not receive identification string from A`."""
    bad = said.startswith("Bad protocol version identification ")
    if not bad and not said.startswith("Did not receive identification string from "):
        return {}
    placed = last_place(said, port_needed=False)
    return _with("bad_protocol" if bad else "no_identification", placed and placed[1])


def _expired(said: str) -> Fields:
    """`Timeout before authentication for connection from A to B, pid = P`, `Timeout before authentication for A`."""
    text = said.removeprefix("Timeout before authentication for ")
    found = _EXPIRED.fullmatch(text) if text != said else None
    return {"action": "timeout", **source_fields(found["from"] or found["src"], found["port"] or "")} if found else {}


def _dropped(said: str) -> Fields:
    """`drop connection #K from [A]:N on [B]:M penalty: R`."""
    found = _SOCKET.match(said)
    return {"action": "penalised", **source_fields(found["src"], found["port"])} if found else {}


def _reversed(said: str) -> Fields:
    """`reverse mapping checking getaddrinfo for H [A] failed[…]`: the name is what the peer's DNS says."""
    name, found, _ = said.rpartition("] failed")
    _, placed, source = name.rpartition(" [")
    if not said.startswith("reverse mapping checking ") or not found or not placed:
        return {}
    return {"action": "break_in_attempt", **source_fields(source)} if is_address(source) else {}


def _mapped(said: str) -> Fields:
    """`Address A maps to H, but this does not map back to the address[…]`."""
    source, found, rest = said.removeprefix("Address ").partition(" maps to ")
    if not found or not is_address(source) or "but this does not map back to the address" not in rest:
        return {}
    return {"action": "break_in_attempt", **source_fields(source)}


def _nasty(said: str) -> Fields:
    """`Nasty PTR record "T" is set up for A, ignoring`."""
    source = said.removesuffix(", ignoring").rpartition(" is set up for ")[2]
    return {"action": "break_in_attempt", **source_fields(source)} if is_address(source) else {}


def _refused(said: str) -> Fields:
    """`refused connect from H (A)`: TCP wrappers."""
    source = said.removesuffix(")").rpartition(" (")[2]
    if not said.startswith("refused connect from ") or not is_address(source):
        return {}
    return {"action": "refused", "result": "failure", **source_fields(source)}


def _with(action: str, peer: Fields | None) -> Fields:
    return {"action": action, **peer} if peer else {}


CONNECTIONS: dict[str, Callable[[str], Fields]] = {
    "Received": _received,
    "Disconnected": _disconnected,
    "Disconnecting": _disconnecting,
    "Disconnecting:": _disconnecting_nobody,
    "Connection": _connection,
    **dict.fromkeys(("banner", "ssh_dispatch_run_fatal:", "kex_exchange_identification:"), _tagged),
    "Unable": _negotiating,
    **dict.fromkeys(("Bad", "Did"), _identification),
    "Timeout": _expired,
    "drop": _dropped,
    "reverse": _reversed,
    "Address": _mapped,
    "Nasty": _nasty,
    "refused": _refused,
}
"""First word of a message → who understands it (shape: the message without its level and `[preauth]`)."""
FROM_THE_START = {_received, _tagged, _negotiating, _mapped, _dropped}
"""Those of them that read what sshd wrote from the start, so that a lost end forges nothing."""
