"""The endpoint of the running process: what the API asks, answered by whatever runtime is current."""

import contextlib
import math
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from aiohttp import web

import daemon
from daemon.api.app import RUNNER_OPTIONS, Endpoint, build_app
from daemon.api.endpoint import Changes, FileStatus, Intake, Phase, RuleStatus, RunningStatus
from daemon.assembly import host_name
from daemon.audit_sight import audit_status
from daemon.config import Config, FileSource, IntakeSource, JournalSource, read_secret
from daemon.detection.incidents import Incidents
from daemon.detection.rules import ParsedRules
from daemon.enrichment import AiHealth, Analyst, QueryAnswer
from daemon.enrichment.redact import Redactor
from daemon.enrichment.template import base_alert
from daemon.events.readers import build_reader, detect_format
from daemon.model import Alert, Anomaly, Checkpoint, Event, Lines, Position, Transient
from daemon.runtime import Runtime, Surroundings
from daemon.telemetry import Board, HealthState, Metrics, Says, log

_LOGS = FileSource | JournalSource


class Process(Protocol):
    """What the endpoint asks of the process."""

    config: Config
    rules: ParsedRules
    config_path: str
    runtime: Runtime | None
    phase: Phase
    started_at: float
    reloaded_at: float
    stalled: bool

    async def reload(self) -> Changes:
        """See `daemon.service.Service.reload`."""
        ...


class CurrentAnalyst:
    """Asks the analyst of the runtime that runs now."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def _analyst(self) -> Analyst:
        if self._process.runtime is None:
            raise web.HTTPServiceUnavailable
        return self._process.runtime.analyst

    async def query(self, question: str, limit: int) -> QueryAnswer:
        """See `Analyst.query`."""
        return await self._analyst().query(question, limit)

    async def analyze(self, alert: Alert) -> Alert:
        """See `Analyst.analyze`."""
        return await self._analyst().analyze(alert)

    async def health(self) -> AiHealth:
        """See `Analyst.health`."""
        return await self._analyst().health()


def running_status(process: Process, board: Board, metrics: Metrics) -> RunningStatus:
    """What only the process knows; never waits."""
    runtime, rules = process.runtime, process.rules
    positions = [] if runtime is None else runtime.pipeline.positions.values()
    files = [_file(*row) for row in positions if row[0].position.identity]  # else: noted that nothing was there yet
    return RunningStatus(
        phase=process.phase,
        started_at=process.started_at,
        essential=("pipeline", "store"),
        logs=tuple(f"source:{one.name}" for one in process.config.sources if isinstance(one, _LOGS)),
        stalled=process.stalled,
        host=host_name(process.config),
        config=process.config_path,
        reloaded_at=process.reloaded_at,
        files=tuple(files),
        rules=RuleStatus(
            loaded=len(rules.rules),
            disabled=len(rules.disabled),
            refused=len(rules.problems),
            problems=tuple(str(problem) for problem in rules.problems),
        ),
        versions={"tellwhy": daemon.__version__, "python": platform.python_version()},
        audit=audit_status(process.config, board, metrics, {} if runtime is None else runtime.meters.sights),
    )


def _file(checkpoint: Checkpoint, read_at: float) -> FileStatus:
    at = checkpoint.position
    try:
        size = Path(at.path).stat().st_size
    except OSError:
        size = at.offset
    return FileStatus(checkpoint.source, at.path, at.identity, at.offset, size, read_at)


def reading(process: Process, around: Surroundings) -> Callable[[str, bytes], Sequence[Event]]:
    """Raw log lines → events, with the readers that live sources use. Raises ValueError with what was expected."""

    def read(fmt: str, data: bytes) -> Sequence[Event]:
        chosen = detect_format(data) if fmt == "auto" else fmt
        if not chosen:
            message = "expected audit, syslog or JSON lines; say which with format"
            raise ValueError(message)
        reader = build_reader(
            "api", chosen, host=host_name(process.config), now=around.now, usernames=around.usernames,
            redact=Redactor(process.config.redaction.patterns).text, zone=None,
        )  # fmt: skip
        whole = data if data.endswith(b"\n") else data + b"\n"
        end = Checkpoint("api", Position("(posted)", "", len(whole)))
        outputs = [*reader.feed(Lines("api", whole, Position("(posted)", "", 0), end)), *reader.tick(math.inf)]
        return [output for output in outputs if isinstance(output, Event)]

    return read


def composing(process: Process, around: Surroundings) -> Callable[[Anomaly], Alert]:
    """A posted anomaly → its base alert, redacted; nothing is stored."""

    def compose(anomaly: Anomaly) -> Alert:
        incidents = Incidents(quiet_after=1.0, repeat_every=1.0, max_tracked=1)
        change = incidents.feed(Redactor(process.config.redaction.patterns).anomaly(anomaly))
        return base_alert(change.incident, change.decision, version=1, now=around.now())

    return compose


def open_intakes(process: Process) -> Sequence[Intake]:
    """Where other tools may hand over now. Raises Transient while we start or reload."""
    if process.runtime is not None:
        return process.runtime.intakes
    if any(isinstance(source, IntakeSource) for source in process.config.sources):
        raise Transient("the intakes are not open yet", retry_after=1.0)
    return ()


@contextlib.asynccontextmanager
async def serving(process: Process, around: Surroundings) -> AsyncIterator[None]:
    """Answer requests while the context lasts. A port that is taken degrades the endpoint, not the detection."""
    config = process.config.api
    if not config.enabled:
        around.board.set("endpoint", HealthState.off, "api.enabled is false")
        yield
        return
    runner = web.AppRunner(build_app(_endpoint(process, around)), **RUNNER_OPTIONS)
    await runner.setup()
    host, _, port = config.listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        detail = f"expected {config.listen} to be free ({error.strerror}); change api.listen"
        around.board.set("endpoint", HealthState.failed, detail)
        log.error(Says.endpoint_refused, listen=config.listen, error=detail)
    else:
        around.board.set("endpoint", HealthState.ok)
        log.info(Says.endpoint_listening, listen=config.listen)
    try:
        yield
    finally:
        await runner.cleanup()


def _endpoint(process: Process, around: Surroundings) -> Endpoint:
    config = process.config.api
    reload: Callable[[], Awaitable[Changes]] = process.reload
    return Endpoint(
        desk=around.store, outbox=around.store, analyst=CurrentAnalyst(process), board=around.board,
        metrics=around.metrics, status=lambda: running_status(process, around.board, around.metrics), reload=reload,
        intakes=lambda: open_intakes(process), read=reading(process, around),
        compose=composing(process, around), version=daemon.__version__,
        now=around.now, monotonic=around.monotonic, listen=config.listen,
        token=read_secret(config.token_file) if config.token_file else "",
    )  # fmt: skip
