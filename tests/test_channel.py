"""Bounded, closable, drainable; nothing that went in is lost."""

import asyncio

import pytest

from daemon.channel import Channel, ClosedError


async def test_a_full_channel_makes_the_producer_wait() -> None:
    channel: Channel[int] = Channel(2)
    await channel.put(1)
    await channel.put(2)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.put(3), 0.01)
    assert [await channel.get(), await channel.get()] == [1, 2]
    assert len(channel) == 0


async def test_what_is_in_comes_out_after_the_end_and_then_iteration_stops() -> None:
    channel: Channel[int] = Channel(3)
    await channel.put(1)
    await channel.put(2)
    await channel.close()

    assert [item async for item in channel] == [1, 2]
    assert channel.drained
    with pytest.raises(ClosedError):
        await channel.put(3)


async def test_a_waiting_producer_learns_of_the_end() -> None:
    channel: Channel[int] = Channel(1)
    await channel.put(1)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_refused(channel))
        await asyncio.sleep(0)
        await channel.close()

    assert waiting.result()


async def _refused(channel: Channel[int]) -> bool:
    try:
        await channel.put(2)
    except ClosedError:
        return True
    return False


async def test_waiting_ends_with_the_timeout_and_loses_nothing() -> None:
    channel: Channel[int] = Channel(1)

    assert await channel.get(timeout=0.001) is None
    await channel.put(7)
    assert await channel.get(timeout=0.001) == 7


@pytest.mark.parametrize("turns", range(6))
async def test_a_consumer_that_is_cancelled_as_an_item_comes_ends_and_the_item_stays(turns: int) -> None:
    """Python 3.11's `asyncio.wait_for` lets the consumer go on, and whoever ended it waits for ever."""
    channel: Channel[int] = Channel(1)
    taken: list[int | None] = []

    async def consume() -> None:
        while not channel.drained:
            taken.append(await channel.get(timeout=60))

    async with asyncio.TaskGroup() as group:
        consumer = group.create_task(consume())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await channel.put(7)
        for _ in range(turns):
            await asyncio.sleep(0)
        consumer.cancel()
        done, _ = await asyncio.wait([consumer], timeout=0.5)
        await channel.close()

    assert done
    assert len(channel) + len(taken) == 1
