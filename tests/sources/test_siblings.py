"""Which names are rotated ones, in which order they came, and which file is the one we look for."""

import gzip
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from daemon.model import Checkpoint, Transient
from daemon.sources.siblings import (
    find_copy,
    find_same,
    has_packed,
    is_rotated_name,
    list_siblings,
    list_successors,
    open_regular,
    open_sibling,
)
from daemon.sources.tailed_file import Reading, TailedFile


def read_up_to(path: Path, offset: int) -> Checkpoint:
    """The checkpoint of a reader that stopped at `offset`."""
    reading = Reading("app", 65536, lambda: 0.0, lambda _: None)
    file = TailedFile(os.open(path, os.O_RDONLY), str(path), reading, offset=offset)
    stored = file.checkpoint()
    file.close()
    return stored


@pytest.mark.parametrize(
    ("name", "number", "rotated"),
    [
        ("app.log.1", 1, True),
        ("app.log.12", 12, True),
        ("app.log-1", 1, True),
        ("app.1.log", 1, True),
        ("app.log.3.gz", 3, True),
        ("app.log-20250131", None, True),
        ("app.log-20250131.xz", None, True),
        ("app.log-20250131-1700000000", None, True),
        ("app.log.2025-01-31", None, True),
        ("app.log.2025-01-31_13", None, True),
        ("app-20250131.log", None, True),
        ("app.log.bak", None, False),
        ("app.log.swp", None, False),
        ("application.log", None, False),
        ("other.log.1", None, False),
    ],
)
def test_the_names_of_rotated_logs(tmp_path: Path, name: str, number: int | None, *, rotated: bool) -> None:
    (tmp_path / "app.log").touch()
    (tmp_path / name).touch()
    [sibling] = list_siblings(str(tmp_path / "app.log"))
    assert (sibling.number, sibling.rotated) == (number, rotated)


def test_what_is_no_regular_file_is_no_sibling(tmp_path: Path) -> None:
    (tmp_path / "app.log.1").mkdir()
    os.mkfifo(tmp_path / "app.log.2")
    (tmp_path / "app.log.3").symlink_to(tmp_path / "app.log")
    (tmp_path / "app.log.4.zst").touch()  # we cannot read it
    assert list_siblings(str(tmp_path / "app.log")) == []
    assert list_siblings(str(tmp_path / "gone" / "app.log")) == []
    with pytest.raises(OSError, match="regular"):
        open_regular(str(tmp_path / "app.log.2"))  # and does not hang


def test_a_file_being_packed_counts_once(tmp_path: Path) -> None:
    (tmp_path / "app.log.1").write_bytes(b"x\n")
    (tmp_path / "app.log.1.gz").write_bytes(b"half")
    assert [Path(s.path).name for s in list_siblings(str(tmp_path / "app.log"))] == ["app.log.1"]


def test_the_renamed_file_is_found_by_inode_and_content_only(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"one\ntwo\n")
    stored = read_up_to(log, 4)
    shutil.copy(log, tmp_path / "app.log.2")
    log.rename(tmp_path / "app.log.1")
    log.write_bytes(b"new\n")
    found = find_same(str(log), stored)
    assert found is not None
    os.close(found[0])
    assert Path(found[1].path).name == "app.log.1"
    (tmp_path / "app.log.1").write_bytes(b"somebody else\n")
    assert find_same(str(log), stored) is None


def test_a_file_of_which_nothing_was_read_is_found_under_a_rotated_name_only(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"one\n")
    stored = read_up_to(log, 0)
    log.rename(tmp_path / "dpkg.log")
    assert find_same(str(log), stored) is None
    (tmp_path / "dpkg.log").rename(tmp_path / "app.log.1")
    found = find_same(str(log), stored)
    assert found is not None
    os.close(found[0])


@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_must_hold_all_that_was_read(tmp_path: Path, *, packed: bool) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"x" * 300 + b"\none\ntwo\n")
    stored = read_up_to(log, 305)
    other, copy = b"x" * 300 + b"\nzzz\nother\n", log.read_bytes()
    for name, data in (("app.log.1", other), ("app.log.2", copy), ("app.log.3", b"x" * 300 + b"\n")):
        if packed:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (tmp_path / name).write_bytes(data)
    found = find_copy(str(log), stored)
    assert found is not None
    fd, sibling, damage = found
    assert damage == ""
    assert Path(sibling.path).name == ("app.log.2.gz" if packed else "app.log.2")
    assert os.pread(fd, 100, 305) == b"two\n"
    os.close(fd)


