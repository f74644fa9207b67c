"""One SQLite file: open, lock, migrate, and two threads, one that writes and one that reads.

The writer groups what waits into one transaction (one fsync): each job runs in its own savepoint, so a job that fails
takes nothing with it. `synchronous=FULL`, because WAL with NORMAL does not fsync at commit. A full disk or a busy
file is `Transient` (nothing was written), and so is a refused write, which is how SQLite tells of a used-up quota; any
other I/O error escapes, since after a failed fsync nothing can be known.
"""

import asyncio
import contextlib
import fcntl
import os
import queue
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from daemon.model import Transient
from daemon.state.migrations import MIGRATIONS

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Any]
_LEAST = 1 << 20  # bytes without which a store can be neither made nor migrated
_GROUP = 256  # jobs in one transaction
_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_AFRESH = "restore a backup of the state directory, or move it away to start afresh"
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_ROOM_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}  # extended codes, both with nothing written


class StoreError(Exception):
    """The store cannot be used as it is; says what was expected and what to do."""


class StoreFullError(StoreError):
    """There is no room on the disk."""


class Database:
    """The file `tellwhy.db` in a directory that one process at a time may use."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "tellwhy.db"
        self._directory = directory
        self._lock_fd = -1
        self._lanes: list[_Lane] = []
        self.migrated_from: int | None = None

    def open(self) -> None:
        """Create or open, lock, migrate. Raises StoreError (another process, a newer schema, no SQLite file)."""
        self._prepare_directory()
        self._lock()
        try:
            self._create()
            self._migrate()
        except sqlite3.OperationalError as error:
            self.close()
            raise self._no_room(error) from error
        except sqlite3.DatabaseError as error:
            self.close()
            message = f"expected a SQLite file at {self.path} (got: {error}); {_AFRESH}"
            raise StoreError(message) from error
        self._writer = _Lane(self.path, writes=True)
        self._reader = _Lane(self.path, writes=False)
        self._lanes = [self._writer, self._reader]

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` in a transaction; returns after the fsync. Raises Transient when nothing could be written."""
        result: Result = await self._writer.submit(work)
        return result

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` on the reading connection: it sees what was committed before."""
        result: Result = await self._reader.submit(work)
        return result

    def close(self) -> None:
        """Finish what was submitted, close, unlock. May be called twice."""
        for lane in self._lanes:
            lane.close()
        self._lanes = []
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _no_room(self, error: sqlite3.OperationalError) -> StoreError:
        """A full disk shows as FULL or as an I/O error, by which file had to grow."""
        free = shutil.disk_usage(self._directory).free
        if free < _LEAST:
            message = f"expected room for the store in {self._directory} ({free >> 10} KiB free); free some disk space"
            return StoreFullError(message)
        return StoreError(f"expected to be able to open the store at {self.path} (got: {error})")

    def _prepare_directory(self) -> None:
        if self._directory.is_symlink():
            message = f"expected a directory of our own at {self._directory} (got a symbolic link)"
            raise StoreError(message)
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            message = f"expected to be able to write the state directory {self._directory} (got: {error.strerror})"
            raise StoreError(message) from error

    def _create(self) -> None:
        """Ours alone, whatever the umask: the files that SQLite adds follow this one."""
        with contextlib.suppress(FileExistsError, IsADirectoryError):
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def _lock(self) -> None:
        try:
            self._lock_fd = os.open(
                self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock_fd)
            self._lock_fd = -1
            message = f"expected {self._directory} for ourselves: another tellwhy is using it"
            raise StoreError(message) from error
        except OSError as error:
            message = f"expected to be able to write the state directory {self._directory} (got: {error.strerror})"
            raise StoreError(message) from error

    def _migrate(self) -> None:
        with contextlib.closing(_connect(self.path)) as connection:
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                self.close()
                message = (
                    f"expected a store of schema {len(MIGRATIONS)} or older at {self.path} (got {version}): "
                    "it was written by a newer tellwhy; install that version, or restore the backup beside it"
                )
                raise StoreError(message)
            if version == len(MIGRATIONS):
                return
            if version:
                self.migrated_from = version
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                shutil.copy2(self.path, self.path.with_suffix(f".schema{version}.backup"))
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # log lines held for an unfinished audit event are raw
    return connection


class _Lane:
    """A thread with a connection and a queue of work."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._connection = _connect(path)
        self._writes = writes
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"store-{'writer' if writes else 'reader'}", daemon=True)
        self._thread.start()

    async def submit(self, work: Work) -> Any:
        job = _Job(work)
        self._queue.put(job)
        return await job.wait()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            jobs = [job]
            stop = self._collect(jobs) if self._writes else False
            if self._writes:
                self._transact(jobs)
            else:
                job.run(self._connection)
                job.settle(None)
            if stop:
                return

    def _collect(self, jobs: list["_Job"]) -> bool:
        """Take what else waits into the same transaction; True when the lane is to end."""
        while len(jobs) < _GROUP:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return False
            if job is None:
                return True
            jobs.append(job)
        return False

    def _transact(self, jobs: list["_Job"]) -> None:
        failure: BaseException | None = None
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._connection.execute("SAVEPOINT job")
                if not job.run(self._connection):
                    if not self._connection.in_transaction:
                        failure = job.error  # a full disk ends the whole transaction: nothing of anybody was written
                        break
                    self._connection.execute("ROLLBACK TO job")
                self._connection.execute("RELEASE job")
            if failure is None:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            failure = _explained(error, self._connection)
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        for job in jobs:
            job.settle(failure)


class _Job:
    """Work, and where its result goes: the event loop that submitted it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()
        self._result: Any = None
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> bool:
        try:
            self._result = self._work(connection)
        except sqlite3.Error as error:
            self.error = _explained(error, connection)
        except Exception as error:  # noqa: BLE001 - carried to the caller, who submitted the work
            self.error = error
        return self.error is None

    def settle(self, failure: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop that asked has ended: nobody waits
            self._loop.call_soon_threadsafe(self._resolve, failure or self.error)

    def _resolve(self, error: BaseException | None) -> None:
        if self._future.done():
            return
        if error is not None:
            self._future.set_exception(error)
        else:
            self._future.set_result(self._result)

    async def wait(self) -> Any:
        return await self._future


def _explained(error: sqlite3.Error, connection: sqlite3.Connection) -> BaseException:
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in _BUSY_CODES or extended in _NO_ROOM_CODES:
        why = "busy" if code in _BUSY_CODES else "disk_full"
        return Transient(f"the store could not be written: {error}", why=why)
    if code in _DAMAGED_CODES:
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        return StoreError(f"expected an undamaged store at {path} (got: {error}); {_AFRESH}")
    return error
