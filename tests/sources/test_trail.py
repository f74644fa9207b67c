"""One path through its rotations, live: everything once and in order, and what cannot be had is said."""

import os
import shutil
from pathlib import Path

import pytest

from daemon.sources.late import LINGER, late_row
from daemon.sources.openings import MOST_AT_ONCE
from tests.doubles.log_follower import LogFollower


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def follower(log: Path) -> LogFollower:
    made = LogFollower(log)
    assert made.read() == [b"one"]
    return made


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def rotate(log: Path) -> None:
    """As logrotate does: .1 becomes .2, the log becomes .1, a new one is created."""
    numbers = sorted((int(path.suffix[1:]) for path in log.parent.glob("app.log.*")), reverse=True)
    for number in numbers:
        log.with_name(f"app.log.{number}").rename(log.with_name(f"app.log.{number + 1}"))
    log.rename(log.with_name("app.log.1"))
    log.touch()


def open_files(directory: Path) -> int:
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(link.startswith(str(directory)) for link in links)


def test_the_old_file_is_read_to_its_end_before_the_new_one(log: Path, follower: LogFollower) -> None:
    append(log, b"two\n")
    rotate(log)
    append(log, b"three\n")
    append(log.with_name("app.log.1"), b"late\n")
    assert follower.read() == [b"two", b"late", b"three"]


def test_a_rotated_log_that_was_copied_and_deleted_is_read_once(log: Path, follower: LogFollower) -> None:
    """As logrotate does with `renamecopy`: app.log becomes app.log.tmp, which is copied to app.log.1 and deleted."""
    append(log, b"two\n" * 50)
    for number in (1, 2):
        temporary = log.with_name("app.log.tmp")
        log.rename(temporary)
        append(log, b"new %d, and as many bytes as no chance gives a log twice within a second ...\n" % number)
        if number == 2:
            log.with_name("app.log.1").rename(log.with_name("app.log.2"))
        shutil.copyfile(temporary, log.with_name("app.log.1"))
        temporary.unlink()
        found = follower.read()
        assert len(found) == (51 if number == 1 else 1)
    assert follower.lost == []


def test_a_late_writer_is_heard_for_a_while_and_then_the_file_is_let_go(log: Path, follower: LogFollower) -> None:
    rotate(log)
    follower.read()
    old = log.with_name("app.log.1")
    follower.clock += LINGER - 1
    append(old, b"late\n")
    assert follower.read() == [b"late"]
    follower.clock += LINGER - 1  # every line gives it another five seconds
    append(old, b"later\n")
    append(log, b"new\n")
    assert sorted(follower.read()) == [b"later", b"new"]
    assert open_files(log.parent) == 2
    follower.clock += LINGER
    follower.read()
    assert open_files(log.parent) == 1
    assert follower.lost == []


def test_a_late_line_has_a_checkpoint_row_of_its_own(log: Path, follower: LogFollower) -> None:
    rotate(log)
    append(log, b"new\n")
    follower.read()
    row = follower.rows[str(log)]
    append(log.with_name("app.log.1"), b"late\n")
    follower.read()
    assert follower.rows[str(log)] == row
    assert follower.rows[late_row(str(log), 0)].position.offset == len(b"one\nlate\n")


def test_a_late_line_written_while_we_are_down_is_read(log: Path, follower: LogFollower) -> None:
    rotate(log)
    append(log, b"new\n")
    follower.read()
    follower.trail.close()
    append(log.with_name("app.log.1"), b"late\n")
    follower.trail = follower.start()
    assert follower.read() == [b"late"]
    follower.die()
    assert follower.read() == []


def test_five_rotations_between_two_looks_lose_nothing(log: Path, follower: LogFollower) -> None:
    expected = []
    for number in range(5):
        append(log, b"line %d\n" % number)
        expected.append(b"line %d" % number)
        rotate(log)
    assert follower.read() == expected
    assert follower.lost == []


@pytest.mark.parametrize("steps", range(1, 12))
def test_killed_after_any_step_of_a_rotation_nothing_is_lost_or_doubled(
    log: Path, follower: LogFollower, steps: int
) -> None:
    """Kill -9 between any two items that are handed over while three files are drained."""
    for name in (b"two", b"three", b"four"):
        append(log, name + b"\n")
        rotate(log)
    append(log, b"five\n")
    taken = 0
    while taken < steps:
        for item in follower.trail.read():
            follower.take(item)
            taken += 1
            if taken >= steps:
                break
        else:
            if not follower.trail.more:
                break
    follower.die()
    follower.read()
    assert follower.lines == [b"one", b"two", b"three", b"four", b"five"]
    assert follower.lost == []


def test_a_truncation_with_a_copy_loses_nothing(log: Path, follower: LogFollower) -> None:
    append(log, b"unread\n")
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    append(log, b"new\n")
    assert follower.read() == [b"unread", b"new"]
    assert follower.lost == []


@pytest.mark.parametrize("refill", [b"", b"new\n", b"new and longer than before\n"])
def test_a_truncation_without_a_copy_is_said_once(log: Path, follower: LogFollower, refill: bytes) -> None:
    append(log, b"unread\n")
    os.truncate(log, 0)
    append(log, refill)
    assert follower.read() == refill.splitlines()
    assert follower.whys() == ["truncated"]
    follower.die()
    assert follower.read() == []
    assert follower.whys() == ["truncated"]


def test_a_writer_that_keeps_its_offset_leaves_zeros_that_are_skipped(log: Path) -> None:
    follower = LogFollower(log)
    with log.open("r+b", buffering=0) as writer:
        writer.seek(0, os.SEEK_END)
        writer.write(b"two\n")
        assert follower.read() == [b"one", b"two"]
        os.truncate(log, 0)
        writer.write(b"three\n")
        assert follower.read() == [b"three"]
        assert sum(follower.skipped) == 8
        writer.write(b"four\n")
        assert follower.read() == [b"four"]


