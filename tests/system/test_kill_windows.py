"""Windows survive everything that a life can end with: SIGKILL at 200 random moments, SIGTERM, SIGHUP.

The real daemon reads `auth.log` (three real weeks) and an audit log with an attack while they are written, with
shipped rules and correlations of every kind. In the end its incidents are those of a daemon that was never interrupted,
and of `tellwhy replay`: the same rules, entities, counts, first and last events, each once.

Several courses run side by side, each a daemon with files of its own, so that 200 lives cost a minute of two cores; most
are forks of a process that has imported everything (see `tests/doubles/nursery.py`), some begin at exec. The seed is
printed; TELLWHY_KILL_SEED repeats what is written when and which moments are drawn; TELLWHY_WINDOW_KILLS sets how many.
"""

import asyncio
import contextlib
import os
import random  # noqa: TID251 - seeded moments of death
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.doubles.live_daemon import ROOT, LiveDaemon, Process
from tests.doubles.nursery import Nursery
from tests.doubles.real_time import now, wait_until
from tests.doubles.window_logs import (
    UNREAD,
    UNRELATED,
    Found,
    attack_log,
    comparable,
    found,
    pieces,
    replayed,
    write_rules,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]
KILLS = int(os.environ.get("TELLWHY_WINDOW_KILLS", "200"))
COURSES = 4
STARTS = 500
TOO_LONG = 40
TIMES = 12
"""Stops, and reloads."""
KINDS = {"exec": 1, "starting": 7, "reading": 8, "committing": 9, "draining": 5, "reloading": 5}
"""How a life ends by SIGKILL, and how often of 35. The first of a course meet a store that is being made."""


class NurseryDaemon(LiveDaemon):
    """A daemon that is forked instead of started; `from_exec` says that the next one begins at its first instruction."""

    def __init__(self, top: Path, nursery: Nursery, logs: list[str]) -> None:
        top.mkdir()
        super().__init__(top, webhook_port=9, sources=dict.fromkeys(logs, "auto"))
        self.from_exec = False
        self._nursery = nursery
        self.config["webhooks"] = []
        self.config["rules"] = {"directories": [str(top / "rules")]}
        write_rules(top / "rules", ROOT)

    async def spawn(self, arguments: list[str], log: Path) -> Process:
        if self.from_exec:
            return await super().spawn(arguments, log)
        return await self._nursery.born(arguments, top=self.top, log=log)

    async def until_said(self, event: str) -> None:
        """Wait until its log says so in this life."""

        def said() -> bool:
            assert self.running, f"the daemon ended: {self.last_words()}"
            return f'"event": "{event}"' in self.log().read_text(encoding="utf-8", errors="replace")

        await wait_until(said, 60, self.last_words, every=0.005)

    async def all_read(self) -> None:
        """Wait until every byte of every log is behind a stored position."""
        sizes = {path.stem: path.stat().st_size for path in self.top.glob("file*.log")}

        def reached() -> bool:
            return dict(self.rows('SELECT source, "offset" FROM checkpoints')) == sizes

        await wait_until(reached, 60, self.last_words)

    async def until_writing(self) -> None:
        """Wait until the store is being written to, at most half a second."""
        wal = self.top / "state" / "tellwhy.db-wal"

        def state() -> int:
            return wal.stat().st_mtime_ns if wal.exists() else 0

        before = state()
        with contextlib.suppress(AssertionError):  # nothing to write: as good a moment as any
            await wait_until(lambda: state() != before, 0.5, str, every=0.0005)


@asynccontextmanager
async def nursed(top: Path, logs: list[bytes]) -> AsyncIterator[NurseryDaemon]:
    """A daemon over so many logs, which are empty yet. It is not started, and ended with the block."""
    nursery = Nursery()
    await nursery.open()
    daemon = NurseryDaemon(top, nursery, [f"file{number}" for number in range(len(logs))])
    try:
        yield daemon
    finally:
        if daemon.running:
            await daemon.kill()
        await nursery.close()


