"""Drained files: heard for a while, remembered over restarts, never more than eight."""

import os
from pathlib import Path

import pytest

from daemon.model import Checkpoint, Lines, Lost, Position
from daemon.sources.identity import build_identity, parse_identity
from daemon.sources.late import LINGER, ROWS, LateFiles, late_row, owner_of
from daemon.sources.ledger import Ledger
from daemon.sources.openings import Openings
from daemon.sources.tailed_file import Reading, TailedFile

READING = Reading("app", 65536, lambda: 7.0, lambda _: None)


class Drained:
    """Rotated files of one path, and what holds them."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "app.log"
        self.clock = 0.0
        self.rows: dict[str, Lines] = {}
        self.late = self.start()

    def start(self) -> LateFiles:
        openings = Openings(str(self.path), READING, Ledger())
        stored = {path: item.checkpoint for path, item in self.rows.items()}
        return LateFiles(openings, stored, lambda: self.clock)

    def file(self, number: int, data: bytes = b"one\n") -> TailedFile:
        path = self.path.with_name(f"app.log.{number}")
        path.write_bytes(data)
        return TailedFile(os.open(path, os.O_RDONLY), str(self.path), READING, offset=4)

    def take(self, items: object) -> list[Lines | Lost]:
        found = list(items)  # type: ignore[call-overload]
        self.rows.update({item.checkpoint.position.path: item for item in found if isinstance(item, Lines)})
        return [item for item in found if isinstance(item, Lost) or item.data]

    def append(self, number: int, data: bytes) -> None:
        with self.path.with_name(f"app.log.{number}").open("ab") as file:
            file.write(data)


@pytest.fixture
def drained(tmp_path: Path) -> Drained:
    return Drained(tmp_path)


def test_rows_belong_to_their_path() -> None:
    assert [owner_of(late_row("/var/log/a", number)) for number in range(ROWS)] == ["/var/log/a"] * ROWS
    assert owner_of("/var/log/a") == "/var/log/a"
    assert owner_of("/var/log/a#rotated") == "/var/log/a#rotated"


def test_each_line_of_a_late_writer_prolongs_the_wait(drained: Drained) -> None:
    drained.take(drained.late.add(drained.file(1)))
    for _ in range(3):
        drained.clock += LINGER - 1
        drained.append(1, b"late\n")
        [item] = drained.take(drained.late.read())
        assert isinstance(item, Lines)
        assert item.data == b"late\n"
    drained.clock += LINGER
    assert drained.take(drained.late.read()) == []
    assert drained.late.files == []


def test_the_ninth_pushes_the_first_out_and_takes_its_row(drained: Drained) -> None:
    for number in range(1, ROWS + 2):
        drained.take(drained.late.add(drained.file(number)))
    assert len(drained.late.files) == ROWS
    assert set(drained.rows) == {late_row(str(drained.path), number) for number in range(ROWS)}
    drained.late.close()
    assert drained.late.files == []


def test_a_file_with_the_inode_of_a_deleted_one_takes_over_its_row(drained: Drained) -> None:
    """Or the staler row would be matched by the new file at the next start, and its lines be read again."""
    file = drained.file(1)
    empty = Position(late_row(str(drained.path), 3), build_identity(file.device, file.inode, b""), 0)
    drained.rows[empty.path] = Lines("app", b"", empty, Checkpoint("app", empty, ""))
    drained.late = drained.start()
    drained.take(drained.late.add(file))
    [row] = drained.rows.values()
    assert (row.checkpoint.position.path, row.checkpoint.position.offset) == (empty.path, 4)
    drained.late.close()


def test_a_file_that_is_no_longer_held_is_still_remembered(drained: Drained) -> None:
    drained.take(drained.late.add(drained.file(1)))
    drained.clock += LINGER
    assert drained.take(drained.late.read()) == []
    assert drained.late.files == []
    drained.take(drained.late.add(drained.file(2)))
    assert set(drained.rows) == {late_row(str(drained.path), number) for number in (0, 1)}
    drained.late.close()


def test_the_row_of_the_file_drained_longest_ago_is_used_again(drained: Drained) -> None:
    for number in range(1, ROWS + 1):
        drained.take(drained.late.add(drained.file(number)))
        os.utime(drained.path.with_name(f"app.log.{number}"), (0, 100 - number))
    # the order is known after a restart too: from the last writes
    drained.late.close()
    drained.late = drained.start()
    drained.late.resume()
    drained.take(drained.late.add(drained.file(9)))
    inode = drained.path.with_name("app.log.9").stat().st_ino
    identity = parse_identity(drained.rows[late_row(str(drained.path), ROWS - 1)].checkpoint.position.identity)
    assert identity is not None
    assert identity.inode == inode
    assert len(drained.rows) == len(drained.late.rows) == ROWS
    drained.late.close()


def test_after_a_restart_all_are_heard_again(drained: Drained) -> None:
    for number in range(1, ROWS + 1):
        drained.take(drained.late.add(drained.file(number, b"%03d\n" % number)))
    drained.late.close()
    drained.append(3, b"while down\n")
    drained.path.with_name("app.log.5").unlink()
    drained.late = drained.start()
    drained.late.resume()
    assert len(drained.late.files) == ROWS - 1
    [item] = drained.take(drained.late.read())
    assert isinstance(item, Lines)
    assert item.data == b"while down\n"
    # the row of the file that is gone is used next
    drained.take(drained.late.add(drained.file(9)))
    assert drained.rows[late_row(str(drained.path), 4)].checkpoint.position.offset == 4
    assert len(drained.late.files) == ROWS
    drained.late.close()


def test_an_unfinished_line_is_said_to_be_lost_once_over_restarts(drained: Drained) -> None:
    drained.take(drained.late.add(drained.file(1)))
    drained.append(1, b"never finis")
    assert drained.take(drained.late.read()) == []
    drained.clock += LINGER
    lost, line = drained.take(drained.late.read())
    assert isinstance(line, Lines)
    assert line.data == b"never finis\n"
    assert isinstance(lost, Lost)
    assert (lost.why, lost.count, lost.at) == ("unfinished_line", 1, 7.0)
    drained.late = drained.start()
    drained.late.resume()
    drained.clock += LINGER
    assert drained.take(drained.late.read()) == []


def test_a_drained_file_that_is_truncated_is_let_go(drained: Drained) -> None:
    drained.take(drained.late.add(drained.file(1)))
    os.truncate(drained.path.with_name("app.log.1"), 0)
    assert drained.take(drained.late.read()) == []
    assert drained.late.files == []
