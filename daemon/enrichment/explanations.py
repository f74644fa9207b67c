"""Alert → a grounded explanation: from what is kept of its cause, else from one call of the model.

Kept are at most `max_kept` causes, for a day; that a cause's answer was rejected is kept for ten minutes, so that a
flood of one cause costs one call whatever comes of it. Transient and Refused are passed on: the enricher decides.
"""

from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

from daemon.config.schema import Model
from daemon.enrichment import Answer, Grounded, Prompt
from daemon.enrichment.causes import Cause, Kept, cause_of, fill, keep
from daemon.enrichment.grounding import ground
from daemon.enrichment.model_slot import ModelSlot
from daemon.enrichment.prompt import PROMPT_VERSION, build_prompt
from daemon.model import Alert, Explanation, Gap, Refused, Transient
from daemon.telemetry import Metrics, Says, log

PART = "explanation"
_MARGIN = 256
"""Tokens for the chat template around the two messages."""
_REASONS = {
    "invalid_schema": "the model's answer was not of the form asked for",
    "ungrounded": "nothing that the model said was borne out by the evidence",
    "insufficient_evidence": "the model found the evidence insufficient",
}


class Explained(Struct, frozen=True):
    """What came of it: an explanation, or none and a gap that says why."""

    explanation: Explanation | None
    gaps: tuple[Gap, ...] = ()


class _Row(Struct, frozen=True):
    kept: Kept | None
    gap: Gap | None
    until: float


def prompt_room(model: Model, context: int) -> int:
    """Tokens for the prompt: what the answer leaves, thinking included, and never less than half."""
    context = context or model.context
    return max(context // 2, context - 4 * model.max_answer_tokens - _MARGIN)


def failure_gap(error: Transient | Refused) -> Gap:
    """Why there is no explanation."""
    return Gap(PART, error.why, error.detail)


class Explanations:
    """`nonce` gives a fresh random word for each prompt; `monotonic` seconds."""

    def __init__(
        self,
        slot: ModelSlot,
        *,
        model: Model,
        metrics: Metrics,
        monotonic: Callable[[], float],
        nonce: Callable[[], str],
        max_kept: int = 256,
        keep_for: float = 86_400.0,
        reject_for: float = 600.0,
    ) -> None:
        self._slot = slot
        self._model = model
        self._metrics = metrics
        self._monotonic = monotonic
        self._nonce = nonce
        self._max_kept = max_kept
        self._keep_for = keep_for
        self._reject_for = reject_for
        self._rows: OrderedDict[str, _Row] = OrderedDict()

    @property
    def kept(self) -> int:
        """How many causes are known."""
        return len(self._rows)

    def cause(self, alert: Alert) -> str:
        """Equal for alerts that one answer would explain."""
        return self._cause(alert).key

    def known(self, alert: Alert) -> Explained | None:
        """What is kept of its cause, with this alert's values and grounded in its evidence; None if nothing is."""
        cause = self._cause(alert)
        row = self._rows.get(cause.key)
        if row is None or row.until <= self._monotonic():
            return None
        self._rows.move_to_end(cause.key)
        if row.kept is None:
            self._count(row.gap.why if row.gap else "rejected")
            return Explained(None, (row.gap,) if row.gap else ())
        status = self._slot.status
        grounded = ground(
            fill(row.kept, cause.values), alert.evidence, alert.similar,
            model=self._model.name, digest=status.digest if status else "", took=0.0,
        )  # fmt: skip
        if grounded.explanation is None:
            return None
        self._count("reused")
        return Explained(grounded.explanation)

    async def explain(self, alert: Alert, *, squeeze: int = 1) -> Explained:
        """Known, else asked for: one attempt. `squeeze` divides the room of the prompt. Raises Transient or Refused."""
        known = self.known(alert)
        if known is not None:
            return known
        context = self._slot.status.context if self._slot.status else 0
        room = prompt_room(self._model, context) // max(squeeze, 1)
        prompt = build_prompt(alert, nonce=self._nonce(), budget_tokens=room)
        try:
            answer = await self._slot.ask(prompt.system, prompt.user, prompt.schema)
        except (Transient, Refused) as error:
            self._count(error.why)
            raise
        self._metrics.explanation_seconds.observe(answer.took)
        return self._ground(alert, prompt, answer)

    def _ground(self, alert: Alert, prompt: Prompt, answer: Answer) -> Explained:
        grounded = ground(
            answer.text, prompt.evidence, alert.similar, model=answer.model, digest=answer.digest, took=answer.took
        )
        self._metrics.ungrounded.inc(grounded.dropped)
        cause = self._cause(alert)
        if grounded.explanation is None:
            gap = self._rejected(alert, grounded)
            self._put(cause, None, gap, self._reject_for)
            return Explained(None, (gap,))
        self._count("ok")
        kept = keep(grounded.explanation, cause.values)
        if kept is not None and not prompt.truncated:
            self._put(cause, kept, None, self._keep_for)
        return Explained(grounded.explanation, _left_out(alert, prompt))

    def _rejected(self, alert: Alert, grounded: Grounded) -> Gap:
        self._count(grounded.why)
        detail = _REASONS.get(grounded.why, "the model's answer was not usable")
        if grounded.dropped:
            detail += f" ({grounded.dropped} sentences dropped)"
        log.info(Says.explanation_rejected, alert=alert.id, why=grounded.why, dropped=grounded.dropped)
        return Gap(PART, grounded.why, detail)

    def _put(self, cause: Cause, kept: Kept | None, gap: Gap | None, seconds: float) -> None:
        self._rows[cause.key] = _Row(kept, gap, self._monotonic() + seconds)
        self._rows.move_to_end(cause.key)
        while len(self._rows) > self._max_kept:
            self._rows.popitem(last=False)
            self._metrics.evictions.labels("explanations").inc()

    def _cause(self, alert: Alert) -> Cause:
        status = self._slot.status
        digest = status.digest if status else ""
        return cause_of(alert, model=f"{self._model.name}@{digest}", prompt_version=PROMPT_VERSION)

    def _count(self, outcome: str) -> None:
        self._metrics.explanations.labels(outcome).inc()


def _left_out(alert: Alert, prompt: Prompt) -> tuple[Gap, ...]:
    """What the model was not shown, unless the alert already says that its evidence is incomplete."""
    if not prompt.truncated or any(gap.part == "evidence" for gap in alert.gaps):
        return ()
    shown = f"the model was shown {len(prompt.evidence)} of {len(alert.evidence)} pieces of evidence"
    return (Gap("evidence", "truncated", shown),)
