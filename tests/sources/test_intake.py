"""A port where others hand over: open while it runs, and its senders hear what became of theirs."""

import asyncio
import json

import pytest

from daemon.config import IntakeSource
from daemon.model import Transient
from daemon.sources import Handed, Item
from daemon.sources.intake import MOST_WAITING, IntakePort
from daemon.telemetry import Board, HealthState
from tests.doubles.clock import settle


def a_port(patience: float = 10.0) -> tuple[IntakePort, Board]:
    board = Board(lambda: 0.0)
    config = IntakeSource(type="intake", name="tools")
    port = IntakePort(
        config,
        token="t" * 40,
        find_fault=lambda _: "",
        board=board,
        now=lambda: 5.0,
        nonce=lambda: "n",
        patience=patience,
        repeats={"n": 1}.__getitem__,
    )
    return port, board


async def test_it_is_open_while_it_runs() -> None:
    port, board = a_port()
    taken: list[Item] = []

    async def emit(item: Item) -> None:
        assert isinstance(item, Handed)
        taken.append(item)
        item.stored()

    with pytest.raises(Transient, match="not open"):
        await port.hand_over(port.pack({0: {"a": 1}}))
    task = asyncio.get_running_loop().create_task(port.run(emit))
    await settle()
    assert await port.hand_over(port.pack({0: {"a": 1}, 2: {"b": 2}}, "k")) == 1
    row = board.get("source:tools")
    assert row is not None
    assert row.state is HealthState.ok
    task.cancel()
    await asyncio.wait([task])
    with pytest.raises(Transient, match="not open"):
        await port.hand_over(port.pack({0: {"a": 1}}))
    (item,) = taken
    assert isinstance(item, Handed)
    assert item.source == "tools"
    assert [json.loads(line) for _, line in item.lines.split()] == [
        {"id": "n:0", "at": 5.0, "record": {"a": 1}, "key": "k:0"},
        {"id": "n:2", "at": 5.0, "record": {"b": 2}, "key": "k:2"},
    ]


async def test_who_waits_is_bounded_and_gives_up_in_time() -> None:
    port, _ = a_port(patience=0.05)

    async def never(item: Item) -> None:
        del item

    port._emit = never
    loop = asyncio.get_running_loop()
    waiting = [loop.create_task(port.hand_over(port.pack({0: {"a": 1}}))) for _ in range(MOST_WAITING)]
    await settle(3)
    with pytest.raises(Transient) as full:
        await port.hand_over(port.pack({0: {"a": 1}}))
    assert (full.value.why, full.value.retry_after) == ("full", 1.0)
    said = await asyncio.gather(*waiting, return_exceptions=True)
    assert {one.why for one in said if isinstance(one, Transient)} == {"timeout"}
    assert port._waiting == 0
