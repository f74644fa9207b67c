"""An intake behind the endpoint whose pipeline is a list: it stores at once, later, or never."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from daemon.config import IntakeSource
from daemon.events.alertmanager import count_alerts
from daemon.events.intake import find_fault
from daemon.events.jsonl import Shaping
from daemon.events.stamps import Stamps
from daemon.sources import Handed, Item
from daemon.sources.intake import IntakePort
from daemon.telemetry import Board

INTAKE_TOKEN = "i" * 40


class ListedIntake(IntakePort):
    """`handed` is what a pipeline would have got; with `stores` false nobody hears that it is stored. `repeats` are
    the requests (n0, n1 …) that hold what is known, with how much of it.
    """

    def __init__(
        self, *, patience: float = 10.0, token: str = INTAKE_TOKEN, open_: bool = True,
        repeats: Mapping[str, int] | None = None, **config: Any,
    ) -> None:  # fmt: skip
        source = IntakeSource(type="intake", **config)
        shaping, stamps = Shaping(source.preset), Stamps(lambda: 1_795_253_449.0, None)
        super().__init__(
            source, token=token, find_fault=lambda record: find_fault(record, shaping, stamps),
            board=Board(lambda: 0.0), now=lambda: 1_795_253_449.0, nonce=lambda: f"n{len(self.handed)}", patience=patience,
            weigh=count_alerts, repeats=lambda request: (repeats or {}).get(request, 0),
        )  # fmt: skip
        self.handed: list[Handed] = []
        self._came = asyncio.Event()
        self.stores = True
        if open_:
            self._emit = self.emit

    async def emit(self, item: Item) -> None:
        """Take one item."""
        assert isinstance(item, Handed)
        self.handed.append(item)
        self._came.set()
        if self.stores:
            item.stored()

    async def came(self) -> None:
        """Wait until anything came."""
        async with asyncio.timeout(5):
            await self._came.wait()

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        """What came, record by record."""
        return [json.loads(line) for item in self.handed for _, line in item.lines.split()]

    @property
    def records(self) -> list[Any]:
        """The records alone."""
        return [envelope["record"] for envelope in self.envelopes]
