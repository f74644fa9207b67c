"""The demo's course: start, quiet, first wave, remember, second wave, summary."""

import asyncio
import json
import statistics
import time
from typing import Any

from rich.console import Console

from daemon.cli.demo.receiver import Received, Receiver
from daemon.cli.demo.scenario import WAVES, Wave, audit_lines, benign_lines, ssh_lines
from daemon.cli.demo.stage import Stage, new_secret, staged
from daemon.cli.demo.story import show
from daemon.cli.symptoms import examine
from daemon.loading import load

EXPECTED = {
    "SSH brute force from one address",
    "SSH login after repeated failures",
    "Web server started a shell",
    "Download piped into a shell",
    "Setuid bit set on a file",
    "Reverse shell",
}
"""Titles of our rules that each wave must make fire."""
_DEMO_HAS = {"rules", "store", "webhooks", "endpoint"}
_START = 60.0
_WAVE = 45.0
_SETTLE = 4.0  # seconds without a delivery after which a wave is over
_REMEMBER = 90.0


class Play:
    """One performance."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = 0
        self._written: dict[tuple[int, str], float] = {}
        self._seconds: list[float] = []
        self._model = ""  # what is wrong with the model
        self._waves: dict[str, int] = {}  # alert id → wave

    async def run(self, *, keep: bool) -> int:
        """Play; 0 when both waves were told completely, 1 when something was missing."""
        began = time.monotonic()
        secret = new_secret()
        receiver = Receiver(secret)
        async with receiver.listening(), staged(receiver.port, secret) as stage:
            self._say(f"a webhook receiver listens on 127.0.0.1:{receiver.port}; starting the daemon")
            await stage.start()
            if not await stage.ready(_START):
                self._console.print(
                    f"expected the daemon to start; its last words:\n{stage.last_words()}", markup=False
                )
                return 1
            self._say(f"ready after {time.monotonic() - began:.1f} s; its endpoint is {stage.address}")
            await self._until(stage, "memory", "the embedding model is loading, once")
            row = (await self._components(stage)).get("model", {"state": "off", "detail": "off"})
            self._model = row["detail"] if row["state"] != "ok" else ""
            for line in benign_lines(time.time(), stage.host):
                stage.append("auth.log", line)
            for number, wave in enumerate(WAVES, 1):
                await self._play(number, wave, stage, receiver)
            complete = await self._summary(stage, receiver, time.monotonic() - began)
            if keep:
                self._say(f"the daemon keeps running: {stage.address}/api/v1/incidents (Ctrl-C ends it)")
                await asyncio.Event().wait()
            code = await stage.stop()
        return 0 if complete and code == 0 else 1

    def _say(self, text: str) -> None:
        self._console.print(f"── {text}", style="dim", markup=False)

    async def _play(self, number: int, wave: Wave, stage: Stage, receiver: Receiver) -> None:
        self._say(f"wave {number}: {wave.attacker} guesses passwords, gets in; {wave.web_user} runs what was dropped")
        now = time.time()
        for line in ssh_lines(wave, now, stage.host):
            stage.append("auth.log", line)
        self._written[number, "auth"] = time.time()
        for records in audit_lines(wave, now):
            stage.append("audit.log", records)
        self._written[number, "audit"] = time.time()
        await self._listen(number, receiver)
        if number < len(WAVES):
            await self._remembered(stage)

    async def _listen(self, number: int, receiver: Receiver) -> None:
        """Print what arrives until everything expected has, and then nothing more for a while."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _WAVE
        while loop.time() < deadline:
            receiver.arrived.clear()
            while self._shown < len(receiver.accepted):
                self._tell(number, receiver.accepted[self._shown])
                self._shown += 1
            try:
                await asyncio.wait_for(receiver.arrived.wait(), _SETTLE)
            except TimeoutError:
                if self._titles(receiver, number) >= EXPECTED:
                    return

    def _tell(self, number: int, received: Received) -> None:
        data = received.body["data"]
        wave = self._waves.setdefault(data["id"], number)
        seconds = received.at - self._written.get((wave, data["source"]), received.at)
        if data["version"] == 1:
            self._seconds.append(seconds)
        if data["version"] == 1 or data["explanation"]["origin"] == "model" or data["similar"]:
            show(self._console, received.body, seconds, self._model)
        else:
            for gap in data["gaps"]:
                self._say(f"update of “{data['title']}”: no {gap['part']}: {gap['why']}")

    def _titles(self, receiver: Receiver, wave: int) -> set[str]:
        told = (received.body["data"] for received in receiver.accepted)
        return {data["title"] for data in told if self._waves.get(data["id"]) == wave}

    async def _until(self, stage: Stage, component: str, doing: str) -> None:
        """Wait while a component of the daemon is starting."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with self._console.status(doing):
            while loop.time() < began + _REMEMBER:
                row = (await self._components(stage)).get(component)
                if row is not None and row["state"] != "starting":
                    self._say(f"{component}: {row['state']} after {loop.time() - began:.1f} s")
                    return
                await asyncio.sleep(0.1)

    async def _components(self, stage: Stage) -> dict[str, Any]:
        status, text = await stage.get("/api/v1/status")
        return {row["component"]: row for row in json.loads(text)["components"]} if status == 200 else {}  # noqa: PLR2004 - HTTP OK

    async def _remembered(self, stage: Stage) -> None:
        """Wait until the memory holds the first wave: the embedding model may still be loading."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _REMEMBER
        with self._console.status("the memory learns the first wave"):
            while loop.time() < deadline:
                status, text = await stage.get("/api/v1/ai/health")
                if status == 200 and json.loads(text)["remembered"] >= len(self._waves):  # noqa: PLR2004 - HTTP OK
                    return
                await asyncio.sleep(0.2)

    async def _summary(self, stage: Stage, receiver: Receiver, took: float) -> bool:
        similar = self._citing(receiver)
        missing = [title for wave in (1, 2) for title in sorted(EXPECTED - self._titles(receiver, wave))]
        out = self._console
        out.print()
        out.print(
            f"{len(self._waves)} alerts in {len(receiver.accepted)} signed deliveries, {receiver.refused} refused",
            markup=False,
        )
        if self._seconds:
            middle, worst = statistics.median(self._seconds), max(self._seconds)
            out.print(f"line written → base alert accepted: median {middle:.2f} s, slowest {worst:.2f} s", markup=False)
        out.print(f"{similar} alerts of the second wave cite the first as a similar incident", markup=False)
        out.print(f"host readings taken: {await self._readings(stage)}; whole demo: {took:.0f} s", markup=False)
        for row in await _lacking():
            out.print(row, markup=False)
        for title in missing:
            out.print(f"expected an alert “{title}” in each wave, but one is missing", style="bold red", markup=False)
        return not missing and similar > 0 and receiver.refused == 0

    def _citing(self, receiver: Receiver) -> int:
        told = [received.body["data"] for received in receiver.accepted]
        first = {data["incident"]["id"] for data in told if self._waves[data["id"]] == 1}
        return len(
            {
                data["id"]
                for data in told
                if self._waves[data["id"]] > 1 and any(one["incident_id"] in first for one in data["similar"])
            }
        )

    async def _readings(self, stage: Stage) -> int:
        _, text = await stage.get("/metrics")
        rows = [line for line in text.splitlines() if line.startswith('tellwhy_samples_total{source="host"}')]
        return int(float(rows[0].rsplit(" ", 1)[1])) if rows else 0


async def _lacking() -> list[str]:
    """What this machine has not that tellwhy could use, and the command that adds it."""
    found = [finding for finding in await examine(load(None)) if finding.part not in _DEMO_HAS]
    rows = []
    for finding in found:
        if finding.state != "ok":
            mend = f"\n    add it: {finding.mend}" if finding.mend else ""
            rows.append(f"this machine, {finding.part}: {finding.detail}{mend}")
    return rows or ["nothing is missing on this machine: `tellwhy run` watches it"]
