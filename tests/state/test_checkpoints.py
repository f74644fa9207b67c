from daemon.model import Checkpoint, Forgotten, Position, Snapshot
from daemon.state import Commit
from daemon.state.store import SqliteStore


async def test_the_newest_position_of_each_path_comes_back(store: SqliteStore) -> None:
    first = Checkpoint("audit", Position("/a", "1:1", 10), "m1")
    second = Checkpoint("audit", Position("/a", "1:1", 20), "m2")
    other = Checkpoint("audit", Position("/b", "1:2", 5))

    await store.commit(Commit(at=1.0, checkpoints=(first, other)))
    await store.commit(Commit(at=2.0, checkpoints=(second,)))

    assert await store.checkpoints() == [second, other]


async def test_a_forgotten_position_is_gone_and_one_reached_anew_in_the_same_commit_stays(store: SqliteStore) -> None:
    kept = Checkpoint("audit", Position("/b", "1:2", 5))
    rows = (Checkpoint("audit", Position("/a", "1:1", 10)), kept, Checkpoint("other", Position("/a", "1:1", 3)))
    await store.commit(Commit(at=1.0, checkpoints=rows))

    await store.commit(
        Commit(at=2.0, checkpoints=(kept,), forgotten=(Forgotten("audit", "/a"), Forgotten("audit", "/b")))
    )

    assert await store.checkpoints() == [kept, rows[2]]


async def test_memory_comes_back_and_what_is_gone_is_gone(store: SqliteStore) -> None:
    await store.commit(Commit(at=1.0, snapshots=(Snapshot("detection", "a", b"1"), Snapshot("detection", "b", b"2"))))
    await store.commit(Commit(at=2.0, snapshots=(Snapshot("detection", "a", None), Snapshot("detection", "b", b"3"))))

    assert await store.snapshots() == [Snapshot("detection", "b", b"3")]


async def test_changes_of_one_commit_apply_in_order(store: SqliteStore) -> None:
    await store.commit(Commit(at=1.0, snapshots=(Snapshot("s", "k", None), Snapshot("s", "k", b"new"))))

    assert await store.snapshots() == [Snapshot("s", "k", b"new")]
