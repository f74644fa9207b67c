"""SIGKILL at any moment neither loses nor doubles: the real process, real files, a real receiver that fails at times.

The seed is printed; TELLWHY_KILL_SEED repeats its lines, bursts, faults and pauses. TELLWHY_KILLS sets how often.
"""

import asyncio
import json
import os
import random  # noqa: TID251 - seeded moments of death
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.alert_bodies import told_apart
from tests.doubles.attack_stream import RULES, AttackStream
from tests.doubles.live_daemon import LiveDaemon, live_daemon, until_remembered
from tests.doubles.log_writer import LogWriter, copytruncate, rename
from tests.doubles.real_time import now, wait_until
from tests.doubles.receiver import Receiver, Reply

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("TELLWHY_KILLS", "50"))
TROUBLED = 120
"""Requests of which some fail; after them the receiver is well."""
ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
TURNS = {
    0.15: ("audit", rename), 0.33: ("auth", rename), 0.48: ("audit", rename),
    0.57: ("auth", copytruncate), 0.70: ("audit", rename), 0.81: ("auth", copytruncate), 0.93: ("auth", rename),
}  # fmt: skip


def seed_of_this_run() -> int:
    return int(os.environ.get("TELLWHY_KILL_SEED", "0")) or int(now() * 1000) % 1_000_000


def troubles(rng: random.Random) -> list[Reply]:
    """Of four requests one fails: refused for now, or read and then cut (a lost acknowledgement), once never answered."""
    replies = [rng.choices((Reply(204), Reply(500), Reply(fault="cut")), (6, 1, 1))[0] for _ in range(TROUBLED)]
    replies[rng.randrange(3, 20)] = Reply(fault="hang")
    return [*replies, Reply(204)]