class Course:
    """One daemon through all of its lives. `logs` are written on in each, in pieces that may end within a line."""

    def __init__(self, daemon: NurseryDaemon, logs: list[bytes], rng: random.Random, lives: int) -> None:
        self.daemon, self._rng, self._lives = daemon, rng, lives
        self._pieces = [pieces(log) for log in logs]
        self._written = [0] * len(logs)
        self._boot = 0.5
        self.ends: Counter[str] = Counter()

    async def play(self, kind: str = "") -> None:
        """All lives, and one that reads to the end and is stopped; `kind` tells how they end, "" draws each."""
        for number in range(self._lives):
            drawn = kind or self._draw(number)
            await self._life(number, drawn)
        await self.finish()

    async def finish(self) -> None:
        """The last life."""
        self.daemon.from_exec = False
        await self.daemon.start(ready=False)
        await self._write(1.0, hurry=True)
        await self.daemon.until_said("ready")
        await self.daemon.all_read()
        assert await self.daemon.stop() == 0

    def _draw(self, number: int) -> str:
        return "starting" if number < 3 else self._rng.choices(list(KINDS), list(KINDS.values()))[0]

    async def _life(self, number: int, kind: str) -> None:
        self.daemon.from_exec = kind == "exec"
        began = now()
        await self.daemon.start(ready=False)
        writing = asyncio.get_running_loop().create_task(self._write((number + 1) / (self._lives + 1)))
        if kind == "exec":
            await asyncio.sleep(self._rng.uniform(0, 2.0))
        elif kind == "starting":
            await asyncio.sleep(self._rng.uniform(0, self._boot))
        else:
            await self.daemon.until_said("ready")
            self._boot = min(2.0, now() - began)
            await getattr(self, f"_{kind}")()
        if kind != "stopping" and self.daemon.running:
            stage = self.daemon.last_event()
            await self.daemon.kill()
            assert await self.daemon.ended() == -signal.SIGKILL
            self.ends[f"{kind}: {stage}"] += 1
        await writing  # also lines that nobody sees

    async def _reading(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, 0.15))

    async def _committing(self) -> None:
        await self.daemon.until_writing()
        await asyncio.sleep(self._rng.uniform(0, 0.004))

    async def _draining(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, 0.05))
        self.daemon.signal(signal.SIGTERM)
        await asyncio.sleep(self._rng.uniform(0, 0.01))

    async def _reloading(self) -> None:
        self._change_rules()
        self.daemon.signal(signal.SIGHUP)
        await asyncio.sleep(self._rng.uniform(0, 0.3))

    async def _stopping(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, 0.2))
        assert await self.daemon.stop() == 0
        self.ends["stopped"] += 1

    def _change_rules(self) -> None:
        """Half of the reloads find the rules as they were; the others one unrelated rule more, or less."""
        more = self.daemon.top / "rules" / "more.yml"
        if self._rng.random() < 0.5:
            return
        if more.exists():
            more.unlink()
        else:
            more.write_text(UNRELATED, encoding="utf-8")

    async def reload(self, times: int) -> None:
        """One life with so many reloads while lines come."""
        await self.daemon.start(ready=False)
        await self.daemon.until_said("ready")
        for number in range(times):
            writing = asyncio.get_running_loop().create_task(self._write((number + 1) / (times + 1)))
            await asyncio.sleep(self._rng.uniform(0, 0.1))
            self._change_rules()
            self.daemon.signal(signal.SIGHUP)
            await wait_until(lambda: len(self.daemon.said("reloaded")) > number, 30, self.daemon.last_words)  # noqa: B023 - awaited here
            await writing
        await self._write(1.0, hurry=True)
        await self.daemon.all_read()
        assert await self.daemon.stop() == 0

    async def _write(self, part: float, *, hurry: bool = False) -> None:
        """Append up to this part of each log, in a few bursts with pauses between them."""
        bursts = 1 if hurry else self._rng.randrange(1, 6)
        goals = [int(len(all_of_it) * part) for all_of_it in self._pieces]
        for burst in range(1, bursts + 1):
            for number, goal in enumerate(goals):
                start = self._written[number]
                stop = start + (goal - start) * burst // bursts
                await self._append(number, b"".join(self._pieces[number][start:stop]), hurry=hurry)
                self._written[number] = stop
            await asyncio.sleep(0 if hurry else self._rng.uniform(0, 0.06))

    async def _append(self, number: int, data: bytes, *, hurry: bool) -> None:
        """In two writes; between those of the audit log there is no pause: half an event is waited for two seconds."""
        cut = len(data) if hurry or not data else self._rng.randrange(len(data))
        for part in (data[:cut], data[cut:]):
            if part:
                self.daemon.append(f"file{number}", part)
            if number == 0 and not hurry:
                await asyncio.sleep(self._rng.uniform(0, 0.01))


