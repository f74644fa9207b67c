"""The source that others push to: the endpoint hands records over, and hears back when what they caused is stored.

Bounded: `MOST_WAITING` requests at once wait for the store; the next one is told to come again.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from daemon.channel import ClosedError
from daemon.config import IntakeSource
from daemon.model import Checkpoint, Lines, Position, Transient
from daemon.sources import Emit, Handed
from daemon.telemetry import Board, HealthState

MOST_WAITING = 32
"""Requests to one intake that wait for the store."""
PATIENCE = 10.0
"""Seconds that a sender waits for the store."""


class IntakePort:
    """One configured intake. `token` is what opens it; `find_fault` says what was expected of a record that no event
    can be made of, and `weigh` how many events a record stands for; `nonce` names requests, as no other life of ours
    does; `repeats` tells of a request that is stored how many of its records were known already.
    """

    def __init__(
        self, config: IntakeSource, *, token: str, find_fault: Callable[[Any], str], board: Board,
        now: Callable[[], float], nonce: Callable[[], str], patience: float = PATIENCE,
        weigh: Callable[[Any], int] = lambda _: 1, repeats: Callable[[str], int] = lambda _: 0,
    ) -> None:  # fmt: skip
        self._config = config
        self.token = token
        self.max_body, self.rate = config.max_body, config.rate
        self.find_fault, self.weigh = find_fault, weigh
        self._repeats = repeats
        self._board = board
        self._now = now
        self._nonce = nonce
        self._patience = patience
        self._emit: Emit | None = None
        self._waiting = 0

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Let others hand over until cancelled."""
        self._emit = emit
        self._board.set(f"source:{self.name}", HealthState.ok)
        try:
            await asyncio.Event().wait()
        finally:
            self._emit = None

    async def hand_over(self, packed: Lines) -> int:
        """Return once what was packed caused is stored, fsynced: how many of its records were stored before.

        Raises Transient: `full` (nothing was taken: come again), `unavailable` (we start or stop) or `timeout` (the
        store did not take it in time; it may do so yet, so who sends again should do it under the same name).
        """
        if self._waiting >= MOST_WAITING:
            raise Transient(f"{MOST_WAITING} requests wait for the store", why="full", retry_after=1.0)
        if self._emit is None:
            raise Transient("the intake is not open", why="unavailable", retry_after=1.0)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._handed(self._emit, packed)
        except TimeoutError as error:
            raise Transient("the store did not take it in time", why="timeout", retry_after=5.0) from error
        finally:
            self._waiting -= 1
        return self._repeats(packed.position.identity)

    async def _handed(self, emit: Emit, lines: Lines) -> None:
        stored = asyncio.Event()
        try:
            await emit(Handed(lines, stored.set))
        except ClosedError as error:
            raise Transient("the intake closes", why="unavailable", retry_after=1.0) from error
        await stored.wait()

    def pack(self, records: Mapping[int, Mapping[str, Any]], key: str = "") -> Lines:
        """Envelopes of one request as `daemon.events.intake` reads them, one a line. `records` are by their place in
        it, which names them together with `key`, its own name ("" for none): what was refused beside them may come
        again, mended, under the same. Bytes, because whoever waits for the store holds them: decoded they are twenty
        times as large. May be called in any thread. Raises RecursionError.
        """
        at, nonce = self._now(), self._nonce()
        envelopes = [
            {"id": f"{nonce}:{place}", "at": at, "record": record, "key": f"{key}:{place}" if key else ""}
            for place, record in records.items()
        ]
        data = b"".join(msgspec.json.encode(envelope) + b"\n" for envelope in envelopes)
        place = Position(f"intake:{self.name}", nonce, 0)
        return Lines(self.name, data, place, Checkpoint(self.name, place))