def test_deleted_and_made_again_is_read_from_its_start(log: Path, follower: LogFollower) -> None:
    append(log, b"two\n")
    log.unlink()
    log.write_bytes(b"three\n")
    assert follower.read() == [b"two", b"three"]
    assert follower.lost == []


def test_a_deleted_file_is_let_go_without_any_event(log: Path, follower: LogFollower) -> None:
    log.unlink()
    follower.read()
    assert open_files(log.parent) == 1
    follower.clock += LINGER
    follower.read()
    assert open_files(log.parent) == 0
    assert follower.trail.idle
    log.write_bytes(b"a new file, perhaps with the old inode\n")
    assert follower.read() == [b"a new file, perhaps with the old inode"]
    assert follower.lost == []


def test_a_renamed_file_is_held_until_a_new_one_comes(log: Path, follower: LogFollower) -> None:
    log.rename(log.with_name("app.log.1"))
    follower.clock += 100 * LINGER
    follower.read()
    append(log.with_name("app.log.1"), b"two\n")
    assert follower.read() == [b"two"]


def test_a_link_that_is_switched_delivers_both_targets(tmp_path: Path) -> None:
    first, second, link = tmp_path / "v1.log", tmp_path / "v2.log", tmp_path / "current"
    first.write_bytes(b"one\n")
    link.symlink_to(first)
    follower = LogFollower(link)
    assert follower.read() == [b"one"]
    append(first, b"two\n")
    second.write_bytes(b"three\n")
    (tmp_path / "new").symlink_to(second)
    (tmp_path / "new").replace(link)
    append(first, b"last of the first\n")
    assert follower.read() == [b"two", b"last of the first", b"three"]


def test_an_unfinished_line_of_a_file_that_is_gone_is_handed_over_once_and_said_to_be_cut(
    log: Path, follower: LogFollower
) -> None:
    append(log, b"never finis")
    rotate(log)
    follower.read()
    follower.clock += LINGER
    assert follower.read() == [b"never finis"]
    assert follower.read() == []
    assert follower.whys() == ["unfinished_line"]
    assert follower.lost[0].count == 1


def test_a_line_that_a_late_writer_finishes_is_whole(log: Path, follower: LogFollower) -> None:
    append(log, b"half ")
    rotate(log)
    follower.read()
    append(log.with_name("app.log.1"), b"done\n")
    assert follower.read() == [b"half done"]
    follower.clock += LINGER
    follower.read()
    assert follower.lost == []


def test_a_truncated_file_that_is_rotated_before_we_look_is_read_whole(log: Path, follower: LogFollower) -> None:
    os.truncate(log, 0)
    append(log, b"two\n")
    rotate(log)
    append(log, b"three\n")
    assert follower.read() == [b"two", b"three"]
    assert follower.whys() == ["truncated"]


@pytest.mark.parametrize("gone", [0, 3])
def test_at_most_64_predecessors_are_held_and_the_others_are_read_in_their_turn(
    log: Path, follower: LogFollower, gone: int
) -> None:
    expected = []
    for number in range(MOST_AT_ONCE + 10):
        append(log, b"%d\n" % number)
        expected.append(b"%d" % number)
        rotate(log)
    step = list(follower.trail.read())
    assert open_files(log.parent) <= MOST_AT_ONCE + 2
    for number in range(1, gone + 1):
        log.with_name(f"app.log.{number + 2}").unlink()  # of those that wait
    for item in step:
        follower.take(item)
    append(log, b"the last\n")
    for number in range(gone):
        expected.remove(b"%d" % (MOST_AT_ONCE + 10 - 3 - number))
    follower.read()
    assert follower.lines[1:] == [*expected, b"the last"]
    assert follower.whys() == (["rotated_away"] if gone else [])
    assert all("3 rotated files" in lost.detail for lost in follower.lost)


def test_closing_lets_go_of_everything(log: Path, follower: LogFollower) -> None:
    rotate(log)
    follower.read()
    rotate(log)
    for item in follower.trail.read():
        follower.take(item)
    follower.trail.close()
    assert open_files(log.parent) == 0


def test_lag_counts_all_that_is_unread(log: Path, follower: LogFollower) -> None:
    assert follower.trail.lag() == 0
    append(log, b"12345\n")
    assert follower.trail.lag() == 6
    follower.read()
    assert follower.trail.lag() == 0


def test_while_a_predecessor_is_being_read_the_absence_of_a_new_file_is_not_noted(
    log: Path, follower: LogFollower
) -> None:
    """Its row would take the place of the one by which the predecessor is found after a kill."""
    log.rename(log.with_name("app.log.1"))
    log.mkdir()  # nothing to be opened
    append(log.with_name("app.log.1"), b"two\n" * 100_000)
    for _ in range(2):
        for item in follower.trail.read():
            follower.take(item)
        if log.exists():
            log.rmdir()
    follower.die()
    follower.read()
    assert follower.lines == [b"one", *[b"two"] * 100_000]
    assert follower.lost == []


def test_a_truncation_is_cleared_up_once_the_directory_is_back(log: Path, follower: LogFollower) -> None:
    append(log, b"two\n")
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    away = log.parent.with_name("away")
    log.parent.rename(away)
    assert follower.read() == []
    assert not follower.trail.more
    away.rename(log.parent)
    append(log, b"three\n")
    assert follower.read() == [b"two", b"three"]
    assert follower.lost == []
