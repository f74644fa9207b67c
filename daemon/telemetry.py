"""Every log event, metric and health state there is: nobody greps for strings.

`Says` declares the log events (past tense, constant text, data as keys), `Metrics` the Prometheus metrics,
`Board` who is well. Log text that came from a log is data: a key, never part of the message.
"""

import logging
import sys
from collections.abc import Callable
from enum import StrEnum

import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Says(StrEnum):
    """The log events. Levels by consequence: ERROR data lost or a human is needed, WARN odd but nothing lost."""

    # process
    started = "started"
    ready = "ready"
    stopping = "stopping"
    stopped = "stopped"
    cut = "stopped before the drain ended"
    reloaded = "reloaded"
    reload_refused = "reload refused, the old configuration stays"
    rules_refused = "changed rules refused, the old rules stay"
    config_defaulted = "no configuration file, safe defaults used"
    task_restarted = "component restarted"
    task_gave_up = "component gave up"
    rule_refused = "rule refused"
    rules_loaded = "rules loaded"
    rules_unwise = "some rules are unwise"
    clock_jumped = "clock jumped"
    # sources
    source_unreadable = "source unreadable"
    source_readable = "source readable again"
    files_take_turns = "more files than may be open, read in turn"
    source_missing = "source missing, waiting for it"
    file_opened = "file opened"
    file_rotated = "file rotated"
    file_truncated = "file truncated"
    file_replaced = "file is not the one read before, reading from its start"
    gauge_absent = "gauge absent on this host"
    input_lost = "input lost"
    # state
    store_migrated = "store migrated"
    store_refused = "store refused"
    commit_failed = "commit failed, reading paused"
    commit_recovered = "commit succeeded again, reading resumed"
    ballast_released = "disk full, ballast released"
    # incidents and alerts
    incident_opened = "incident opened"
    incident_updated = "incident updated"
    incident_resolved = "incident resolved"
    # enrichment
    memory_started = "memory worker started"
    memory_failed = "memory failed"
    memory_recovered = "memory works again"
    model_probed = "model probed"
    model_failed = "model failed"
    model_recovered = "model works again"
    explanation_rejected = "explanation rejected"
    enrichment_failed = "enrichment of one alert failed, the alert itself is not touched"
    enrichment_paused = "store busy or full, enrichment paused"
    # delivery
    delivered = "delivered"
    delivery_failed = "delivery failed, will be tried again"
    delivery_refused = "delivery refused"
    delivery_expired = "delivery expired"
    webhook_disabled = "webhook disabled by its receiver"
    # endpoint
    endpoint_listening = "endpoint listening"
    endpoint_refused = "endpoint cannot listen"
    request_failed = "request failed"


class HealthState(StrEnum):
    """How a component is."""

    starting = "starting"
    ok = "ok"
    degraded = "degraded"
    failed = "failed"
    off = "off"


class Health(Struct, frozen=True):
    """What `/api/v1/status` prints of one component; `detail` says what is wrong and what mends it."""

    component: str
    state: HealthState
    since: float
    detail: str = ""


