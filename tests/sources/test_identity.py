"""Which file is this: inode reuse, growth, truncation and hostile checkpoints."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.model import Checkpoint, Position
from daemon.sources.identity import build_identity, digest, is_same_file, parse_identity, read_tail, same_content


@contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def checkpoint(path: Path, offset: int) -> Checkpoint:
    """What a reader that had read up to `offset` would store."""
    with opened(path) as fd:
        stat = os.fstat(fd)
        identity = build_identity(stat.st_dev, stat.st_ino, os.pread(fd, min(256, offset), 0))
        return Checkpoint("s", Position(str(path), identity, offset), digest(read_tail(fd, offset)))


def same(path: Path, stored: Checkpoint) -> bool:
    with opened(path) as fd:
        return is_same_file(fd, stored)


def test_an_identity_taken_while_the_file_was_short_fits_after_it_grew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    stored = checkpoint(path, 4)
    with path.open("ab") as log:
        log.write(b"more\n" * 200)
    assert same(path, stored)


def test_an_inode_given_to_another_file_is_not_taken_for_the_first(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    stored = checkpoint(path, 4)
    path.write_bytes(b"two\nthree\n")  # the same inode, as ext4 gives it again
    assert not same(path, stored)


def test_the_same_first_kilobyte_is_not_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"x" * 1024 + b"\nold\n")
    second.write_bytes(b"x" * 1024 + b"\nnew\n")
    stored = checkpoint(first, 1029)
    assert not same(second, stored)
    with opened(second) as fd:
        assert not same_content(fd, stored)


def test_a_file_that_is_shorter_than_what_was_read_is_not_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\n")
    stored = checkpoint(path, 8)
    path.write_bytes(b"one\n")
    assert not same(path, stored)


def test_a_device_number_that_changed_at_boot_is_forgiven_where_content_agrees(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    stored = checkpoint(path, 4)
    device, rest = stored.position.identity.split(":", 1)
    moved = Checkpoint("s", Position(str(path), f"{int(device, 16) + 1:x}:{rest}", 4), stored.marker)
    assert same(path, moved)
    empty = checkpoint(path, 0)
    device, rest = empty.position.identity.split(":", 1)
    assert not same(path, Checkpoint("s", Position(str(path), f"{int(device, 16) + 1:x}:{rest}", 0), empty.marker))


@pytest.mark.parametrize(
    "text", ["", "1:2", "x:y:z", "1:2:999-0123456789abcdef", "1:2:3-0123", "1:2:-1-0123456789abcdef"]
)
def test_what_is_no_identity_matches_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    assert parse_identity(text) is None
    assert not same(path, Checkpoint("s", Position(str(path), text, 0)))


def test_an_offset_before_the_fingerprint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    stored = checkpoint(path, 4)
    assert not same(path, Checkpoint("s", Position(str(path), stored.position.identity, 2), ""))
    assert not same(path, Checkpoint("s", Position(str(path), stored.position.identity, -5), ""))
