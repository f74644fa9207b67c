"""What is built from one configuration and thrown away at a reload: sources, flow, pipeline, enricher, dispatcher.

Building touches nothing and cannot fail once configuration and rules were accepted; the first read, request and
query happen in `run`. Built from the far end: who is sent to exists before who sends.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import aiohttp

from daemon.assembly import build_flow
from daemon.config import Config, FileSource, HostSource, IntakeSource, JournalSource, Webhook, read_secret
from daemon.delivery import Sink
from daemon.delivery.dispatcher import Dispatcher
from daemon.delivery.webhook import WebhookSink
from daemon.detection.rules import ParsedRules
from daemon.enrichment import Memory
from daemon.enrichment.analyst import DeskAnalyst
from daemon.enrichment.enricher import Enricher
from daemon.enrichment.ollama import Ollama
from daemon.enrichment.redact import Redactor
from daemon.events.readers import AuditdReader, AutoReader
from daemon.flow import Flow
from daemon.inputs import build_intake, build_readers
from daemon.meters import Meters
from daemon.model import Checkpoint, Incident, Snapshot
from daemon.pipeline import Pipeline
from daemon.running_processes import running_processes
from daemon.selection import build_selectors
from daemon.side_thread import SideThread
from daemon.sources import Source
from daemon.sources.gauges import HostGauges
from daemon.sources.gpu import GpuGauges
from daemon.sources.gpu_samples import GpuSamples
from daemon.sources.host_samples import HostSamples
from daemon.sources.intake import IntakePort
from daemon.sources.journal import JournalTail
from daemon.sources.tail import FileTail
from daemon.sources.trails import share_of_descriptors
from daemon.state.store import SqliteStore
from daemon.supervisor import Supervisor, end
from daemon.telemetry import Board, Metrics, Says, log


@dataclass(frozen=True)
class Surroundings:
    """What outlives a reload, and where time and randomness come from."""

    store: SqliteStore
    board: Board
    metrics: Metrics
    supervisor: Supervisor
    session: aiohttp.ClientSession
    now: Callable[[], float]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]
    usernames: Callable[[int], str]


@dataclass(frozen=True)
class Stored:
    """What the store remembers: where to go on reading, and with which memory."""

    checkpoints: Sequence[Checkpoint]
    snapshots: Sequence[Snapshot]
    incidents: Sequence[Incident]


async def load_stored(store: SqliteStore, config: Config) -> Stored:
    """Read everything that a new runtime starts from, behind whatever the one before it left to be written."""
    await store.settle()
    return Stored(
        checkpoints=await store.checkpoints(),
        snapshots=await store.snapshots(),
        incidents=await store.live_incidents(config.incidents.max_tracked),
    )


def resume_flow(config: Config, rules: ParsedRules, stored: Stored, around: Surroundings) -> Flow:
    """The pure half as an earlier process left it, told what runs on this host now. Too slow for the loop."""
    redactor = Redactor(config.redaction.patterns)
    selectors = build_selectors(rules, patient=True) if config.rules.prefilter else {}
    readers = build_readers(config, redactor, selectors, now=around.now, usernames=around.usernames)
    flow = build_flow(config, rules, readers, redactor)
    flow.restore(stored.snapshots)
    running = list(running_processes())
    for reader in readers.values():
        if isinstance(reader, AuditdReader | AutoReader):
            reader.seed(running)
    flow.resume(stored.incidents)
    return flow


def build_sources(
    config: Config, around: Surroundings, checkpoints: Sequence[Checkpoint], repeats: Callable[[str, str], int]
) -> list[Source]:
    """The configured sources, each with its own checkpoints; `repeats` is that of the flow."""
    board, metrics, now, sleep = around.board, around.metrics, around.now, around.sleep
    found: list[Source] = []
    for source in config.sources:
        if isinstance(source, FileSource):
            own = [c for c in checkpoints if c.source == source.name]
            share = share_of_descriptors(len(config.sources))
            found.append(
                FileTail(
                    source, own, board=board, metrics=metrics, now=now, monotonic=around.monotonic, sleep=sleep,
                    most_open=share,
                )
            )  # fmt: skip
        elif isinstance(source, JournalSource):
            own = [c for c in checkpoints if c.source == source.name]
            found.append(JournalTail(source, own, board=board, now=now, sleep=sleep))
        elif isinstance(source, IntakeSource):
            found.append(build_intake(source, config, board=board, now=now, nonce=_nonce, repeats=repeats))
        elif isinstance(source, HostSource):
            samples = HostSamples(source.name, now=now, username=around.usernames)
            found.append(HostGauges(source, samples, board=board, metrics=metrics, sleep=sleep))
        else:
            gpus = GpuSamples(source.name, now=now, username=around.usernames)
            found.append(GpuGauges(source, gpus, board=board, metrics=metrics, sleep=sleep))
    return found


def build_sinks(webhooks: Iterable[Webhook]) -> dict[str, WebhookSink]:
    """The configured webhooks with their secrets. Raises ValueError for a secret that cannot be read or used."""
    sinks: dict[str, WebhookSink] = {}
    for hook in webhooks:
        url = read_secret(hook.url_file) if hook.url_file else hook.url
        sinks[hook.name] = WebhookSink(hook, url=url, secrets=[read_secret(path) for path in hook.secret_files])
    return sinks


class Runtime:
    """The running whole of one configuration. `run` ends after `stop`, when what was read is stored."""

    def __init__(
        self, config: Config, flow: Flow, checkpoints: Sequence[Checkpoint], around: Surroundings, memory: Memory | None
    ) -> None:
        self.config = config
        self._around = around
        self.sinks = build_sinks(config.webhooks)
        sinks: dict[str, Sink] = dict(self.sinks)
        board, metrics, now, sleep = around.board, around.metrics, around.now, around.sleep
        self.dispatcher = Dispatcher(
            around.store, sinks, webhooks=config.webhooks, board=board, metrics=metrics,
            now=now, sleep=sleep, jitter=around.jitter,
        )  # fmt: skip
        explainer = None
        if config.model.mode == "ollama":
            explainer = Ollama(config.model, around.session, monotonic=around.monotonic)
        self.enricher = Enricher(
            around.store, memory, explainer, alerts=config.alerts, model=config.model,
            limit=config.memory.limit, webhooks=config.webhooks, board=board, metrics=metrics,
            now=now, monotonic=around.monotonic, sleep=sleep, nonce=_nonce, revised=self.dispatcher.nudge,
        )  # fmt: skip
        self.analyst = DeskAnalyst(
            around.store, memory, self.enricher.model, model=config.model, board=board, metrics=metrics, now=now,
            monotonic=around.monotonic, nonce=_nonce, limit=config.memory.limit,
            redact=Redactor(config.redaction.patterns).text,
        )  # fmt: skip
        self._thread = SideThread("flow", monotonic=around.monotonic)
        self.meters = Meters(around.metrics, flow)
        self.pipeline = self._build_pipeline(flow, waits_for_memory=memory is not None)
        self.sources = build_sources(config, around, checkpoints, flow.repeats)
        self.intakes = [source for source in self.sources if isinstance(source, IntakePort)]
        self._stop = asyncio.Event()
        self._cut = asyncio.Event()

    def _build_pipeline(self, flow: Flow, *, waits_for_memory: bool) -> Pipeline:
        around, config = self._around, self.config
        return Pipeline(
            flow, around.store, alerts=config.alerts, webhooks=config.webhooks, waits_for_memory=waits_for_memory,
            board=around.board, metrics=around.metrics, now=around.now, monotonic=around.monotonic,
            sleep=around.sleep, stored=self._nudge, no_room=self._give_room, has_room=around.store.ballast.fill,
            ticked=self.meters.note, aside=self._thread,
        )  # fmt: skip

    def _nudge(self) -> None:
        self.dispatcher.nudge()
        self.enricher.nudge()

    def _give_room(self) -> None:
        if self._around.store.ballast.release():
            log.error(Says.ballast_released)

    def stop(self, *, cut: bool = False) -> None:
        """Stop reading and drain; `cut` does not wait for the drain."""
        self._stop.set()
        if cut:
            self._cut.set()

    async def run(self, grace: float, running: Callable[[], None]) -> bool:
        """Run until stopped, calling `running` once everything is started.

        True when everything read was stored within `grace` seconds of the stop.

        Raises GaveUpError (inside an ExceptionGroup) when an essential component failed for good.
        """
        keep = self._around.supervisor.keep
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(keep("delivery", self.dispatcher.run), name="delivery"),
                group.create_task(keep("enrichment", self.enricher.run), name="enrichment"),
            ]
            pipeline = group.create_task(self.pipeline.run(), name="pipeline")
            readers = [
                group.create_task(keep(f"source:{source.name}", _bound(source, self.pipeline)), name=source.name)
                for source in self.sources
            ]
            running()
            await self._stop.wait()
            await end(readers)
            await self.pipeline.close()
            drained = await self._drain(pipeline, grace)
            self._thread.close()
            await end(helpers)
        for sink in self.sinks.values():
            await sink.close()
        return drained

    async def _drain(self, pipeline: "asyncio.Task[None]", grace: float) -> bool:
        """Wait for the pipeline to store what was read, at most `grace` seconds or until cut."""
        cut = self._around.supervisor.spawn("cut", self._was_cut)
        await asyncio.wait({pipeline, cut}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        drained = pipeline.done()
        await end([cut, pipeline])
        return drained

    async def _was_cut(self) -> None:
        await self._cut.wait()


def _nonce() -> str:
    return secrets.token_hex(8)


def _bound(source: Source, pipeline: Pipeline) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await source.run(pipeline.emit)

    return run
