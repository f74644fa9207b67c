"""Replay reads a whole file once: plain, packed, in UTF-16, damaged, with lines of any length."""

import gzip
import os
import threading
import tracemalloc
import zlib
from pathlib import Path

import pytest

from daemon.model import Lines
from daemon.sources import files
from daemon.sources.files import DamagedFileError, read_lines

CHUNKS = [1, 3, 4096, 1 << 20]


def split(items: list[Lines]) -> list[tuple[int, bytes]]:
    return [pair for item in items for pair in item.split()]


def collect(path: Path, items: list[Lines], chunk: int = 1 << 20) -> None:
    """Keep what came before an error."""
    for item in read_lines(path, "app", chunk=chunk):
        items.append(item)  # noqa: PERF402 - extend would lose what came before the error


def read(path: Path, chunk: int = 1 << 20) -> list[tuple[int, bytes]]:
    return split(list(read_lines(path, "app", chunk=chunk)))


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bom.log", [(3, b"one"), (7, b"two")]),
        ("crlf.log", [(0, b"one"), (5, b"two"), (10, b"three")]),
        ("empty_lines.log", [(0, b""), (1, b""), (2, b"one"), (6, b"")]),
        ("invalid_utf8.log", [(0, b"ok"), (3, b"\xff\xfe\xc3("), (8, b"ok2")]),
        ("lone_cr.log", [(0, b"one\rtwo\rthree")]),
        ("no_final_newline.log", [(0, b"one"), (4, b"two")]),
        ("nul.log", [(0, b"a\0b"), (8, b"c"), (10, b"d")]),
        ("two_members.log.gz", [(0, b"one"), (4, b"two"), (8, b"three")]),
        ("utf16le.log", [(0, b"one"), (4, b"two")]),
        ("zero_tail_after_crash.log", [(0, b"one"), (4, b"two")]),
    ],
)
def test_the_tail_vectors(shared_data: Path, name: str, expected: list[tuple[int, bytes]], chunk: int) -> None:
    assert read(shared_data / "vectors" / "tail" / name, chunk) == expected


@pytest.mark.parametrize("chunk", CHUNKS)
def test_of_a_cut_gzip_file_every_readable_whole_line_comes_before_the_error(shared_data: Path, chunk: int) -> None:
    items: list[Lines] = []
    with pytest.raises(DamagedFileError, match="expected a whole gzip stream"):
        collect(shared_data / "vectors" / "tail" / "truncated.log.gz", items, chunk)
    assert [line for _, line in split(items)] == [b"line %d" % number for number in range(990)]


def test_a_corrupt_gzip_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(b"line %d\n" % number for number in range(100_000))))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(packed)
    items: list[Lines] = []
    with pytest.raises(DamagedFileError, match=str(path)):
        collect(path, items, 4096)
    assert all(line.startswith(b"line ") for _, line in split(items)[:100])


def test_gzip_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.gz", tmp_path / "b.log"
    plain.write_bytes(b"plain\n")
    packed.write_bytes(gzip.compress(b"packed\n"))
    assert read(plain) == [(0, b"plain")]
    assert read(packed) == [(0, b"packed")]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_utf16_becomes_utf8_whatever_the_chunks(tmp_path: Path, codec: str, chunk: int) -> None:
    path = tmp_path / "app.log"
    path.write_bytes("\ufeffgrün\nschwarz 😀\n\nEnde".encode(codec))
    assert [line.decode() for _, line in read(path, chunk)] == ["grün", "schwarz 😀", "", "Ende"]


def test_half_a_character_at_the_end_is_no_reason_to_fail(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes("\ufeffab".encode("utf-16-le") + b"\x41")
    assert [line.decode() for _, line in read(path)] == ["ab\ufffd"]


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\x1f"])
def test_files_without_a_line_or_with_half_a_mark(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(content)
    assert [line for _, line in read(path)] == ([content] if content in {b"\xff", b"\x1f"} else [])


def test_a_line_over_the_bound_is_cut_in_bounded_memory_and_said_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LINE", 1_000_000)
    path = tmp_path / "app.log.gz"
    packer = zlib.compressobj(wbits=31)
    with path.open("wb") as file:
        file.write(packer.compress(b"before\n"))
        for _ in range(40):
            file.write(packer.compress(b"x" * 1_000_000))
        file.write(packer.compress(b"\nafter\n") + packer.flush())
    items: list[Lines] = []
    tracemalloc.start()
    with pytest.raises(DamagedFileError, match=r"at most 1000000 bytes \(1 cut\)"):
        collect(path, items, 1 << 18)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert split(items) == [(0, b"before"), (7, b"x" * 1_000_000), (7 + 40_000_001, b"after")]
    assert peak < 8_000_000


def test_positions_and_checkpoints_follow_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\ntwo\n" * 1000)
    items = list(read_lines(path, "app", chunk=1000))
    assert len(items) > 5
    assert [item.position.offset for item in items[1:]] == [item.checkpoint.position.offset for item in items[:-1]]
    assert items[-1].checkpoint.position.offset == 8000
    assert {item.source for item in items} == {"app"}
    assert items[-1].position.identity.split(":")[2].startswith("256-")


@pytest.mark.parametrize("content", [b"", b"\x1f", b"one\ntwo", gzip.compress(b"one\n") + gzip.compress(b"two\n")])
def test_a_pipe_gives_what_a_file_gives(tmp_path: Path, content: bytes) -> None:
    path, pipe = tmp_path / "file", tmp_path / "pipe"
    path.write_bytes(content)
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as writer:
            for byte in content:
                writer.write(bytes([byte]))

    writing = threading.Thread(target=write)
    writing.start()
    from_pipe = b"".join(one.data for one in read_lines(pipe, "app"))
    assert from_pipe == b"".join(one.data for one in read_lines(path, "app"))
    writing.join()


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "gone")


@pytest.mark.parametrize("content", [b"line\n" * 40_000, b"\x1f\n" + b"line\n" * 40_000])
def test_the_first_piece_of_a_file_is_as_large_as_the_others(tmp_path: Path, content: bytes) -> None:
    """It is the sample by which readers choose how to look at the rest."""
    path = tmp_path / "app.log"
    path.write_bytes(content)
    sizes = [len(one.data) for one in read_lines(path, "app", chunk=1 << 16)]
    assert min(sizes[:-1]) > (1 << 16) - 10
