"""A run of the pipeline over real logs, cut off hundreds of times: wherever it was cut, what is found is the same.

The same as `tests/system/test_kill_windows.py`, without processes and so much denser: readers, rules, grouping, batches
and store are the real ones; what a source would hand over after a restart is made of the stored positions. A cut ends
the pipeline after any item, and any number of turns of the loop later: before, within or after a commit. What is on the
disk then is what the next life starts from, or a part of it: the log of the store (WAL) ends at any byte.
"""

import asyncio
import itertools
import random  # noqa: TID251 - seeded sizes of reads
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.assembly import build_flow
from daemon.config import Alerts, Config, read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow
from daemon.model import Checkpoint, Incident, Lines, Position, Snapshot
from daemon.pipeline import Pipeline
from daemon.runtime import load_stored
from daemon.state.store import SqliteStore
from daemon.telemetry import Board, Metrics
from tests.doubles.running import running
from tests.doubles.window_logs import RULES, Found, attack_log, found

NOW = 1_796_000_000.0
FORMATS = ("syslog", "auditd")
AUTH_LINES, STARTS = 3300, 150


@dataclass(frozen=True)
class Cut:
    """The end of a life: after so many items and turns of the loop, with this part of the life's WAL (None: all)."""

    items: int
    turns: int
    kept: float | None


@dataclass(frozen=True)
class Logs:
    """What is read, and the rules that look at it."""

    texts: tuple[bytes, ...] = field(repr=False)
    rules: ParsedRules = field(repr=False)

    def flow(self) -> Flow:
        """A flow that knows nothing yet."""
        redactor = Redactor()
        readers = {
            f"file{number}": build_reader(
                f"file{number}", FORMATS[number], host="web-1", now=lambda: NOW, usernames=str, redact=redactor.text
            )
            for number in range(len(self.texts))
        }
        return build_flow(Config(), self.rules, readers, redactor)

    def rest(self, reached: Sequence[Checkpoint], rng: random.Random, most: int) -> Iterator[Lines]:
        """What a tail hands over that starts at these positions: up to `most` lines of one log at a time."""
        offsets = {one.source: one.position.offset for one in reached}
        lines = [text[offsets.get(f"file{n}", 0) :].splitlines(keepends=True) for n, text in enumerate(self.texts)]
        done, at = [0] * len(lines), [offsets.get(f"file{number}", 0) for number in range(len(lines))]
        while left := [number for number, own in enumerate(lines) if done[number] < len(own)]:
            number = rng.choice(left)
            size = rng.randint(1, most)
            data = b"".join(lines[number][done[number] : done[number] + size])
            done[number] += size
            yield piece(f"file{number}", at[number], data)
            at[number] += len(data)


def piece(source: str, offset: int, data: bytes) -> Lines:
    path = f"/{source}.log"
    behind = Checkpoint(source, Position(path, "1:1", offset + len(data)))
    return Lines(source, data, Position(path, "1:1", offset), behind)


@pytest.fixture(scope="module")
def logs(shared_data: Path, repository: Path) -> Logs:
    auth = (shared_data / "elastic-examples" / "auth.log").read_bytes().splitlines(keepends=True)[:AUTH_LINES]
    rules = parse_rules({**read_rule_files(["shipped"]), "windows.yml": RULES})
    assert not [problem for problem in rules.problems if "windows.yml" in str(problem)]
    return Logs((b"".join(auth), attack_log(repository, 7, STARTS)), rules)


