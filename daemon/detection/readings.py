"""The text of a field read as a number, an address or an instant. What cannot be read so is None, never an error."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from math import isfinite
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def number_of(text: str) -> int | float | None:
    """The finite decimal number that a text is, else None (`0x1f`, `1_0`, `nan` and `inf` are not)."""
    if "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def in_network(text: str, network: Network) -> bool:
    """Whether a text is an address of the network. An IPv4 address written as IPv6 (`::ffff:`) counts as IPv4."""
    address = _address(text) if len(text) <= 64 else None  # noqa: PLR2004 - no address is longer
    if isinstance(address, IPv6Address) and network.version == 4 and address.ipv4_mapped is not None:  # noqa: PLR2004 - IPv4
        address = address.ipv4_mapped
    return address is not None and address in network


def instant_of(text: str) -> datetime | None:
    """The UTC instant of ISO 8601 text (UTC when it names no zone) or of epoch seconds, else None."""
    seconds = number_of(text)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def time_part(text: str, part: str) -> int | None:
    """`minute`, `hour`, `day`, `week` (ISO), `month` or `year` of the instant that a text is, in UTC, else None."""
    instant = instant_of(text)
    if instant is None:
        return None
    return instant.isocalendar().week if part == "week" else int(getattr(instant, part))
