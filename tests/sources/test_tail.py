"""The whole source: woken by inotify or by the clock, globs, restarts, obstacles, back-pressure."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from watchdog.observers.api import BaseObserver

from daemon.config import FileSource
from daemon.model import Checkpoint, Forgotten, Lines, Transient
from daemon.sources import Item
from daemon.sources import tail as tail_module
from daemon.sources import trails as trails_module
from daemon.sources.heat import BUSY, QUIET
from daemon.sources.late import LINGER
from daemon.sources.tail import BEAT, BEAT_UNWATCHED, PACE, TURN, FileTail
from daemon.sources.wakeups import Wakeups
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.clock import ManualTime
from tests.doubles.source_sink import SourceSink, running
from tests.doubles.unprivileged import as_nobody, as_oneself, open_directory


def no_inotify() -> BaseObserver:
    raise OSError(errno.EMFILE, "inotify instance limit reached")


def without_inotify(wake: Callable[[], object]) -> Wakeups:
    return Wakeups(wake, no_inotify)


class Host:
    """What a source gets from the process around it."""

    def __init__(self) -> None:
        self.time = ManualTime()
        self.board = Board(self.time.now)
        self.metrics = Metrics()

    def tail(self, path: object, stored: Sequence[Checkpoint] = (), **options: Any) -> FileTail:
        wakeups, most_open = options.pop("wakeups", Wakeups), options.pop("most_open", 512)
        config = FileSource(type="file", name="app", path=str(path), **{"start": "beginning", **options})
        return FileTail(
            config, stored, board=self.board, metrics=self.metrics, now=self.time.now,
            monotonic=self.time.monotonic, sleep=self.time.sleep, wakeups=wakeups, most_open=most_open,
        )  # fmt: skip

    def state(self) -> HealthState | None:
        health = self.board.get("source:app")
        return None if health is None else health.state

    def detail(self) -> str:
        health = self.board.get("source:app")
        return "" if health is None else health.detail

    async def beat(self, sink: SourceSink, true: Callable[[], object]) -> None:
        """Let seconds pass until something is true."""
        for _ in range(60):
            if true():
                return
            await self.time.advance(BEAT)
        assert true()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def sink() -> SourceSink:
    return SourceSink()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def rotate(path: Path) -> None:
    """As logrotate does, but the new file is not made yet."""
    for old in sorted(path.parent.glob(f"{path.name}.*"), reverse=True):
        old.rename(path.with_name(f"{path.name}.{int(old.suffix[1:]) + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_line_wakes_the_source_without_any_time_passing(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    path = tmp_path / "app.log"
    append(path, b"one\n")
    async with running(host.tail(path), sink):
        await sink.until(lambda: sink.lines == [b"one"])
        append(path, b"two\n")
        await sink.until(lambda: sink.lines == [b"one", b"two"])
        path.rename(tmp_path / "app.log.1")
        append(path, b"three\n")
        await sink.until(lambda: sink.lines == [b"one", b"two", b"three"])
    assert host.time.monotonic() == ManualTime().monotonic()


async def test_without_inotify_the_file_is_looked_at_four_times_a_second(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    path = tmp_path / "app.log"
    append(path, b"one\n")
    async with running(host.tail(path, wakeups=without_inotify), sink):
        await sink.until(lambda: sink.lines == [b"one"])
        append(path, b"two\n")
        await host.time.advance(BEAT_UNWATCHED / 2)
        assert sink.lines == [b"one"]
        await host.time.advance(BEAT_UNWATCHED)
        assert sink.lines == [b"one", b"two"]


async def test_starting_at_the_end_skips_once_and_never_again(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    path = tmp_path / "app.log"
    append(path, b"old\n" * 10)
    async with running(host.tail(path, start="end"), sink):
        await sink.until(lambda: sink.checkpoints)
    assert sink.lines == []
    append(path, b"while down\n")
    async with running(host.tail(path, sink.checkpoints, start="end"), sink):
        await sink.until(lambda: sink.lines == [b"while down"])
        append(path, b"live\n")
        await sink.until(lambda: sink.lines == [b"while down", b"live"])


async def test_a_file_that_comes_after_the_first_start_is_read_from_its_start_even_if_we_were_down(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    path = tmp_path / "app.log"
    async with running(host.tail(path, start="end"), sink):
        await sink.until(lambda: sink.checkpoints)
        await host.beat(sink, lambda: host.state() is HealthState.starting)
        assert str(path) in host.detail()
    append(path, b"one\n")
    async with running(host.tail(path, sink.checkpoints, start="end"), sink):
        await sink.until(lambda: sink.lines == [b"one"])
        await host.beat(sink, lambda: host.state() is HealthState.ok)


async def test_a_glob_finds_new_files_and_reads_them_from_their_start(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    append(tmp_path / "a.log", b"old\n")
    async with running(host.tail(tmp_path / "*.log", start="end"), sink):
        await sink.until(lambda: sink.checkpoints)
        append(tmp_path / "b.log", b"new\n")
        append(tmp_path / "c.log.gz", b"packed\n")
        await sink.until(lambda: sink.lines == [b"new"])
        append(tmp_path / "a.log", b"live\n")
        await sink.until(lambda: sink.lines == [b"new", b"live"])
    paths = {item.position.path for item in sink.items if isinstance(item, Lines) and item.data}
    assert paths == {str(tmp_path / "a.log"), str(tmp_path / "b.log")}


async def test_a_glob_that_matches_the_rotated_names_too_reads_nothing_twice(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    path = tmp_path / "app.log"
    append(path, b"1\n")
    pattern = tmp_path / "app.log*"
    async with running(host.tail(pattern), sink):
        for number in range(2, 5):
            await sink.count(number - 1)
            rotate(path)
            append(path, b"%d\n" % number)
            await sink.count(number)
            for _ in range(int(LINGER) + 3):
                await host.time.advance(BEAT)
    expected = [b"1", b"2", b"3", b"4"]
    assert sink.lines == expected
    again = SourceSink()
    stored = sink.checkpoints
    path.rename(tmp_path / "app.log.0")  # renamed once more while we are down
    append(tmp_path / "app.log.0", b"5\n")
    append(path, b"6\n")
    async with running(host.tail(pattern, stored), again):
        await again.until(lambda: len(again.lines) >= 2)
        for _ in range(int(LINGER) + 3):
            await host.time.advance(BEAT)
    assert again.lines == [b"5", b"6"]
    assert again.lost == sink.lost == []


async def test_a_link_and_its_target_are_one_file(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    append(tmp_path / "v1.log", b"one\n")
    (tmp_path / "current.log").symlink_to(tmp_path / "v1.log")
    async with running(host.tail(tmp_path / "*.log"), sink):
        await sink.until(lambda: sink.lines)
        append(tmp_path / "v2.log", b"two\n")
        (tmp_path / "new").symlink_to(tmp_path / "v2.log")
        (tmp_path / "new").replace(tmp_path / "current.log")
        await sink.until(lambda: len(sink.lines) == 2)
        for _ in range(int(LINGER) + 3):
            await host.time.advance(BEAT)
    assert sink.lines == [b"one", b"two"]


async def test_a_closed_file_is_reported_once_with_what_mends_it_and_then_read_from_its_head(
    host: Host, sink: SourceSink
) -> None:
    with open_directory() as directory:
        path = directory / "app.log"
        append(path, b"one\n")
        path.chmod(0)
        with as_nobody(), structlog.testing.capture_logs() as logs:
            async with running(host.tail(path, start="end"), sink):
                await host.beat(sink, lambda: host.state() is HealthState.degraded)
                for _ in range(3):
                    await host.time.advance(BEAT)
                assert "setfacl" in host.detail()
                assert str(path) in host.detail()
                with as_oneself():
                    path.chmod(0o644)
                await host.time.advance(BEAT)
                await sink.until(lambda: sink.lines == [b"one"])
                await host.beat(sink, lambda: host.state() is HealthState.ok)
    said = [entry["event"] for entry in logs if entry["log_level"] == "warning" or "readable" in entry["event"]]
    assert said == ["source unreadable", "source readable again"]


async def test_running_again_after_a_failure_goes_on_at_the_line_that_was_refused(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    path = tmp_path / "app.log"
    append(path, b"one\n")
    tail = host.tail(path)
    async with running(tail, sink):
        await sink.until(lambda: sink.lines == [b"one"])
    append(path, b"two\n")
    sink.refuse = Transient("no room")
    with pytest.raises(Transient, match="no room"):
        async with asyncio.timeout(5):
            await tail.run(sink.emit)
    async with running(tail, sink):
        await sink.until(lambda: sink.lines == [b"one", b"two"])


async def test_while_nobody_takes_anything_nothing_more_is_read(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    path = tmp_path / "app.log"
    append(path, b"x" * 1000 + b"\n")
    for _ in range(2000):
        append(path, b"x" * 1000 + b"\n")
    sink.gate.clear()
    async with running(host.tail(path), sink):
        await host.beat(sink, lambda: sink.waiting)
        await host.time.advance(5)
        assert (sink.waiting, sink.items) == (1, [])
        sink.gate.set()
        await sink.until(lambda: len(sink.lines) == 2001)


async def test_while_lines_pour_in_the_watch_rests_and_comes_back_afterwards(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    path = tmp_path / "app.log"
    path.touch()
    async with running(host.tail(path), sink):
        for number in range(BUSY):
            append(path, b"line\n")
            await sink.count(number + 1)
        await host.time.asleep(2)
        assert PACE in host.time.slept
        append(path, b"seen by looking\n")
        await host.time.advance(PACE)
        assert sink.lines[-1] == b"seen by looking"
        for _ in range(QUIET + 2):
            await host.time.advance(PACE)
        append(path, b"seen by the watch\n")
        await sink.until(lambda: sink.lines[-1] == b"seen by the watch")


async def test_cancelling_ends_it_and_leaves_nothing_open(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    path = tmp_path / "app.log"
    append(path, b"one\n")
    threads, files = threading.active_count(), open_files()
    async with running(host.tail(path), sink) as task:
        await sink.until(lambda: sink.lines)
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.cancelled()
    assert threading.active_count() == threads
    assert open_files() == files


async def test_lag_and_skipped_zeros_are_counted(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    path = tmp_path / "app.log"
    append(path, b"one\n\0\0\0\0two\nunfinished")
    async with running(host.tail(path), sink):
        await sink.until(lambda: sink.lines == [b"one", b"two"])
        lag = host.metrics.registry.get_sample_value
        await host.beat(sink, lambda: lag("tellwhy_source_lag_bytes", {"source": "app"}) == len("unfinished"))
    assert lag("tellwhy_lost_input_total", {"source": "app", "why": "nul_bytes"}) == 4


async def test_of_more_files_than_the_bound_the_newest_are_read_and_that_is_reported(
    tmp_path: Path, host: Host, sink: SourceSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (trails_module, tail_module):
        monkeypatch.setattr(module, "MAX_FILES", 3)
    for number in range(5):
        append(tmp_path / f"{number}.log", b"%d\n" % number)
        os.utime(tmp_path / f"{number}.log", (number, number))
    async with running(host.tail(tmp_path / "*.log"), sink):
        await sink.until(lambda: sorted(sink.lines) == [b"2", b"3", b"4"])
        await host.beat(sink, lambda: host.state() is HealthState.degraded)
        assert "2 files more than 3" in host.detail()
        (tmp_path / "4.log").unlink()
        await host.beat(sink, lambda: len(sink.lines) == 4)


async def test_a_name_that_is_no_text_can_be_read_stored_and_found_again(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.log"))
    append(path, b"one\n")
    async with running(host.tail(tmp_path / "*.log"), sink):
        await sink.until(lambda: sink.lines == [b"one"])
    assert all(c.position.path.encode() for c in sink.checkpoints)
    append(path, b"two\n")
    async with running(host.tail(tmp_path / "*.log", sink.checkpoints), sink):
        await sink.until(lambda: sink.lines == [b"one", b"two"])


async def test_a_directory_that_is_made_anew_is_followed(tmp_path: Path, host: Host, sink: SourceSink) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    append(directory / "app.log", b"one\n")
    async with running(host.tail(directory / "app.log"), sink):
        await sink.until(lambda: sink.lines == [b"one"])
        directory.rename(tmp_path / "old")
        directory.mkdir()
        append(directory / "app.log", b"two\n")
        await host.beat(sink, lambda: sink.lines == [b"one", b"two"])
        await host.time.advance(BEAT)
        append(directory / "app.log", b"three\n")
        await sink.until(lambda: sink.lines == [b"one", b"two", b"three"])


async def test_with_dated_names_no_position_stays_behind(tmp_path: Path, host: Host) -> None:
    names = [f"app-2026-11-{day:02}.log" for day in range(1, 31)]
    rows, lines = set[str](), list[bytes]()

    async def emit(item: Item) -> None:
        if isinstance(item, Lines):
            rows.add(item.checkpoint.position.path)
            lines.extend(line for _, line in item.split())
        elif isinstance(item, Forgotten):
            rows.remove(item.path)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(host.tail(tmp_path / "app-*.log").run(emit))
        for day, name in enumerate(names):
            append(tmp_path / name, b"%d\n" % day)
            if day >= 3:
                delete(tmp_path / names[day - 3])
            for _ in range(int(LINGER) + 3):
                await host.time.advance(BEAT)
            assert rows == {str(tmp_path / one) for one in ("app-*.log", *names[max(0, day - 2) : day + 1])}
        task.cancel()
    assert lines == [b"%d" % day for day in range(30)]


def delete(path: Path) -> None:
    path.unlink()


async def test_waiting_for_room_that_only_time_makes_costs_no_processor(
    host: Host, sink: SourceSink, tmp_path: Path
) -> None:
    """The worst bug: at midnight all files are rotated, and for as long as they are held a core spins."""
    for name in "abcd":
        (tmp_path / f"{name}.log").write_bytes(b"old\n")
    tail = host.tail(tmp_path / "*.log", wakeups=without_inotify, most_open=2)
    async with running(tail, sink):
        await sink.count(4)
        await host.time.advance(BEAT)
        for name in "abcd":
            (tmp_path / f"{name}.log").rename(tmp_path / f"{name}.log.1")
            (tmp_path / f"{name}.log").write_bytes(b"new\n")
        for _ in range(3):
            await host.time.advance(BEAT)
        assert sink.lines.count(b"new") < 4
        looks = len(host.time.slept)
        for _ in range(10):
            await host.time.advance(PACE)
        assert host.time.slept[looks:].count(PACE) >= 10
        await host.beat(sink, lambda: sink.lines.count(b"new") == 4)


async def test_many_files_with_lines_let_the_event_loop_have_its_turns(
    tmp_path: Path, host: Host, sink: SourceSink
) -> None:
    for number in range(320):
        append(tmp_path / f"{number}.log", b"line\n")
    turns = 0
    async with running(host.tail(tmp_path / "*.log"), sink):
        while len(sink.lines) < 320:
            await asyncio.sleep(0)
            turns += 1
    assert turns >= 320 // TURN