class Life:
    """One process: from what the store says to the end of the logs, or to a cut."""

    def __init__(self, logs: Logs, directory: Path, rng: random.Random) -> None:
        self._logs, self._directory, self._rng = logs, directory, rng
        self._ticks = itertools.count()
        self._store = SqliteStore(directory, ballast_bytes=0)

    async def live(self, cut: Cut | None) -> list[Found]:
        """What is in the store in the end. After a cut the directory is what a SIGKILL would have left."""
        self._store.open()
        connection = self._store.database._writer._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute(
            "PRAGMA wal_autocheckpoint = 0"
        )  # so that the WAL is this life, and each part of it a moment
        try:
            await self._run(cut)
            rows = found(await self._store.incidents(limit=10_000))
            left = {path: path.read_bytes() for path in self._directory.glob("tellwhy.db*") if path.suffix != ".db-shm"}
        finally:
            self._store.close()
        if cut is not None:
            for path, content in left.items():
                torn = cut.kept is not None and path.suffix == ".db-wal"
                path.write_bytes(content[: int(len(content) * (cut.kept or 0))] if torn else content)
        return rows

    async def _run(self, cut: Cut | None) -> None:
        stored = await load_stored(self._store, Config())
        flow = self._logs.flow()
        flow.restore(stored.snapshots)
        flow.resume(stored.incidents)
        pipeline = Pipeline(
            flow, self._store, alerts=Alerts(), webhooks=(), waits_for_memory=True, board=Board(lambda: NOW),
            metrics=Metrics(), now=lambda: NOW, monotonic=lambda: next(self._ticks) / 20, sleep=asyncio.sleep,
            stored=lambda: None, no_room=lambda: None,
        )  # fmt: skip
        items = self._logs.rest(stored.checkpoints, self._rng, 60)
        async with running(pipeline.run()) as task:
            for item in itertools.islice(items, None if cut is None else cut.items):
                await pipeline.emit(item)
            if cut is None:
                await pipeline.close()
                await task
            else:
                for _ in range(cut.turns):
                    await asyncio.sleep(0)
        await self._store.settle()  # what was handed to the writing thread before the cut


@pytest.fixture(scope="module")
def reference(logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """What one life finds."""
    rows = asyncio.run(Life(logs, tmp_path_factory.mktemp("whole"), random.Random(0)).live(None))  # noqa: S311
    assert len(rows) > 40
    assert len({row.rule for row in rows}) > 12
    return rows


CUTS = st.lists(
    st.builds(
        Cut, items=st.integers(0, 24), turns=st.integers(0, 40), kept=st.none() | st.floats(0, 1, allow_nan=False)
    ),
    min_size=10,
    max_size=40,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cuts=CUTS, seed=st.integers(0, 1_000_000))
def test_wherever_it_is_cut_what_is_found_is_the_same(
    tmp_path: Path, logs: Logs, reference: list[Found], cuts: list[Cut], seed: int
) -> None:
    directory, rng = tmp_path / "state", random.Random(seed)  # noqa: S311 - drawn by hypothesis
    shutil.rmtree(directory, ignore_errors=True)
    for cut in cuts:
        asyncio.run(Life(logs, directory, rng).live(cut))
    assert asyncio.run(Life(logs, directory, rng).live(None)) == reference


def test_cut_after_every_single_line_what_is_found_is_the_same(logs: Logs) -> None:
    """Without a store: after each line everything is forgotten but what `changes` handed out and incidents say."""
    short = Logs(
        tuple(b"".join(text.splitlines(keepends=True)[-700:]) for text in logs.texts),
        parse_rules({"windows.yml": RULES}),
    )
    whole: dict[str, Incident] = {}
    flow = short.flow()
    for item in short.rest((), random.Random(1), 1):  # noqa: S311 - the order in which lines of two logs come
        whole |= {change.incident.id: change.incident for change in flow.feed(item).changes}
    rows: dict[tuple[str, str], Snapshot] = {}
    incidents: dict[str, Incident] = {}
    for item in short.rest((), random.Random(1), 1):  # noqa: S311 - the same order
        flow = short.flow()
        flow.restore(rows.values())
        flow.resume(incidents.values())
        incidents |= {change.incident.id: change.incident for change in flow.feed(item).changes}
        for row in flow.changes():
            rows[row.step, row.key] = row
            if row.value is None:
                del rows[row.step, row.key]
    assert incidents == whole
    assert len(found(whole.values())) >= 10
