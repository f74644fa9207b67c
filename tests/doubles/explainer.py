"""A model and a memory in memory: scripted outcomes, real waiting."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from daemon.enrichment import Answer, ModelStatus
from daemon.model import Alert, Similar
from tests.doubles.ollama_answers import derived_answer

WELL = ModelStatus(reachable=True, name="qwen3:4b", digest="sha256:5e", context=8192)
DOWN = ModelStatus(reachable=False, name="qwen3:4b", detail="not reachable: start it with ollama serve")


class ScriptedExplainer:
    """Implements `Explainer`. `outcomes` come first, one for each question: a text, or an exception to raise; then an
    answer that follows the schema and cites what the prompt has. `hold` keeps questions waiting until it is set.
    """

    def __init__(self, *outcomes: str | Exception) -> None:
        self.outcomes: deque[str | Exception] = deque(outcomes)
        self.always: str | Exception | None = None
        self.status = WELL
        self.hold = asyncio.Event()
        self.hold.set()
        self.entered = asyncio.Event()
        self.asked: list[tuple[str, str]] = []
        self.probes = 0
        self.in_flight = 0
        self.most_in_flight = 0

    async def probe(self) -> ModelStatus:
        self.probes += 1
        return self.status

    async def ask(self, system: str, user: str, schema: dict[str, object]) -> Answer:
        self.asked.append((system, user))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.entered.set()
        try:
            await self.hold.wait()
        finally:
            self.in_flight -= 1
        outcome = self.outcomes.popleft() if self.outcomes else self.always
        if isinstance(outcome, Exception):
            raise outcome
        request: dict[str, Any] = {"messages": [{"content": user}], "format": schema}
        return Answer(
            text=derived_answer(request) if outcome is None else outcome,
            model=WELL.name,
            digest=WELL.digest,
            took=1.5,
            prompt_tokens=900,
            answer_tokens=42,
        )


class ScriptedMemory:
    """Implements `Memory`. `found` is what every search gives; `failures` are raised by the next calls, one each.

    Counting takes none of them: nobody sees when it happens.
    """

    def __init__(self, *found: Similar) -> None:
        self.found: Sequence[Similar] = found
        self.failures: deque[Exception] = deque()
        self.always: Exception | None = None
        self.hold = asyncio.Event()
        self.hold.set()
        self.searched: list[str] = []
        self.kept: dict[str, Alert] = {}
        self.refuse: Callable[[Alert], Exception | None] = lambda _: None

    async def _pass(self) -> None:
        await self.hold.wait()
        if self.failures:
            raise self.failures.popleft()
        if self.always is not None:
            raise self.always

    async def find(self, alert: Alert, limit: int) -> Sequence[Similar]:
        self.searched.append(alert.id)
        await self._pass()
        return self.found

    async def search(self, text: str, limit: int) -> Sequence[Similar]:
        self.searched.append(text)
        await self._pass()
        return self.found

    async def remember(self, alert: Alert, outcome: str = "") -> None:
        await self._pass()
        error = self.refuse(alert)
        if error is not None:
            raise error
        self.kept[alert.incident_id] = alert

    async def count(self) -> int:
        await self.hold.wait()
        if self.always is not None:
            raise self.always
        return len(self.kept)
