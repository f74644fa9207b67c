"""One open file: bytes to lines with exact offsets, whatever the bytes are and however they arrive."""

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from daemon.model import Lines, Lost
from daemon.sources.identity import is_same_file
from daemon.sources.tailed_file import CHUNK, CutShortError, Reading, TailedFile


class Log:
    """A file being written, and its reader."""

    def __init__(self, path: Path, max_line: int = 65536) -> None:
        self.path = path
        path.touch()
        self.skipped: list[int] = []
        self.reading = Reading("app", max_line, lambda: 7.0, self.skipped.append)
        self.file = TailedFile(os.open(path, os.O_RDONLY), str(path), self.reading)

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as log:
            log.write(data)

    def read(self) -> list[Lines | Lost]:
        """All that is there; each run of lines is checked against the file itself."""
        items: list[Lines | Lost] = []
        content = self.path.read_bytes()
        while True:
            before = self.file.offset
            for item in self.file.read():
                items.append(item)
                if isinstance(item, Lines):
                    assert item.data.endswith(b"\n")
                    start = item.position.offset
                    cut = item.data[:-1] if len(item.data) > self.reading.max_line else item.data
                    assert content[start : start + len(cut)] == cut
                    assert item.checkpoint == self.file.checkpoint()
                    fd = os.open(self.path, os.O_RDONLY)
                    assert is_same_file(fd, item.checkpoint)
                    os.close(fd)
            if self.file.offset == before and not self.file.more:
                return items

    def lines(self) -> list[bytes]:
        return [line for item in self.read() if isinstance(item, Lines) for line in item.data.split(b"\n")[:-1]]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "app.log")
    yield made
    made.file.close()


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "app.log", max_line=1024)
    yield made
    made.file.close()


def test_an_unfinished_line_waits_for_its_newline(log: Log) -> None:
    log.write(b"one\npart")
    assert log.lines() == [b"one"]
    assert log.lines() == []
    log.write(b"ial\n")
    assert log.lines() == [b"partial"]


def test_offsets_and_resumption_are_exact(log: Log) -> None:
    log.write(b"one\ntwo\n")
    [item] = log.read()
    assert isinstance(item, Lines)
    assert list(item.split()) == [(0, b"one"), (4, b"two")]
    assert item.checkpoint.position.offset == 8
    log.write(b"three\n")
    [item] = log.read()
    assert isinstance(item, Lines)
    assert (item.position.offset, item.checkpoint.position.offset) == (8, 14)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bom.log", 2),
        ("crlf.log", 3),
        ("empty_lines.log", 4),
        ("invalid_utf8.log", 3),
        ("lone_cr.log", 1),
        ("no_final_newline.log", 1),
        ("nul.log", 3),
        ("vt_ff_nel_ls.log", 1),
        ("zero_tail_after_crash.log", 2),
        ("long_then_short.log", 2),
    ],
)
def test_the_tail_vectors(log: Log, shared_data: Path, name: str, count: int) -> None:
    data = (shared_data / "vectors" / "tail" / name).read_bytes()
    log.write(data)
    lines = log.lines()
    assert len(lines) == count
    assert all(line in data for line in lines)
    assert not any(line.startswith(b"\0") or b"\n" in line for line in lines)


def test_a_byte_order_mark_is_not_part_of_the_first_line(log: Log) -> None:
    log.write(b"\xef\xbb\xbf")
    assert log.lines() == []
    log.write(b"one\n")
    [item] = log.read()
    assert isinstance(item, Lines)
    assert (item.data, item.position.offset) == (b"one\n", 3)


def test_zeros_before_a_line_are_skipped_and_counted_once(log: Log) -> None:
    log.write(b"one\n" + bytes(5000))
    assert log.lines() == [b"one"]
    assert log.skipped == []  # they may still be filled
    log.write(b"two\n")
    assert log.lines() == [b"two"]
    assert log.skipped == [5000]


