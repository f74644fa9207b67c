"""Wake-ups from real inotify: for the watched path and for names that come and go, not for our own reading."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver

from daemon.sources.wakeups import MAX_DIRECTORIES, Wakeups


class Bell:
    """Counts the calls; `rings` waits for one with a deadline, as events come from the kernel."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def __call__(self) -> None:
        self._rung.set()

    def rings(self, within: float = 5.0) -> bool:
        rung = self._rung.wait(within)
        self._rung.clear()
        return rung


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def wakeups(bell: Bell) -> Iterator[Wakeups]:
    made = Wakeups(bell)
    yield made
    made.stop()
    assert not made.active


def append(path: Path, text: str = "x\n") -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_write_and_a_new_name_wake_but_reading_and_other_files_do_not(
    tmp_path: Path, bell: Bell, wakeups: Wakeups
) -> None:
    path, other = tmp_path / "app.log", tmp_path / "other.log"
    append(path)
    append(other)
    wakeups.watch([str(tmp_path)], [str(path)])
    append(path)
    assert bell.rings()
    path.read_text()
    append(other)
    assert not bell.rings(within=0.05)
    path.rename(tmp_path / "app.log.1")
    assert bell.rings()


def test_a_directory_made_anew_is_watched_anew(tmp_path: Path, bell: Bell, wakeups: Wakeups) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    wakeups.watch([str(directory)], [str(directory / "a")])
    directory.rename(tmp_path / "old")
    directory.mkdir()
    wakeups.watch([str(directory)], [str(directory / "a")])
    bell.rings(within=0.05)
    append(directory / "a")
    assert bell.rings()


def test_while_paused_nothing_wakes(tmp_path: Path, bell: Bell, wakeups: Wakeups) -> None:
    path = tmp_path / "a"
    append(path)
    wakeups.watch([str(tmp_path)], [str(path)])
    wakeups.pause()
    assert not wakeups.active
    append(path)
    assert not bell.rings(within=0.05)
    wakeups.watch([str(tmp_path)], [str(path)])
    append(path)
    assert bell.rings()


def test_a_host_without_inotify_left_is_not_watched_and_nothing_breaks(tmp_path: Path, bell: Bell) -> None:
    def refuse() -> BaseObserver:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    wakeups = Wakeups(bell, refuse)
    wakeups.watch([str(tmp_path)], [])
    assert not wakeups.active
    wakeups.stop()


def test_a_missing_directory_is_watched_once_it_is_there(tmp_path: Path, bell: Bell, wakeups: Wakeups) -> None:
    directory = tmp_path / "later"
    wakeups.watch([str(directory)], [str(directory / "a")])
    assert not wakeups.active
    directory.mkdir()
    wakeups.watch([str(directory)], [str(directory / "a")])
    append(directory / "a")
    assert bell.rings()


def test_at_most_64_directories_are_watched(tmp_path: Path, wakeups: Wakeups) -> None:
    directories = [tmp_path / f"{number:03}" for number in range(MAX_DIRECTORIES + 5)]
    for directory in directories:
        directory.mkdir()
    wakeups.watch(map(str, directories), [])
    assert len(wakeups._watches) == MAX_DIRECTORIES
    wakeups.watch([str(directories[0])], [])
    assert len(wakeups._watches) == 1


def test_a_closed_loop_is_no_reason_to_fail(tmp_path: Path) -> None:
    rang = threading.Event()

    def closed() -> None:
        rang.set()
        raise RuntimeError("Event loop is closed")

    wakeups = Wakeups(closed)
    wakeups.watch([str(tmp_path)], [])
    (tmp_path / "new").touch()
    assert rang.wait(5)
    wakeups.stop()