def test_there_is_no_copy_of_nothing(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    (tmp_path / "app.log.1").write_bytes(b"anything\n")
    assert find_copy(str(log), read_up_to(log, 0)) is None


def names(path: Path, inode: int, written_at: int | None) -> list[str]:
    return [Path(s.path).name for s in list_successors(str(path), inode, written_at)]


def test_numbers_order_the_files_that_came_after(tmp_path: Path) -> None:
    for number in (1, 2, 3, 10):
        (tmp_path / f"app.log.{number}").touch()
    (tmp_path / "app.log.bak").touch()
    own = (tmp_path / "app.log.10").stat().st_ino
    assert names(tmp_path / "app.log", own, None) == ["app.log.3", "app.log.2", "app.log.1"]


def test_dates_are_ordered_by_the_last_write(tmp_path: Path) -> None:
    for day, written in ((1, 100), (2, 200), (3, 300)):
        path = tmp_path / f"app.log-2025010{day}"
        path.touch()
        os.utime(path, (written, written))
    own = (tmp_path / "app.log-20250101").stat().st_ino
    assert names(tmp_path / "app.log", own, None) == ["app.log-20250102", "app.log-20250103"]


def test_of_a_deleted_file_what_was_written_later_came_after(tmp_path: Path) -> None:
    for number, written in ((1, 300), (2, 200), (3, 100)):
        path = tmp_path / f"app.log.{number}"
        path.touch()
        os.utime(path, (written, written))
    assert names(tmp_path / "app.log", 1, 150 * 10**9) == ["app.log.2", "app.log.1"]
    assert names(tmp_path / "app.log", 1, None) == []


def test_the_directory_of_a_links_target_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "v.log").touch()
    (tmp_path / "real" / "v.log.1").touch()
    link = tmp_path / "app.log"
    link.symlink_to(tmp_path / "real" / "v.log")
    assert [(Path(s.path).name, s.number) for s in list_siblings(str(link))] == [("v.log.1", 1)]


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 8, hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)


@pytest.mark.parametrize("packed", [False, True])
def test_without_a_descriptor_left_nothing_is_said_to_be_gone(tmp_path: Path, *, packed: bool) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"one\n")
    stored = read_up_to(log, 4)
    text = log.read_bytes()
    log.rename(tmp_path / "app.log.1")
    if packed:
        (tmp_path / "app.log.1").unlink()
        (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(text))
    [sibling] = list_siblings(str(log))
    with no_descriptors_left(), pytest.raises(Transient):
        open_sibling(sibling)
    found = find_copy(str(log), stored) if packed else find_same(str(log), stored)
    assert found is not None
    os.close(found.fd)


def test_a_directory_that_no_descriptor_is_left_for_is_not_taken_for_empty(tmp_path: Path) -> None:
    """The worst bug: a rotated file is said to be gone, and its unread lines are passed over."""
    log = tmp_path / "app.log"
    (tmp_path / "app.log.1").write_bytes(b"one\n")
    with no_descriptors_left(), pytest.raises(Transient):
        list_siblings(str(log))
    assert len(list_siblings(str(log))) == 1


@pytest.mark.parametrize(
    ("candidate", "rotated"),
    [
        ("app.log.1", True), ("app.1.log", True), ("app.log-20261122", True), ("app-20261122.log", True),
        ("app.log", False), ("app.log.tmp", False), ("app2.log", False), ("other.log.1", False),
    ],
)  # fmt: skip
def test_the_names_that_a_rotated_log_has(candidate: str, *, rotated: bool) -> None:
    assert is_rotated_name(candidate, "app.log") is rotated


def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is listed from now on."""
    seen: list[str] = []
    scandir = os.scandir

    def counted(path: str) -> Any:
        seen.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    return seen


def test_the_logs_of_a_directory_ask_once_whether_it_has_packed_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst bug: two thousand of them would list it two thousand times, which takes a minute."""
    for number in range(50):
        (tmp_path / f"{number}.log").touch()
    (tmp_path / "7.log.2.gz").touch()
    os.utime(tmp_path, ns=(1, 1))
    seen = listings(monkeypatch)
    assert [number for number in range(50) if has_packed(str(tmp_path / f"{number}.log"))] == [7]
    assert len(seen) == 1
    (tmp_path / "8.log.1.xz").touch()
    assert has_packed(str(tmp_path / "8.log"))
    (tmp_path / "8.log.1").touch()  # it is just being packed
    os.utime(tmp_path, ns=(2, 2))
    assert not has_packed(str(tmp_path / "8.log"))
    assert not has_packed(str(tmp_path / "none" / "8.log"))


def test_of_many_files_only_those_that_matter_are_looked_at(tmp_path: Path) -> None:
    names = ("app.log", "app.log.1", "app-20261122.log", "app.log.2.gz", "app2.log", "other.log", "moved")
    for name in names:
        (tmp_path / name).touch()
    moved = (tmp_path / "moved").stat().st_ino
    path = str(tmp_path / "app.log")
    rotated = {"app.log.1", "app-20261122.log", "app.log.2.gz"}
    assert {Path(one.path).name for one in list_siblings(path, 0)} == rotated
    assert {Path(one.path).name for one in list_siblings(path, moved)} == rotated | {"moved"}
    assert {Path(one.path).name for one in list_siblings(path)} == {*names[1:]}