@dataclass
class Course:
    """One run: what lives when, and how it was ended."""

    daemon: LiveDaemon
    writer: LogWriter
    rng: random.Random
    kills: int
    lines: int
    remembers: bool = False
    deaths: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def play(self) -> None:
        """Write and kill, then let it finish."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.writer.run())
            for number in range(self.kills):
                self.writer.allow(min(self.lines * (number + 1) // self.kills, self._before_the_first_turn()))
                await self._live_and_die(number)
            self.writer.allow(self.lines + 1)
        await self.daemon.start()

    def _before_the_first_turn(self) -> int:
        """What is rotated away before the very first checkpoint is nobody's: until then no log is rotated."""
        known = self.daemon.known_logs() == {"audit", "auth"}
        return self.lines if known else int(self.lines * min(TURNS)) - 10

    async def _live_and_die(self, number: int) -> None:
        if self.remembers and number in {self.kills // 2, self.kills - 2}:
            await self._die_remembering()
            return
        # the first ones meet a store that is being made
        kind = "starting" if number < 4 else self.rng.choices(("exec", "starting", "ready", "busy"), (1, 4, 3, 4))[0]
        await self.daemon.start(ready=kind in {"ready", "busy"})
        longest = {"exec": 0.3, "starting": 1.6, "ready": 0.08, "busy": 1.5}[kind]
        await asyncio.sleep(self.rng.uniform(0, longest))
        assert self.daemon.running, self.daemon.last_words()
        await self.daemon.kill()
        self.deaths[kind] += 1
        await asyncio.sleep(self.rng.choice((0, 0, 0.3)))  # also lines, and rotations, that nobody sees

    async def _die_remembering(self) -> None:
        """A life in which the embedding model had the time to load, with a worker to outlive."""
        await self.daemon.start()
        await self.daemon.until_health("memory", "ok", 120)
        await asyncio.sleep(self.rng.uniform(0, 1))
        await self.daemon.kill()
        self.deaths["remembering"] += 1


async def all_done(daemon: LiveDaemon, expected: dict[tuple[str, str], int]) -> None:
    """Everything is read, and what is owed was accepted."""

    async def read() -> bool:
        return await daemon.gauge("tellwhy_source_lag_bytes") == 0

    def found() -> bool:
        return sum(incident.count for incident in daemon.incidents()) >= sum(expected.values())

    await wait_until(read, 60, daemon.last_words)
    await wait_until(found, 30, lambda: f"{difference(daemon, expected)}: {history(daemon)}")
    await wait_until(lambda: daemon.owed() == 0, 180, lambda: f"{daemon.owed()} owed: {daemon.last_words()}")


def history(daemon: LiveDaemon) -> str:
    """What its log says of files and of losses."""
    words = ("file rotated", "file truncated", "file is not the one read before, reading from its start", "input lost")
    entries = [entry for word in words for entry in daemon.said(word)]
    return "\n".join(str(entry) for entry in sorted(entries, key=lambda entry: entry["timestamp"]))


def counts(daemon: LiveDaemon) -> dict[tuple[str, str], int]:
    """What was found: (rule, entity) → count, over all incidents of them."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for incident in daemon.incidents():
        found[incident.rule.title, incident.entity] += incident.count
    return found


def difference(daemon: LiveDaemon, expected: dict[tuple[str, str], int]) -> dict[str, Any]:
    found = {(title, ADDRESS.search(entity)[0]): count for (title, entity), count in counts(daemon).items()}  # type: ignore[index]  # all have one
    return {
        "missing": {key: count for key, count in expected.items() if found.get(key, 0) < count},
        "too many": {key: count for key, count in found.items() if count > expected.get(key, 0)},
    }


def uninterrupted(stream: AttackStream, top: Path) -> dict[tuple[str, str], int]:
    """The oracle: `tellwhy replay --incidents` over the same lines in one piece."""
    for source in ("audit", "auth"):
        (top / source).write_bytes(stream.whole(source))
    command = [sys.executable, "-m", "daemon", "replay", "--quiet", "--incidents", "--rules", str(top / "rules")]
    done = subprocess.run([*command, str(top / "audit"), str(top / "auth")], check=False, capture_output=True)
    assert done.returncode == 3, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len({(row["rule_title"], row["entity"]) for row in rows})
    return {(row["rule_title"], row["entity"]): row["count"] for row in rows}


def check_incidents(daemon: LiveDaemon, reference: dict[tuple[str, str], int]) -> None:
    """The same as uninterrupted, and every one exactly once."""
    incidents = daemon.incidents()
    assert counts(daemon) == reference
    assert len(incidents) == len(reference) == len({incident.id for incident in incidents})
    anomalies = daemon.rows("SELECT incident_id, count(*) FROM anomalies GROUP BY incident_id")
    assert dict(anomalies) == {incident.id: incident.count for incident in incidents}


def check_deliveries(daemon: LiveDaemon, receiver: Receiver, script: list[Reply]) -> None:
    """Every alert accepted, none that is not stored, one id for ever, one body for one message."""
    stored = daemon.alerts()
    by_message: dict[str, set[bytes]] = defaultdict(set)
    accepted, messages_of = set(), defaultdict(set)
    for number, request in enumerate(receiver.received):
        assert request.verified is True
        message, data = request.headers["webhook-id"], json.loads(request.body)["data"]
        assert message == f"{data['id']}-v{data['version']}"
        by_message[message].add(request.body)
        messages_of[data["incident"]["id"]].add(data["id"])
        reply = script[min(number, len(script) - 1)]
        if reply.status == 204 and not reply.fault:
            accepted.add(message)
    assert told_apart(by_message) == []
    assert {incident: len(ids) for incident, ids in messages_of.items() if len(ids) > 1} == {}
    assert {message.rpartition("-v")[0] for message in by_message} == {alert.id for alert in stored}
    first = {f"{alert.id}-v1" for alert in stored}
    assert first <= accepted
    assert set(by_message) <= {f"{alert.id}-v{alert.version}" for alert in stored}


def check_nothing_claimed_lost(daemon: LiveDaemon) -> None:
    """Nothing was lost, and nobody said so; nothing broke inside."""
    assert daemon.said("input lost") == []
    restarted = [entry for entry in daemon.said("component restarted") if entry["component"] != "memory"]
    assert restarted == []  # a worker that outlives its daemon by a moment makes the next one's wait
    assert daemon.said("component gave up") == []


@pytest.mark.parametrize(
    ("kills", "lines", "memory"),
    [
        pytest.param(KILLS, 20_000, {"mode": "off"}, id="without memory"),
        pytest.param(max(4, KILLS // 5), 4_000, {"mode": "embedded"}, id="embedded memory", marks=pytest.mark.model),
    ],
)
async def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    tmp_path: Path, kills: int, lines: int, memory: dict[str, str]
) -> None:
    seed = seed_of_this_run()
    print(f"TELLWHY_KILL_SEED={seed}")  # noqa: T201 - how to repeat a failure
    rng = random.Random(seed)  # noqa: S311 - a test that can be repeated
    stream = AttackStream(seed, start=now() - 600, lines=lines)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yml").write_text(RULES, encoding="utf-8")
    reference = uninterrupted(stream, tmp_path)
    script = troubles(rng)
    async with live_daemon(tmp_path, webhook_port=0, sources={"audit": "auditd", "auth": "syslog"}) as daemon:
        async with Receiver(*script, secrets=[daemon.secret]) as receiver:
            daemon.config["webhooks"] = [daemon.webhook("ops", receiver.port)]
            daemon.config["rules"] = {"directories": [str(tmp_path / "rules")]}
            daemon.config["memory"] = memory
            daemon.config["alerts"] = {"deadline": "1s"}
            turns = {int(stream.lines * part): turn for part, turn in TURNS.items()}
            writer = LogWriter(tmp_path, stream.pieces, seed=seed, turns=turns)
            course = Course(daemon, writer, rng, kills, stream.lines, remembers=memory["mode"] != "off")
            await course.play()
            await all_done(daemon, stream.expected)
            if course.remembers:
                await until_remembered(daemon, len(stream.expected))
            assert await daemon.stop() == 0
        print(f"{dict(course.deaths)}, {len(receiver.received)} requests, {len(daemon.alerts())} alert versions")  # noqa: T201
        assert difference(daemon, stream.expected) == {"missing": {}, "too many": {}}
        check_incidents(daemon, reference)
        check_deliveries(daemon, receiver, script)
        check_nothing_claimed_lost(daemon)
        assert writer.rotated == len(TURNS)
