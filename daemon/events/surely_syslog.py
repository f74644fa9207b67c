"""Which lines of a run are surely lines of syslog, told at once for all of them.

`parse_head` decides; this knows the usual shapes (RFC 3164 and ISO stamps with a date that every year has) and leaves
the rest to it. A name of a host that is no ASCII is of another length when decoded.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_TIME = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DAYS = rb"(?: [1-9]|0[1-9]|[12][0-9]|30|31)"
_SHORTER = rb"(?: [1-9]|0[1-9]|[12][0-9]|30)"
_SHORTEST = rb"(?: [1-9]|0[1-9]|1[0-9]|2[0-8])"
_BSD_DATE = (
    rb"(?:(?:Jan|Mar|May|Jul|Aug|Oct|Dec) "
    + _DAYS
    + rb"|(?:Apr|Jun|Sep|Nov) "
    + _SHORTER
    + rb"|Feb "
    + _SHORTEST
    + rb") "
)
_ISO_DATE = rb"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T"
_ISO_TIME = _TIME + rb"(?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
_DATE = re.compile(_BSD_DATE + rb"|" + _ISO_DATE)


@lru_cache(maxsize=16)
def _odd(date: bytes) -> re.Pattern[bytes]:
    """What is odd, for lines of which most have this date: a known one is compared faster than any."""
    times = [_BSD_DATE + _TIME, _ISO_DATE + _ISO_TIME]
    if date:
        times.insert(0, re.escape(date) + (_TIME if date.endswith(b" ") else _ISO_TIME))
    return re.compile(rb"\n(?!(?:" + b"|".join(times) + rb") [!-~]{1,255} [^ :\[\n])[^\n]")


def odd_lines(data: bytes) -> Iterator[int]:
    """Where the lines begin of which that cannot be said; empty lines are none."""
    first = _DATE.match(data)
    for found in _odd(first[0] if first is not None else b"").finditer(b"\n" + data):  # faster than for beginnings
        yield found.start()
