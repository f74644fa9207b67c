"""The stage: what it finds and explains, what it does when parts are down, and what it can never do."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config.schema import Alerts, Model, Webhook
from daemon.enrichment import Explainer, Memory
from daemon.enrichment.enricher import GIVE_UP_AFTER, WAIT_LONGEST, Enricher
from daemon.enrichment.ollama import Ollama
from daemon.model import Alert, Decision, Gap, Refused, Severity, Transient
from daemon.telemetry import Board, HealthState, Metrics
from tests.doubles.clock import ManualTime, settle
from tests.doubles.desk import MemoryDesk
from tests.doubles.enriching import PAST, base
from tests.doubles.explainer import DOWN, ScriptedExplainer, ScriptedMemory
from tests.doubles.ollama import Mode, OllamaDouble, serving

URL = "https://receiver.example/"
HOOKS = (
    Webhook(name="base", url=URL, versions="base"),
    Webhook(name="explained", url=URL, versions="explained"),
    Webhook(name="all", url=URL, versions="all"),
    Webhook(name="critical", url=URL, versions="all", min_severity="critical"),
)
NAMES = tuple(hook.name for hook in HOOKS)
FREE = {"version", "made_at", "similar", "explanation", "gaps"}
"""What enrichment may change; everything else belongs to the rules."""


class House:
    """An enricher with everything around it."""

    def __init__(self, memory: Memory | None, model: Explainer | None, **changes: Any) -> None:
        self.time = ManualTime()
        self.desk = MemoryDesk()
        self.board = Board(self.time.now)
        self.metrics = Metrics()
        self.revisions = 0
        numbers = itertools.count()
        self.enricher = Enricher(
            self.desk, memory, model,
            alerts=Alerts(), model=Model.model_validate(changes), limit=3, webhooks=HOOKS, board=self.board,
            metrics=self.metrics, now=self.time.now, monotonic=self.time.monotonic, sleep=self.time.sleep,
            nonce=lambda: f"nonce{next(numbers)}", memory_timeout=0.05, revised=self._revised,
        )  # fmt: skip

    def _revised(self) -> None:
        self.revisions += 1

    def tell(self, *alerts: Alert, enrich: bool = True) -> list[Alert]:
        told = [self.desk.tell(alert, *NAMES[:3], due_at=self.time.now() + 3, enrich=enrich) for alert in alerts]
        self.enricher.nudge()
        return told

    def final(self, alert: Alert) -> Alert:
        assert alert.id not in self.desk.enrichments, "its enrichment has not ended"
        return self.desk.newest(alert.id)

    async def finished(self) -> None:
        """Wait until nothing is left to enrich (for models behind a real socket)."""
        while self.desk.enrichments:
            self.desk.changed.clear()
            await asyncio.wait_for(self.desk.changed.wait(), 5)
        await settle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.get_running_loop().create_task(self.enricher.run())
        try:
            await settle()
            yield
            assert not task.done(), task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def gaps(alert: Alert) -> list[tuple[str, str]]:
    return [(gap.part, gap.why) for gap in alert.gaps]


def rules_own(alert: Alert) -> dict[str, Any]:
    return {field.name: getattr(alert, field.name) for field in msgspec.structs.fields(alert) if field.name not in FREE}


# all is well


async def test_an_alert_gains_similar_incidents_at_once_and_an_explanation_later() -> None:
    model, memory = ScriptedExplainer(), ScriptedMemory(PAST)
    model.hold.clear()
    house = House(memory, model)
    async with house.running():
        told = house.tell(base())[0]
        await settle()
        first = house.desk.newest(told.id)
        assert (first.version, first.similar) == (1, (PAST,))
        assert {row.due_at for row in house.desk.owed} == {house.time.now()}  # it leaves at once
        assert house.revisions == 1
        model.hold.set()
        await settle()
        final = house.final(told)
        assert (final.version, final.explanation.origin, final.similar, final.gaps) == (2, "model", (PAST,), ())
        assert rules_own(final) == rules_own(told)
        assert house.revisions == 2
        assert list(memory.kept) == [told.incident_id]
        assert house.desk.owed_to("base") == [1]
        assert house.desk.owed_to("explained") == house.desk.owed_to("all") == [1, 2]
        assert house.desk.owed_to("critical") == []


async def test_what_is_being_sent_is_not_altered_and_the_rest_follows() -> None:
    house = House(ScriptedMemory(PAST), None)
    told = house.desk.tell(base(), *NAMES[:3])
    house.desk.begin(told)
    async with house.running():
        assert house.desk.versions[told.id][0].similar == ()
        assert house.final(told).similar == (PAST,)
        assert house.desk.owed_to("explained") == [1, 2]


async def test_similar_incidents_do_not_wait_for_a_model_that_is_down() -> None:
    model = ScriptedExplainer()
    model.status, model.always = DOWN, Transient("not reachable", why="unavailable")
    house = House(ScriptedMemory(PAST), model)
    async with house.running():
        first = house.tell(base())[0]
        house.desk.begin(first)
        await settle()
        second = house.desk.newest(first.id)
        assert (second.version, second.similar) == (2, (PAST,))
        assert house.desk.owed_to("explained") == [1, 2]
        assert house.desk.owed_to("base") == [1]
        await house.time.advance(700)
        assert [gap.part for gap in house.final(first).gaps] == ["explanation"]
        assert house.desk.owed_to("explained") == [1, 2]
        assert house.desk.owed_to("all") == [1, 2, 3]


async def test_without_model_and_memory_the_base_alert_is_all_there_is() -> None:
    house = House(None, None)
    async with house.running():
        told = house.tell(base())[0]
        await settle()
        assert house.final(told) == told
        assert house.desk.owed_to("all") == [1]
    for part in ("model", "memory"):
        row = house.board.get(part)
        assert row is not None
        assert row.state is HealthState.off


async def test_a_similar_incident_in_the_base_alert_is_not_sent_twice() -> None:
    house = House(ScriptedMemory(PAST), None)
    async with house.running():
        told = house.tell(base())[0]
        await settle()
        assert (house.final(told).version, house.final(told).similar) == (1, (PAST,))
        assert house.desk.owed_to("all") == [1]


# the model never holds anything up


async def test_new_alerts_get_their_similar_incidents_while_the_model_thinks() -> None:
    model, memory = ScriptedExplainer(), ScriptedMemory(PAST)
    model.hold.clear()
    house = House(memory, model)
    async with house.running():
        house.tell(base(1))
        await settle()
        assert model.in_flight == 1
        later = house.tell(*(base(n, User=f"user{n}") for n in range(2, 40)))
        await settle(400)
        assert all(house.desk.newest(one.id).similar == (PAST,) for one in later)
        assert model.in_flight == 1


async def test_a_memory_that_hangs_holds_up_neither_alert_nor_explanation() -> None:
    memory = ScriptedMemory(PAST)
    memory.hold.clear()
    house = House(memory, ScriptedExplainer())
    async with house.running():
        told = house.tell(base())[0]
        await house.finished()
        final = house.final(told)
        assert gaps(final) == [("similar", "timeout")]
        assert final.explanation.origin == "model"


async def test_similar_incidents_are_looked_for_before_the_model_is_asked() -> None:
    model, memory = ScriptedExplainer(), ScriptedMemory(PAST)
    memory.hold.clear()
    house = House(memory, model)
    async with house.running():
        house.tell(base())
        await settle()
        assert model.asked == []
        memory.hold.set()
        await settle()
        assert '"id": "S1"' in model.asked[0][1]


# priority and budget


async def test_the_most_severe_alert_is_explained_first() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model)
    severities = [Severity.low, Severity.critical, Severity.medium, Severity.high]
    async with house.running():
        house.tell(base(1, User="first"))
        await settle()
        house.tell(*(base(n, severity=one, User=one.name) for n, one in enumerate(severities, 2)))
        await settle()
        model.hold.set()
        await settle(400)
    order = [
        next(name for name in ("first", *Severity.__members__) if f"by {name}:" in user) for _, user in model.asked
    ]
    assert order == ["first", "critical", "high", "medium", "low"]


async def test_overflow_drops_the_least_urgent_explanations_and_no_alert() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(ScriptedMemory(PAST), model, queue=5)
    async with house.running():
        house.tell(base(0, User="first"))
        await settle()
        low = house.tell(*(base(n, severity=Severity.low, User=f"u{n}") for n in range(1, 60)))
        critical = house.tell(*(base(n, severity=Severity.critical, User=f"u{n}") for n in range(60, 65)))
        await settle(3000)
        assert house.enricher.waiting == 5
        assert all(gaps(house.final(one)) == [("explanation", "budget")] for one in low)
        assert all(one.id in house.desk.enrichments for one in critical)
        assert all(house.desk.newest(one.id).similar == (PAST,) for one in [*low, *critical])
        model.hold.set()
        await settle(2000)
        assert all(house.final(one).explanation.origin == "model" for one in critical)
        assert len(model.asked) == 6
        assert model.most_in_flight == 1


async def test_a_flood_of_one_cause_costs_one_call() -> None:
    model = ScriptedExplainer()
    house = House(None, model)
    async with house.running():
        told = house.tell(*(base(n) for n in range(1, 201)))
        await settle(20_000)
        assert all(house.final(one).explanation.origin == "model" for one in told)
    assert len(model.asked) == 1


async def test_alerts_of_one_cause_that_wait_are_served_by_the_first_answer() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model)
    async with house.running():
        told = house.tell(*(base(n) for n in range(1, 30)))
        await settle(2000)
        model.hold.set()
        await settle(2000)
        assert all(house.final(one).explanation.origin == "model" for one in told)
    assert len(model.asked) == 1


async def test_a_hostile_flood_makes_no_more_calls_than_may_wait() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model, queue=8)
    async with house.running():
        told = house.tell(*(base(n, User=f"u{n}") for n in range(300)))
        await settle(20_000)
        model.hold.set()
        await settle(2000)
        assert not house.desk.enrichments
        assert sum(house.final(one).explanation.origin == "model" for one in told) == len(model.asked) <= 10


# what failures come to


@pytest.mark.parametrize("why", ["timeout", "unavailable", "busy", "model_error", "context_overflow", "empty_answer"])
async def test_a_failing_model_is_asked_three_times_and_then_it_is_a_gap(why: str) -> None:
    model = ScriptedExplainer()
    model.always = Transient("no answer", why=why)
    house = House(None, model)
    async with house.running():
        told = house.tell(base())[0]
        await settle()
        assert len(model.asked) == 1
        assert told.id in house.desk.enrichments
        assert house.desk.enrichments[told.id].attempts == 1
        await house.time.advance(60)
        final = house.final(told)
        assert len(model.asked) == 3
        assert gaps(final) == [("explanation", why)]
        assert final.explanation == told.explanation
        assert rules_own(final) == rules_own(told)
        assert house.desk.owed_to("explained") == [1]
        assert house.desk.owed_to("all") == [1, 2]


async def test_the_second_attempt_may_succeed() -> None:
    model = ScriptedExplainer(Transient("loading", why="busy", retry_after=20))
    house = House(None, model)
    async with house.running():
        told = house.tell(base())[0]
        await house.time.advance(19)
        assert len(model.asked) == 1  # the pause that the server named is kept
        await house.time.advance(10)
        assert house.final(told).explanation.origin == "model"
        assert house.final(told).gaps == ()


async def test_after_a_prompt_that_did_not_fit_the_next_is_shorter() -> None:
    model = ScriptedExplainer(Transient("cut", why="context_overflow"))
    house = House(None, model)
    alert = base()
    many = tuple(
        msgspec.structs.replace(alert.evidence[-1], id=f"E{n}", text=f"{n} " + "x y " * 140) for n in range(1, 30)
    )
    async with house.running():
        house.tell(msgspec.structs.replace(alert, evidence=many))
        await house.time.advance(10)
    first, second = (len(user) for _, user in model.asked)
    assert second < 0.7 * first


@pytest.mark.parametrize("why", ["model_missing", "invalid_request", "truncated_answer", "too_large", "remote_refused"])
async def test_a_refusal_is_final(why: str) -> None:
    model = ScriptedExplainer(Refused("run `ollama pull qwen3:4b`", why=why))
    house = House(None, model)
    async with house.running():
        told = house.tell(base())[0]
        await settle()
        assert house.final(told).gaps == (Gap("explanation", why, "run `ollama pull qwen3:4b`"),)
        assert len(model.asked) == 1


async def test_a_model_that_is_down_for_an_hour_costs_explanations_and_nothing_else() -> None:
    model, memory = ScriptedExplainer(), ScriptedMemory(PAST)
    model.always = Transient("no answer in 90 s", why="timeout")
    house = House(memory, model)
    told: list[Alert] = []
    async with house.running():
        for number in range(60):
            told += house.tell(base(number, User=f"u{number}"))
            await settle()
            assert house.desk.newest(told[-1].id).similar == (PAST,)
            await house.time.advance(60)
        await house.time.advance(2 * GIVE_UP_AFTER)
        assert len(model.asked) < 30  # the breaker spares it
        assert all(gaps(house.final(one)) == [("explanation", "timeout")] for one in told)
        assert len(memory.kept) == 60
        row = house.board.get("model")
        assert row is not None
        assert (row.state, row.detail) == (HealthState.degraded, "no answer in 90 s")
        model.always = None
        back = house.tell(base(999, User="back"))[0]
        await house.time.advance(650)  # the longest rest of the breaker
        assert house.final(back).explanation.origin == "model"
        row = house.board.get("model")
        assert row is not None
        assert row.state is HealthState.ok


async def test_nobody_waits_for_ever_for_a_model_that_is_busy_with_others() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model)
    async with house.running():
        house.tell(base(1, User="first"))
        await settle()
        second = house.tell(base(2, User="second"))[0]
        await house.time.advance(WAIT_LONGEST + 1)
        model.hold.set()
        await house.time.advance(5)
        assert gaps(house.final(second)) == [("explanation", "budget")]


async def test_attempts_survive_a_restart_so_that_what_kills_us_ends() -> None:
    model = ScriptedExplainer()
    house = House(None, model)
    told = house.tell(base())[0]
    house.desk.enrichments[told.id].attempts = 3
    async with house.running():
        assert gaps(house.final(told)) == [("explanation", "error")]
        assert model.asked == []


async def test_an_attempt_is_counted_before_it_is_made() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model)
    told = house.tell(base())[0]
    async with house.running():
        assert house.desk.enrichments[told.id].attempts == 1


async def test_a_memory_that_is_down_is_a_gap_and_is_caught_up() -> None:
    memory = ScriptedMemory(PAST)
    memory.always = Transient("starting", why="unavailable")
    house = House(memory, ScriptedExplainer())
    async with house.running():
        told = house.tell(base())[0]
        await settle()
        assert gaps(house.final(told)) == [("similar", "unavailable")]
        assert not memory.kept
        memory.always = None
        await house.time.advance(5)
        assert list(memory.kept) == [told.incident_id]


async def test_a_bug_in_one_alert_is_that_alerts_alone() -> None:
    model = ScriptedExplainer(ZeroDivisionError("a bug"))
    memory = ScriptedMemory(PAST)
    memory.failures.append(KeyError("another"))
    house = House(memory, model)
    async with house.running():
        first, second = house.tell(base(1, User="one"))[0], house.tell(base(2, User="two"))[0]
        await settle()
        third = house.tell(base(3, User="three"))[0]
        await settle()
        found = {gap for one in (first, second) for gap in gaps(house.final(one))}
        assert found == {("similar", "error"), ("explanation", "error")}
        assert house.final(third).explanation.origin == "model"


async def test_a_full_disk_pauses_and_loses_nothing() -> None:
    model = ScriptedExplainer()
    house = House(ScriptedMemory(PAST), model)
    house.desk.broken = Transient("disk full", why="full")
    async with house.running():
        await house.time.advance(30)
        house.desk.broken = None
        told = house.tell(base())[0]
        await settle()
        house.desk.failures.extend([Transient("busy")] * 5)
        again = house.tell(base(2, User="two"))[0]
        await house.time.advance(30)
        assert house.final(told).explanation.origin == "model"
        assert house.final(again).explanation.origin == "model"
        assert len(model.asked) == 2


async def test_a_broken_store_ends_it_for_the_supervisor_to_start_again() -> None:
    house = House(None, None)
    house.desk.broken = OSError("no such device")
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(house.enricher.run(), 5)
    house.desk.broken = None
    told = house.tell(base())[0]
    async with house.running():
        assert house.final(told) == told


# an incident that goes on meanwhile


async def test_an_answer_for_an_older_version_is_not_stored_over_a_newer_one() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model)
    async with house.running():
        old = house.tell(base())[0]
        await settle()
        new = house.tell(msgspec.structs.replace(base(), decision=Decision.escalated, severity=Severity.critical))[0]
        assert (old.version, new.version) == (1, 2)
        await settle()
        model.hold.set()
        await settle()
        final = house.final(new)
        assert (final.version, final.severity, final.decision) == (3, Severity.critical, Decision.escalated)
        assert final.explanation.origin == "model"
        assert [one.version for one in house.desk.versions[old.id]] == [1, 2, 3]


async def test_a_version_that_nobody_needs_any_more_is_not_tried_for_ever() -> None:
    """It was resolved while similar incidents were looked for; a resolved alert is not enriched."""
    model = ScriptedExplainer()
    memory = ScriptedMemory(PAST)
    memory.hold.clear()
    house = House(memory, model)
    async with house.running():
        stale = house.tell(base())[0]
        await settle()
        house.desk.tell(msgspec.structs.replace(base(), decision=Decision.resolved), *NAMES[:3], enrich=False)
        memory.hold.set()
        await house.time.advance(60)
        assert model.asked == []
        assert house.desk.newest(stale.id).decision is Decision.resolved


async def test_a_restart_goes_on_with_what_was_found() -> None:
    memory = ScriptedMemory(PAST)
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(memory, model)
    async with house.running():
        told = house.tell(base())[0]
        await settle()
    model.hold.set()
    async with house.running():
        await house.time.advance(5)
        assert house.final(told).explanation.origin == "model"
    assert memory.searched == [told.id]


async def test_being_cancelled_frees_the_model() -> None:
    model = ScriptedExplainer()
    model.hold.clear()
    house = House(None, model)
    async with house.running():
        house.tell(base())
        await settle()
        assert model.in_flight == 1
    assert model.in_flight == 0


# what a model can never do

_TEXTS = st.one_of(
    st.text(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([
                "severity", "suppress", "route", "decision", "status", "what_happened", "likely_cause", "next_steps",
                "insufficient_evidence", "text", "cites", "version", "because", "gaps", "webhooks",
            ]),
            inner,
            max_size=6,
        ),
        max_leaves=20,
    ).map(json.dumps),
)  # fmt: skip


def outcome(answer: str | Exception) -> tuple[dict[str, Any], list[list[int]], int]:
    """What the alert is after a model said this: the rules' part of it, and who was owed what."""

    async def run() -> tuple[dict[str, Any], list[list[int]], int]:
        model = ScriptedExplainer()
        model.always = answer
        house = House(None, model)
        async with house.running():
            told = house.tell(base())[0]
            await house.time.advance(70)
            final = house.final(told)
            base_version = house.desk.versions[told.id][0]
            assert base_version == told
            return rules_own(final), [house.desk.owed_to(name)[:1] for name in NAMES], len(house.desk.finals)

    return asyncio.run(run())


