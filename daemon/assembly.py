"""What one configuration makes of the pure half: rules, grouping, redaction. Live and replay build the same."""

import socket

from daemon.config import Config
from daemon.detection.baseline import Baselines, derived_reads
from daemon.detection.engine import Engine
from daemon.detection.incidents import Incidents
from daemon.detection.rules import ParsedRules
from daemon.enrichment.redact import Redactor
from daemon.events import Reader
from daemon.flow import Flow


def host_name(config: Config) -> str:
    """The configured name of this host, else its own."""
    return config.host or socket.gethostname()


def build_flow(config: Config, rules: ParsedRules, readers: dict[str, Reader], redactor: Redactor) -> Flow:
    """The pure half."""
    engine = Engine(rules, redact=redactor.event, prefilter=config.rules.prefilter)
    incidents = Incidents(
        quiet_after=config.incidents.quiet_after,
        repeat_every=config.incidents.repeat_every,
        max_tracked=config.incidents.max_tracked,
        sustained=engine.sustained,
    )
    baselines = Baselines(derived_reads(rules))
    return Flow(readers, engine, incidents, redact=redactor.anomaly, host=host_name(config), baselines=baselines)
