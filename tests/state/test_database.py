"""One file, one process, one transaction: locking, migration, grouping, failures that change nothing."""

import asyncio
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.model import Transient
from daemon.state import database
from daemon.state.database import Database, StoreError
from daemon.state.migrations import MIGRATIONS


@pytest.fixture
def base(tmp_path: Path) -> Database:
    return Database(tmp_path / "state")


def test_the_directory_is_ours_alone(base: Database) -> None:
    base.open()

    assert base.path.parent.stat().st_mode & 0o777 == 0o700
    base.close()


def test_commits_are_fsynced(base: Database) -> None:
    base.open()

    assert base._writer._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert base._writer._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    base.close()


def test_a_second_process_is_refused_and_the_first_goes_on(base: Database) -> None:
    base.open()
    script = (
        "import sys; from pathlib import Path; from daemon.state.database import Database, StoreError\n"
        "try: Database(Path(sys.argv[1])).open()\n"
        "except StoreError as error: print(error); sys.exit(3)"
    )

    second = subprocess.run(
        [sys.executable, "-c", script, str(base.path.parent)], capture_output=True, text=True, check=False
    )

    assert second.returncode == 3
    assert "another tellwhy is using it" in second.stdout
    base.close()
    base.open()
    base.close()


def test_a_newer_schema_is_refused(base: Database) -> None:
    base.open()
    base.close()
    with sqlite3.connect(base.path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(StoreError, match="written by a newer tellwhy"):
        base.open()


def test_an_older_schema_is_upgraded_in_place_after_a_backup(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    base.open()
    base.close()
    longer = (*MIGRATIONS, "ALTER TABLE incidents ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    monkeypatch.setattr(database, "MIGRATIONS", longer)

    base.open()

    assert base.migrated_from == len(MIGRATIONS)
    assert base.path.with_suffix(f".schema{len(MIGRATIONS)}.backup").is_file()
    assert "note" in {row[1] for row in base._writer._connection.execute("PRAGMA table_info(incidents)")}
    base.close()


def test_a_migration_that_fails_leaves_the_old_schema(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    base.open()
    base.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE half (a); CREATE TABLE half (a)"))

    with pytest.raises(StoreError):
        base.open()

    with sqlite3.connect(base.path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused_with_what_to_do(base: Database) -> None:
    base.path.parent.mkdir(parents=True)
    base.path.write_bytes(b"not a database at all, but long enough to have a header" * 100)

    with pytest.raises(StoreError, match="move it away"):
        base.open()


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "real")

    with pytest.raises(StoreError, match="symbolic link"):
        Database(tmp_path / "state").open()


def count(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("SELECT count(*) FROM snapshots").fetchone()[0]
    return number


def put(number: int) -> Callable[[sqlite3.Connection], object]:
    return lambda c: c.execute("INSERT INTO snapshots VALUES ('a', ?, x'00')", (str(number),))


async def test_a_job_that_fails_takes_nothing_with_it(base: Database) -> None:
    base.open()

    def good(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO snapshots VALUES ('a', ?, x'00')", (str(count(connection)),))

    def bad(connection: sqlite3.Connection) -> None:
        good(connection)
        message = "half done"
        raise ValueError(message)

    results = await asyncio.gather(*(base.write(job) for job in (good, bad, good)), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), ValueError, type(None)]
    assert await base.read(count) == 2
    base.close()


async def test_a_full_disk_is_transient_and_writes_nothing(base: Database) -> None:
    base.open()
    base._writer._connection.execute(
        f"PRAGMA max_page_count = {base._writer._connection.execute('PRAGMA page_count').fetchone()[0] + 2}"
    )

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO snapshots VALUES ('a', 'b', zeroblob(10000000))")

    with pytest.raises(Transient) as caught:
        await base.write(fill)

    assert caught.value.why == "disk_full"
    assert await base.read(count) == 0
    base.close()


@pytest.fixture
def no_more_bytes() -> Iterator[Callable[[int], None]]:
    """Let no file of this process grow beyond so many bytes: what a quota does, as SQLite sees it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_refused_write_is_no_room_and_what_was_there_goes_on(
    base: Database, no_more_bytes: Callable[[int], None]
) -> None:
    base.open()
    await base.write(put(1))
    no_more_bytes((base.path.parent / "tellwhy.db-wal").stat().st_size)

    with pytest.raises(Transient) as caught:
        await base.write(put(2))

    assert (caught.value.why, await base.read(count)) == ("disk_full", 1)
    no_more_bytes(resource.RLIM_INFINITY)
    await base.write(put(2))
    assert await base.read(count) == 2
    base.close()


async def test_a_copy_taken_while_it_runs_opens_with_everything_acknowledged(base: Database, tmp_path: Path) -> None:
    """What a power cut leaves: file and WAL as they are."""
    base.open()
    for number in range(20):
        await base.write(put(number))
    shutil.copytree(base.path.parent, tmp_path / "copy")

    copy = Database(tmp_path / "copy")
    copy.open()

    assert await copy.read(count) == 20
    copy.close()
    base.close()


async def test_damaged_pages_are_said_and_not_touched(base: Database) -> None:
    base.open()
    await base.write(lambda c: c.execute("INSERT INTO snapshots VALUES ('step', 'key', randomblob(100000))"))
    base.close()
    content = base.path.read_bytes()
    spoilt = content[:4096] + b"\xa5" * (len(content) - 4096)
    base.path.write_bytes(spoilt)

    base.open()
    with pytest.raises(StoreError, match=f"undamaged store at {base.path}.*move it away"):
        await base.read(lambda c: c.execute("SELECT * FROM incidents").fetchall())
    base.close()

    assert base.path.read_bytes() == spoilt
