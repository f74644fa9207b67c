"""What a person asks: questions about stored incidents, and a fresh look at one alert. Nothing here is stored.

Every part that is down or slow is a gap in the answer; what is left is answered from the store alone.
"""

import asyncio
from collections.abc import Callable, Sequence

from daemon.config.schema import Model
from daemon.enrichment import AiHealth, Explainer, Grounded, Memory, ModelStatus, QueryAnswer
from daemon.enrichment.explanations import PART, Explained, Explanations, failure_gap, prompt_room
from daemon.enrichment.grounding import ground
from daemon.enrichment.model_slot import in_slot
from daemon.enrichment.plain import shown
from daemon.enrichment.prompt import build_question
from daemon.enrichment.questions import (
    MAX_QUESTION,
    Wanted,
    best_first,
    incident_evidence,
    list_incidents,
    named_in,
    of_what_is_named,
    read_question,
    take_turns,
)
from daemon.enrichment.revision import with_explanation, with_similar
from daemon.enrichment.similar_search import SimilarSearch
from daemon.model import Alert, Evidence, Gap, Incident, Refused, Similar, Transient
from daemon.state import Desk
from daemon.telemetry import Board, Metrics

MAX_LIMIT = 20
"""Incidents in one answer; more do not fit a small model's context."""
_OFF = Gap(PART, "off", "model.mode is off")
_REJECTED = {
    "invalid_schema": "the model's answer was not of the form asked for",
    "ungrounded": "nothing that the model said was borne out by the incidents",
    "insufficient_evidence": "the model found that the incidents do not answer the question",
}