@pytest.fixture(scope="module")
def rng() -> random.Random:
    seed = int(os.environ.get("TELLWHY_KILL_SEED", "0")) or int(now() * 1000) % 1_000_000
    print(f"TELLWHY_KILL_SEED={seed}")  # noqa: T201 - how to repeat a failure
    return random.Random(seed)  # noqa: S311 - a test that can be repeated


@pytest.fixture(scope="module")
def logs(shared_data: Path, repository: Path, rng: random.Random) -> list[bytes]:
    auth = (shared_data / "elastic-examples" / "auth.log").read_bytes()
    return [auth, attack_log(repository, rng.randrange(1_000_000), STARTS, too_long=TOO_LONG)]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, logs: list[bytes]) -> list[Found]:
    """What a daemon finds that is never interrupted; checked against `tellwhy replay`."""
    top = tmp_path_factory.mktemp("uninterrupted")

    async def live() -> list[Found]:
        async with nursed(top / "life", logs) as daemon:
            await Course(daemon, logs, random.Random(0), 0).finish()  # noqa: S311 - writes all at once
            written = [daemon.top / f"file{number}.log" for number in range(len(logs))]
            rows = found(daemon.incidents())
            assert comparable(rows) == replayed(top, daemon.config, written)
            return rows

    rows = asyncio.run(live())
    assert len(rows) > 200
    assert sum(row.count for row in rows) > 300
    assert len({row.rule for row in rows}) >= 15
    assert [row.count for row in rows if row.rule == UNREAD] == [TOO_LONG]
    return rows


def check(daemon: NurseryDaemon, reference: list[Found]) -> None:
    """The same incidents, and nothing broke inside."""
    rows = found(daemon.incidents())
    missing, too_many = sorted(set(reference) - set(rows)), sorted(set(rows) - set(reference))
    assert missing == too_many == [], f"missing {missing}, too many {too_many}, said {daemon.said('input lost')}"
    assert rows == reference
    anomalies = dict(daemon.rows("SELECT incident_id, count(*) FROM anomalies GROUP BY incident_id"))
    assert anomalies == {one.id: one.count for one in daemon.incidents()}
    assert daemon.said("component restarted") == daemon.said("component gave up") == []


async def test_killed_at_200_random_moments_every_window_is_what_it_was(
    tmp_path: Path, logs: list[bytes], reference: list[Found], rng: random.Random
) -> None:
    ends: Counter[str] = Counter()

    async def course(number: int) -> None:
        own = random.Random(rng.random())  # noqa: S311 - courses do not take turns the same way twice
        async with nursed(tmp_path / str(number), logs) as daemon:
            played = Course(daemon, logs, own, KILLS // COURSES)
            await played.play()
            ends.update(played.ends)
            check(daemon, reference)
        shutil.rmtree(tmp_path / str(number))

    await asyncio.gather(*(course(number) for number in range(COURSES)))
    print(f"{ends.total()} kills: {dict(sorted(ends.items()))}")  # noqa: T201 - where the moments lay
    assert ends.total() == KILLS


async def test_stopped_and_started_every_window_is_what_it_was(
    tmp_path: Path, logs: list[bytes], reference: list[Found], rng: random.Random
) -> None:
    async with nursed(tmp_path / "stops", logs) as daemon:
        course = Course(daemon, logs, rng, TIMES)
        await course.play("stopping")
        assert course.ends == {"stopped": TIMES}
        check(daemon, reference)


async def test_reloaded_every_window_is_what_it_was(
    tmp_path: Path, logs: list[bytes], reference: list[Found], rng: random.Random
) -> None:
    """With the same rules, and with an unrelated one that comes and goes."""
    async with nursed(tmp_path / "reloads", logs) as daemon:
        await Course(daemon, logs, rng, 0).reload(TIMES)
        assert {bool(entry["changed"]) for entry in daemon.said("reloaded")} == {True, False}
        check(daemon, reference)
