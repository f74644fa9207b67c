"""T01 to T24: what logs do, each scenario by its number. What came out is compared with what was written, exactly."""

import asyncio
import gzip
import os
import random  # noqa: TID251 - seeded bursts
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.model import Checkpoint, Lines, Position
from daemon.sources import Item
from daemon.sources.late import LINGER
from daemon.sources.room import AGAIN
from daemon.sources.tail import BEAT, BEAT_UNWATCHED
from daemon.sources.wakeups import Wakeups
from daemon.telemetry import HealthState
from tests.doubles.line_store import LineStore
from tests.doubles.little_room import little_room
from tests.doubles.log_follower import LogFollower
from tests.doubles.source_sink import DEADLINE, SourceSink, running
from tests.doubles.unprivileged import as_nobody, as_oneself, open_directory
from tests.sources.test_tail import Host, append, without_inotify


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def sink() -> SourceSink:
    return SourceSink()


def rotate(log: Path, keep: int = 99) -> None:
    """As logrotate does: .1 becomes .2, the log becomes .1; what is beyond `keep` is deleted; a new log is made."""
    numbers = sorted((int(path.suffix[1:]) for path in log.parent.glob(f"{log.name}.*")), reverse=True)
    for number in numbers:
        old = log.with_name(f"{log.name}.{number}")
        if number >= keep:
            old.unlink()
        else:
            old.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))
    log.touch()


def open_files(directory: Path) -> int:
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(link.startswith(str(directory)) for link in links)


def came(sink: SourceSink, lines: int) -> Callable[[], bool]:
    return lambda: len(sink.lines) == lines


def move_away(log: Path) -> None:
    log.rename(log.with_name(f"{log.name}.1"))


def delete(log: Path) -> None:
    log.unlink()


def ends_with(item: Item, end: bytes) -> bool:
    return isinstance(item, Lines) and item.data.endswith(end)


class TestT01AppendInBursts:
    async def test_a_thousand_lines_come_exactly_and_in_order(self, log: Path, host: Host, sink: SourceSink) -> None:
        rng = random.Random(1)  # noqa: S311 - the same bursts each time
        written = [b"line %d" % number for number in range(1000)]
        append(log, b"")
        async with running(host.tail(log), sink):
            start = 0
            while start < len(written):
                end = start + rng.randrange(1, 60)
                append(log, b"".join(line + b"\n" for line in written[start:end]))
                start = end
                await asyncio.sleep(0)
            await sink.until(lambda: len(sink.lines) >= len(written))
        assert sink.lines == written


class TestT02RenameRotation:
    async def test_lines_to_the_old_file_and_to_the_new_one_all_come(
        self, log: Path, host: Host, sink: SourceSink
    ) -> None:
        append(log, b"1\n2\n3\n")
        async with running(host.tail(log), sink):
            await sink.count(3)
            with log.open("ab", buffering=0) as writer:
                move_away(log)
                append(log, b"new\n")
                writer.write(b"late\n")
            await host.beat(sink, lambda: len(sink.lines) == 5)
        assert sorted(sink.lines) == [b"1", b"2", b"3", b"late", b"new"]
        assert sink.lost == []


