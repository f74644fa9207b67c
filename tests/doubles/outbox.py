"""The outbox in memory, with the promises of `daemon.state.Outbox`, and failures on request."""

from collections import deque

import msgspec

from daemon.model import Alert, Delivery, DeliveryState
from daemon.state import OutboxDepth


class MemoryOutbox:
    """Deliveries by id. `steps` tells what was done, in order; `failures` are raised by the next writing calls."""

    def __init__(self) -> None:
        self.rows: dict[int, Delivery] = {}
        self.steps: list[tuple[str, int]] = []
        self.failures: deque[Exception] = deque()

    def owe(self, alert: Alert, webhook: str, *, at: float, due_at: float | None = None) -> Delivery:
        """Something that the pipeline or the enricher would store."""
        number = len(self.rows) + 1
        row = Delivery(number, alert, webhook, attempts=0, due_at=at if due_at is None else due_at, created_at=at)
        self.rows[number] = row
        return row

    def state(self, number: int) -> DeliveryState:
        """Where a delivery stands."""
        return self.rows[number].state

    async def due(self, webhook: str, now: float) -> Delivery | None:
        """By severity, then age."""
        ready = [row for row in self._next(webhook) if row.due_at <= now]
        return min(ready, key=lambda row: (-row.alert.severity, row.created_at, row.id), default=None)

    async def probe(self, webhook: str, now: float, *, overdue: float, since: float) -> Delivery | None:
        """What is owed for too long, then what is new, then what was tried least."""

        def rank(row: Delivery) -> tuple[object, ...]:
            late, new = row.created_at < overdue, row.attempts == 0 and row.created_at > since
            return not late, not new, row.attempts, -row.alert.severity, row.created_at, row.id

        return min([row for row in self._next(webhook) if row.due_at <= now], key=rank, default=None)

    async def next_due_at(self, webhook: str, *, after: float = float("-inf")) -> float | None:
        """The earliest of what could be due."""
        return min((row.due_at for row in self._next(webhook) if row.due_at > after), default=None)

    async def begin(self, delivery_id: int, now: float) -> Delivery:
        """Count an attempt."""
        self._write("begin", delivery_id, attempts=self.rows[delivery_id].attempts + 1)
        return self.rows[delivery_id]

    async def resume(self, webhook: str, now: float) -> None:
        """Put off no longer."""
        if self.failures:
            raise self.failures.popleft()
        for row in self.rows.values():
            if row.webhook == webhook and row.state is DeliveryState.due and row.attempts:
                self.rows[row.id] = msgspec.structs.replace(row, due_at=min(row.due_at, now))

    async def sent(self, delivery_id: int, now: float) -> None:
        """Accepted."""
        self._write("sent", delivery_id, state=DeliveryState.sent, detail="")

    async def again(self, delivery_id: int, due_at: float, detail: str) -> None:
        """Later."""
        self._write("again", delivery_id, due_at=due_at, detail=detail)

    async def dead(self, delivery_id: int, now: float, detail: str) -> None:
        """Never."""
        self._write("dead", delivery_id, state=DeliveryState.dead, detail=detail)

    async def depth(self) -> OutboxDepth:
        """How much is owed."""
        due = [row for row in self.rows.values() if row.state is DeliveryState.due]
        dead = sum(row.state is DeliveryState.dead for row in self.rows.values())
        return OutboxDepth(due=len(due), dead=dead, oldest_at=min((row.created_at for row in due), default=0.0))

    def _next(self, webhook: str) -> list[Delivery]:
        """What is owed to a webhook and waits for no earlier version of its alert."""
        owed = [r for r in self.rows.values() if r.webhook == webhook and r.state is DeliveryState.due]
        first: dict[str, int] = {}
        for row in owed:
            first[row.alert.id] = min(row.alert.version, first.get(row.alert.id, row.alert.version))
        return [r for r in owed if r.alert.version == first[r.alert.id]]

    def _write(self, step: str, number: int, **changes: object) -> None:
        if self.failures:
            raise self.failures.popleft()
        self.rows[number] = msgspec.structs.replace(self.rows[number], **changes)
        self.steps.append((step, number))
