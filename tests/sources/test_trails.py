"""All paths of one source: bounded in number, in open files and in what is remembered of files that are gone."""

import os
import random  # noqa: TID251 - seeded choices
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.model import Checkpoint, Forgotten, Lines, Lost, Position
from daemon.sources import trails as trails_module
from daemon.sources.identity import build_identity
from daemon.sources.late import LINGER
from daemon.sources.openings import GROWS_FOR
from daemon.sources.tailed_file import Reading
from daemon.sources.trails import GONE, REMEMBERED, RESERVED, Trails, share_of_descriptors


class Source:
    """Trails with a store of their own, driven as the tail drives them."""

    def __init__(self, pattern: object, stored: Sequence[Checkpoint] = (), most_open: int = 512) -> None:
        self.clock = 0.0
        self.now = 0.0
        self.rows: dict[str, Checkpoint] = {row.position.path: row for row in stored}
        self.lines: list[bytes] = []
        self.lost: list[Lost] = []
        reading = Reading("app", 1024, lambda: self.now, lambda _: None)
        self.trails = Trails(str(pattern), reading, stored, monotonic=lambda: self.clock, most_open=most_open)
        self.trails.begin()

    def take(self, item: Lines | Lost) -> None:
        if isinstance(item, Lost):
            self.lost.append(item)
            return
        self.trails.note(item)
        self.lines += [line for _, line in item.split()]
        self.rows[item.checkpoint.position.path] = item.checkpoint

    def look(self) -> None:
        """One look, and all the reading that follows from it."""
        self.trails.find()
        for gone in self.trails.gone:
            if isinstance(gone, Forgotten):
                del self.rows[gone.path]
            else:
                self.lost.append(gone)
        self.trails.gone.clear()
        again, more = True, True
        while more:
            chosen = self.trails.choose(again=again)
            for anchor in self.trails.announce():
                self.take(anchor)
            for trail in chosen:
                for item in trail.read():
                    self.take(item)
            more = self.trails.waiting > 0 or any(trail.more for trail in chosen)
            again = False

    def turn(self) -> None:
        """One turn of those that may have a file open."""
        chosen = self.trails.choose(again=True)
        for anchor in self.trails.announce():
            self.take(anchor)
        for trail in chosen:
            for item in trail.read():
                self.take(item)

    def wait(self, seconds: float) -> None:
        self.clock += seconds
        self.now += seconds
        self.look()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_with_dated_names_rows_are_forgotten_when_their_file_is_deleted(tmp_path: Path) -> None:
    source = Source(tmp_path / "app-*.log")
    for day in range(40):
        append(tmp_path / f"app-{day:02}.log", b"%d\n" % day)
        if day >= 7:
            (tmp_path / f"app-{day - 7:02}.log").unlink()
        source.wait(1)
        source.wait(LINGER)
    source.wait(LINGER)
    assert source.lines == [b"%d" % day for day in range(40)]
    assert sorted(source.rows) == [str(tmp_path / f"app-{day:02}.log") for day in range(33, 40)]
    assert source.lost == []


def old_rows(directory: Path, count: int) -> list[Checkpoint]:
    identity = build_identity(1, 2, b"content that no file has")
    return [Checkpoint("app", Position(str(directory / f"{n:05}.log"), identity, 99), "m") for n in range(count)]


def test_rows_of_files_that_vanished_while_we_were_down_are_kept_a_day_and_only_so_many(tmp_path: Path) -> None:
    source = Source(tmp_path / "*.log", old_rows(tmp_path, GONE + 50))
    source.look()
    source.look()
    assert len(source.rows) == GONE
    source.wait(REMEMBERED - 1)
    assert len(source.rows) == GONE
    source.wait(1)
    source.look()
    assert source.rows == {}


def test_a_file_that_comes_back_within_the_day_goes_on_where_it_was(tmp_path: Path) -> None:
    logs, away = tmp_path / "logs", tmp_path / "away"
    logs.mkdir()
    append(logs / "a.log", b"one\n")
    source = Source(logs / "*.log")
    source.look()
    source.trails.close()
    logs.rename(away)
    again = Source(logs / "*.log", list(source.rows.values()))
    again.wait(3600)
    away.rename(logs)
    append(logs / "a.log", b"two\n")
    again.wait(1)
    assert again.lines == [b"two"]
    assert again.lost == []


def test_a_path_without_a_glob_is_never_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, b"one\n")
    source = Source(log)
    source.look()
    log.unlink()
    for _ in range(5):
        source.wait(REMEMBERED)
    assert str(log) in source.rows