@settings(max_examples=60, deadline=None)
@given(_TEXTS)
def test_no_answer_changes_what_the_rules_decided(text: str) -> None:
    assert outcome(text) == outcome(Transient("down"))


# against Ollama's wire


@asynccontextmanager
async def with_ollama(**changes: Any) -> AsyncIterator[tuple[House, OllamaDouble]]:
    async with serving() as server, aiohttp.ClientSession() as session:
        changes = {"url": server.url} | changes
        house = House(None, None, **changes)
        client = Ollama(Model.model_validate(changes), session, monotonic=house.time.monotonic)
        yield House(ScriptedMemory(PAST), client, **changes), server


async def enriched(house: House, alerts: Sequence[Alert], *, until: Callable[[], bool] = lambda: True) -> list[Alert]:
    """Tell, let everything happen, and give the final versions; failing attempts are repeated without waiting."""
    async with house.running():
        told = house.tell(*alerts)
        while house.desk.enrichments:
            house.desk.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(house.desk.changed.wait(), 0.1)
            await house.time.advance(31)
        assert until()
        return [house.final(one) for one in told]


async def test_an_answer_over_the_wire_is_grounded_in_the_prompt() -> None:
    async with with_ollama() as (house, server):
        [final] = await enriched(house, [base()])
    assert final.explanation.origin == "model"
    assert final.explanation.model_digest == server.digest
    assert {cite for one in final.explanation.sentences for cite in one.cites} <= {"E1", "E2", "S1"}
    options = server.requests[0]["options"]
    sent = sum(len(message["content"].encode()) for message in server.requests[0]["messages"])
    assert sent / 3 + options["num_predict"] < options["num_ctx"]


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (Mode.hang_before_header, "timeout"),
        (Mode.hang_mid_stream, "timeout"),
        (Mode.drip, "timeout"),
        (Mode.error_before, "model_error"),
        (Mode.error_mid_stream, "model_error"),
        (Mode.model_missing, "model_missing"),
        (Mode.busy, "busy"),
        (Mode.over_context, "context_overflow"),
        (Mode.truncated_prompt, "context_overflow"),
        (Mode.html, "bad_response"),
        (Mode.cut, "incomplete_answer"),
        (Mode.thinking_only, "empty_answer"),
        (Mode.prose, "invalid_schema"),
        (Mode.length, "truncated_answer"),
        (Mode.endless, "too_large"),
        (Mode.deep, "invalid_schema"),
        (Mode.hostile, "ungrounded"),
    ],
)
async def test_each_failure_of_ollama_is_a_gap_with_its_reason(mode: Mode, why: str) -> None:
    quick: dict[str, Any] = {"first_byte_timeout": 0.03, "stall_timeout": 0.03, "total_timeout": 0.06}
    async with with_ollama(**(quick if why == "timeout" else {})) as (house, server):
        status = await house.enricher.model.probe() if house.enricher.model else None
        assert status is not None
        assert status.reachable
        server.mode = mode
        [final] = await enriched(house, [base()])
        assert gaps(final) == [("explanation", why)]
        assert final.explanation.origin == "rules"
        assert final.similar == (PAST,)
        assert server.in_flight == 0
        assert server.most_in_flight == 1


