"""A file closed for others is opened again when it changed, and not before."""

import os
from pathlib import Path

import pytest

from daemon.sources.ledger import Ledger
from daemon.sources.openings import Openings
from daemon.sources.parking import Parking
from daemon.sources.tailed_file import Reading, TailedFile


class Parked:
    def __init__(self, path: Path) -> None:
        reading = Reading("app", 1024, lambda: 0.0, lambda _: None)
        self.openings = Openings(str(path), reading, Ledger())
        self.parking = Parking(self.openings)
        self.file = TailedFile(os.open(path, os.O_RDONLY), str(path), reading)
        list(self.file.read())

    def enter(self) -> Parking:
        self.parking.enter(self.file)
        self.file.close()
        return self.parking


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\nunfinished")
    return path


@pytest.fixture
def parked(path: Path) -> Parked:
    return Parked(path)


def test_an_unchanged_file_waits(parked: Parked) -> None:
    parking = parked.enter()
    assert parking.parked
    assert not parking.unread
    assert not parking.stirred(again=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"one\nunfinished line\n"),
        lambda path: path.write_bytes(b""),
        lambda path: os.utime(path, ns=(1, 1)),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("app.log.1")) and path.write_bytes(b"one\nunfinished"),
    ],
    ids=["grown", "truncated", "rewritten", "deleted", "rotated"],
)
def test_a_changed_one_is_opened(parked: Parked, path: Path, change: object) -> None:
    parking = parked.enter()
    assert callable(change)
    change(path)
    assert parking.stirred(again=False)


def test_what_came_between_the_last_read_and_the_end_of_the_turn_counts_as_unread(parked: Parked, path: Path) -> None:
    with path.open("ab") as writer:
        writer.write(b" line\n")
    parking = parked.enter()
    assert parking.unread
    assert parking.stirred(again=False)
    parking.leave(opened=False)
    assert parking.unread
    parking.leave(opened=True)
    assert not parking.unread


def test_a_path_that_never_had_a_turn_gets_one_and_one_that_failed_is_asked_once_a_second(parked: Parked) -> None:
    parking = parked.parking
    assert parking.stirred(again=False)
    parking.looked = True
    assert not parking.stirred(again=False)
    assert parking.stirred(again=True)
    parked.file.close()
