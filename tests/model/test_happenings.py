import pytest

from daemon.model import Checkpoint, Lines, Position


def lines(data: bytes, start: int = 0) -> Lines:
    at = Position("/a", "1:1", start)
    return Lines("a", data, at, Checkpoint("a", Position("/a", "1:1", start + len(data))))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"one\ntwo\n", [(7, b"one"), (11, b"two")]),
        (b"crlf\r\n\n", [(7, b"crlf"), (13, b"")]),
        (b"a\x1dB\x0b\x0c\x85\xe2\x80\xa8c\n", [(7, b"a\x1dB\x0b\x0c\x85\xe2\x80\xa8c")]),
        (b"lone\rcr\n", [(7, b"lone\rcr")]),
    ],
)
def test_lines_end_at_newlines_only_and_know_their_offset(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert list(lines(data, 7).split()) == expected
