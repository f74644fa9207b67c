"""Which lines of a run are surely lines of syslog, told at once for all of them.

`parse_head` decides; this knows the usual shapes (RFC 3164 and ISO stamps with a date that every year has) and leaves
the rest to it. A name of a host that is no ASCII is of another length when decoded.
"""

import re
from collections.abc import Iterator

_TIME = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DAYS = rb"(?: [1-9]|0[1-9]|[12][0-9]|30|31)"
_SHORTER = rb"(?: [1-9]|0[1-9]|[12][0-9]|30)"
_SHORTEST = rb"(?: [1-9]|0[1-9]|1[0-9]|2[0-8])"
_BSD = (
    rb"(?:(?:Jan|Mar|May|Jul|Aug|Oct|Dec) " + _DAYS + rb"|(?:Apr|Jun|Sep|Nov) " + _SHORTER + rb"|Feb " + _SHORTEST
    + rb") " + _TIME
)  # fmt: skip
_ISO = (
    rb"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T" + _TIME + rb"(?:\.[0-9]{1,6})?"
    rb"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)  # fmt: skip
_ODD = re.compile(rb"\n(?!(?:" + _BSD + rb"|" + _ISO + rb") [!-~]{1,255} [^ :\[\n])[^\n]")


def odd_lines(data: bytes) -> Iterator[int]:
    """Where the lines begin of which that cannot be said; empty lines are none."""
    for found in _ODD.finditer(b"\n" + data):  # a search for a newline is faster than one for a beginning
        yield found.start()