VECTORS = {
    "busy_503.json": "busy",
    "cut_mid_json.ndjson": "bad_response",
    "deep.ndjson": "invalid_schema",
    "downgrade.ndjson": "invalid_schema",
    "dup_keys.ndjson": "invalid_schema",
    "empty_content.ndjson": "empty_answer",
    "error_mid_stream.ndjson": "model_error",
    "exfil.ndjson": "invalid_schema",
    "html_200.txt": "bad_response",
    "huge.ndjson": "invalid_schema",
    "length_cut.ndjson": "truncated_answer",
    "nan.ndjson": "invalid_schema",
    "no_done.ndjson": "incomplete_answer",
    "not_json_content.ndjson": "invalid_schema",
    "ok.ndjson": "invalid_schema",  # of another schema than ours
}


async def test_every_vector_leaves_the_alert_and_a_reason(shared_data: Path) -> None:
    outcomes = {}
    for path in sorted((shared_data / "vectors" / "ollama").iterdir()):
        async with with_ollama() as (house, server):
            server.mode, server.raw = Mode.raw, path.read_bytes()
            server.raw_status = 503 if "503" in path.name else 200
            alert = base()
            [final] = await enriched(house, [alert])
            assert rules_own(final) == rules_own(alert)
            assert final.explanation == alert.explanation
            outcomes[path.name] = gaps(final)
    assert outcomes == {name: [("explanation", why)] for name, why in VECTORS.items()}


async def test_no_more_than_one_request_is_ever_at_the_model() -> None:
    async with with_ollama() as (house, server):
        finals = await enriched(house, [base(n, User=f"u{n}") for n in range(12)])
    assert server.most_in_flight == 1
    assert server.chats == 12
    assert all(one.explanation.origin == "model" for one in finals)
