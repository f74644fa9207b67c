"""A line that is not called odd is one that the grammar takes, on every day of every year; most are not odd."""

import itertools
import random  # noqa: TID251 - seeded logs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events import surely_syslog
from daemon.events.stamps import Stamps
from daemon.events.surely_syslog import odd_lines
from daemon.events.syslog import parse_head
from tests.doubles.any_syslog import AnySyslog
from tests.doubles.audit_lines import NOW


def is_odd(line: bytes) -> bool:
    return list(odd_lines(line + b"\n")) == [0]


def parses(line: bytes, now: float = NOW) -> bool:
    text = line.removesuffix(b"\r").decode("utf-8", "backslashreplace")
    return parse_head(text, Stamps(lambda: now, None)) is not None


@given(st.integers(0, 20_000))
def test_what_is_not_odd_parses(seed: int) -> None:
    for line in AnySyslog(random.Random(seed)).lines(12):  # noqa: S311 - a seeded log
        for one in line.split(b"\n"):
            assert not one or is_odd(one) or parses(one), one


@given(
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from([b"Nov 21 09:30:00 ", b"2026-11-21T09:30:00Z ", b""]),
)
def test_what_is_not_odd_parses_whatever_follows_the_stamp(rest: bytes, stamp: bytes) -> None:
    line = stamp + rest
    assert not line or is_odd(line) or parses(line)


@pytest.mark.parametrize("now", [NOW, 951_782_400.0, 1_709_164_800.0])
def test_no_day_that_a_year_may_lack_is_taken_for_sure(now: float) -> None:
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Foo")
    for month, day in itertools.product(months, range(33)):
        line = f"{month} {day:2} 09:30:00 h p: m".encode()
        assert is_odd(line) or parses(line, now), line
    for number, day in itertools.product(range(14), range(33)):
        line = f"2026-{number:02}-{day:02}T09:30:00Z h p: m".encode()
        assert is_odd(line) or parses(line, now), line


@pytest.mark.parametrize("clock", ["24:00:00", "23:60:00", "23:59:60", "9:30:00", "09:30", "0930:000"])
def test_a_clock_that_shows_no_time_of_day_is_odd(clock: str) -> None:
    assert is_odd(f"Nov 21 {clock} h p: m".encode())
    assert is_odd(f"2026-11-21T{clock}Z h p: m".encode())


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 21 09:30:00 web-1 sshd[7]: m", b"Nov  1 23:59:59 web-1 CRON[7]: (root) CMD (x)", b"Nov 21 09:30:00 h kernel: [1.0] x",
        b"2026-11-21T09:30:00.123456+01:00 h p[1]: m", b"2026-02-28T00:00:00Z h p: m", b"Nov 21 09:30:00 h p",
    ],
)  # fmt: skip
def test_ordinary_lines_are_not_odd(line: bytes) -> None:
    assert not is_odd(line)
    assert parses(line)


@pytest.mark.parametrize(
    "host", [b"\xff" * 200, "é".encode() * 100, b"h" * 256, b"h\t", b"", b"\xe2\x80\xa8"], ids=["bytes", "letters", "long", "tab", "none", "LS"]
)  # fmt: skip
def test_a_host_of_which_the_length_is_not_sure_is_odd(host: bytes) -> None:
    r"""`\xff` becomes four characters, é one: the grammar counts characters."""
    assert is_odd(b"Nov 21 09:30:00 " + host + b" p: m")


LINES = st.sampled_from(
    [
        *(
            b"Nov 21 09:30:00 h p: m",
            b"Nov 21 23:59:59 web1 sshd[7]: m",
            b"Nov 22 00:00:00 h p: m",
            b"Nov  1 09:30:00 h p",
        ),
        *(b"2026-11-21T09:30:00.123456+01:00 h p[1]: m", b"2026-11-21T09:30:01.12345+01:00 h p: m"),
        *(
            b"2026-11-21T09:30:00Z h p: m",
            b"2026-11-21T09:30:00.123456+02:00 h p: m",
            b"2026-11-21T09:30:00.+01:00 h p",
        ),
        *(
            b"",
            b"\r",
            b"odd",
            b"N",
            b"Nov 21 09:30:0",
            b"Nov 21 24:30:00 h p: m",
            b"Nov 21 09:30:00 ",
            b"Nov 21 09:30:00 h",
        ),
        *(
            b"Nov 21 09:30:00 h ",
            b"Nov 21 09:30:00 h : m",
            b"Nov 21 09:30:00 h [x",
            b"Nov 21 09:30:00  p: m",
            b"2026-11-21T",
        ),
        *(b"Nov 21 09:30:00 " + b"h" * 255 + b" p", b"Nov 21 09:30:00 " + b"h" * 256 + b" p", b"\xff\xfe", b"\xc3"),
        *(b"Nov 21 09:30:00 \xc3\xa9 p: m", b"Nov 21 19:30:00 h p: m", b"Nov 21 2x:30:00 h p", b"Nov 21 09:60:00 h p"),
    ]
)


@given(st.lists(LINES | st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")), max_size=30), LINES)
def test_each_line_is_judged_as_if_alone(lines: list[bytes], usual: bytes) -> None:
    """The worst bug: behind lines of one shape, one of another is taken for sure."""
    for mixed in (
        lines,
        [usual, *lines],
        [*lines, *[usual] * 12],
        [line for one in lines for line in (usual, usual, one)],
    ):
        begins = [0, *itertools.accumulate(len(line) + 1 for line in mixed)]
        expected = [at for at, line in zip(begins, mixed, strict=False) if line and is_odd(line)]
        assert list(odd_lines(b"".join(line + b"\n" for line in mixed))) == expected


def test_many_shapes_of_a_log_are_not_remembered() -> None:
    for number in range(100):
        line = b"2026-11-%02dT09:30:00.%s+01:00 h p: m\n" % (number % 28 + 1, b"1" * (number % 6 + 1))
        assert list(odd_lines(line * 3)) == []
    assert surely_syslog._other_shape.cache_info().currsize <= 16


def test_where_the_odd_lines_begin() -> None:
    data = b"odd\nNov 21 09:30:00 h p: m\n\nodd\n\n\nodd\nNov 21 09:30:00 h p: m\n"
    assert [data[start : start + 3] for start in odd_lines(data)] == [b"odd"] * 3
    assert list(odd_lines(b"")) == []
    assert list(odd_lines(b"\n\n")) == []
