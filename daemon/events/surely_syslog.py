"""Which lines of a run are surely lines of syslog, told at once for all of them.

`parse_head` decides; this knows the usual shapes (RFC 3164 and ISO stamps with a date that every year has) and leaves
the rest to it. A name of a host that is no ASCII is of another length when decoded.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import re2

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
_HOST_AND_MORE = rb" [!-~]{1,255} [^ :\[\n]"
_STAMP = rb"(?:" + _BSD_DATE + _TIME + rb"|" + _ISO_DATE + _ISO_TIME + rb")"
_ORDINARY = re.compile(_STAMP + _HOST_AND_MORE)
_ODD = re.compile(rb"\n(?!" + _STAMP + _HOST_AND_MORE + rb")[^\n]")
_SHAPE = re.compile(
    rb"(?P<date>"
    + _BSD_DATE
    + rb"|"
    + _ISO_DATE
    + rb")"
    + _TIME
    + rb"(?:\.(?P<part>[0-9]{1,6}))?(?P<zone>[Z0-9:+-]{0,6}) "
)
_MANY = 8
"""Lines of other shapes than the first after which a run is looked through line by line."""
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they are
_OPTIONS.log_errors = False
_NO_HOST_OR_MORE = rb"(?:[^!-~]|[!-~]{1,255}[^!-~ ]|[!-~]{256}|[!-~]{1,255} [ :\[\n])"


def odd_lines(data: bytes) -> Iterator[int]:
    """Where the lines begin of which that cannot be said; empty lines are none. `data` ends with a newline."""
    shape = _SHAPE.match(data) if _ORDINARY.match(data) is not None else None
    if shape is None and data and not data.startswith(b"\n"):
        yield 0
    at = others = 0
    while shape is not None and others < _MANY:
        found = _other_shape(shape["date"], len(shape["part"] or b""), shape["zone"]).search(data, at)
        if found is None:
            return
        at, others = found.start() + 1, others + 1
        if _ORDINARY.match(data, at) is None:
            yield at
    for odd in _ODD.finditer(data, at):
        yield odd.start() + 1


@lru_cache(maxsize=16)
def _other_shape(date: bytes, digits: int, zone: bytes) -> "re2._Regexp[bytes]":
    """What begins no line with this date, so many digits of a second's part, and this zone. Most lines of a log have
    one shape, and RE2 is by far the fastest to say so: it looks for newlines only, and at a stamp byte by byte.
    """
    clock = [rb":", rb"0-5", rb"0-9"] * 2
    part = [rb".", *[rb"0-9"] * digits] if digits else []
    rest = _other([*clock, *part, *_each(zone), rb" "], _NO_HOST_OR_MORE)
    hour = rb"(?:[^0-2]|[01][^0-9]|2[^0-3]|(?:[01][0-9]|2[0-3])" + rest + rb")"
    first, *more = _each(date)
    return re2.compile(rb"\n(?:[^\n" + first + rb"]|" + first + _other(more, hour) + rb")", _OPTIONS)


def _each(text: bytes) -> list[bytes]:
    """What stands in a class for each byte of a text alone."""
    return [b"\\x%02x" % byte for byte in text]


def _other(classes: Sequence[bytes], rest: bytes) -> bytes:
    """What is not one of each of these classes, one after the other: some of them and then another byte (the end of the
    line too), or all of them and then `rest`.
    """
    for one in reversed(classes):
        rest = rb"(?:[^" + one + rb"]|[" + one + rb"]" + rest + rb")"
    return rest