class Board:
    """Who is well. Remembers one `Health` per component; the components are a closed, configured set."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._rows: dict[str, Health] = {}

    def set(self, component: str, state: HealthState, detail: str = "") -> bool:
        """Record a state; True when it differs from the one before (so that repeated failures log once)."""
        old = self._rows.get(component)
        if old is not None and old.state == state:
            if old.detail != detail:
                self._rows[component] = Health(component, state, old.since, detail)
            return False
        self._rows[component] = Health(component, state, self._now(), detail)
        return True

    def get(self, component: str) -> Health | None:
        """The state of one component, None when it was never set."""
        return self._rows.get(component)

    def remove(self, component: str) -> None:
        """Forget a component that the configuration no longer names."""
        self._rows.pop(component, None)

    def rows(self) -> tuple[Health, ...]:
        """All components by name."""
        return tuple(self._rows[name] for name in sorted(self._rows))


class Metrics:
    """The Prometheus metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._count_reading(self.registry)
        self._count_telling(self.registry)
        self._count_ourselves(self.registry)

    def _count_reading(self, registry: CollectorRegistry) -> None:
        self.build_info = Gauge("tellwhy_build_info", "Version of the running daemon.", ["version"], registry=registry)
        self.lines = Counter("tellwhy_lines", "Whole lines read.", ["source"], registry=registry)
        self.read_bytes = Counter("tellwhy_read_bytes", "Bytes read.", ["source"], registry=registry)
        self.source_lag = Gauge(
            "tellwhy_source_lag_bytes", "Bytes written but not yet read.", ["source"], registry=registry
        )
        self.samples = Counter("tellwhy_samples", "Gauge readings taken.", ["source"], registry=registry)
        self.events = Counter("tellwhy_events", "Events evaluated.", ["source"], registry=registry)
        self.unparsed = Counter(
            "tellwhy_unparsed_lines", "Lines not understood, posted events not taken.", ["source"], registry=registry
        )
        self.lost = Counter(
            "tellwhy_lost_input", "Input known to be lost, by reason.", ["source", "why"], registry=registry
        )
        self.anomalies = Counter("tellwhy_anomalies", "Rule firings.", ["severity"], registry=registry)
        self.incidents = Counter(
            "tellwhy_incident_decisions", "Incident changes by decision.", ["decision"], registry=registry
        )
        self.incidents_open = Gauge("tellwhy_incidents_open", "Incidents that are open.", registry=registry)
        self.evictions = Counter("tellwhy_evictions", "Keyed state evicted at its bound.", ["state"], registry=registry)
        self.commit_seconds = Histogram("tellwhy_commit_seconds", "Time of one store transaction.", registry=registry)
        self.loop_lag = Histogram(
            "tellwhy_loop_lag_seconds",
            "By how much sleeps of the event loop ended late.",
            buckets=(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1),
            registry=registry,
        )

    def _count_telling(self, registry: CollectorRegistry) -> None:
        self.deliveries = Counter(
            "tellwhy_deliveries", "Delivery attempts by outcome.", ["webhook", "outcome"], registry=registry
        )
        self.outbox_depth = Gauge("tellwhy_outbox_depth", "Deliveries owed and not yet accepted.", registry=registry)
        self.outbox_oldest = Gauge(
            "tellwhy_outbox_oldest_seconds", "Age of the oldest delivery owed.", registry=registry
        )
        self.line_to_webhook = Histogram(
            "tellwhy_anomaly_to_webhook_seconds",
            "From the incident's commit to the webhook's acceptance of its base alert.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
            registry=registry,
        )
        self.explanations = Counter(
            "tellwhy_explanations", "Explanations asked for, by outcome.", ["outcome"], registry=registry
        )
        self.explanation_seconds = Histogram(
            "tellwhy_explanation_seconds",
            "Time of one model call.",
            buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120),
            registry=registry,
        )
        self.ungrounded = Counter("tellwhy_ungrounded_sentences", "Sentences dropped by grounding.", registry=registry)
        self.memory_searches = Counter(
            "tellwhy_memory_searches", "Similarity searches by outcome.", ["outcome"], registry=registry
        )
        self.memory_points = Gauge("tellwhy_memory_incidents", "Incidents remembered.", registry=registry)

    def _count_ourselves(self, registry: CollectorRegistry) -> None:
        self.restarts = Counter(
            "tellwhy_component_restarts", "Restarts after a failure.", ["component"], registry=registry
        )
        self.rules = Gauge("tellwhy_rules", "Rules by status.", ["status"], registry=registry)
        self.rule_warnings = Gauge(
            "tellwhy_rule_warnings", "What `tellwhy check` warns of in the rules in force.", registry=registry
        )
        self.reload_ok = Gauge(
            "tellwhy_config_reload_success", "1 when the last reload was accepted.", registry=registry
        )
        self.requests = Counter(
            "tellwhy_http_requests", "Requests to the endpoint.", ["route", "status"], registry=registry
        )


def _plain_event(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    entry["event"] = str(entry["event"])
    return entry


def configure_logging(level: str, fmt: str = "auto") -> None:
    """Send our log to stderr: key=value in a terminal, JSON to a pipe (`fmt` forces `console` or `json`)."""
    pretty = sys.stderr.isatty() if fmt == "auto" else fmt == "console"
    shared: list[structlog.typing.Processor] = [
        _plain_event,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.UnicodeDecoder(),
    ]
    if pretty:
        render: structlog.typing.Processor = structlog.processors.KeyValueRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True
        )
    else:
        shared.append(structlog.processors.format_exc_info)
        render = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


log: structlog.typing.FilteringBoundLogger = structlog.get_logger("tellwhy")
"""The one logger. Call it with a member of `Says` and keys."""
