"""Compressed logs: all that is whole, nothing that is damaged, never more than the bound."""

import bz2
import gzip
import lzma
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.sources.packed import NoRoomError, unpack, unpacked_name
from tests.doubles.little_room import little_room


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_the_text_comes_out_whole(tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]) -> None:
    text = b"line\n" * 300_000
    path = tmp_path / f"app.log.1{ending}"
    path.write_bytes(pack(text[:1000]) + pack(text[1000:]))
    fd, damage = unpack(str(path))
    assert damage == ""
    assert os.fstat(fd).st_size == len(text)
    assert os.pread(fd, len(text), 0) == text
    assert os.fstat(fd).st_nlink == 0
    os.close(fd)
    assert unpacked_name(path.name) == "app.log.1"


TEXT = os.urandom(30_000).replace(b"\0", b"\n")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-12],
        lambda data: data[:20_000],
        lambda data: data[:20_000] + b"!!!" * 9 + data[20_027:],
        lambda data: data + b"trailing rubbish",
    ],
)
def test_of_a_damaged_file_what_comes_before_the_damage_is_kept(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(damage(gzip.compress(TEXT)))
    fd, said = unpack(str(path))
    kept = os.pread(fd, len(TEXT) + 1, 0)
    os.close(fd)
    assert "whole compressed file" in said
    assert len(kept) > 10_000
    assert TEXT.startswith(kept[:10_000])


def test_of_any_kind_what_comes_before_the_damage_is_kept(tmp_path: Path) -> None:
    text = os.urandom(1_500_000)  # bzip2 packs 900 kB at a time
    for ending, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        data = pack(text)
        path = tmp_path / f"app.log.1{ending}"
        path.write_bytes(data[:1_200_000] + bytes(99) + data[1_200_099:])
        fd, said = unpack(str(path))
        kept = os.pread(fd, len(text), 0)
        os.close(fd)
        assert "whole compressed file" in said, ending
        assert len(kept) > 800_000, ending
        assert text.startswith(kept[:800_000]), ending


@pytest.mark.parametrize("damage", [lambda data: data[:4], lambda data: b"plain text" + data, lambda _: b""])
def test_a_file_of_which_nothing_can_be_read_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(damage(gzip.compress(TEXT)))
    before = len(list(Path("/proc/self/fd").iterdir()))
    if path.stat().st_size:
        with pytest.raises(OSError):  # noqa: PT011 - gzip words its own errors in many ways
            unpack(str(path))
    else:
        os.close(unpack(str(path)).fd)  # no stream at all is an empty text
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_bomb_stops_at_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    fd, damage = unpack(str(path), limit=5_000_000)
    assert os.fstat(fd).st_size == 5_000_000
    assert "at most 5000000" in damage
    os.close(fd)


def test_what_is_not_wanted_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(b"x" * 100))
    with pytest.raises(OSError, match="another file"):
        unpack(str(path), lambda start: start.startswith(b"y"))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_room_for_the_text_says_nothing_of_the_file(tmp_path: Path) -> None:
    """The worst bug: a full disk would make it another file, and its lines be lost."""
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(b"line\n" * 1_000_000))
    before = descriptors()
    with little_room(1 << 20), pytest.raises(NoRoomError, match=r"File too large: no room to unpack app\.log\.1\.gz"):
        unpack(str(path))
    assert descriptors() == before
    os.close(unpack(str(path)).fd)


def test_another_file_needs_no_room(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(b"line\n" * 1_000_000))
    with little_room(0), pytest.raises(OSError, match="another file"):
        unpack(str(path), lambda start: start.startswith(b"y"))


def test_the_text_goes_where_there_is_a_directory_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(b"line\n"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    fd, damage = unpack(str(path))
    assert (os.pread(fd, 9, 0), damage) == (b"line\n", "")
    os.close(fd)


def test_without_any_directory_it_cannot_be_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That does not pass by itself: nobody waits for it."""
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(b"line\n"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    monkeypatch.setattr("daemon.sources.packed._MORE_ROOM", str(tmp_path / "neither"))
    with pytest.raises(FileNotFoundError):
        unpack(str(path))
