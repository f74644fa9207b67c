"""The source that others push to: the endpoint hands records over, and hears back when what they caused is stored.

Bounded: `MOST_WAITING` requests at once wait for the store; the next one is told to come again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
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
    can be made of; `nonce` makes ids that no other life of ours has.
    """

    def __init__(
        self, config: IntakeSource, *, token: str, find_fault: Callable[[Any], str], board: Board,
        now: Callable[[], float], nonce: Callable[[], str], patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self._config = config
        self.token = token
        self.max_body, self.rate = config.max_body, config.rate
        self.find_fault = find_fault
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

    async def hand_over(self, records: Sequence[Mapping[str, Any]], key: str = "") -> None:
        """Return once what the records caused is stored, fsynced. `key` is the request's own name, "" for none.

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
                await self._handed(self._emit, self._lines(records, key))
        except TimeoutError as error:
            raise Transient("the store did not take it in time", why="timeout", retry_after=5.0) from error
        finally:
            self._waiting -= 1

    async def _handed(self, emit: Emit, lines: Lines) -> None:
        stored = asyncio.Event()
        try:
            await emit(Handed(lines, stored.set))
        except ClosedError as error:
            raise Transient("the intake closes", why="unavailable", retry_after=1.0) from error
        await stored.wait()

    def _lines(self, records: Sequence[Mapping[str, Any]], key: str) -> Lines:
        """Envelopes as `daemon.events.intake` reads them, one a line."""
        at, nonce = self._now(), self._nonce()
        envelopes = [
            {"id": f"{nonce}:{number}", "at": at, "record": record, "key": f"{key}:{number}" if key else ""}
            for number, record in enumerate(records)
        ]
        data = b"".join(msgspec.json.encode(envelope) + b"\n" for envelope in envelopes)
        place = Position(f"intake:{self.name}", nonce, 0)
        return Lines(self.name, data, place, Checkpoint(self.name, place))
