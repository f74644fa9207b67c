r"""What is a line: every byte of a chunk is accounted for, and only `\\n` ends a line."""

import tracemalloc

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from daemon.sources.cutting import BOM, Part, cut


def parts(chunk: bytes, max_line: int = 10, *, at_start: bool = False) -> list[tuple[str, bytes]]:
    return [(p.part.value, chunk[p.start : p.end]) for p in cut(chunk, max_line, at_start=at_start)]


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (b"", []),
        (b"no end", []),
        (b"\n", [("lines", b"\n")]),
        (b"one\ntwo\nthr", [("lines", b"one\ntwo\n")]),
        (b"\ra\x0b\x0c\xc2\x85\xff\xfe\n", [("lines", b"\ra\x0b\x0c\xc2\x85\xff\xfe\n")]),
        (b"a\0b\n", [("lines", b"a\0b\n")]),
        (b"a\n\0\0b\nc\n", [("lines", b"a\n"), ("zeros", b"\0\0"), ("lines", b"b\nc\n")]),
        (b"\0\0\n", [("zeros", b"\0\0"), ("lines", b"\n")]),
        (b"\0\0", []),
        (b"a\n\0\0", [("lines", b"a\n")]),
        (b"a\n\0\0b", [("lines", b"a\n"), ("zeros", b"\0\0")]),
        (b"0123456789\nx\n", [("lines", b"0123456789\nx\n")]),
        (b"a\n0123456789+\nx\n", [("lines", b"a\n"), ("long", b"0123456789+\n"), ("lines", b"x\n")]),
    ],
)
def test_a_chunk_is_cut_at_newlines_only(chunk: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert parts(chunk) == expected


def test_a_byte_order_mark_counts_only_at_the_start_of_the_file() -> None:
    assert parts(BOM + b"a\n", at_start=True) == [("mark", BOM), ("lines", b"a\n")]
    assert parts(BOM + b"a\n") == [("lines", BOM + b"a\n")]


@given(st.lists(st.sampled_from([b"\0", b"\n", b"a", b"bcdefgh", b"\r", b"\xff"])).map(b"".join), st.integers(1, 9))
@example(b"\0\n\0\n", 1)
def test_pieces_follow_each_other_without_gaps_up_to_the_last_newline(chunk: bytes, max_line: int) -> None:
    position = 0
    for piece in cut(chunk, max_line):
        assert piece.start == position < piece.end
        position = piece.end
        text = chunk[piece.start : piece.end]
        if piece.part is Part.zeros:
            assert not text.strip(b"\0")
        elif piece.part is Part.long:
            assert text.index(b"\n") == len(text) - 1 > max_line
        else:
            assert text.endswith(b"\n")
            assert all(len(line) <= max_line and not line.startswith(b"\0") for line in text.split(b"\n"))
    rest = chunk[position:]
    assert b"\n" not in rest
    assert not rest.startswith(b"\0") or not rest.strip(b"\0")


def test_a_hostile_chunk_costs_no_more_memory_than_its_size() -> None:
    """Alternating NULs and newlines make a piece of every byte: they come one at a time."""
    chunk = b"\0\n" * 16384
    tracemalloc.start()
    count = sum(1 for _ in cut(chunk, 1024))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 32768
    assert peak < 100_000
