"""Every file is read by one trail, and one that comes back goes on where it was left; within a bound."""

import os
from pathlib import Path

import pytest

from daemon.model import Checkpoint, Position
from daemon.sources.identity import build_identity
from daemon.sources.ledger import BOUND, Ledger
from daemon.sources.tailed_file import Reading, TailedFile

READING = Reading("app", 65536, lambda: 0.0, lambda _: None)


def open_file(path: Path, offset: int) -> TailedFile:
    return TailedFile(os.open(path, os.O_RDONLY), str(path), READING, offset=offset)


def recall(ledger: Ledger, path: Path) -> int:
    fd = os.open(path, os.O_RDONLY)
    try:
        return ledger.recall(fd)
    finally:
        os.close(fd)


def test_a_file_is_claimed_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\n")
    ledger, file = Ledger(), open_file(path, 4)
    ledger.claim(file)
    assert ledger.is_claimed(path.stat())
    path.rename(tmp_path / "b")
    assert ledger.is_claimed((tmp_path / "b").stat())
    ledger.release(file)
    assert not ledger.is_claimed((tmp_path / "b").stat())
    assert recall(ledger, tmp_path / "b") == 4
    file.close()


def test_what_was_rewritten_since_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\n")
    ledger, file = Ledger(), open_file(path, 8)
    ledger.release(file)
    path.write_bytes(b"ONE\nTWO\n")
    assert recall(ledger, path) == 0
    file.close()


def test_of_two_notes_on_a_file_the_furthest_counts(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\n")
    ledger = Ledger()
    for offset in (4, 8, 4):
        file = open_file(path, offset)
        ledger.remember(file.checkpoint())
        file.close()
    assert recall(ledger, path) == 8


def test_a_note_on_an_earlier_owner_of_the_inode_does_not_hide_the_present_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\n")
    ledger, file = Ledger(), open_file(path, 4)
    gone = Position("p", build_identity(file.device, file.inode, b"another, and longer\n"), 20)
    ledger.remember(Checkpoint("app", gone))
    ledger.remember(file.checkpoint())
    ledger.remember(Checkpoint("app", gone))
    file.close()
    assert recall(ledger, path) == 4


@pytest.mark.parametrize(
    ("kept", "packed", "seconds_later", "expected"),
    [
        (False, b"one\n" * 50_000, 0, True),
        (True, b"one\n" * 50_000, 0, False),  # it is still there under some name
        (False, b"one\n" * 49_999 + b"two\n", 0, False),
        (False, b"one\n" * 49_999, 0, False),
        (False, b"one\n" * 50_000, 1, False),  # the same few bytes may come again
    ],
)
def test_what_was_deleted_and_packed_while_it_is_read_is_known_by_its_content(
    tmp_path: Path, *, kept: bool, packed: bytes, seconds_later: int, expected: bool
) -> None:
    path, text = tmp_path / "a", tmp_path / "unpacked"
    path.write_bytes(b"one\n" * 50_000)
    ledger, file = Ledger(), open_file(path, 4)
    ledger.claim(file)
    written_at = path.stat().st_mtime_ns + seconds_later * 10**9
    if not kept:
        path.unlink()
    text.write_bytes(packed)
    with text.open("rb") as unpacked:
        assert ledger.is_copy(unpacked.fileno(), written_at, packed=True) is expected
    ledger.release(file)
    with text.open("rb") as unpacked:
        assert not ledger.is_copy(unpacked.fileno(), written_at, packed=True)
    file.close()


@pytest.mark.parametrize(
    ("text", "deleted", "seconds", "expected"),
    [
        (b"one\n" * 50_000, True, 0, True),
        (b"one\n" * 50_000, False, 0, False),  # it is still there under some name
        (b"one\n" * 50_000, True, -2, False),  # written long before it was deleted
        (b"one\n" * 50_000, True, 2, False),  # written after it was deleted
        (b"one\n", True, 0, False),  # the same few bytes may come again
    ],
)
def test_what_was_copied_and_deleted_while_it_is_read_is_known_too(
    tmp_path: Path, *, text: bytes, deleted: bool, seconds: int, expected: bool
) -> None:
    path, copy = tmp_path / "a", tmp_path / "a.1"
    path.write_bytes(text)
    ledger, file = Ledger(), open_file(path, 4)
    ledger.claim(file)
    copy.write_bytes(text)
    written_at = copy.stat().st_mtime_ns + seconds * 10**9
    if deleted:
        path.unlink()
    with copy.open("rb") as copied:
        assert ledger.is_copy(copied.fileno(), written_at, packed=False) is expected
    file.close()


@pytest.mark.parametrize(
    ("name", "text", "left", "found"),
    [
        ("app.log.1", b"one\n" * 50_000, None, True),
        ("app.log.1", b"one\n" * 100, None, True),  # in the making
        ("app.log.1", b"", None, True),
        ("app-20261122.log", b"one\n", None, True),
        ("app.log.1", b"two\n", None, False),
        ("app.log.1", b"one\n" * 100 + b"two\n", None, False),
        ("app.log.1", b"one\n" * 50_001, None, False),
        ("other.log", b"one\n" * 100, None, False),
        ("app.log.1", b"one\n" * 50_000, b"", True),  # the original was truncated, and nobody noticed yet
        ("app.log.1", b"one\n" * 50_000 + b"two\n", b"new\n", True),
        ("app.log.1", b"one\n" * 49_999, b"new\n", False),
    ],
)
def test_a_copy_is_known_by_its_name_and_by_how_it_begins(
    tmp_path: Path, name: str, text: bytes, left: bytes | None, *, found: bool
) -> None:
    path, copy = tmp_path / "app.log", tmp_path / name
    path.write_bytes(b"one\n" * 50_000)
    ledger, file = Ledger(), open_file(path, 200_000)
    ledger.claim(file)
    if left is not None:
        path.write_bytes(left)
    copy.write_bytes(text)
    with copy.open("rb") as copied:
        assert (ledger.find_original(copied.fileno(), str(copy)) is file) is found
    with path.open("rb") as own:
        assert ledger.find_original(own.fileno(), str(copy)) is None
    ledger.close()


def test_at_most_4096_files_are_remembered() -> None:
    ledger = Ledger()
    for inode in range(1, BOUND + 100):
        ledger.remember(Checkpoint("app", Position("p", build_identity(1, inode, b""), 0)))
    ledger.remember(Checkpoint("app", Position("p", "no identity", 0)))
    assert len(ledger) == BOUND
