"""Opening: never one file twice, never blocked by a FIFO, and what hinders is remembered."""

import errno
import gzip
import os
from pathlib import Path

from daemon.sources.ledger import Ledger
from daemon.sources.openings import Openings, shown
from daemon.sources.tailed_file import Reading
from tests.doubles.unprivileged import as_nobody, open_directory

READING = Reading("app", 65536, lambda: 0.0, lambda _: None)


def openings(path: Path, ledger: Ledger | None = None) -> Openings:
    return Openings(str(path), READING, Ledger() if ledger is None else ledger)


def hindrance(made: Openings) -> int | None:
    return None if made.blocked is None else made.blocked.errno


def test_a_missing_file_is_no_obstacle(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path / "gone" / "deeper"):
        made = openings(path)
        assert made.look() is None
        assert made.open_present() is None
        assert made.blocked is None


def test_what_hinders_is_remembered_until_it_is_gone() -> None:
    with open_directory() as directory:
        path = directory / "app.log"
        path.touch()
        path.chmod(0)
        made = openings(path)
        with as_nobody():
            assert made.open_present() is None
        assert hindrance(made) == errno.EACCES
        path.chmod(0o644)
        with as_nobody():
            file = made.open_present()
        assert file is not None
        assert hindrance(made) is None
        made.close(file)


def test_a_fifo_a_directory_and_a_loop_are_obstacles_and_hang_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("fifo", "directory", "loop"):
        made = openings(tmp_path / name)
        assert made.open_present() is None
        assert made.blocked is not None, name


def test_a_file_that_another_trail_reads_is_left_to_it(tmp_path: Path) -> None:
    path, link = tmp_path / "app.log", tmp_path / "current"
    path.touch()
    link.symlink_to(path)
    ledger = Ledger()
    first = openings(path, ledger).open_present()
    assert first is not None
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert openings(link, ledger).open_present() is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    openings(path, ledger).close(first)


def test_a_successor_that_cannot_be_opened_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.touch()
    (tmp_path / "app.log.2").touch()
    (tmp_path / "app.log.1.gz").write_bytes(b"damaged")
    made = openings(path)
    assert made.open_successors((tmp_path / "app.log.2").stat().st_ino, 0) == []
    [missed] = made.missed
    assert missed.startswith(f"{tmp_path / 'app.log.1.gz'}: ")


def test_a_file_packed_while_it_is_read_does_not_follow_another_once_more(tmp_path: Path) -> None:
    path, older, old = tmp_path / "app.log", tmp_path / "app.log.2", tmp_path / "app.log.1"
    path.write_bytes(b"one\n")
    older.touch()
    made = openings(path)
    file = made.open_present()
    assert file is not None
    path.rename(old)
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"one\n"))
    os.utime(tmp_path / "app.log.1.gz", ns=(0, old.stat().st_mtime_ns))
    old.unlink()
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert made.open_successors(older.stat().st_ino, 0) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    made.close(file)
    # nobody reads it any more: then it is a file like any other
    [again] = made.open_successors(older.stat().st_ino, 0)
    made.close(again)


def test_a_name_that_is_no_text_can_still_be_shown() -> None:
    assert shown(os.fsdecode(b"/var/log/\xff\xfe.log")) == "/var/log/\\xff\\xfe.log"
    assert shown("/var/log/größe.log") == "/var/log/größe.log"