class TestT03BurstsFasterThanTheReader:
    SIZE = 40 << 20

    async def test_five_rotations_of_a_burst_that_nobody_takes_lose_nothing(
        self, log: Path, host: Host, sink: SourceSink
    ) -> None:
        append(log, b"")
        line = b"x" * 1023 + b"\n"
        sink.gate.clear()
        async with running(host.tail(log), sink):
            await host.beat(sink, lambda: sink.waiting)
            for number in range(5):
                append(log, b"%d\n" % number + line * (self.SIZE // 5 // 1024))
                rotate(log, keep=5)
            append(log, b"the end\n")
            await host.time.advance(10 * LINGER)
            lag = host.metrics.registry.get_sample_value("tellwhy_source_lag_bytes", {"source": "app"})
            assert lag is not None
            assert lag > 0
            assert open_files(log.parent) == 1
            sink.gate.set()
            await sink.until(lambda: sink.items and ends_with(sink.items[-1], b"the end\n"))
        short = [one for one in sink.lines if len(one) < 1023]
        assert short == [b"0", b"1", b"2", b"3", b"4", b"the end"]
        assert len(sink.lines) == 6 + 5 * (self.SIZE // 5 // 1024)
        assert sink.lost == []

    async def test_what_was_rotated_until_it_was_deleted_is_said(self, log: Path, host: Host, sink: SourceSink) -> None:
        append(log, b"held\n")
        sink.gate.clear()
        async with running(host.tail(log), sink):
            await host.beat(sink, lambda: sink.waiting)
            for number in range(5):
                rotate(log, keep=2)
                append(log, b"%d\n" % number)
            sink.gate.set()
            await sink.until(lambda: sink.lines[-1:] == [b"4"])
        assert sink.lines == [b"held", b"2", b"3", b"4"]
        assert [lost.why for lost in sink.lost] == ["rotated_away"]


class TestT04CopytruncateByAnAppendingWriter:
    def test_the_new_line_comes_and_no_old_one_again(self, log: Path) -> None:
        append(log, b"one\ntwo\n")
        follower = LogFollower(log)
        assert follower.read() == [b"one", b"two"]
        with log.open("ab", buffering=0) as writer:
            writer.write(b"unread\n")
            shutil.copy(log, log.with_name("app.log.1"))
            os.truncate(log, 0)
            writer.write(b"three\n")
            assert follower.read() == [b"unread", b"three"]
        assert b"\0" not in b"".join(follower.lines)
        assert follower.lost == []


class TestT05CopytruncateByAWriterThatKeepsItsPlace:
    def test_the_zeros_before_its_next_line_are_counted_and_left_out(self, log: Path) -> None:
        append(log, b"one\n")
        follower = LogFollower(log)
        with log.open("r+b", buffering=0) as writer:
            writer.seek(0, os.SEEK_END)
            assert follower.read() == [b"one"]
            os.truncate(log, 0)
            writer.write(b"two\n")
            assert follower.read() == [b"two"]
        assert sum(follower.skipped) == 4


class TestT06RefilledWithMoreWhileDown:
    def test_the_marker_does_not_fit_so_it_is_read_from_its_start(self, log: Path) -> None:
        append(log, b"one\ntwo\n")
        follower = LogFollower(log)
        follower.read()
        follower.trail.close()
        log.write_bytes(b"other lines, and more of them\nthan there were before\n")
        follower.trail = follower.start()
        assert follower.read() == [b"other lines, and more of them", b"than there were before"]
        assert follower.whys() == ["truncated"]


class TestT07RefilledWithLessWhileDown:
    def test_the_new_content_comes_once_and_a_second_restart_brings_nothing(self, log: Path) -> None:
        append(log, b"one\ntwo\n")
        follower = LogFollower(log)
        follower.read()
        follower.trail.close()
        log.write_bytes(b"new\n")
        follower.trail = follower.start()
        assert follower.read() == [b"new"]
        follower.die()
        assert follower.read() == []
        assert follower.whys() == ["truncated"]


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Path]:
    """A small ext4 of our own: there the inode of a deleted file goes to the next one at once."""
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and mkfs.ext4 to mount a file system")
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as made:
        made.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount a loop device here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


class TestT08InodeGivenAgain:
    @pytest.mark.system
    @pytest.mark.parametrize("down", [False, True])
    def test_a_longer_file_with_the_inode_of_the_deleted_one_is_read_from_its_start(
        self, ext4: Path, *, down: bool
    ) -> None:
        log = ext4 / "app.log"
        append(log, b"one\ntwo\n")
        follower = LogFollower(log)
        assert follower.read() == [b"one", b"two"]
        inode = log.stat().st_ino
        if down:
            follower.trail.close()
        log.unlink()
        if not down:
            follower.read()
            follower.clock += LINGER
            follower.read()  # held until now: an inode that is in use is not given again
        append(log, b"quite other lines\nthan those before\n")
        assert log.stat().st_ino == inode
        if down:
            follower.trail = follower.start()
        assert follower.read() == [b"quite other lines", b"than those before"]
        assert follower.whys() == (["truncated"] if down else [])
        follower.trail.close()


class TestT09FilesThatBeginAlike:
    @pytest.mark.parametrize("down", [False, True])
    def test_no_offset_of_one_is_used_for_the_other(self, log: Path, *, down: bool) -> None:
        head = b"# the same banner\n" * 60
        append(log, head + b"one\n")
        follower = LogFollower(log)
        assert follower.read()[-1] == b"one"
        if down:
            follower.trail.close()
        log.rename(log.with_name("app.log.1"))
        append(log, head + b"two\nthree\n")
        if down:
            follower.trail = follower.start()
        assert follower.read() == [*head.splitlines(), b"two", b"three"]
        assert follower.lost == []


class TestT10RotatedAndPackedWhileDown:
    @pytest.mark.parametrize("ending", [".gz", ""])
    def test_the_rest_of_each_comes_once_in_order_and_then_the_new_log(self, log: Path, ending: str) -> None:
        append(log, b"one\n")
        follower = LogFollower(log)
        follower.read()
        follower.trail.close()
        append(log, b"two\n")
        first = log.read_bytes()
        rotate(log)
        append(log, b"three\n")
        rotate(log)
        if ending:
            log.with_name("app.log.2").unlink()
            log.with_name("app.log.2.gz").write_bytes(gzip.compress(first))
        append(log, b"four\n")
        follower.trail = follower.start()
        assert follower.read() == [b"two", b"three", b"four"]
        follower.die()
        assert follower.read() == []
        assert follower.lost == []


class TestT11PartialLineOverARestart:
    def test_it_comes_once_and_whole(self, log: Path) -> None:
        append(log, b"partial")
        follower = LogFollower(log)
        assert follower.read() == []
        follower.die()
        assert follower.read() == []
        follower.trail.close()
        append(log, b" line\n")
        follower.trail = follower.start()
        assert follower.read() == [b"partial line"]


class TestT12LastLineNeverFinished:
    def test_it_comes_once_said_to_be_cut_when_its_file_is_let_go(self, log: Path) -> None:
        append(log, b"whole\nnever finis")
        follower = LogFollower(log)
        assert follower.read() == [b"whole"]
        follower.clock += 1000
        assert follower.read() == []
        rotate(log)
        assert follower.read() == []
        follower.clock += LINGER
        assert follower.read() == [b"never finis"]
        follower.die()
        follower.clock += LINGER
        assert follower.read() == []
        assert [(lost.why, lost.count) for lost in follower.lost] == [("unfinished_line", 1)]


class TestT13DeletedAndMadeAgain:
    async def test_the_old_file_is_let_go_within_ten_seconds_and_the_new_one_is_read(
        self, log: Path, host: Host, sink: SourceSink
    ) -> None:
        append(log, b"old\n")
        async with running(host.tail(log), sink):
            await sink.count(1)
            delete(log)
            assert open_files(log.parent) == 1
            for _ in range(10):
                await host.time.advance(BEAT)
            assert open_files(log.parent) == 0
            append(log, b"new\n")
            await host.beat(sink, lambda: sink.lines == [b"old", b"new"])
        assert sink.lost == []


class TestT14SymlinkSwitched:
    async def test_through_two_links_the_ends_of_both_targets_come(
        self, tmp_path: Path, host: Host, sink: SourceSink
    ) -> None:
        releases = [tmp_path / name for name in ("first", "second")]
        for release in releases:
            release.mkdir()
        (tmp_path / "current").symlink_to(releases[0])
        (tmp_path / "app.log").symlink_to(tmp_path / "current" / "real.log")
        append(releases[0] / "real.log", b"one\n")
        async with running(host.tail(tmp_path / "app.log"), sink):
            await sink.count(1)
            append(releases[0] / "real.log", b"two\n")  # no event for the link's own directory
            await host.beat(sink, lambda: len(sink.lines) == 2)
            append(releases[1] / "real.log", b"three\n")
            (tmp_path / "new").symlink_to(releases[1])
            (tmp_path / "new").replace(tmp_path / "current")
            append(releases[0] / "real.log", b"last of the first\n")
            await host.beat(sink, lambda: len(sink.lines) == 4)
        assert sink.lines == [b"one", b"two", b"last of the first", b"three"]
        assert sink.lost == []


class TestT15PermissionGivenLater:
    async def test_it_is_said_once_and_read_from_its_head(self, host: Host, sink: SourceSink) -> None:
        with open_directory() as directory:
            log = directory / "app.log"
            append(log, b"one\n")
            log.chmod(0)
            with as_nobody():
                async with running(host.tail(log), sink):
                    await host.beat(sink, lambda: host.state() is HealthState.degraded)
                    for _ in range(3):
                        await host.time.advance(BEAT)
                    assert sink.lines == []
                    with as_oneself():
                        log.chmod(0o644)
                    await host.beat(sink, lambda: sink.lines == [b"one"])
                    with as_oneself():
                        log.chmod(0)  # taken away: what is open stays open
                        append(log, b"two\n")
                    await host.beat(sink, lambda: sink.lines == [b"one", b"two"])
                    await host.beat(sink, lambda: host.state() is HealthState.ok)
        assert sink.lost == []


class TestT16LineTooLong:
    def test_it_is_cut_and_counted_and_what_surrounds_it_comes(self, log: Path, shared_data: Path) -> None:
        append(log, b"before\n" + (shared_data / "vectors" / "tail" / "long_then_short.log").read_bytes())
        follower = LogFollower(log, max_line=65536)
        assert follower.read() == [b"before", b"x" * 65536, b"short"]
        assert [(lost.why, lost.count) for lost in follower.lost] == [("line_too_long", 1)]


VECTORS: dict[str, list[bytes]] = {
    "bom.log": [b"one", b"two"],
    "crlf.log": [b"one", b"two", b"three"],
    "empty_lines.log": [b"", b"", b"one", b""],
    "invalid_utf8.log": [b"ok", b"\xff\xfe\xc3(", b"ok2"],
    "lone_cr.log": [b"one\rtwo\rthree"],
    "long_then_short.log": [b"x" * 65536, b"short"],
    "no_final_newline.log": [b"one"],
    "nul.log": [b"a\0b", b"c", b"d"],
    "utf16le.log": [b"one", b"two"],
    "vt_ff_nel_ls.log": [b"a\x0bb\x0cc\xc2\x85d\xe2\x80\xa8e"],
    "zero_tail_after_crash.log": [b"one", b"two"],
}


class TestT17BytesThatAreNoLineEnds:
    @pytest.mark.parametrize("name", VECTORS)
    @pytest.mark.parametrize("piece", [1 << 20, 5, 1])
    def test_each_vector_gives_its_lines_however_it_arrives(
        self, log: Path, shared_data: Path, name: str, piece: int
    ) -> None:
        data = (shared_data / "vectors" / "tail" / name).read_bytes()
        piece = max(piece, len(data) // 50)
        follower = LogFollower(log)
        for start in range(0, len(data), piece):
            append(log, data[start : start + piece])
            follower.read()
            follower.die()
        assert follower.lines == VECTORS[name]

    def test_every_vector_is_read(self, shared_data: Path) -> None:
        names = {path.name for path in (shared_data / "vectors" / "tail").iterdir()}
        assert names == {*VECTORS, "two_members.log.gz", "truncated.log.gz"}

    @pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
    def test_utf16_comes_as_utf8_and_its_positions_are_those_of_the_file(self, log: Path, codec: str) -> None:
        # U+0A0A and U+000A side by side: the bytes of a newline across two characters are none
        lines = ["häßlich", "\u0a0a\u0a00x", "日本", "", "🚀 end\r"]
        data = "".join(f"{line}\n" for line in ["\ufeff" + lines[0], *lines[1:]]).encode(codec)
        follower = LogFollower(log)
        for start in range(0, len(data), 3):
            append(log, data[start : start + 3])
            follower.read()
        assert [line.decode() for line in follower.lines] == [line.removesuffix("\r") for line in lines]
        assert follower.rows[str(log)].position.offset == len(data)
        follower.die()
        append(log, "after\n".encode(codec))
        assert follower.read() == [b"after"]

    def test_an_over_long_line_of_utf16_is_cut_between_characters(self, log: Path) -> None:
        follower = LogFollower(log, max_line=1025)
        for long in (2000, 200_000):  # within a chunk and over several
            append(log, ("\ufeff" * (long == 2000) + "é" * long + "\nshort\n").encode("utf-16-le"))
            assert follower.read() == ["é".encode() * 512, b"short"]
        assert follower.whys() == ["line_too_long"] * 2


def resumed_from_packed(log: Path, packed: bytes, read: bytes) -> LogFollower:
    """As after a night: `read` had been read of the log, which is packed by now."""
    append(log, read)
    follower = LogFollower(log)
    follower.read()
    follower.trail.close()
    log.unlink()
    log.with_name("app.log.1.gz").write_bytes(packed)
    append(log, b"new\n")
    follower.trail = follower.start()
    return follower


class TestT18Gzip:
    def test_of_two_members_all_lines_come(self, log: Path, shared_data: Path) -> None:
        packed = (shared_data / "vectors" / "tail" / "two_members.log.gz").read_bytes()
        follower = resumed_from_packed(log, packed, b"one\n")
        assert follower.read() == [b"two", b"three", b"new"]
        assert follower.lost == []

    def test_of_a_truncated_one_the_readable_lines_come_and_the_damage_is_said(
        self, log: Path, shared_data: Path
    ) -> None:
        packed = (shared_data / "vectors" / "tail" / "truncated.log.gz").read_bytes()
        follower = resumed_from_packed(log, packed, b"line 0\nline 1\n")
        found = follower.read()
        assert found[:2] == [b"line 2", b"line 3"]
        assert found[-2:] == [b"line 989", b"new"]
        assert follower.whys() == ["damaged_file"]

    def test_one_that_still_grows_is_waited_for(self, log: Path, shared_data: Path) -> None:
        text = b"".join(b"line %d\n" % number for number in range(5000))
        packed = gzip.compress(text)
        follower = resumed_from_packed(log, packed[:4000], b"line 0\n")
        now = log.with_name("app.log.1.gz").stat().st_mtime
        follower.now = now + 1
        follower.trail.close()
        follower.trail = follower.start()
        assert follower.read() == []
        log.with_name("app.log.1.gz").write_bytes(packed)
        assert follower.read() == [*text.splitlines()[1:], b"new"]
        assert follower.lost == []

    def test_without_room_for_its_text_it_is_waited_for(self, log: Path) -> None:
        """Line 3: a full disk takes nothing, and it is said; then all comes, in order."""
        text = b"".join(b"line %d\n" % number for number in range(300_000))
        follower = resumed_from_packed(log, gzip.compress(text), text[:7000])
        with little_room(1 << 20):
            assert follower.read() == []
            follower.now += AGAIN / 2
            assert follower.read() == []
            assert "no room to unpack app.log.1.gz" in str(follower.trail.openings.hindrance)
            follower.now += AGAIN
            assert follower.read() == []
        append(log, b"newer\n")
        follower.now += AGAIN
        assert follower.read() == [*text[7000:].splitlines(), b"new", b"newer"]
        assert follower.lost == []
        assert follower.trail.openings.hindrance is None

    def test_without_room_a_rotated_one_in_between_is_waited_for(self, log: Path) -> None:
        """It was rotated and packed while the log was being read, between two looks."""
        text = b"".join(b"line %d\n" % number for number in range(300_000))
        append(log, b"one\n")
        follower = LogFollower(log)
        follower.read()
        move_away(log)
        log.with_name("app.log.1").rename(log.with_name("app.log.2"))
        log.with_name("app.log.1.gz").write_bytes(gzip.compress(text))
        append(log, b"new\n")
        with little_room(1 << 20):
            assert follower.read() == []
        follower.now += AGAIN
        assert follower.read() == [*text.splitlines(), b"new"]
        assert follower.lost == []

    async def test_health_says_that_there_is_no_room(self, log: Path, host: Host, sink: SourceSink) -> None:
        text = b"".join(b"line %d\n" % number for number in range(300_000))
        follower = resumed_from_packed(log, gzip.compress(text), text[:7000])
        follower.trail.close()
        with little_room(1 << 20):
            async with running(host.tail(log, list(follower.rows.values())), sink):
                turns = 0
                async with asyncio.timeout(DEADLINE):
                    while host.state() is not HealthState.degraded:
                        await asyncio.sleep(0)
                        turns += 1
                assert turns > 0
                assert "no room to unpack" in host.detail()
        assert sink.lines == []

    async def test_the_loop_goes_on_while_it_is_unpacked(self, log: Path, host: Host, sink: SourceSink) -> None:
        block = b"".join(b"line %d\n" % number for number in range(100_000))
        follower = resumed_from_packed(log, gzip.compress(b"line 0\n" + block * 60, compresslevel=1), b"line 0\n")
        follower.trail.close()
        stored = list(follower.rows.values())
        turns, longest, loop = 0, 0.0, asyncio.get_running_loop()
        async with running(host.tail(log, stored), sink):
            while not sink.lines:
                before = loop.time()
                await asyncio.sleep(0)
                longest = max(longest, loop.time() - before)
                turns += 1
        assert turns > 5
        assert longest < 0.5


class TestT19Globs:
    async def test_fifty_files_come_once_each_and_a_directory_may_move_away_and_back(
        self, tmp_path: Path, host: Host, sink: SourceSink
    ) -> None:
        logs, away = tmp_path / "logs", tmp_path / "away"
        logs.mkdir()
        async with running(host.tail(logs / "*.log"), sink):
            await host.beat(sink, lambda: host.state() is not None)
            for number in range(50):
                append(logs / f"{number}.log", b"%d\n" % number)
            append(logs / "old.log.gz", b"packed\n")
            await host.beat(sink, lambda: len(sink.lines) == 50)
            logs.rename(away)
            for _ in range(int(LINGER) + 3):
                await host.time.advance(BEAT)
            append(away / "7.log", b"while away\n")
            await host.beat(sink, lambda: len(sink.lines) == 51)
            away.rename(logs)
            await host.time.advance(BEAT)
            append(logs / "8.log", b"back\n")
            await host.beat(sink, lambda: len(sink.lines) == 52)
            stored = sink.checkpoints
        assert sorted(sink.lines) == sorted([*(b"%d" % n for n in range(50)), b"while away", b"back"])
        assert sink.lost == []
        logs.rename(away)
        again = SourceSink()
        async with running(host.tail(logs / "*.log", stored), again):
            for _ in range(3):
                await host.time.advance(BEAT)
            away.rename(logs)
            append(logs / "9.log", b"after a restart\n")
            await host.beat(again, lambda: again.lines)
            for _ in range(3):
                await host.time.advance(BEAT)
        assert again.lines == [b"after a restart"]


class TestT20RubbishInTheStore:
    @pytest.mark.parametrize("identity", ["", "{", "0:0:999-0", "1:2:3-0123456789abcdef", "\0", "x" * 10_000])
    @pytest.mark.parametrize("offset", [-1, 0, 3, 1 << 62])
    def test_a_row_that_fits_nothing_means_reading_from_the_start(self, log: Path, identity: str, offset: int) -> None:
        append(log, b"one\ntwo\n")
        follower = LogFollower(log)
        follower.rows[str(log)] = Checkpoint("app", Position(str(log), identity, offset), "nonsense")
        follower.trail = follower.start()
        assert follower.read() == [b"one", b"two"]
        follower.die()
        assert follower.read() == []


class TestT21StoreThatTakesNothing:
    async def test_reading_pauses_its_lag_is_seen_to_grow_and_it_goes_on_exactly(
        self, log: Path, host: Host, sink: SourceSink
    ) -> None:
        append(log, b"")

        def lag() -> float:
            return host.metrics.registry.get_sample_value("tellwhy_source_lag_bytes", {"source": "app"}) or 0.0

        async with running(host.tail(log), sink):
            await sink.until(lambda: sink.items)
            sink.gate.clear()
            append(log, b"taken by nobody\n")
            await host.beat(sink, lambda: sink.waiting)
            seen = []
            for _ in range(5):
                append(log, b"x" * 99_999 + b"\n")
                await host.time.advance(BEAT)
                seen.append(lag())
            assert sink.waiting == 1
            assert seen == [100_000.0 * number for number in range(1, 6)]
            sink.gate.set()
            await host.beat(sink, lambda: len(sink.lines) == 6)
            await host.beat(sink, lambda: lag() == 0)

    async def test_what_was_not_stored_is_read_again_and_stored_once(self, log: Path, tmp_path: Path) -> None:
        append(log, b"1\n2\n")
        store = LineStore(tmp_path / "state")
        follower = LogFollower(log)
        for item in follower.trail.read():
            store.take(item)
        await store.commit()
        append(log, b"3\n4\n")
        for item in follower.trail.read():
            store.take(item)
        store.kill()  # before the commit
        for row in await store.checkpoints():
            follower.rows[row.position.path] = row
        follower.die()
        for item in follower.trail.read():
            store.take(item)
        await store.commit()
        assert await store.lines() == [b"1", b"2", b"3", b"4"]
        follower.trail.close()
        store.close()


class TestT22FirstStartAtTheEnd:
    async def test_what_was_there_is_skipped_once_and_nothing_after_it(
        self, log: Path, host: Host, sink: SourceSink
    ) -> None:
        append(log, b"old\n" * 10)
        async with running(host.tail(log, start="end"), sink):
            await sink.until(lambda: sink.checkpoints)
            append(log, b"live\n")
            await host.beat(sink, lambda: sink.lines == [b"live"])
        append(log, b"while down\n")
        again = SourceSink()
        async with running(host.tail(log, sink.checkpoints, start="end"), again):
            await host.beat(again, lambda: again.lines == [b"while down"])


class TestT23ZerosAfterACrash:
    def test_they_are_no_line_and_what_fills_them_comes(self, log: Path, shared_data: Path) -> None:
        data = (shared_data / "vectors" / "tail" / "zero_tail_after_crash.log").read_bytes()
        append(log, data)
        follower = LogFollower(log)
        assert follower.read() == [b"one", b"two"]
        follower.clock += 1000
        assert follower.read() == []
        with log.open("r+b") as writer:  # the writer goes on where the zeros begin
            writer.seek(8)
            writer.write(b"three\n")
        assert follower.read() == [b"three"]
        append(log, b"four\n")
        assert follower.read() == [b"four"]
        assert follower.lost == []


class TestT24WithoutInotify:
    async def test_a_line_is_seen_within_two_seconds(self, log: Path, host: Host, sink: SourceSink) -> None:
        append(log, b"one\n")
        async with running(host.tail(log, wakeups=without_inotify), sink):
            await sink.until(lambda: sink.lines == [b"one"])
            append(log, b"two\n")
            await host.time.advance(BEAT_UNWATCHED * 2)
            await sink.until(lambda: sink.lines == [b"one", b"two"])
            assert BEAT_UNWATCHED * 2 < 2

    async def test_while_inotify_is_silent_a_line_is_seen_within_a_second(
        self, log: Path, host: Host, sink: SourceSink
    ) -> None:
        """As after an overflow, in a directory that was moved, or behind a link: watched, but nothing is said."""
        append(log, b"one\n")
        async with running(host.tail(log, wakeups=lambda _: Wakeups(lambda: None)), sink):
            await sink.until(lambda: sink.lines == [b"one"])
            append(log, b"two\n")
            await host.time.advance(BEAT)
            await sink.until(lambda: sink.lines == [b"one", b"two"])


class TestF07MoreFilesThanDescriptors:
    FILES = 60
    OPEN = 8

    async def test_every_file_is_read_in_its_turn_and_that_is_said(
        self, tmp_path: Path, host: Host, sink: SourceSink
    ) -> None:
        paths = [tmp_path / f"{number:02}.log" for number in range(self.FILES)]
        for path in paths:
            append(path, b"first of %s\n" % path.name.encode())
        async with running(host.tail(tmp_path / "*.log", most_open=self.OPEN), sink):
            await host.beat(sink, lambda: len(sink.lines) == self.FILES)
            assert open_files(tmp_path) <= self.OPEN
            turns = host.board.get("turns:app")
            assert turns is not None
            assert turns.state is HealthState.degraded
            assert f"{self.FILES - self.OPEN} files more than the {self.OPEN}" in turns.detail
            assert host.state() is HealthState.ok
            for turn in range(3):
                for path in paths:
                    append(path, b"%d of %s\n" % (turn, path.name.encode()))
                await host.beat(sink, came(sink, self.FILES * (turn + 2)))
                assert open_files(tmp_path) <= self.OPEN
            for path in paths[::7]:  # rotated while most of them are closed
                append(path, b"unread of %s\n" % path.name.encode())
                path.rename(path.with_name(f"{path.name}.1"))
                append(path, b"new of %s\n" % path.name.encode())
            wanted = self.FILES * 4 + 2 * len(paths[::7])
            await host.beat(sink, came(sink, wanted))
        assert len(set(sink.lines)) == wanted
        assert sink.lost == []

    async def test_at_the_real_limit_nothing_breaks(self, tmp_path: Path, host: Host, sink: SourceSink) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        for number in range(100):
            append(tmp_path / f"{number}.log", b"%d\n" % number)
        in_use = open_files(Path("/"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 40, hard))
        try:
            async with running(host.tail(tmp_path / "*.log", most_open=12), sink):
                await host.beat(sink, lambda: len(sink.lines) == 100)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert sorted(sink.lines) == sorted(b"%d" % number for number in range(100))
        assert sink.lost == []


def test_every_scenario_is_here() -> None:
    names = [name[4:7] for name in globals() if name.startswith("TestT")]
    assert names == [f"T{number:02}" for number in range(1, 25)]
