"""From what is kept of a cause, else from one call of the model; always grounded in the alert at hand."""

import itertools
import json

import msgspec
import pytest

from daemon.config.schema import Model
from daemon.enrichment.explanations import Explanations, failure_gap, prompt_room
from daemon.enrichment.model_slot import ModelSlot
from daemon.model import Alert, Evidence, Gap, Refused, Transient
from daemon.telemetry import Board, Metrics
from tests.doubles.clock import ManualTime
from tests.doubles.enriching import PAST, base
from tests.doubles.explainer import WELL, ScriptedExplainer


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


@pytest.fixture
def model() -> ScriptedExplainer:
    return ScriptedExplainer()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def explanations(model: ScriptedExplainer, metrics: Metrics, time: ManualTime) -> Explanations:
    slot = ModelSlot(model, board=Board(time.now), monotonic=time.monotonic)
    numbers = itertools.count()
    return Explanations(
        slot, model=Model(), metrics=metrics, monotonic=time.monotonic, nonce=lambda: f"n{next(numbers)}", max_kept=3
    )


def said(text: str, *cites: str, steps: tuple[str, ...] = ()) -> str:
    claim = {"text": text, "cites": list(cites)}
    return json.dumps(
        {
            "insufficient_evidence": False,
            "what_happened": [claim],
            "likely_cause": [],
            "impact": [],
            "next_steps": steps,
        }
    )


def count(metrics: Metrics, outcome: str) -> float:
    return metrics.registry.get_sample_value("tellwhy_explanations_total", {"outcome": outcome}) or 0.0


async def test_an_answer_is_grounded_and_tells_where_it_is_from(
    explanations: Explanations, model: ScriptedExplainer, metrics: Metrics
) -> None:
    model.outcomes.append(said("User www-data piped a download into a shell.", "E2"))
    explained = await explanations.explain(base())
    assert explained.gaps == ()
    assert explained.explanation is not None
    assert explained.explanation.origin == "model"
    assert (explained.explanation.model, explained.explanation.model_digest) == (WELL.name, WELL.digest)
    assert explained.explanation.took == 1.5
    assert count(metrics, "ok") == 1


async def test_one_call_serves_all_alerts_of_a_cause_with_their_own_values(
    explanations: Explanations, model: ScriptedExplainer, metrics: Metrics
) -> None:
    model.outcomes.append(said("Process 4001 ran a download in a shell.", "E2", steps=("Look at process 4001.",)))
    await explanations.explain(base(1))
    for number in range(2, 100):
        explained = await explanations.explain(base(number))
        assert explained.explanation is not None
        assert explained.explanation.sentences[0].text == f"Process {4000 + number} ran a download in a shell."
        assert explained.explanation.next_steps == (f"Look at process {4000 + number}.",)
        assert "4001" not in str(explained.explanation)
    assert len(model.asked) == 1
    assert count(metrics, "reused") == 98


async def test_another_user_is_another_cause(explanations: Explanations, model: ScriptedExplainer) -> None:
    await explanations.explain(base(1))
    await explanations.explain(base(2, User="root"))
    assert len(model.asked) == 2


async def test_every_question_has_a_fresh_nonce(explanations: Explanations, model: ScriptedExplainer) -> None:
    await explanations.explain(base(1))
    await explanations.explain(base(2, User="root"))
    assert "n0" in model.asked[0][1]
    assert "n1" in model.asked[1][1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Sure! Here is", "invalid_schema"),
        ("[" * 20_000, "invalid_schema"),
        ('{"insufficient_evidence": true, "what_happened": []}', "insufficient_evidence"),
        (said("It came from 192.0.2.250.", "E2"), "ungrounded"),
        (said("It ran.", "E99"), "ungrounded"),
    ],
)
async def test_a_rejected_answer_is_a_gap_and_not_asked_for_again_at_once(
    explanations: Explanations, model: ScriptedExplainer, metrics: Metrics, time: ManualTime, text: str, why: str
) -> None:
    model.outcomes.append(text)
    explained = await explanations.explain(base(1))
    assert explained.explanation is None
    assert [(gap.part, gap.why) for gap in explained.gaps] == [("explanation", why)]
    assert (await explanations.explain(base(2))).gaps == explained.gaps
    assert len(model.asked) == 1
    assert count(metrics, why) == 2
    await time.advance(600)
    assert (await explanations.explain(base(3))).explanation is not None
    assert len(model.asked) == 2


async def test_what_is_kept_ages(explanations: Explanations, model: ScriptedExplainer, time: ManualTime) -> None:
    await explanations.explain(base(1))
    await time.advance(86_400)
    await explanations.explain(base(2))
    assert len(model.asked) == 2


async def test_what_is_kept_is_bounded_and_the_least_used_goes(
    explanations: Explanations, model: ScriptedExplainer, metrics: Metrics
) -> None:
    for user in ("a", "b", "c"):
        await explanations.explain(base(1, User=user))
    assert explanations.known(base(2, User="a")) is not None
    await explanations.explain(base(1, User="d"))
    assert explanations.kept == 3
    assert explanations.known(base(2, User="b")) is None
    assert explanations.known(base(2, User="a")) is not None
    evicted = metrics.registry.get_sample_value("tellwhy_evictions_total", {"state": "explanations"})
    assert evicted == 1


async def test_what_speaks_of_a_past_incident_is_not_reused(
    explanations: Explanations, model: ScriptedExplainer
) -> None:
    alert = msgspec.structs.replace(base(1), similar=(PAST,))
    model.outcomes.append(said("It resembles an incident of User=deploy.", "S1"))
    explained = await explanations.explain(alert)
    assert explained.explanation is not None
    assert explanations.known(base(2)) is None


@pytest.mark.parametrize("error", [Transient("late", why="timeout"), Refused("gone", why="model_missing")])
async def test_a_failure_is_passed_on_counted_and_not_kept(
    explanations: Explanations, model: ScriptedExplainer, metrics: Metrics, error: Transient | Refused
) -> None:
    model.outcomes.append(error)
    with pytest.raises(type(error)):
        await explanations.explain(base(1))
    assert count(metrics, error.why) == 1
    assert explanations.kept == 0
    assert failure_gap(error) == Gap("explanation", error.why, error.detail)
    assert (await explanations.explain(base(1))).explanation is not None


def crowded() -> Alert:
    evidence = tuple(Evidence(f"E{n}", float(n), "audit", f"event {n} " + "word " * 100) for n in range(1, 40))
    return msgspec.structs.replace(base(), evidence=evidence)


async def test_what_the_model_was_not_shown_is_said_and_not_reused(
    explanations: Explanations, model: ScriptedExplainer
) -> None:
    explained = await explanations.explain(crowded(), squeeze=2)
    assert [(gap.part, gap.why) for gap in explained.gaps] == [("evidence", "truncated")]
    assert "of 39" in explained.gaps[0].detail
    assert explanations.known(crowded()) is None


async def test_a_squeezed_prompt_is_shorter(explanations: Explanations, model: ScriptedExplainer) -> None:
    await explanations.explain(crowded())
    await explanations.explain(crowded(), squeeze=2)
    first, second = (len(user) for _, user in model.asked)
    assert second < first


@pytest.mark.parametrize(("context", "room"), [(8192, 5136), (4096, 2048), (2048, 1024), (0, 5136), (131_072, 128_016)])
def test_the_answer_always_has_room(context: int, room: int) -> None:
    assert prompt_room(Model(context=8192, max_answer_tokens=700), context) == room
