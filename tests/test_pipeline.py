"""What was caused is stored with the position reached; a store that cannot write pauses reading and drops nothing."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.config import Alerts, Webhook
from daemon.model import Lost, Sample, Transient
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


class Noting(SqliteStore):
    """A store that notes what each transaction held."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, ballast_bytes=0)
        self.commits: list[Commit] = []

    async def commit(self, batch: Commit) -> None:
        self.commits.append(batch)
        await super().commit(batch)


@pytest.fixture
def noting(tmp_path: Path) -> Iterator[Noting]:
    store = Noting(tmp_path)
    store.open()
    yield store
    store.close()


def a_pipeline(store: Noting, *, monotonic: Callable[[], float] = lambda: 0.0) -> Pipeline:
    async def sleep(seconds: float) -> None:
        del seconds

    return Pipeline(
        a_flow(), store, alerts=Alerts(), webhooks=[], waits_for_memory=False, board=Board(lambda: 0.0),
        metrics=Metrics(), now=lambda: T0, monotonic=monotonic, sleep=sleep, stored=lambda: None, no_room=lambda: None,
    )  # fmt: skip


TOO_LONG = Lost("auth", "line_too_long", 1, T0, "a line")


async def test_a_loss_and_the_position_behind_it_arrive_together(noting: Noting) -> None:
    """The worst bug: the loss is stored, a kill comes, and whoever reads on from the old position counts it again."""
    pipeline = a_pipeline(noting)
    item = lines(SSHD.format("001"))
    for one in (TOO_LONG, item, TOO_LONG, lines(SSHD.format("002"), item.checkpoint.position.offset)):
        await pipeline.emit(one)
    await pipeline.close()

    await pipeline.run()

    assert all(commit.checkpoints for commit in noting.commits if commit.incidents)
    (incident,) = await noting.incidents(limit=9)
    assert (incident.entity, incident.count) == ("source=auth, why=line_too_long", 2)


async def test_a_loss_before_a_stop_is_left_to_who_reads_it_again(noting: Noting) -> None:
    pipeline = a_pipeline(noting)
    await pipeline.emit(TOO_LONG)
    await pipeline.close()

    await pipeline.run()

    assert await noting.incidents(limit=9) == []


async def test_a_loss_behind_which_no_lines_come_is_said_a_second_later(noting: Noting) -> None:
    seconds = itertools.count()
    pipeline = a_pipeline(noting, monotonic=lambda: float(next(seconds)))
    await pipeline.emit(TOO_LONG)
    for _ in range(20):
        await pipeline.emit(Sample("host", "host_metrics", T0, {}, {"cpu.percent": 1.0}))
    await pipeline.close()

    await pipeline.run()

    assert [incident.count for incident in await noting.incidents(limit=9)] == [1]


async def test_losses_that_wait_are_bounded(noting: Noting) -> None:
    pipeline = a_pipeline(noting)

    async def emit() -> None:
        for _ in range(150):
            await pipeline.emit(TOO_LONG)
        await pipeline.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(emit())
        group.create_task(pipeline.run())

    assert [incident.count for incident in await noting.incidents(limit=9)] == [50]
