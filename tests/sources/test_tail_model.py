"""The tail against a model of it: any order of writing, rotating, truncating, reading and dying.

The worst bug is a line lost or handed over twice. Each line carries a number of its own; what came out is compared
with what was written, exactly as long as no truncation cut anything. `TestTailModel` stores each item at once, as if no
kill ever came between reading and storing; `TestStoreModel` stores batches of them in a real store, and kills in
between: then a line may be read twice, but never twice by one process, and it stands in the store once.
"""

import asyncio
import gzip
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.identity import parse_identity
from daemon.sources.late import LINGER
from daemon.sources.ledger import Ledger
from daemon.sources.openings import Openings
from daemon.sources.tailed_file import Reading
from daemon.sources.trail import Trail
from tests.doubles.line_store import LineStore
from tests.doubles.unprivileged import as_nobody

MAX_LINE = 1024


class TailModel(RuleBasedStateMachine):
    """One log, one writer that keeps its file open (as daemons do) until it is told to open it anew."""

    @initialize(linked=st.booleans())
    def begin(self, *, linked: bool) -> None:
        # ext4, not tmpfs: there an inode is given again at once
        self.top = Path(tempfile.mkdtemp(dir="/var/tmp"))
        self.top.chmod(0o755)
        self.directory = self.top / "logs"
        self.directory.mkdir()
        self.path = self.directory / "app.log"
        self.linked, self.targets = linked, 0
        if linked:
            self.point()
        self.clock = 0.0
        self.rotations = 0
        self.number = 0
        self.partial = b""
        self.written: list[bytes] = []
        self.cut: set[bytes] = set()
        self.rows: dict[str, Checkpoint] = {}
        self.seen: list[bytes] = []
        self.lost: list[Lost] = []
        self.expected_losses = 0
        self.truncated = False
        self.writer = self.open_writer()
        self.prepare()
        self.trail = self.start()
        self.step()
        self.settle()  # before that, a source was never there

    def prepare(self) -> None:
        """Where it is stored."""

    def point(self) -> None:
        """Let the link name a new file."""
        self.targets += 1
        target = self.directory / f"target {self.targets}"
        target.touch()
        (self.directory / "new").symlink_to(target)
        (self.directory / "new").replace(self.path)

    def open_writer(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def start(self) -> Trail:
        reading = Reading("model", MAX_LINE, lambda: 0.0, lambda _: None)
        ledger = Ledger()
        for row in self.rows.values():
            ledger.remember(row)
        stored = dict(self.rows)
        return Trail(Openings(str(self.path), reading, ledger), reading, stored=stored, monotonic=lambda: self.clock)

    def line(self) -> bytes:
        self.number += 1
        return b"line %d" % self.number

    @rule(count=st.integers(1, 40))
    def append(self, count: int) -> None:
        for _ in range(count):
            text = self.partial or self.line()
            os.write(self.writer, text[len(self.partial) :] + b"\n")
            self.partial = b""
            self.written.append(text)

    @rule()
    def append_partial(self) -> None:
        if not self.partial:
            self.partial = self.line()
            os.write(self.writer, self.partial)

    @rule()
    def append_to_rotated(self) -> None:
        """Complete a line in whatever file the writer holds: perhaps one that was renamed long ago."""
        self.append(1)

    @rule(reopen=st.booleans())
    def rotate(self, *, reopen: bool) -> None:
        if self.linked:
            return
        if os.fstat(self.writer).st_ino != self.inode():
            self.reopen()  # no writer sleeps through two rotations
        self.move_away()
        if reopen:
            self.reopen()
        else:
            self.path.touch()  # logrotate's `create`: the writer goes on in the old file

    @rule()
    def rotate_unseen(self) -> None:
        """The writer is told at once, and nobody reads meanwhile: so there may be many rotations between two looks."""
        if self.linked or os.fstat(self.writer).st_ino != self.inode():
            return
        if self.partial:
            self.append(1)
        self.move_away()
        os.close(self.writer)
        self.writer = self.open_writer()

    def move_away(self) -> None:
        self.make_room()
        self.path.rename(self.path.with_name("app.log.1"))
        self.rotations += 1

    def make_room(self) -> None:
        for number in range(self.rotations, 0, -1):
            for ending in ("", ".gz"):
                old = self.path.with_name(f"app.log.{number}{ending}")
                if old.exists():
                    old.rename(self.path.with_name(f"app.log.{number + 1}{ending}"))

    @rule(reopen=st.booleans())
    def switch(self, *, reopen: bool) -> None:
        """The link names another file, which the writer may notice late."""
        if not self.linked:
            return
        if os.fstat(self.writer).st_ino != self.inode():
            self.reopen()
        if os.fstat(self.writer).st_size <= len(self.partial):
            self.append(1)
        self.read_all()  # its name says nothing of the file before: one of which nothing was read is not found
        self.point()
        if reopen:
            self.reopen()

    @rule(steps=st.integers(0, 3), killed=st.booleans())
    def move_directory(self, steps: int, *, killed: bool) -> None:
        """Away and back; the writer goes on in the open file."""
        self.settle()
        away = self.top / "away"
        self.directory.rename(away)
        for _ in range(steps):
            self.step()
        if killed:
            self.die(0, 0)
            self.step()
        away.rename(self.directory)

    @rule(steps=st.integers(0, 3), killed=st.booleans())
    def close_for_a_while(self, steps: int, *, killed: bool) -> None:
        """The permission is taken and given back."""
        self.settle()
        mode = self.path.stat().st_mode if self.path.exists() else 0
        if mode:
            self.path.chmod(0)
        for _ in range(steps):
            self.step()
        if killed:
            self.die(0, 0)
            self.step()
        if mode:
            self.path.chmod(mode)

    @rule(number=st.integers(1, 3))
    def pack(self, number: int) -> None:
        """As gzip does: the packed file has the time of the last write to the text."""
        text = self.path.with_name(f"app.log.{number}")
        if not text.exists() or text.stat().st_ino == os.fstat(self.writer).st_ino:
            return
        if self.truncated or self.nothing_read_of(text):
            self.read_all()  # a row knows the inode of an empty file only, and nothing of what follows a truncation
        packed, stat = self.path.with_name(f"app.log.{number}.gz"), text.stat()
        self.settle()
        packed.write_bytes(gzip.compress(text.read_bytes(), compresslevel=1))
        os.utime(packed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        text.unlink()

    def nothing_read_of(self, text: Path) -> bool:
        row = self.rows.get(str(self.path))
        identity = row and parse_identity(row.position.identity)
        return bool(row and identity and identity.inode == text.stat().st_ino and not row.position.offset)

    @rule()
    def reopen(self) -> None:
        if self.partial:
            self.append(1)
        self.read_all()  # a writer that lets go within the linger time is what we promise to follow
        os.close(self.writer)
        self.writer = self.open_writer()

    @rule()
    def copytruncate(self) -> None:
        if os.fstat(self.writer).st_ino != self.inode():
            return
        self.make_room()
        self.append(1)
        self.settle()
        if self.truncated or self.trail._file is None or not self.trail._file.offset:
            self.read_all()  # a truncation can be seen only behind something that was read
        shutil.copy(self.path, self.path.with_name("app.log.1"))
        self.rotations += 1
        os.truncate(self.path, 0)

    @rule()
    def truncate(self) -> None:
        """Without a copy: what had not been read is gone, and must be said to be."""
        if os.fstat(self.writer).st_ino != self.inode():
            return
        self.append(1)
        self.read_all()
        self.append(1)
        self.cut.add(self.written[-1])
        self.expected_losses += 1
        self.truncated = True
        os.truncate(self.path, 0)

    @rule()
    def delete_and_recreate(self) -> None:
        if self.linked:
            return
        if self.partial:
            self.append(1)
        self.read_all()
        self.path.unlink(missing_ok=True)
        os.close(self.writer)
        self.writer = self.open_writer()
        self.read_all()  # deleted while nobody looks is a loss that has its own test

    @rule()
    def read(self) -> None:
        self.step()

    @rule()
    def read_all(self) -> None:
        self.step()
        while self.trail.more:
            self.step()
        self.truncated = False

    def step(self) -> None:
        with as_nobody():
            for item in self.trail.read():
                self.take(item)

    def take(self, item: Lines | Lost) -> None:
        """Handed over, and stored at once."""
        if isinstance(item, Lost):
            self.lost.append(item)
            return
        self.seen.extend(line for _, line in item.split())
        self.rows[item.checkpoint.position.path] = item.checkpoint

    def settle(self) -> None:
        """Let the store know of a file before it can be found by its content only."""

    @rule()
    def wait(self) -> None:
        if os.fstat(self.writer).st_ino != self.inode():
            self.reopen()
        self.clock += LINGER / 2

    @rule(steps=st.integers(0, 4), within=st.integers(0, 5))
    def die(self, steps: int, within: int) -> None:
        """Kill -9 in the middle of a step: what was handed over so far is stored, with the checkpoint behind it."""
        for _ in range(steps):
            self.step()
        with as_nobody():
            for count, item in enumerate(self.trail.read()):
                if count >= within:
                    break
                self.take(item)
        self.trail.close()
        self.trail = self.start()

    def inode(self) -> int:
        return self.path.stat().st_ino if self.path.exists() else -1

    @invariant()
    def no_line_twice(self) -> None:
        seen = getattr(self, "seen", [])
        assert len(seen) == len(set(seen))

    def teardown(self) -> None:
        if not hasattr(self, "trail"):
            return
        try:
            for _ in range(3):
                self.read_all()
            assert set(self.written) - set(self.seen) <= self.cut
            assert set(self.seen) <= set(self.written)
            # a loss may be said twice (killed between it and its checkpoint), never without one
            assert len(self.lost) >= self.expected_losses
            assert {lost.why for lost in self.lost} == ({"truncated"} if self.expected_losses else set())
        finally:
            self.trail.close()
            os.close(self.writer)
            self.clear_up()

    def clear_up(self) -> None:
        shutil.rmtree(self.top)


class StoreModel(TailModel):
    """With a store behind it that is written now and then: a kill takes what was not."""

    def prepare(self) -> None:
        self.loop = asyncio.new_event_loop()
        disk = "/dev/shm" if Path("/dev/shm").is_dir() else None  # its syncs cost nothing
        self.disk = Path(tempfile.mkdtemp(dir=disk))
        self.store = LineStore(self.disk / "state")
        self.handed: list[bytes] = []

    def take(self, item: Lines | Lost) -> None:
        """Handed over; stored with the next commit."""
        if isinstance(item, Lines):
            self.handed.extend(line for _, line in item.split())
        self.store.take(item)

    @rule()
    def commit(self) -> None:
        """One transaction: lines and positions."""
        self.loop.run_until_complete(self.store.commit())
        self.rows = {row.position.path: row for row in self.loop.run_until_complete(self.store.checkpoints())}

    def start(self) -> Trail:
        """A new process knows what is in the store."""
        self.store.kill()
        self.handed = []
        self.rows = {row.position.path: row for row in self.loop.run_until_complete(self.store.checkpoints())}
        return super().start()

    def settle(self) -> None:
        row = self.rows.get(str(self.path))
        if row is None or not row.position.offset:
            self.commit()

    def read_all(self) -> None:
        super().read_all()
        self.commit()

    @invariant()
    def no_line_twice(self) -> None:
        handed = getattr(self, "handed", [])
        assert len(handed) == len(set(handed))

    def teardown(self) -> None:
        if hasattr(self, "trail"):
            for _ in range(3):
                self.read_all()
            self.seen = self.loop.run_until_complete(self.store.lines())
            self.lost = self.store.lost
            assert len(self.seen) == len(set(self.seen))
        super().teardown()

    def clear_up(self) -> None:
        super().clear_up()
        self.store.close()
        self.loop.close()
        shutil.rmtree(self.disk)


# the same examples everywhere, unless a deep run asks for new ones: TAIL_MODEL_EXAMPLES=2000 pytest --timeout=0 …
DEEP = int(os.environ.get("TAIL_MODEL_EXAMPLES", "0"))

TestTailModel = TailModel.TestCase
TestStoreModel = StoreModel.TestCase
TestTailModel.settings = TestStoreModel.settings = settings(
    max_examples=DEEP or 150,
    stateful_step_count=50 if DEEP else 30,
    derandomize=not DEEP,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