def test_a_file_deleted_before_its_turn_is_told_of_while_it_matters(tmp_path: Path) -> None:
    """The worst bug: alerts of that time are marked a day later, and not at all when we are restarted by then."""
    first = tmp_path / "1.log"
    append(first, b"one\n" * 200_000)
    append(tmp_path / "2.log", b"two\n")
    source = Source(tmp_path / "*.log", most_open=1)
    source.trails.find()
    source.turn()
    source.turn()
    first.unlink()
    source.look()
    source.wait(LINGER - 1)
    assert source.lost == []
    for _ in range(3):
        source.wait(1)
    assert [(lost.why, lost.count) for lost in source.lost] == [("deleted", None)]
    source.wait(REMEMBERED)
    source.wait(1)
    assert len(source.lost) == 1


def test_while_those_that_are_open_may_not_be_closed_yet_it_is_stuck(tmp_path: Path) -> None:
    for name in "abcd":
        append(tmp_path / f"{name}.log", b"old\n")
    source = Source(tmp_path / "*.log", most_open=2)
    source.look()
    for name in "abcd":
        (tmp_path / f"{name}.log").rename(tmp_path / f"{name}.log.1")
        append(tmp_path / f"{name}.log", b"new\n")
    for _ in range(20):
        source.trails.find()
        source.turn()
    # drained files are held for late writers
    assert (source.trails.waiting > 0, source.trails.stuck) == (True, True)
    for _ in range(4):
        source.clock += LINGER
        source.turn()
    assert (source.trails.waiting, source.trails.stuck) == (0, False)
    assert source.lines.count(b"new") == 4


@pytest.mark.parametrize("existed", [True, False])
def test_a_file_rotated_before_its_turn_while_we_are_down_is_read(tmp_path: Path, *, existed: bool) -> None:
    """The worst bug: nothing remembers a file that never had a turn, so nobody looks for it."""
    source = Source(tmp_path / "*.log", most_open=1)
    if not existed:
        source.trails.find()
        source.turn()
    for name in "123":
        append(tmp_path / f"{name}.log", f"of {name}\n".encode())
    source.trails.find()
    source.turn()
    assert source.lines == [b"of 1"]

    (tmp_path / "3.log").rename(tmp_path / "3.log.1")
    append(tmp_path / "3.log", b"new\n")
    source.trails.close()
    after = Source(tmp_path / "*.log", list(source.rows.values()), most_open=1)
    for _ in range(20):
        after.trails.find()
        after.turn()
        after.clock += LINGER

    assert sorted(after.lines) == [b"new", b"of 2", b"of 3"]
    assert after.lost == []


def test_a_file_deleted_before_its_turn_is_a_loss(tmp_path: Path) -> None:
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    append(first, b"one\n" * 200_000)
    append(second, b"two\n")
    source = Source(tmp_path / "*.log", most_open=1)
    source.trails.find()
    for _ in range(2):
        for trail in source.trails.choose(again=True):
            for item in trail.read():
                source.take(item)
    assert b"two" in source.lines
    first.unlink()
    for _ in range(3):
        source.wait(1)
    source.wait(REMEMBERED)
    source.look()
    assert [lost.why for lost in source.lost] == ["deleted"]
    assert not {str(first)} & set(source.rows)


