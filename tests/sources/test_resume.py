"""What happened while we were down: grown, rotated once or often, packed, truncated, replaced, gone."""

import bz2
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.model import Checkpoint, Position
from daemon.sources.identity import build_identity
from daemon.sources.late import ROWS, late_row
from tests.doubles.log_follower import LogFollower


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\ntwo\n")
    return path


@pytest.fixture
def follower(log: Path) -> LogFollower:
    """It has read both lines and is down now."""
    made = LogFollower(log)
    assert made.read() == [b"one", b"two"]
    made.trail.close()
    return made


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def come_back(follower: LogFollower) -> list[bytes]:
    follower.trail = follower.start()
    return follower.read()


def test_a_file_that_grew_is_read_on_at_the_exact_byte(log: Path, follower: LogFollower) -> None:
    append(log, b"three\n")
    assert come_back(follower) == [b"three"]
    assert follower.lost == []


def test_a_line_begun_before_and_finished_after_comes_once_and_whole(log: Path) -> None:
    append(log, b"par")
    follower = LogFollower(log)
    follower.read()
    follower.trail.close()
    append(log, b"tial\n")
    assert come_back(follower) == [b"partial"]


@pytest.mark.parametrize("name", ["app.log.1", "app.log-20250101", "app-20250101.log", "somewhere.else"])
def test_the_rest_of_a_rotated_file_comes_before_the_new_one(log: Path, follower: LogFollower, name: str) -> None:
    append(log, b"three\n")
    log.rename(log.with_name(name))
    log.write_bytes(b"four\n")
    assert come_back(follower) == [b"three", b"four"]
    assert follower.lost == []


def test_all_rotations_while_down_are_read_in_order(log: Path, follower: LogFollower) -> None:
    append(log, b"three\n")
    log.rename(log.with_name("app.log.3"))
    log.with_name("app.log.2").write_bytes(b"four\n")
    log.with_name("app.log.1").write_bytes(b"five\n")
    log.write_bytes(b"six\n")
    assert come_back(follower) == [b"three", b"four", b"five", b"six"]


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_a_rest_that_was_packed_is_read_too(
    log: Path, follower: LogFollower, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    append(log, b"three\n")
    log.with_name(f"app.log.2.{ending}").write_bytes(pack(log.read_bytes()))
    log.unlink()
    log.with_name("app.log.1").write_bytes(b"four\n")
    log.write_bytes(b"five\n")
    assert come_back(follower) == [b"three", b"four", b"five"]
    assert follower.lost == []


def test_a_kill_in_the_middle_of_a_packed_rest_neither_loses_nor_doubles(log: Path, follower: LogFollower) -> None:
    rest = b"".join(b"line %06d\n" % number for number in range(60_000))
    log.with_name("app.log.1.gz").write_bytes(gzip.compress(log.read_bytes() + rest))
    log.unlink()
    log.write_bytes(b"new\n")
    follower.trail = follower.start()
    for _ in range(2):
        for item in follower.trail.read():
            follower.take(item)
    follower.die()
    follower.read()
    assert follower.lines == [b"one", b"two", *rest.splitlines(), b"new"]


def test_rotated_while_down_and_no_new_file_yet(log: Path, follower: LogFollower) -> None:
    append(log, b"three\n")
    log.rename(log.with_name("app.log.1"))
    assert come_back(follower) == [b"three"]
    log.write_bytes(b"four\n")
    assert follower.read() == [b"four"]


def test_a_copy_of_a_truncated_file_gives_back_what_was_unread(log: Path, follower: LogFollower) -> None:
    append(log, b"three\n")
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    append(log, b"four\n")
    assert come_back(follower) == [b"three", b"four"]
    assert follower.lost == []


@pytest.mark.parametrize("content", [b"x\n", b"completely other and longer\n"])
def test_truncated_and_refilled_is_read_anew_once_and_said(log: Path, follower: LogFollower, content: bytes) -> None:
    os.truncate(log, 0)
    append(log, content)
    assert come_back(follower) == [content[:-1]]
    assert follower.whys() == ["truncated"]
    follower.die()
    assert follower.read() == []
    assert follower.whys() == ["truncated"]


def test_truncated_to_nothing_is_said_once(log: Path, follower: LogFollower) -> None:
    os.truncate(log, 0)
    assert come_back(follower) == []
    follower.die()
    assert follower.read() == []
    assert follower.whys() == ["truncated"]


def test_a_replaced_file_is_read_from_its_start_and_the_loss_is_said(log: Path, follower: LogFollower) -> None:
    log.with_name("new").write_bytes(b"other\n")
    log.with_name("new").replace(log)
    assert come_back(follower) == [b"other"]
    [lost] = follower.lost
    assert (lost.why, lost.count, lost.source) == ("replaced", None, "app")
    assert str(log) in lost.detail


def test_truncated_and_then_rotated_is_read_from_its_start(log: Path, follower: LogFollower) -> None:
    os.truncate(log, 0)
    append(log, b"three\n")
    log.rename(log.with_name("app.log.1"))
    log.write_bytes(b"four\n")
    assert come_back(follower) == [b"three", b"four"]
    assert follower.whys() == ["truncated"]


def test_a_file_that_is_not_there_yet_is_matched_when_it_comes(
    log: Path, follower: LogFollower, tmp_path: Path
) -> None:
    """A filesystem that is mounted after us."""
    append(log, b"three\n")
    away = tmp_path / "unmounted"
    away.mkdir()
    log.rename(away / "app.log")
    assert come_back(follower) == []
    (away / "app.log").rename(log)
    assert follower.read() == [b"three"]
    assert follower.lost == []


def test_a_file_rotated_before_its_first_line_is_found_again(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    follower = LogFollower(log)
    follower.read()
    follower.trail.close()
    append(log, b"one\n")
    log.rename(tmp_path / "app.log.1")
    log.write_bytes(b"two\n")
    assert come_back(follower) == [b"one", b"two"]


@pytest.mark.parametrize("identity", ["", "rubbish", "1:2:3-0000000000000000"])
def test_a_checkpoint_of_no_file_or_of_another_begins_at_the_start(log: Path, identity: str) -> None:
    follower = LogFollower(log)
    follower.rows[str(log)] = Checkpoint("app", Position(str(log), identity, 5), "")
    assert come_back(follower) == [b"one", b"two"]
    assert len(follower.lost) == identity.startswith("1")


def test_a_copy_with_the_inode_of_a_deleted_empty_file_is_read_once_over_restarts(tmp_path: Path) -> None:
    """The row of the empty file fits whatever has its inode; the copy's own row must take its place."""
    log = tmp_path / "app.log"
    log.touch()
    follower = LogFollower(log)
    follower.read()
    append(log, b"one\n")
    follower.read()
    shutil.copy(log, tmp_path / "app.log.1")
    os.truncate(log, 0)
    # as if the file system had given the copy the number of a file that was drained before
    inode = (tmp_path / "app.log.1").stat().st_ino
    identity = build_identity(log.stat().st_dev, inode, b"")
    row = late_row(str(log), 0)
    follower.rows[row] = Checkpoint("app", Position(row, identity, 0))
    for rotations in range(1, ROWS + 3):
        follower.die()
        follower.read()
        # each rotation drains a file more, which wants a row of its own
        for number in range(rotations, 0, -1):
            log.with_name(f"app.log.{number}").rename(log.with_name(f"app.log.{number + 1}"))
        log.rename(log.with_name("app.log.1"))
        log.touch()
    follower.die()
    assert follower.read() == []
    assert follower.lines == [b"one"]
    assert follower.lost == []
