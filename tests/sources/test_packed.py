"""Compressed logs: all that is whole, nothing that is damaged, never more than the bound."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.sources.packed import unpack, unpacked_name


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_the_text_comes_out_whole(tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]) -> None:
    text = b"line\n" * 300_000
    path = tmp_path / f"app.log.1{ending}"
    path.write_bytes(pack(text[:1000]) + pack(text[1000:]))
    fd = unpack(str(path))
    assert os.fstat(fd).st_size == len(text)
    assert os.pread(fd, len(text), 0) == text
    assert os.fstat(fd).st_nlink == 0
    os.close(fd)
    assert unpacked_name(path.name) == "app.log.1"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-12],
        lambda data: data[:4],
        lambda data: b"plain text" + data,
        lambda data: data[:30] + b"!!!" + data[33:],
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(damage(gzip.compress(os.urandom(3000))))
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError):  # noqa: PT011 - gzip words its own errors in many ways
        unpack(str(path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_shared_truncated_vector_is_refused(shared_data: Path) -> None:
    with pytest.raises(OSError, match="whole compressed file"):
        unpack(str(shared_data / "vectors" / "tail" / "truncated.log.gz"))


def test_a_bomb_stops_at_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(OSError, match="at most 5000000"):
        unpack(str(path), limit=5_000_000)


def test_what_is_not_wanted_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(b"x" * 100))
    with pytest.raises(OSError, match="another file"):
        unpack(str(path), lambda start: start.startswith(b"y"))