def test_those_that_may_not_be_opened_do_not_keep_the_others_from_their_turns(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.log").symlink_to(tmp_path / "6.log")  # read by one trail only: the others get nothing
    append(tmp_path / "6.log", b"one\n")
    append(tmp_path / "7.log", b"two\n")
    source = Source(tmp_path / "*.log", most_open=2)
    for _ in range(10):
        source.wait(1)
    assert sorted(source.lines) == [b"one", b"two"]


@pytest.mark.parametrize("old_ones", [False, True])
def test_a_log_rotated_before_anyone_saw_it_is_read_if_there_was_nothing_before(
    tmp_path: Path, *, old_ones: bool
) -> None:
    log = tmp_path / "app.log"
    if old_ones:
        append(tmp_path / "app.log.1", b"old, read by nobody and not ours\n")
        os.utime(tmp_path / "app.log.1", (1_000_000_000, 1_000_000_000))
    source = Source(log)
    source.now = tmp_path.stat().st_mtime
    source.look()
    assert source.rows[str(log)].position.identity == ""
    source.trails.close()
    if old_ones:
        (tmp_path / "app.log.1").rename(tmp_path / "app.log.2")
    append(log, b"one\n")
    log.rename(tmp_path / "app.log.1")
    append(log, b"two\n")
    again = Source(log, list(source.rows.values()))
    again.look()
    assert again.lines == [b"one", b"two"]
    assert again.lost == []


def test_in_a_glob_a_log_that_was_made_and_rotated_between_two_looks_is_read_whole(tmp_path: Path) -> None:
    source = Source(tmp_path / "*.log")
    source.look()
    source.now = 1_000_000_000.0
    source.look()
    log = tmp_path / "app.log"
    append(log, b"one\n")
    log.rename(tmp_path / "app.log.1")
    append(log, b"two\n")
    source.look()
    assert source.lines == [b"one", b"two"]


@pytest.mark.parametrize(
    ("sources", "limit", "share"),
    [
        (1, 1024, 1024 - RESERVED),
        (4, 1024, 224),
        (1, 64, 32),
        (9, 8, 2),
        (2, -1, (16_384 - RESERVED) // 2),
        (0, 64, 32),
    ],
)
def test_sources_share_what_the_process_may_open(sources: int, limit: int, share: int) -> None:
    assert share_of_descriptors(sources, limit) == share


def test_the_limit_is_that_of_the_process() -> None:
    assert share_of_descriptors(1) >= 2


MANY, FEW = 60, 10


class Crowd:
    """Many files of which few may be followed: written one after the other, each a second after the one before."""

    def __init__(self, directory: Path) -> None:
        self.source = Source(directory / "*.log")
        self.paths = [directory / f"{number:02}.log" for number in range(MANY)]
        self.written = 0

    def write(self, number: int) -> None:
        self.written += 1
        append(self.paths[number], b"%d of %d\n" % (self.written, number))
        os.utime(self.paths[number], (self.written, self.written))

    def restart(self) -> None:
        before = self.source
        before.trails.close()
        self.source = Source(self.paths[0].parent / "*.log", list(before.rows.values()))
        self.source.now, self.source.clock = before.now, before.clock
        self.source.lines, self.source.lost = before.lines, before.lost

    @property
    def followed(self) -> int:
        return len(list(self.source.trails))


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    monkeypatch.setattr(trails_module, "MAX_FILES", FEW)
    monkeypatch.setattr(trails_module, "GONE", 5)
    return Crowd(tmp_path)


def test_files_that_are_written_in_turn_are_not_all_followed_for_ever(crowd: Crowd) -> None:
    for number in (*range(MANY), *reversed(range(MANY))):
        crowd.write(number)
        crowd.source.wait(1.0)
        assert crowd.followed <= FEW + 5
    assert len(crowd.source.lines) == 2 * MANY
    assert len(set(crowd.source.lines)) == 2 * MANY


@pytest.mark.parametrize("seed", range(5))
def test_of_too_many_files_what_is_written_is_read_once(crowd: Crowd, seed: int) -> None:
    """Whichever are written, and through restarts, as long as no more are written at once than are followed."""
    rng = random.Random(seed)  # noqa: S311 - seeded choices
    for step in range(150):
        for number in rng.sample(range(MANY), rng.randint(0, FEW - 1)):
            crowd.write(number)
        if step % 20 == 19:
            crowd.restart()
        crowd.source.wait(1.0)
        assert crowd.followed <= FEW + 5
    assert len(crowd.source.lines) == crowd.written
    assert len(set(crowd.source.lines)) == crowd.written
    assert crowd.source.lost == []


def test_a_file_that_is_no_longer_followed_may_be_rotated(crowd: Crowd) -> None:
    for number in range(MANY):
        crowd.write(number)
        crowd.source.wait(1.0)
    crowd.paths[0].rename(crowd.paths[0].with_name("00.log.1"))
    append(crowd.paths[0].with_name("00.log.1"), b"late\n")
    crowd.source.wait(1.0)
    crowd.write(0)
    crowd.source.wait(1.0)
    assert crowd.source.lines[-2:] == [b"late", b"61 of 0"]
    assert crowd.source.lost == []


def test_files_that_are_no_longer_followed_and_deleted_leave_no_rows(crowd: Crowd) -> None:
    for number in range(MANY):
        crowd.write(number)
        crowd.source.wait(1.0)
    assert len(crowd.source.rows) == MANY
    for path in crowd.paths[:-3]:
        path.unlink()
    for _ in range(MANY):
        crowd.source.wait(LINGER)
        assert crowd.followed <= FEW + 5
    crowd.source.wait(REMEMBERED)
    crowd.source.wait(1.0)
    assert {Path(path).name for path in crowd.source.rows} == {"57.log", "58.log", "59.log"}


def test_a_start_with_the_rows_of_too_many_files_follows_no_more_than_may_be(crowd: Crowd) -> None:
    for number in range(MANY):
        crowd.write(number)
        crowd.source.wait(1.0)
    for number in range(7):  # while we are down
        crowd.write(number)
    for number in range(20):
        append(crowd.paths[20 + number], b"old date %d\n" % number)
        os.utime(crowd.paths[20 + number], (0, 0))
    crowd.restart()
    for _ in range(40):
        crowd.source.wait(1.0)
        assert crowd.followed <= FEW + 5
    assert len(crowd.source.lines) == MANY + 7 + 20
    assert len(set(crowd.source.lines)) == MANY + 7 + 20


def open_files(directory: Path) -> set[str]:
    links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return {link.name for link in links if link.parent == directory}


def copy_in_pieces(source: Source, log: Path, copy: Path) -> None:
    """As logrotate does: the new file is seen empty, in part, and whole."""
    text = log.read_bytes()
    for size in (0, 1, *range(10, len(text), 10), len(text)):
        copy.write_bytes(text[:size])
        os.utime(copy, (source.now, source.now))
        source.wait(1.0)


@pytest.mark.parametrize("unread", [b"", b"three\n" * 50])
def test_a_copy_that_the_glob_takes_in_is_not_read_beside_its_original(tmp_path: Path, unread: bytes) -> None:
    """`copytruncate`, dated names and a glob that matches them: each incident would come out twice."""
    log, copy = tmp_path / "app.log", tmp_path / "app-20261122.log"
    append(log, b"one\n" * 30 + b"two\n")
    source = Source(tmp_path / "*.log")
    source.look()
    append(log, unread)
    copy_in_pieces(source, log, copy)
    os.truncate(log, 0)
    append(log, b"new\n")
    source.wait(1.0)
    source.wait(LINGER)
    append(copy, b"late\n")
    source.wait(1.0)
    assert source.lines == [*[b"one"] * 30, b"two", *unread.splitlines(), b"new", b"late"]
    assert (source.lost, source.trails.lag()) == ([], 0)


def test_a_copy_of_what_is_deleted_next_is_not_read_again_when_that_is_let_go(tmp_path: Path) -> None:
    """As logrotate does with `renamecopy`."""
    log, copy = tmp_path / "app.log", tmp_path / "app-20261122.log"
    append(log, b"one\n" * 30)
    source = Source(tmp_path / "*.log")
    source.look()
    log.rename(tmp_path / "app.log.tmp")
    append(log, b"new\n")
    copy_in_pieces(source, tmp_path / "app.log.tmp", copy)
    (tmp_path / "app.log.tmp").unlink()
    for seconds in (1.0, LINGER, LINGER):
        source.wait(seconds)
    append(copy, b"late\n")
    source.wait(1.0)
    assert source.lines == [*[b"one"] * 30, b"new", b"late"]
    assert open_files(tmp_path) == {"app.log", "app-20261122.log"}
    assert source.lost == []


def test_a_copy_that_a_restart_finds_beside_its_original_is_not_read(tmp_path: Path) -> None:
    """Killed between the copy and the truncation (`copytruncate`), or while somebody keeps a copy."""
    log, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    append(log, b"one\n" * 30)
    source = Source(tmp_path / "app.log*")
    source.look()
    append(log, b"two\n")
    copy.write_bytes(log.read_bytes())
    again = Source(tmp_path / "app.log*", list(source.rows.values()))
    again.look()
    assert (again.lines, again.trails.lag()) == ([b"two"], 0)
    os.truncate(log, 0)
    append(log, b"new\n")
    for seconds in (1.0, LINGER, LINGER):
        again.wait(seconds)
    assert again.lines == [b"two", b"new"]
    assert again.lost == []


def test_what_only_begins_like_a_log_is_read(tmp_path: Path) -> None:
    """A file that is there at the start, and one that goes on in another way."""
    head = b"head of 64 bytes and more, as programs write it when they are started ...\n"
    append(tmp_path / "app.log", head)
    append(tmp_path / "app-20261120.log", head)
    source = Source(tmp_path / "*.log")
    source.look()
    append(tmp_path / "app-20261121.log", head)
    source.wait(1.0)
    assert (len(source.lines), source.trails.lag()) == (2, 0)  # nothing of a copy is unread
    append(tmp_path / "app-20261121.log", b"more\n")
    source.wait(1.0)
    assert source.lines == [head.strip()] * 3 + [b"more"]


def test_a_few_bytes_are_no_copy_once_nobody_writes_them(tmp_path: Path) -> None:
    """Logs of workers may begin alike: app.log, app-1.log."""
    append(tmp_path / "app.log", b"started\n")
    source = Source(tmp_path / "*.log")
    source.look()
    append(tmp_path / "app-1.log", b"started\n")
    os.utime(tmp_path / "app-1.log", (0, 0))
    found = []
    for seconds in (1.0, GROWS_FOR):
        source.wait(seconds)
        found.append(len(source.lines))
    assert found == [1, 2]
