"""The whole rule: a batch is stored whole or not at all, and comes back as it was."""

from pathlib import Path

import pytest

from daemon.model import Checkpoint, Position, Snapshot
from daemon.state import Commit, Owed, Told
from daemon.state.store import SqliteStore
from tests.doubles.values import T0, an_alert, an_anomaly, an_incident

BATCH = Commit(
    at=T0,
    checkpoints=(Checkpoint("audit", Position("/a", "1:1", 10), "m"),),
    anomalies=((an_incident().id, an_anomaly()),),
    incidents=(an_incident(),),
    told=(Told(an_alert(), (Owed("ops", T0),), enrich=True),),
    snapshots=(Snapshot("s", "k", b"v"),),
)


async def test_everything_of_a_batch_survives_a_reopening(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    store.open()
    await store.commit(BATCH)
    store.close()

    again = SqliteStore(tmp_path)
    again.open()

    assert await again.checkpoints() == list(BATCH.checkpoints)
    assert await again.snapshots() == list(BATCH.snapshots)
    assert await again.live_incidents(9) == [an_incident()]
    assert await again.counts() == {
        "checkpoints": 1, "snapshots": 1, "incidents": 1, "anomalies": 1, "alerts": 1, "enrichments": 1, "deliveries": 1,
    }  # fmt: skip
    again.close()


async def test_a_batch_that_cannot_be_stored_leaves_nothing(store: SqliteStore) -> None:
    orphan = Commit(
        at=T0,
        checkpoints=(Checkpoint("audit", Position("/a", "1:1", 99)),),
        told=(Told(an_alert(5)),),  # of an incident that is not there
    )

    with pytest.raises(Exception, match="FOREIGN KEY"):
        await store.commit(orphan)

    assert await store.checkpoints() == []


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    store.open()
    store.close()
    store.close()
