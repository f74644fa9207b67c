"""The place at the model: one at a time, spared when it fails, and told on the board."""

import asyncio

import pytest

from daemon.enrichment.breaker import BreakerState
from daemon.enrichment.model_slot import ModelSlot, in_slot
from daemon.model import Refused, Transient
from daemon.telemetry import Board, HealthState
from tests.doubles.clock import ManualTime, settle
from tests.doubles.explainer import DOWN, WELL, ScriptedExplainer

SCHEMA: dict[str, object] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


@pytest.fixture
def board(time: ManualTime) -> Board:
    return Board(time.now)


@pytest.fixture
def model() -> ScriptedExplainer:
    return ScriptedExplainer()


@pytest.fixture
def slot(model: ScriptedExplainer, board: Board, time: ManualTime) -> ModelSlot:
    return ModelSlot(model, board=board, monotonic=time.monotonic, max_waiting=2)


def row(board: Board) -> tuple[HealthState, str]:
    health = board.get("model")
    assert health is not None
    return health.state, health.detail


async def fail(slot: ModelSlot) -> Transient | Refused:
    with pytest.raises((Transient, Refused)) as caught:
        await slot.ask("s", "u", SCHEMA)
    assert isinstance(caught.value, Transient | Refused)
    return caught.value


async def test_one_question_at_a_time_in_order(slot: ModelSlot, model: ScriptedExplainer) -> None:
    model.hold.clear()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(slot.ask("s", f"question {n}", SCHEMA)) for n in range(3)]
        await settle()
        assert model.in_flight == 1
        model.hold.set()
    assert [user for _, user in model.asked] == [f"question {n}" for n in range(3)]
    assert model.most_in_flight == 1
    assert all(one.result().text for one in asking)


async def test_only_so_many_may_wait(slot: ModelSlot, model: ScriptedExplainer) -> None:
    model.hold.clear()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):  # one asks, two wait
            group.create_task(slot.ask("s", "u", SCHEMA))
        await settle()
        assert (await fail(slot)).why == "busy"
        model.hold.set()
    assert (await slot.ask("s", "u", SCHEMA)).text


async def test_who_gives_up_waiting_leaves_the_place_free(slot: ModelSlot, model: ScriptedExplainer) -> None:
    model.hold.clear()
    asking = [asyncio.get_running_loop().create_task(slot.ask("s", "u", SCHEMA)) for _ in range(3)]
    await settle()
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    model.hold.set()
    assert (await slot.ask("s", "u", SCHEMA)).text
    assert model.in_flight == 0


async def test_three_failures_spare_the_model_and_say_so_once(
    slot: ModelSlot, model: ScriptedExplainer, board: Board, time: ManualTime
) -> None:
    await slot.probe()
    assert row(board) == (HealthState.ok, "")
    model.always = Transient("no answer in 90 s", why="timeout")
    for _ in range(3):
        assert (await fail(slot)).why == "timeout"
    assert row(board) == (HealthState.degraded, "no answer in 90 s")
    assert not slot.well
    resting = await fail(slot)
    assert isinstance(resting, Transient)
    assert resting.why == "timeout"
    assert resting.retry_after == 30
    assert len(model.asked) == 3


async def test_after_the_rest_a_probe_goes_before_the_trial(
    slot: ModelSlot, model: ScriptedExplainer, board: Board, time: ManualTime
) -> None:
    model.always = Transient("gone", why="unavailable")
    for _ in range(3):
        await fail(slot)
    model.status = DOWN
    await time.advance(30)
    assert slot.well
    assert (await fail(slot)).why == "unavailable"
    assert len(model.asked) == 3  # the cheap probe said enough
    assert row(board) == (HealthState.degraded, DOWN.detail)
    model.status, model.always = WELL, None
    await time.advance(60)
    assert (await slot.ask("s", "u", SCHEMA)).text
    assert slot.breaker.state is BreakerState.closed
    assert row(board) == (HealthState.ok, "")


@pytest.mark.parametrize(
    "error",
    [
        Transient("x", why="context_overflow"),
        Transient("x", why="empty_answer"),
        Transient("x", why="format_ignored"),
        Refused("x", why="truncated_answer"),
        Refused("x", why="invalid_request"),
    ],
)
async def test_what_one_prompt_is_to_blame_for_spares_nobody(
    slot: ModelSlot, model: ScriptedExplainer, error: Exception
) -> None:
    model.always = error
    for _ in range(5):
        await fail(slot)
    assert slot.breaker.state is BreakerState.closed
    assert len(model.asked) == 5


async def test_a_missing_model_is_on_the_board_with_its_cure(
    slot: ModelSlot, model: ScriptedExplainer, board: Board
) -> None:
    await slot.probe()
    model.always = Refused("run ollama pull", why="model_missing")
    model.status = DOWN
    assert (await fail(slot)).why == "model_missing"
    assert row(board) == (HealthState.degraded, DOWN.detail)


async def test_a_bad_probe_is_repeated_soon_and_a_good_one_seldom(
    slot: ModelSlot, model: ScriptedExplainer, board: Board, time: ManualTime
) -> None:
    model.status = DOWN
    await slot.refresh()
    await slot.refresh()
    assert model.probes == 1
    await time.advance(30)
    model.status = WELL
    await slot.refresh()
    assert model.probes == 2
    assert row(board)[0] is HealthState.ok
    await time.advance(299)
    await slot.refresh()
    assert model.probes == 2
    await time.advance(1)
    await slot.refresh()
    assert model.probes == 3


async def test_a_good_probe_does_not_hide_a_model_that_fails(
    slot: ModelSlot, model: ScriptedExplainer, board: Board
) -> None:
    model.always = Transient("stalls", why="timeout")
    for _ in range(3):
        await fail(slot)
    await slot.probe()
    assert row(board) == (HealthState.degraded, "stalls")


async def test_a_slot_is_its_own_slot(slot: ModelSlot, board: Board, time: ManualTime) -> None:
    assert in_slot(slot, board=board, monotonic=time.monotonic) is slot
    assert isinstance(in_slot(ScriptedExplainer(), board=board, monotonic=time.monotonic), ModelSlot)
