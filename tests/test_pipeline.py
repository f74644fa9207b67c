"""What was caused is stored with the position reached; a store that cannot write pauses reading and drops nothing."""

from pathlib import Path

import pytest

from daemon.config import Alerts, Webhook
from daemon.model import Transient
from daemon.pipeline import Pipeline
from daemon.state import Commit
from daemon.state.store import SqliteStore
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.values import T0
from tests.test_flow import SSHD, a_flow, lines


class Full(SqliteStore):
    """A store whose disk is full for the first attempts."""

    failures = 2

    async def commit(self, batch: Commit) -> None:
        if self.failures:
            self.failures -= 1
            raise Transient("database or disk is full", why="disk_full")
        await super().commit(batch)


@pytest.mark.parametrize("kind", [SqliteStore, Full])
async def test_nothing_is_lost_and_position_and_incident_arrive_together(
    tmp_path: Path, kind: type[SqliteStore]
) -> None:
    store, board, freed = kind(tmp_path, ballast_bytes=0), Board(lambda: 0.0), []
    room = iter([False, True, False, False, True])  # what was given up is not ours to use
    store.open()
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    pipeline = Pipeline(
        a_flow(), store, alerts=Alerts(), webhooks=[Webhook(name="ops", url="https://hooks.example/x")],
        waits_for_memory=True, board=board, metrics=Metrics(), now=lambda: T0, monotonic=lambda: 0.0,
        sleep=sleep, stored=lambda: None, no_room=lambda: freed.append(1),
        has_room=lambda: next(room),
    )  # fmt: skip
    item = lines("".join(SSHD.format(f"{number:03}") for number in range(9)))
    await pipeline.emit(item)
    await pipeline.close()

    await pipeline.run()

    assert await store.checkpoints() == [item.checkpoint]
    incidents = await store.incidents(limit=9)
    assert {incident.rule.title for incident in incidents} == {"SSH brute force from one address"}
    assert (await store.next_due_at("ops")) == T0 + 3
    assert (len(freed), len(slept)) == ((2, 5) if kind is Full else (0, 0))
    health = board.get("store")
    assert health is not None
    assert health.state is HealthState.ok
    store.close()