class DeskAnalyst:
    """Implements `Analyst`. Give it the `ModelSlot` that the enricher has, and the two take turns at the model.

    `timeout` in seconds bounds a person's wait for the model, the waiting for their turn included; `limit` is how many
    similar incidents an analysis looks for; `redact` takes secrets out of a question before it leaves the process.
    """

    def __init__(
        self,
        desk: Desk,
        memory: Memory | None,
        explainer: Explainer | None,
        *,
        model: Model,
        board: Board,
        metrics: Metrics,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        nonce: Callable[[], str],
        limit: int = 3,
        timeout: float = 60.0,
        memory_timeout: float = 3.0,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._desk = desk
        self._memory = memory
        self._model = model
        self._now = now
        self._nonce = nonce
        self._timeout = timeout
        self._memory_timeout = memory_timeout
        self._redact = redact
        self._search = SimilarSearch(memory, limit=limit, timeout=memory_timeout, monotonic=monotonic)
        self._slot = in_slot(explainer, board=board, monotonic=monotonic) if explainer is not None else None
        self._explanations = None
        if self._slot is not None:
            self._explanations = Explanations(
                self._slot, model=model, metrics=metrics, monotonic=monotonic, nonce=nonce
            )

    async def query(self, question: str, limit: int) -> QueryAnswer:
        """Answer from at most `limit` stored incidents; without a model, list those that fit. Where none does, the
        newest are there as evidence, and nothing is said of them.
        """
        limit = min(max(limit, 1), MAX_LIMIT)
        asked = shown(self._redact(" ".join(question[: 4 * MAX_QUESTION].split())), MAX_QUESTION)
        similar, missing = await self._search.search(asked, limit)
        gaps = [missing] if missing else []
        wanted = read_question(asked, self._now())
        evidence, inexact = await self._gather(wanted, similar, limit)
        gaps += [inexact] if inexact else []
        grounded = Grounded(None)
        if evidence:
            grounded, failure = await self._answer(asked, evidence)
            gaps += [failure] if failure else []
        said = grounded.explanation
        return QueryAnswer(
            question=asked,
            sentences=said.sentences if said else () if inexact else list_incidents(evidence),
            evidence=evidence,
            similar=tuple(similar),
            origin="model" if said else "rules",
            model=said.model if said else "",
            gaps=tuple(gaps),
        )

    async def analyze(self, alert: Alert) -> Alert:
        """The alert with similar incidents and an explanation, or with the gaps that say why not. One attempt."""
        alert = with_similar(alert, *await self._search.find(alert))
        explained = await self._explain(alert)
        return with_explanation(alert, explained.explanation, explained.gaps)

    async def health(self) -> AiHealth:
        """How model and memory are; asks both, within their time limits."""
        status = ModelStatus(reachable=False, name=self._model.name, detail=_OFF.detail)
        if self._slot is not None:
            await self._slot.refresh()
            status = self._slot.status or status
        memory, remembered = await self._count()
        return AiHealth(
            model=status,
            memory=memory,
            remembered=remembered,
            waiting=await self._waiting(),
            breaker=self._slot.breaker.state.value if self._slot is not None else "off",
        )

    # finding

    async def _gather(
        self, wanted: Wanted, similar: Sequence[Similar], limit: int
    ) -> tuple[tuple[Evidence, ...], Gap | None]:
        """Incidents with the question's words, those that resemble it, and if there are none the newest."""
        try:
            alike = {hit.incident_id: await self._desk.incident(hit.incident_id) for hit in similar}
            fitting = [one for one in alike.values() if one is not None and wanted.fits(one)]
            worded = await self._with_words(wanted)
            gone = [hit for hit in similar if alike[hit.incident_id] is None and hit.at >= wanted.since]
            if named_in(wanted.words):  # what resembles it is about others
                fitting, gone = [one for one in fitting if one in worded], []
            found = take_turns(worded, fitting, limit)
            if found or gone:
                return incident_evidence(found, gone[: limit - len(found)]), None
            newest = incident_evidence(await self._desk.incidents(limit=limit), ())
        except Transient as error:
            return (), Gap("evidence", error.why, f"the store cannot be read now: {error.detail}")
        if not newest:
            return (), Gap("evidence", "none", "there are no stored incidents")
        return newest, Gap("evidence", "inexact", "no stored incident fits the question; the newest ones are shown")

    async def _with_words(self, wanted: Wanted) -> list[Incident]:
        words = wanted.words or ("",)
        rounds = [
            await self._desk.incidents(limit=MAX_LIMIT * 5, severity=wanted.severity, status=wanted.status, text=word)
            for word in words
        ]
        return best_first([one for one in found if wanted.fits(one)] for found in of_what_is_named(words, rounds))

    # asking

    async def _answer(self, question: str, evidence: tuple[Evidence, ...]) -> tuple[Grounded, Gap | None]:
        if self._slot is None:
            return Grounded(None), _OFF
        context = self._slot.status.context if self._slot.status else 0
        room = prompt_room(self._model, context)
        prompt = build_question(question, evidence, nonce=self._nonce(), budget_tokens=room)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._slot.ask(prompt.system, prompt.user, prompt.schema)
        except TimeoutError:
            return Grounded(None), self._late()
        except (Transient, Refused) as error:
            return Grounded(None), failure_gap(error)
        grounded = ground(answer.text, prompt.evidence, (), model=answer.model, digest=answer.digest, took=answer.took)
        if grounded.explanation is None:
            detail = _REJECTED.get(grounded.why, "the model's answer was not usable")
            return grounded, Gap(PART, grounded.why, detail)
        left_out = f"the model was shown {len(prompt.evidence)} of {len(evidence)} incidents"
        return grounded, Gap("evidence", "truncated", left_out) if prompt.truncated else None

    async def _explain(self, alert: Alert) -> Explained:
        if self._explanations is None:
            return Explained(None, (_OFF,))
        try:
            async with asyncio.timeout(self._timeout):
                return await self._explanations.explain(alert)
        except TimeoutError:
            return Explained(None, (self._late(),))
        except (Transient, Refused) as error:
            return Explained(None, (failure_gap(error),))

    def _late(self) -> Gap:
        return Gap(PART, "timeout", f"no answer of the model in {self._timeout:g} s, waiting for its turn included")

    # how things are

    async def _count(self) -> tuple[str, int]:
        if self._memory is None:
            return "off", 0
        try:
            async with asyncio.timeout(self._memory_timeout):
                return "ok", await self._memory.count()
        except TimeoutError:
            return "timeout", 0
        except (Transient, Refused) as error:
            return error.why, 0

    async def _waiting(self) -> int:
        try:
            return (await self._desk.counts()).get("enrichments", 0)
        except Transient:
            return 0