def test_a_gap_of_zeros_of_many_chunks_is_skipped_in_bounded_memory(log: Log) -> None:
    """A writer without O_APPEND after a truncation leaves a hole as long as the file was."""
    with log.path.open("r+b") as file:
        file.seek(40 * CHUNK + 17)
        file.write(b"after the hole\n")
    tracemalloc.start()
    lines = [line for item in iterate(log) if isinstance(item, Lines) for _, line in item.split()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == [b"after the hole"]
    assert sum(log.skipped) == 40 * CHUNK + 17
    assert peak < 6 * CHUNK


def iterate(log: Log) -> Iterator[Lines | Lost]:
    """Read all without looking at the file beside."""
    before = -1
    while log.file.more or log.file.offset != before:
        before = log.file.offset
        yield from log.file.read()


def test_preallocated_zeros_that_are_filled_are_read(log: Log) -> None:
    log.write(bytes(2 * CHUNK + 100))
    assert log.lines() == []
    with log.path.open("r+b") as file:
        file.write(b"one\ntwo\n")
    assert log.lines() == [b"one", b"two"]


def test_an_over_long_line_is_cut_and_its_neighbours_are_kept(short: Log) -> None:
    short.write(b"before\n" + b"x" * 3000 + b"\nafter\n")
    first, lost, cut, last = short.read()
    assert isinstance(first, Lines)
    assert isinstance(lost, Lost)
    assert isinstance(cut, Lines)
    assert isinstance(last, Lines)
    assert (first.data, last.data) == (b"before\n", b"after\n")
    assert cut.data == b"x" * 1024 + b"\n"
    assert cut.position.offset == 7
    assert cut.checkpoint.position.offset == last.position.offset == 7 + 3001
    assert (lost.source, lost.why, lost.count, lost.at) == ("app", "line_too_long", 1, 7.0)


@pytest.mark.parametrize("length", [1023, 1024, 1025, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
def test_the_bound_of_a_line_is_exact_also_across_chunks(short: Log, length: int) -> None:
    short.write(b"a" * length)
    assert short.lines() == []
    short.write(b"\nnext\n")
    items = short.read()
    lines = [line for item in items if isinstance(item, Lines) for _, line in item.split()]
    assert lines == [b"a" * min(length, 1024), b"next"]
    assert len([item for item in items if isinstance(item, Lost)]) == (1 if length > 1024 else 0)


def test_a_line_longer_than_a_chunk_but_within_the_bound_is_whole(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log", max_line=2 * CHUNK)
    log.write(b"a\n" + b"x" * (2 * CHUNK) + b"\nb\n")
    assert log.lines() == [b"a", b"x" * (2 * CHUNK), b"b"]
    log.file.close()


def test_a_line_without_end_costs_one_chunk_of_memory(short: Log) -> None:
    with short.path.open("ab") as file:
        for _ in range(64):
            file.write(b"x" * CHUNK)
    tracemalloc.start()
    assert list(iterate(short)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * CHUNK
    short.write(b"\nnext\n")
    assert short.lines() == [b"x" * 1024, b"next"]


def test_pieces_stay_near_a_quarter_megabyte(log: Log) -> None:
    log.write(b"0123456789abcde\n" * 60_000)
    sizes = [len(item.data) for item in log.read() if isinstance(item, Lines)]
    assert sum(sizes) == 960_000
    assert max(sizes) <= CHUNK


def test_a_shrunk_file_is_noticed_before_anything_is_handed_over(log: Log) -> None:
    log.write(b"one\ntwo\n")
    log.read()
    os.truncate(log.path, 0)
    with pytest.raises(CutShortError):
        list(log.file.read())
    log.file.restart()
    log.write(b"three\n")
    assert log.lines() == [b"three"]


def test_a_file_refilled_beyond_the_offset_is_noticed(log: Log) -> None:
    log.write(b"one\ntwo\n")
    log.read()
    log.path.write_bytes(b"completely other content\n")
    with pytest.raises(CutShortError):
        list(log.file.read())


def test_a_rewrite_of_an_unfinished_line_is_never_joined_to_what_was_there(short: Log) -> None:
    short.write(b"o" * (CHUNK + 10))  # read up to its end without a newline
    assert short.lines() == []
    short.path.write_bytes(b"".join(b"new %06d\n" % n for n in range(40_000)))
    lines = short.lines()
    assert lines[0] == b"new 000000"
    assert len(lines) == 40_000


def test_going_to_the_end_keeps_a_line_that_has_begun(log: Log) -> None:
    log.write(b"old\nolder\nhalf")
    log.file.skip_to_end()
    assert log.lines() == []
    log.write(b" done\n")
    assert log.lines() == [b"half done"]


@pytest.mark.parametrize(
    ("content", "offset"), [(b"", 0), (b"half", 0), (b"a\n", 2), (b"a\nb", 2), (b"a\n" + b"x" * 2000, 2002)]
)
def test_where_the_end_is(short: Log, content: bytes, offset: int) -> None:
    short.write(content)
    short.file.skip_to_end()
    assert short.file.offset == offset


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_of_utf16_no_character_is_halved_where_the_rest_is_passed_over(short: Log, order: str) -> None:
    """The worst bug: everything from there on is other text, for as long as the file lives."""
    short.write(("\ufeff" + "one\nhalf").encode(order) + "x".encode(order)[:1])
    assert [item.data for item in short.file.read() if isinstance(item, Lines)] == [b"one\n"]
    short.file.take_rest()
    short.write("x".encode(order)[1:] + "\ntwo\n".encode(order))
    assert [item.data for item in short.file.read() if isinstance(item, Lines)] == [b"x\n", b"two\n"]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_the_end_of_utf16_is_between_two_characters(short: Log, order: str) -> None:
    short.write(("\ufeff" + "x" * 2000).encode(order) + "y".encode(order)[:1])
    short.file.skip_to_end()
    assert short.file.offset == 4002


def test_the_identity_grows_with_what_was_read_until_256_bytes(log: Log) -> None:
    log.write(b"x" * 99 + b"\n")
    log.read()
    assert ":100-" in log.file.checkpoint().position.identity
    log.write((b"y" * 99 + b"\n") * 5)
    log.read()
    full = log.file.checkpoint().position.identity
    assert ":256-" in full
    log.write(b"z\n")
    log.read()
    assert log.file.checkpoint().position.identity == full


WORDS = st.sampled_from([b"a", b"\n", b"\0", b"\r", b"\xff", b"line\n", b"x" * 700, b"\n\0\0", b"\xef\xbb\xbf"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(WORDS, max_size=6).map(b"".join), max_size=8))
def test_how_the_bytes_arrive_changes_nothing(tmp_path: Path, writes: list[bytes]) -> None:
    piecewise, at_once = Log(tmp_path / "a", 1024), Log(tmp_path / "b", 1024)
    for log in (piecewise, at_once):
        os.truncate(log.path, 0)
    seen: list[bytes] = []
    for data in writes:
        piecewise.write(data)
        seen.extend(piecewise.lines())
    at_once.write(b"".join(writes))
    assert seen == at_once.lines()
    assert sum(piecewise.skipped) == sum(at_once.skipped)
    piecewise.file.close()
    at_once.file.close()
